"""Word and name lists for the tagger of names: Faker (MIT), zxcvbn-ts's language packages (MIT) and our own lists.txt.

They are brought into benchmarks/.peers/names by pip and npm the first time, at pinned versions.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from name_things import bring_things, labels, people, things

from tailorbird.privacy.words import BRAND, FIRST_AT, LANGUAGES, LAST_AT, PLACE, THING, plain

HERE = Path(__file__).parent
FOLDER = HERE / ".peers" / "names"
FAKER = "faker==40.54.0"
PACKAGES = {
    "en": "en@4.1.1",
    "de": "de@3.0.2",
    "es": "es-es@4.1.2",
    "fr": "fr@4.1.2",
    "pt": "pt-br@4.1.1",
    "it": "it@3.0.2",
    "pl": "pl@3.0.2",
    "nl": "nl-be@3.0.2",
}
# Faker's locales by the languages in whose messages their names are common; the others are names from anywhere.
HOME = {
    "en": ("en_US", "en_GB", "en_IE", "en_IN", "en_KE", "en_NG", "en_PK", "ga_IE"),
    "de": ("de_DE", "de_AT", "de_CH"),
    "es": ("es_ES", "es_MX", "es_CO", "es_AR", "es_CL", "es_CA"),
    "fr": ("fr_FR", "fr_BE", "fr_CA", "fr_CH"),
    "pt": ("pt_PT", "pt_BR"),
    "it": ("it_IT",),
    "pl": ("pl_PL",),
    "nl": ("nl_NL", "nl_BE"),
}
WORLD = (
    "tr_TR",
    "yo_NG",
    "ha_NG",
    "ig_NG",
    "vi_VN",
    "sv_SE",
    "no_NO",
    "dk_DK",
    "fi_FI",
    "cs_CZ",
    "sk_SK",
    "hu_HU",
    "ro_RO",
    "hr_HR",
    "et_EE",
    "lt_LT",
    "lv_LV",
    "sl_SI",
    "tw_GH",
    "zu_ZA",
    "id_ID",
    "fil_PH",
    "en_TH",
    "az_AZ",
    "uz_UZ",
    "sw",
    "gu_IN",
)
# Sentences of a program's screens in all eight languages, by volunteers: hardly a name in them (Apache-2.0).
SCREENS = "matrix-react-sdk@3.80.0"
SCREEN_FILES = {"en": "en_EN", "de": "de_DE", "es": "es", "fr": "fr", "pt": "pt_BR", "it": "it", "pl": "pl", "nl": "nl"}
SCRIPT = """
import importlib, json, sys
found = {}
for locale in sys.argv[1:]:
    lists = {"first": [], "last": [], "city": [], "street": []}
    try:
        person = importlib.import_module(f"faker.providers.person.{locale}").Provider
    except ImportError:
        continue
    for name in dir(person):
        if name.startswith(("first_name", "last_name")) and isinstance(getattr(person, name), (tuple, list, dict)):
            lists["first" if name.startswith("first") else "last"] += list(getattr(person, name))
    try:
        address = importlib.import_module(f"faker.providers.address.{locale}").Provider
    except ImportError:
        address = object
    for name in ("cities", "city_names", "towns"):
        lists["city"] += [x if isinstance(x, str) else x[-1] for x in getattr(address, name, ())]
    for name in ("streets", "street_names"):
        lists["street"] += [x for x in getattr(address, name, ()) if isinstance(x, str)]
    latin = lambda entries: sorted({str(x) for x in entries if str(x)[:1].isalpha() and ord(max(str(x))) < 0x1F00})
    found[locale] = {kind: latin(entries) for kind, entries in lists.items()}
print(json.dumps(found))
"""


def bring() -> None:
    """Installs Faker and unpacks the word lists, once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    bring_things()
    (FOLDER.parent / ".gitignore").write_text("*\n")
    if not (FOLDER / "faker.json").exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", FOLDER / "faker", FAKER], check=True)
        locales = [*(name for names in HOME.values() for name in names), *WORLD]
        lists = subprocess.run(
            [sys.executable, "-c", SCRIPT, *locales], check=True, capture_output=True, env={"PYTHONPATH": str(FOLDER / "faker")}
        )
        (FOLDER / "faker.json").write_bytes(lists.stdout)
    for folder, package in {**{k: f"@zxcvbn-ts/language-{v}" for k, v in PACKAGES.items()}, "screens": SCREENS}.items():
        if not (FOLDER / folder).exists():
            name = subprocess.run(
                ["npm", "pack", package], cwd=FOLDER, check=True, capture_output=True, text=True
            ).stdout.split()[-1]
            with tarfile.open(FOLDER / name) as archive:
                archive.extractall(FOLDER / folder, filter="data")


def screens(language: str) -> list[str]:
    """Real sentences in a language; {P} where the program puts a user's name, other slots left out with their sentence."""
    path = FOLDER / "screens" / "package" / "src" / "i18n" / "strings" / f"{SCREEN_FILES[language]}.json"
    found: list[str] = []
    entries = list(json.loads(path.read_text(encoding="utf-8")).values())
    while entries:
        text = entries.pop()
        if isinstance(text, dict):
            entries += text.values()
        else:
            text = re.sub(r"%\((?:sender|target|display|user|senderDisplay|member)[A-Za-z]*\)s", "{P}", text)
            text = re.sub(r"</?\w+/?>", "", text.replace("%(count)s", "{#}").replace("%(brand)s", "{B}"))
            if "%(" not in text and 8 < len(text) < 220 and "|" not in text:
                found.append(text)
    return found


