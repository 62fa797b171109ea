"""Makes support messages in eight languages in which it is known who is named: training data for the tagger of names.

The sentences are names/*.txt, one pattern a line: (a|b) is a choice, {P} a person, {F} a first name, {S} a surname, {R}
surname first, {I} with initials, {V} and {H} Polish cases, {X} a brand that sounds like a person, {B} a brand, {K} a
company, {L} {G} places, {T} a thing, {N} one that is named after somebody, {M} a month, {D} a weekday, {U} a common word,
{Z} an invented product, {#} digits, {E} {Y} {A} contact data; {O} a first name, {J} a whole name and {W} one in Polish
genitive that are a thing's. ⟨ and ⟩ are brackets. The letter before a pattern is its part: O and o open a message, C and c
close it, W and N are sentences, F forms; capital O, C, W and F name people.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from name_forms import structured
from name_sources import HOME, WORLD, faker_lists, name_counts, own_lists, screens, word_list
from name_tables import AMBIGUOUS, CITY_TAIL, DAYS, MONTHS, NAMED_THINGS, PARTICLES_OF, STREET, TRADES
from name_things import device_screens, labels, people, things

from tailorbird.privacy.words import LANGUAGES, plain

HERE = Path(__file__).parent
_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{([PFSRIVHXBKLMDUZEYATNGJOW#])\}")
APOSTROPHES = "'’"
_BRACKETS = str.maketrans("⟨⟩", "()")
_MARK = re.compile("\x02([^\x02\x03]*)\x03")


@cache
def patterns(language: str) -> dict[str, list[str]]:
    """The patterns of a language by part."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (HERE / "names" / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            found[line[0]].append(line[2:])
    return dict(found)


@cache
def _pools() -> tuple[dict[str, list[str]], dict[str, list[str]], list[str], list[str]]:
    lists, own = faker_lists(), own_lists()
    first, last = {}, {}
    for language in LANGUAGES:
        first[language] = [n for locale in HOME[language] for n in lists.get(locale, {}).get("first", ())]
        last[language] = [n for locale in HOME[language] for n in lists.get(locale, {}).get("last", ())]
        ranked = word_list(language, "firstnames", "boysFirstnames", "girlsFirstnames", "maleFirstnames", "femaleFirstnames")
        first[language] += [n.title() for n in ranked[:700]]
        last[language] += [n.title() for n in word_list(language, "lastnames", "maleLastnames", "femaleLastnames")[:6000]]
    abroad = people().values()
    world_first = [n for locale in WORLD for n in lists.get(locale, {}).get("first", ())] + own["first_world"] * 6
    world_last = [n for locale in WORLD for n in lists.get(locale, {}).get("last", ())] + own["last_world"] * 6
    world_first += [n for one in abroad for n in one["first"]]
    world_last += [n for one in abroad for n in one["last"]]
    return first, last, world_first, world_last


@cache
def _screens(language: str) -> list[str]:
    return screens(language) + device_screens(language)


@cache
def _things() -> list[list[str]]:
    """Kinds of things, those oftener that support messages are about."""
    often = {"icons": 4, "software": 3, "cars": 3, "fashion": 3, "food": 2, "home": 3, "health": 3, "banks": 3, "tech": 3,
             "plans": 3, "travel": 3, "roles": 3, "events": 2, "devices": 2, "breeds": 1}  # fmt: skip
    return [entries for kind, entries in things().items() for _ in range(often.get(kind, 1))]


@cache
def _plain_words(language: str) -> list[str]:
    """Common words, the commonest more often, less those that are first names or surnames in good standing."""
    first, last = name_counts()
    ranked = word_list(language, "commonWords")[:12000]
    words = [w for n, w in enumerate(ranked) if w.isalpha() and first.get(w, 0) < 2 and (last.get(w, 0) < 2 or n < 5000)]
    words += [w.lower() for w in AMBIGUOUS[language].split() if w.lower() in set(ranked[:8000])] * 3
    return words[:300] * 12 + words[:1500] * 4 + words


@cache
def _rare_words(language: str) -> list[str]:
    """Words that are in few lists or none, and are no names: what a tagger meets at the beginning of a sentence."""
    first, last = name_counts()
    words = word_list(language, "commonWords")[5000:] + word_list(language, "wikipedia")[9000:]
    return [w for w in words if w.isalpha() and len(w) > 3 and w not in first and w not in last]


@cache
def _common(language: str) -> list[str]:
    first, last, *_ = _pools()
    names = {n.lower() for n in (*first[language], *last[language])}
    return [w for w in word_list(language, "commonWords")[150:9000] if w not in names and len(w) > 3 and w.isalpha()]


class Writer:
    """Writes messages from a seed; a message is its text, the spans of its names, and its language."""

    def __init__(self, seed: int, questions: list[str]) -> None:
        self.random = random.Random(seed)
        self.questions = questions

    def message(self) -> tuple[str, list[tuple[int, int]], str]:
        """One message."""
        pick = self.random
        language = pick.choices(LANGUAGES, (3, 1, 1, 1, 1, 1, 1, 1))[0]
        parts = patterns(language)
        kind = pick.random()
        if kind < 0.03:
            text = self._fill(pick.choice(parts["F"]), language)
        elif kind < 0.17:
            text = structured(pick, self._structured_part, language)
        elif kind < 0.46:
            text = self._sentence(language)
        else:
            body = (pick.choice((" ", " ", "\n", "\n\n"))).join(
                self._sentence(language) for _ in range(pick.choice((1, 1, 2, 2, 3, 4)))
            )
            opener = self._fill(pick.choice(parts[pick.choice("Oo")]), language) if pick.random() < 0.65 else ""
            closer = self._fill(pick.choice(parts[pick.choice("CCc")]), language) if pick.random() < 0.6 else ""
            text = opener + (pick.choice(("\n\n", "\n", " ", " ")) if opener else "") + body
            text += (pick.choice(("\n\n", "\n", " ", " ")) if closer else "") + closer
        return (*self._marked(self._roughened(text)), language)

    def _sentence(self, language: str) -> str:
        pick, parts = self.random, patterns(language)
        if pick.random() < 0.4:
            return self._fill(pick.choice(parts["W"]), language)
        return self._nameless(language)

    def _structured_part(self, slot: str, language: str) -> str:
        return self._nameless(language) if slot == "w" else self._slot(slot, language)

    def _nameless(self, language: str) -> str:
        """A sentence of things, or of hardly any sense."""
        pick, parts = self.random, patterns(language)
        if language == "en" and pick.random() < 0.22:
            return pick.choice(self.questions)
        if pick.random() < 0.36:
            return self._disturbed(self._slots(pick.choice(_screens(language)), language), language)
        if pick.random() < 0.25:
            return self._babble(language)
        text = self._fill(pick.choice(parts["N"]), language)
        if pick.random() < 0.12:
            words = text.split(" ")
            place = pick.randrange(len(words))
            words[place] = words[place][:1].upper() + words[place][1:]
            text = " ".join(words)
        return text.title() if pick.random() < 0.02 and "\x02" not in text else text

    def _fill(self, pattern: str, language: str) -> str:
        while _CHOICE.search(pattern):
            pattern = _CHOICE.sub(lambda m: self.random.choice(m[1].split("|")), pattern, count=1)
        return self._slots(pattern, language).replace("\\n", "\n").translate(_BRACKETS).replace("{{", "{").replace("}}", "}")

    def _slots(self, pattern: str, language: str) -> str:
        return _SLOT.sub(lambda m: self._slot(m[1], language), pattern)

    def _foreign(self, language: str) -> str:
        """Something written large that is nobody's name."""
        pick = self.random
        kind = pick.choice("BXKLZZUAQQQTTTTNNG")
        if kind == "Q":
            word = pick.choice(_rare_words(language))
            return word.capitalize() if language == "de" or pick.random() < 0.7 else word
        if kind == "A":
            return "".join(pick.choices("ABCDEFGHIKLMNOPRSTUVX", k=pick.choice((2, 3, 3, 4))))
        if kind == "B" and pick.random() < 0.4:
            suffix = pick.choice((self._invented(), "Pro", "Air", "Max", "XPS", "Router", "Plus", "S"))
            return f"{self._slot('B', language)} {suffix} {pick.choice(('', '', str(pick.randrange(2, 90))))}".strip()
        word = self._slot(kind, language)
        return word[:1].upper() + word[1:]

    def _disturbed(self, text: str, language: str) -> str:
        """A sentence with brands, products, places or words written large put in its midst."""
        if "\x02" in text or self.random.random() < 0.45:
            return text
        words = text.split(" ")
        for _ in range(self.random.choice((1, 1, 2))):
            place = self.random.choice((0, self.random.randrange(len(words) + 1)))
            if self.random.random() < 0.3 and place < len(words):
                words[place] = words[place][:1].upper() + words[place][1:]
            else:
                words.insert(place, self._foreign(language))
        return " ".join(words)

    def _babble(self, language: str) -> str:
        """Words without sense, at times with a whole name among them: no context to lean on."""
        pick = self.random
        words = pick.choices(_plain_words(language), k=pick.randrange(4, 14))
        if language == "de":
            words = [word.capitalize() if pick.random() < 0.3 else word for word in words]
        for _ in range(pick.choice((0, 0, 1, 2))):
            other = self._foreign(language)
            words.insert(pick.randrange(1, len(words)), other)
        if pick.random() < 0.4:
            name = f"{self._first(language)} {self._last(language)}"
            words.insert(pick.randrange(len(words)), f"\x02{name}\x03")
        words[0] = words[0][:1].upper() + words[0][1:]
        return " ".join(words) + pick.choice((".", ".", "?", "!", ""))

    def _slot(self, slot: str, language: str) -> str:
        pick, own = self.random, own_lists()
        if slot in "PFSRIVH":
            return f"\x02{self._person(slot, language)}\x03"
        if slot == "#":
            return str(pick.randrange(1, 99))
        if slot == "E":
            name, host = pick.choice(("info", "shop", "a.b", "kontakt", "x77")), pick.choice(("mail", "firma", "post"))
            return f"{name}@{host}.{pick.choice(('com', 'de', 'net', 'pl'))}"
        if slot == "Y":
            return pick.choice(
                ("+44 20 7946 0000", "0171 2345678", "600 123 456", "06 12 34 56 78", "+1 (212) 555-0100", "030-1234567")
            )
        if slot == "A":
            street = pick.choice((*own["last_world"], *_pools()[1][language][:200]))
            return f"{STREET[language].format(n=pick.randrange(1, 200), s=street)}, {CITY_TAIL[language]}"
        if slot == "M":
            return pick.choice(MONTHS[language].split())
        if slot == "D":
            return pick.choice(DAYS[language].split())
        if slot == "U":
            word = pick.choice(_common(language))
            return word.capitalize() if language == "de" or pick.random() < 0.2 else word
        if slot == "Z":
            return self._invented()
        if slot == "T":
            return self._thing(language)
        if slot == "N":
            return self._named_thing(language)
        if slot == "G":
            return pick.choice(labels(language))
        if slot in "JOW":
            return self._first(language) if slot == "O" else self._namesake(language, oblique=slot == "W")
        if slot == "K" and pick.random() < 0.6:
            return self._company(language)
        return pick.choice(own[{"X": "brands_like_people", "B": "brands", "K": "companies", "L": "places"}[slot]])

    def _thing(self, language: str) -> str:
        """The name of a thing, at times with a type or number behind it, or one of its words alone."""
        pick = self.random
        if pick.random() < 0.1:
            return self._foreign(language)
        thing = pick.choice(pick.choice(_things()))
        chance = pick.random()
        if chance < 0.1:
            thing = pick.choice(thing.split())
            return thing[:1].upper() + thing[1:]
        if chance < 0.2:
            return f"{thing} {pick.choice(('Pro', 'Plus', 'X', 'GT', 'II', 'Mini', 'Max', 'Classic', 'S', self._invented()))}"
        if chance < 0.3:
            return f"{thing} {pick.choice('ABCDEGHKPRSTVXZ')}{pick.randrange(1, 990)}"
        return thing.lower() if chance < 0.34 else thing.upper() if chance < 0.37 else thing

    def _named_thing(self, language: str) -> str:
        pattern = self.random.choice(NAMED_THINGS[language].split(";"))
        return pattern.format(
            f=self._first(language),
            s=self._last(language),
            p=self._namesake(language),
            g=self._namesake(language, oblique=True),
        )

    def _namesake(self, language: str, oblique: bool = False) -> str:
        """Somebody after whom a thing is called, famous or not, at times by surname alone."""
        pick = self.random
        name = pick.choice(own_lists()["famous"]) if pick.random() < 0.5 else f"{self._first(language)} {self._last(language)}"
        if pick.random() < 0.12:
            name = name.split(" ")[-1]
        return " ".join(_genitive(part) if part[0].isupper() else part for part in name.split(" ")) if oblique else name

    def _company(self, language: str) -> str:
        """Firms carry people's names and are none."""
        pick, one, other, first = self.random, self._last(language), self._last(language), self._first(language)
        partner = pick.choice(["Co", "Sons", "Söhne", "Fils", "Figli", "Hijos", "Filhos", "Zonen", "Daughters", "Partner"])
        trade = pick.choice(TRADES[language].split(","))
        word = pick.choice(_common(language)).capitalize()
        return pick.choice(
            (
                f"{one} & {other}",
                f"{one} & {word}",
                f"{word} & {other}",
                f"{first} & {word}",
                f"{one} {trade}",
                f"{trade} {one}",
                f"{one} & {partner}",
                f"{one} {pick.choice(('GmbH', 'Ltd', 'S.L.', 'SARL', 'Srl', 'Lda', 'BV', 'AG', 'Inc', 'sp. z o.o.'))}",
                f"{first}'s {trade}",
                f"{trade} {first}",
                f"{one}-{trade}",
            )
        )

    def _invented(self) -> str:
        pick = self.random
        word = "".join(
            pick.choice(["b", "c", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "x", "br", "tr", "gl", "st"])
            + pick.choice(["a", "e", "i", "o", "u", "y", "ee", "ia", "io"])
            for _ in range(pick.choice((1, 2, 2, 3)))
        )
        word += pick.choice(("", "x", "n", "r", "l", "s", "on", "ex"))
        return pick.choice(
            (
                word.capitalize(),
                word.capitalize(),
                word.upper(),
                word.capitalize() + pick.choice(("Pro", "Max", "Flow", "Hub", " 3000", " Plus")),
            )
        )

    def _person(self, slot: str, language: str) -> str:
        pick = self.random
        name = self._cased_name(slot, language)
        chance = pick.random()
        if chance < 0.07:
            return name.lower()
        if chance < 0.085:
            return name.upper()
        if chance < 0.13:
            return plain(name)
        if chance < 0.14 and len(name) > 6:
            place = pick.randrange(1, len(name) - 2)
            return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        return name

    def _cased_name(self, slot: str, language: str) -> str:
        pick = self.random
        first, last = self._first(language), self._last(language)
        if slot == "F":
            return first if pick.random() < 0.93 else f"{first} {last[0]}."
        if slot == "S":
            return last if pick.random() < 0.93 else f"{last}-{self._last(language)}"
        if slot == "R":
            joined = pick.choice((last, last, last.upper(), f"{last}-{self._last(language)}"))
            return f"{joined}, {first.upper() if joined.isupper() and pick.random() < 0.3 else first}"
        if slot == "I":
            return pick.choice((f"{first[0]}. {last}", f"{first[0]}.{last[0]}. {last}", f"{first} {last[0]}."))
        if slot == "V":
            return first[:-1] + "o" if first.endswith("a") else first + ("ie" if first.endswith("n") else "")
        if slot == "H":
            return pick.choice(
                (
                    f"{_oblique(first)} {_oblique(last)}",
                    f"{_genitive(first)} {_genitive(last)}",
                    pick.choice((_oblique(first), _genitive(first))),
                )
            )
        shape = pick.random()
        if shape < 0.22:
            return first
        if shape < 0.28:
            return pick.choice((f"{first[0]}. {last}", f"{first} {last[0]}."))
        if shape < 0.34:
            return f"{first} {pick.choice('ABCDEFGHJKLMPRSTW')}. {last}"
        if shape < 0.42:
            return f"{first} {self._first(language)} {last}"
        if shape < 0.47:
            return f"{first}-{self._first(language)} {last}"
        if shape < (0.72 if language in ("es", "pt") else 0.53):
            return f"{first} {last}{pick.choice((' ', ' ', '-'))}{self._last(language)}"
        if shape < (0.68 if language == "nl" else 0.57):
            particle = pick.choice(PARTICLES_OF[language].split(","))
            return f"{first} {particle}{'' if particle[-1] in APOSTROPHES or particle == 'Mc' else ' '}{last}"
        return f"{first} {last}"

    def _first(self, language: str) -> str:
        first, _, world, _ = _pools()
        chance = self.random.random()
        if chance < 0.13:
            return self.random.choice(AMBIGUOUS[language].split())
        if chance < 0.14:
            return self.random.choice(own_lists()["places"]).split(" ")[0]
        return self.random.choice(first[language] if chance < 0.6 else world)

    def _last(self, language: str) -> str:
        _, last, _, world = _pools()
        if self.random.random() < 0.03:
            return self.random.choice(_rare_words(language)).capitalize()
        return self.random.choice(last[language] if self.random.random() < 0.55 else world)

    def _roughened(self, text: str) -> str:
        """As people type: small letters throughout, no accents, missing stops, missing blanks after commas."""
        pick, chance = self.random, self.random.random()
        if chance < 0.17:
            text = text.lower()
        elif chance < 0.2:
            text = plain(text) if text.isprintable() else text
        elif chance < 0.215:
            text = text.upper()
        elif chance < 0.26 and len(text) > 20:
            # Small letters or capitals in a part only: an address or a name is often pasted as it stands elsewhere.
            ends = [match.end() for match in re.finditer(r"[.!?\n]\s*", text)] or [len(text) // 2]
            end = pick.choice(ends)
            change = str.upper if chance > 0.247 else str.lower
            text = change(text[:end]) + text[end:] if pick.random() < 0.7 else text[:end] + change(text[end:])
        if pick.random() < 0.12:
            text = re.sub(r"[.!?,](?=\s|$)", lambda m: "" if pick.random() < 0.6 else m.group(), text)
        return text

    def _marked(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        spans, out, end, length = [], [], 0, 0
        for match in _MARK.finditer(text):
            out += [text[end : match.start()], match[1]]
            length += match.start() - end
            spans.append((length, length + len(match[1])))
            length += len(match[1])
            end = match.end()
        return "".join([*out, text[end:]]), spans


def _genitive(name: str) -> str:
    """A Polish name in the genitive, roughly: muzeum Fryderyka Chopina."""
    if name.endswith(("ska", "cka", "dzka")):
        return name[:-1] + "iej"
    if name.endswith("a"):
        return name[:-1] + ("i" if name[-2:-1] in "kgiylj" else "y")
    if name.endswith(("ski", "cki", "dzki", "y")):
        return name.removesuffix("y") + "ego"
    if name.endswith(("ek", "ec")):
        return name[:-2] + name[-1] + "a"
    return name + ("" if name[-1] in "eioué" else "a")


def _oblique(name: str) -> str:
    """A Polish name in a case after "z", "do" or "dla", roughly."""
    if name.endswith("ska") or name.endswith("cka"):
        return name[:-1] + "ą"
    if name.endswith(("ski", "cki")):
        return name + random.choice(("m", "ego"))
    if name.endswith("a"):
        return name[:-1] + random.choice(("ą", "y", "ę", "ie"))
    if name.endswith(("ek", "ec")):
        return name[:-2] + name[-1] + random.choice(("iem", "a"))
    return name + random.choice(("em", "a", "owi", "em"))