def faker_lists() -> dict[str, dict[str, list[str]]]:
    """Names and places by locale."""
    found: dict[str, dict[str, list[str]]] = json.loads((FOLDER / "faker.json").read_text())
    return found


def word_list(language: str, *names: str) -> list[str]:
    """One of the ranked lists of a language package, joined from several files."""
    folder = FOLDER / language / "package" / "src"
    return [
        word for name in names if (folder / f"{name}.json").exists() for word in json.loads((folder / f"{name}.json").read_text())
    ]


def own_lists() -> dict[str, list[str]]:
    """Our lists.txt by section."""
    sections: dict[str, list[str]] = defaultdict(list)
    name = ""
    for line in (HERE / "names" / "lists.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            sections[name] += [entry.strip() for entry in line.split(",") if entry.strip()]
    return dict(sections)


def vocabulary() -> tuple[np.ndarray, np.ndarray]:
    """Sorted hashes of all words, and their flags."""
    flags: dict[str, int] = defaultdict(int)
    for place, language in enumerate(LANGUAGES):
        _rank(flags, place, word_list(language, "commonWords"), (1200, 6000, 22000))
        _rank(flags, place, word_list(language, "wikipedia"), (300, 2500, 16000))
    first, last = name_counts()
    for shift, counts in ((FIRST_AT, first), (LAST_AT, last)):
        for word, level in counts.items():
            for form in {word, plain(word)}:
                flags[form] = flags[form] & ~(3 << shift) | max(flags[form] >> shift & 3, level) << shift
    lists = own_lists()
    cities = [city for locale in faker_lists().values() for city in locale["city"]]
    for name in (*lists["places"], *cities):
        for part in name.lower().replace("-", " ").split():
            if len(part) > 3:
                flags[part] |= PLACE
    for brand in (*lists["brands_like_people"], *lists["brands"], *lists["companies"]):
        parts = brand.lower().replace("&", " ").split()
        for one, two in pairwise(parts):
            flags[f"{one.strip('.')} {two.strip('.')}"] |= BRAND
        if len(parts) == 1 or brand in lists["brands"]:
            for part in parts:
                flags[part.strip(".")] |= BRAND
    _mark_things(flags)
    hashes = {zlib.crc32(word.encode()): value for word, value in flags.items() if value}
    keys = np.array(sorted(hashes), np.uint32)
    return keys, np.array([hashes[int(key)] for key in keys], np.uint32)


def _mark_things(flags: dict[str, int]) -> None:
    """Words of things that are no common words, and places that are no names."""
    for kind, entries in things().items():
        if kind not in ("titles", "streets", "places", "firms"):
            for word in _words(entries):
                if len(word) > 2 and not flags[word] & 0xAAAA:
                    flags[word] |= THING
    places = [*things()["places"], *(label for language in LANGUAGES for label in labels(language) if label[:1].isupper())]
    for word in _words(places):
        if len(word) > 3 and not flags[word] & (2 << FIRST_AT | 2 << LAST_AT | 0xAAAA):
            flags[word] |= PLACE


def _words(entries: Iterable[str]) -> Iterable[str]:
    return (word.strip(".,!?()'\"") for entry in entries for word in re.split(r"[\s&/-]+", entry.lower()) if word)


def _rank(flags: dict[str, int], place: int, words: Iterable[str], limits: tuple[int, int, int]) -> None:
    for number, word in enumerate(words):
        level = 3 - sum(number >= limit for limit in limits)
        if level <= 0:
            break
        old = flags[word] >> 2 * place & 3
        flags[word] = flags[word] & ~(3 << 2 * place) | max(old, level) << 2 * place


def name_counts() -> tuple[dict[str, int], dict[str, int]]:
    """How common each first name and surname is, 1 to 3, by how many lists have it and how high."""
    first: dict[str, int] = defaultdict(int)
    last: dict[str, int] = defaultdict(int)
    for lists in faker_lists().values():
        for target, kind in ((first, "first"), (last, "last")):
            for name in lists[kind]:
                for part in name.lower().split():
                    target[part] += 2
    for locale, lists in people().items():
        for target, kind in ((first, "first"), (last, "last")):
            for name in lists[kind]:
                for part in name.lower().split():
                    target[part] += 2 if locale.startswith("en_") else 1
    world = own_lists()
    for target, key in ((first, "first_world"), (last, "last_world")):
        for name in world[key]:
            for part in name.lower().split():
                target[part] += 2
    for language in LANGUAGES:
        ranked_first = word_list(
            language, "firstnames", "boysFirstnames", "girlsFirstnames", "maleFirstnames", "femaleFirstnames"
        )
        for name in ranked_first:
            target_level = 1
            first[name.lower()] += target_level
        for name in word_list(language, "lastnames", "maleLastnames", "femaleLastnames")[:30000]:
            for part in name.lower().split():
                last[part] += 1
    particles = {
        "de",
        "da",
        "do",
        "van",
        "von",
        "der",
        "den",
        "la",
        "le",
        "el",
        "al",
        "del",
        "di",
        "dos",
        "das",
        "y",
        "e",
        "i",
        "du",
        "ten",
        "ter",
        "het",
        "in",
        "te",
        "o",
        "a",
    }
    return (
        {n: min(3, c) for n, c in first.items() if n not in particles and len(n) > 1},
        {n: min(3, c) for n, c in last.items() if n not in particles and len(n) > 1},
    )
