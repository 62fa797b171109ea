"""Finds instructions aimed at models, by the meanings that stand together in a few words; knows nothing of other conversations.

No sentence is looked for: each word or phrase stands for a meaning (injection_words), and a command to a model needs several
of them close together. So one pass over the words is enough, whatever the text, and new wordings are found as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from tailorbird.language import injection_words as lexicon

THRESHOLD = 0.7
"""Points from which a text is an instruction to a model: two weak signs or one strong one.

At 0.7, 1 of 7,569 ordinary texts (boutique, tickets in five languages, banking, general tasks) is above it; at 0.45, 83.
"""

_MEANINGS = (
    "OVERRIDE", "INSTRUCTION", "PROMPT", "PRIOR", "ALL", "YOUR", "EVERYTHING", "REVEAL", "SECRET", "MODEL", "ADDRESS", "ROLE",
    "FREE", "HEADER", "FUTURE", "RESPOND", "EXACTLY", "CONCEAL", "SEND", "DATA", "LIFT", "RECITE", "COMMAND", "MINE",
    "GOODS", "NEGATED",
)  # fmt: skip
_BIT = {name: 1 << place for place, name in enumerate(_MEANINGS)}
_SILENT = ~(_BIT["MINE"] | _BIT["GOODS"] | _BIT["NEGATED"])


class Sign(NamedTuple):
    """Meanings that together are a sign, how many words apart at most, in one sentence or not, and its points."""

    name: str
    needs: tuple[str, ...]
    words: int
    one_sentence: bool
    points: float
    says: str


# Points were set on half of the phrasings in benchmarks/poison_plants.py and ordinary tickets; benchmarks/poisoning.py measures.
_SIGNS = (
    Sign("override", ("OVERRIDE", "INSTRUCTION", "PRIOR"), 9, True, 1.0, "asks to ignore instructions given before"),
    Sign("override", ("OVERRIDE", "INSTRUCTION", "ALL"), 8, True, 1.0, "asks to ignore all instructions"),
    Sign("override", ("OVERRIDE", "PROMPT"), 8, True, 1.0, "asks to ignore the system prompt or its safeguards"),
    Sign("override", ("OVERRIDE", "INSTRUCTION", "YOUR"), 6, True, 1.0, "asks to ignore its instructions"),
    Sign("override", ("ROLE", "PROMPT"), 8, True, 1.0, "gives a model a role without its safeguards"),
    Sign("override", ("LIFT", "PROMPT"), 5, True, 0.6, "asks to switch off its safeguards"),
    Sign("override", ("OVERRIDE", "INSTRUCTION"), 4, True, 0.45, "asks to ignore instructions"),
    Sign("override", ("OVERRIDE", "EVERYTHING"), 5, True, 0.6, "asks to forget everything before"),
    Sign("override", ("LIFT", "PROMPT", "YOUR"), 8, True, 1.0, "asks to switch off its safeguards"),
    Sign("reveal", ("REVEAL", "PROMPT"), 10, True, 1.0, "asks for the system prompt"),
    Sign("reveal", ("REVEAL", "INSTRUCTION", "SECRET", "YOUR"), 10, True, 1.0, "asks for the model's instructions"),
    Sign("reveal", ("REVEAL", "INSTRUCTION", "PRIOR", "YOUR"), 10, True, 0.7, "asks for earlier instructions"),
    Sign("reveal", ("REVEAL", "INSTRUCTION", "YOUR"), 5, True, 0.45, "asks for its instructions"),
    Sign("reveal", ("RECITE", "INSTRUCTION", "YOUR"), 7, True, 0.7, "asks for its instructions word for word"),
    Sign("reveal", ("RECITE", "EVERYTHING"), 4, True, 0.7, "asks to repeat everything above"),
    Sign("reveal", ("REVEAL", "EVERYTHING"), 6, True, 0.6, "asks to repeat everything above"),
    Sign("role", ("ROLE", "FREE"), 25, False, 1.0, "gives a model a role without limits"),
    Sign("role", ("ROLE", "MODEL"), 10, False, 0.7, "gives a model another role"),
    Sign("role", ("ROLE",), 1, True, 0.45, "gives a model another role"),
    Sign("free", ("FREE", "MODEL"), 12, False, 0.7, "speaks of a model without limits"),
    Sign("free", ("FREE", "RESPOND"), 10, False, 0.6, "asks for answers without limits"),
    Sign("free", ("FREE",), 1, True, 0.4, "speaks of having no limits"),
    Sign("header", ("COMMAND",), 1, True, 1.0, "announces a command over the system"),
    Sign("header", ("HEADER",), 1, True, 0.6, "announces new instructions"),
    Sign("address", ("ADDRESS",), 1, True, 0.55, "speaks to an AI"),
    Sign("model", ("MODEL",), 1, True, 0.2, "names an AI"),
    Sign("future", ("FUTURE", "EXACTLY"), 14, False, 0.8, "lays down how to answer from now on"),
    Sign("future", ("FUTURE", "RESPOND"), 14, False, 0.5, "lays down how to answer from now on"),
    Sign("future", ("ADDRESS", "RESPOND"), 14, False, 0.5, "tells an AI how to answer"),
    Sign("exactly", ("EXACTLY",), 1, True, 0.45, "dictates an answer"),
    Sign("conceal", ("CONCEAL",), 1, True, 0.5, "asks to keep something from customers"),
    Sign("data", ("SEND", "DATA", "ALL"), 9, True, 1.0, "asks for other people's data"),
    Sign("data", ("SEND", "DATA"), 7, True, 0.7, "asks for other people's data"),
    Sign("data", ("REVEAL", "DATA", "ALL"), 9, True, 1.0, "asks for other people's data"),
    Sign("data", ("REVEAL", "DATA"), 7, True, 0.7, "asks for other people's data"),
)
_NEEDS = [(sum(_BIT[name] for name in sign.needs), sign) for sign in _SIGNS]

_TOKEN = re.compile(r"[^\W_]+|[.!?;\n]")
_MARKER = re.compile(
    r"<\|[a-z_ ]{2,40}\|>|\[/?(?:INST|SYS|SYSTEM|ASSISTANT|USER_PROMPT)\]|<</?SYS>>|"
    r"</?(?:start|end)_of_turn>|<｜[^｜>\n]{2,40}｜>|"
    r"</?(?:system|assistant|sys|instructions?|im_start|im_end|system_prompt|user_input|tool_call|function_call|thinking|"
    r"prompt|eot_id|"
    r"developer|human|s_inst|system-message|ai_instructions|admin)\b[^<>\n]{0,80}>|"
    r"[\"']role[\"']\s{0,3}:\s{0,3}[\"'](?:system|assistant|developer|tool)[\"']|\{\{#?(?:system|assistant)\b|<(?:bos|eos)>|"
    r"</s>\s{0,3}<s>|"
    r"\[(?:begin|end|start|new)[ _](?:of[ _])?(?:system|prompt|instructions?|assistant|user input|context)\b[^\]\n]{0,40}\]|"
    r"(?:^|\n)[ \t]{0,3}(?:-{3,}|={3,}|\*{3,}|`{3,})[ \t]{0,3}(?:begin|end|new|start)? ?(?:of )?(?:system|assistant|"
    r"developer) ?(?:prompt|message|"
    r"instructions?|note|override)?\b|\b(?:from|channel)=(?:system|developer)\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"(?:^|\n)[ \t>*]{0,4}(?:(#{1,6})[ \t]{0,2})?[\[(*_]{0,3}(system|assistant|developer|instructions?|ai|asistente|"
    r"assistent|assistente|systeem|"
    r"sistema|syst[eè]me|asystent|(?:neue )?anweisung|instrucci[oó]n|instruções|istruzioni|instrukcja|response|human|prompt)"
    r"(?: (?:prompt|message|note|instructions?|override|nachricht|mensaje))?[\])*_]{0,3}[ \t]{0,2}:(.{0,80})",
    re.IGNORECASE,
)
_COMPUTER = re.compile(
    r"\s*(?:windows|mac|os ?x|linux|ubuntu|debian|ios|android|version|intel|amd|ryzen|core|ram|dell|hp|lenovo|thinkpad|"
    r"apple|macbook|"
    r"samsung|\d|v\d|x64|x86|build|error|online|offline|ok\b|down|chrome|iphone|sap|crm|erp|oracle|sony|nikon|bose|"
    r"metric|imperial|[a-z-]{1,20}\s*$)", re.IGNORECASE,
)  # fmt: skip
_LEET = str.maketrans("013457@$", "oieastas")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_FOLD = str.maketrans({"ł": "l", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "’": "'"})


class Injection(NamedTuple):
    """Points, what speaks for an instruction to a model in words, and the sentences that do, where they are known."""

    score: float
    reasons: tuple[str, ...]
    stretch: str = ""


def fold(text: str) -> str:
    """The text in lower case, without accents and with letters of other alphabets' styles made plain."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFKD", lowered.translate(_FOLD))
    return _ACCENTS.sub("", decomposed)


def instructions(text: str) -> Injection:
    """How much a text instructs a model, and why: control tokens, feigned speakers, and commands."""
    reasons: dict[str, float] = {}
    signs: dict[str, float] = {}
    for reason, points in markers(text):
        reasons[reason], signs["marker"] = points, max(points, signs.get("marker", 0.0))
    hits = _hits(fold(text))
    if hits:
        for sign in _signs(hits):
            if sign.points > signs.get(sign.name, 0.0):
                signs[sign.name] = sign.points
                reasons[sign.says] = sign.points
    ordered = sorted(reasons, key=lambda reason: -reasons[reason])
    return Injection(round(sum(signs.values()), 3), tuple(ordered[:3]))


def meanings(text: str) -> int:
    """How many different words of commands to models a text has."""
    return len({place for place, _, mask in _hits(fold(text)) if mask & _BIT["OVERRIDE"] | _BIT["PROMPT"] | _BIT["INSTRUCTION"]})


def markers(text: str) -> Iterator[tuple[str, float]]:
    """Control tokens of chat templates, and lines that feign to be the system or the assistant."""
    if any(sign in text for sign in ("<", "[", "{{", "---", "===", "***", "```", "role", "=")) and (
        found := _MARKER.search(text)
    ):
        yield f"holds the control mark {found.group().strip()[:40]!r}", 1.0
    if ":" in text:
        for found in _SPEAKER.finditer(text):
            heading, who, rest = found.groups()
            if _COMPUTER.match(rest) or (
                not heading and who.lower() in ("instructions", "instruction", "response", "human", "sistema")
            ):
                continue
            yield (
                f"holds a line that feigns to be the {who.lower()}",
                1.0 if heading or who.lower() in ("system", "assistant") else 0.6,
            )


@cache
def _words() -> tuple[dict[str, int], list[tuple[str, int]], dict[str, dict[str, list[tuple[tuple[str, ...], int]]]]]:
    """Whole words, stems, and phrases by their first and second word, because first words such as "to" are common."""
    whole: dict[str, int] = {}
    stems: list[tuple[str, int]] = []
    phrases: dict[str, dict[str, list[tuple[tuple[str, ...], int]]]] = {}
    for name, bit in _BIT.items():
        for entry in getattr(lexicon, name).split():
            parts = tuple(entry.split("_"))
            if len(parts) > 1:
                phrases.setdefault(parts[0], {}).setdefault("*" if parts[1][-1] == "*" else parts[1], []).append((parts, bit))
            elif entry.endswith("*"):
                stems.append((entry[:-1], bit))
            else:
                whole[entry] = whole.get(entry, 0) | bit
    return whole, stems, phrases


_STARTS = 1 << 30
_memory: dict[str, int] = {}


def _meaning(word: str) -> int:
    """What a word means by itself, remembered; the memory is emptied before it grows past 100,000 words."""
    known = _memory.get(word)
    if known is not None:
        return known
    whole, stems, phrases = _words()
    mask = whole.get(word, 0)
    for stem, bit in stems:
        if word.startswith(stem):
            mask |= bit
    if not mask and not word.isalpha() and not word.isdigit():
        mask = whole.get(word.translate(_LEET), 0)
    if word in phrases:
        mask |= _STARTS
    if len(_memory) > 100_000:
        _memory.clear()
    _memory[word] = mask
    return mask


def _hits(folded: str) -> list[tuple[int, int, int]]:
    """Place, sentence and meanings of each word or phrase that means something here."""
    found: list[tuple[int, int, int]] = []
    tokens = _TOKEN.findall(folded)
    phrases = _words()[2]
    sentence = 0
    remembered = _memory.get
    for place, token in enumerate(tokens):
        mask = remembered(token)
        if mask is None:
            if token in ".!?;\n":
                sentence += 1
                continue
            mask = _meaning(token)
        if not mask:
            continue
        if mask & _STARTS:
            mask ^= _STARTS
            seconds = phrases[token]
            following = tokens[place + 1] if place + 1 < len(tokens) else ""
            for parts, bit in (*seconds.get(following, ()), *seconds.get("*", ())):
                if stands(tokens, place, parts):
                    mask |= bit
        if mask:
            found.append((place, sentence, mask))
    return _without_own(found)


def stands(tokens: Sequence[str], place: int, parts: tuple[str, ...]) -> bool:
    """Whether a phrase stands at this place; `stem*` is any word that begins so."""
    if place + len(parts) > len(tokens):
        return False
    return all(
        tokens[place + step].startswith(part[:-1]) if part[-1] == "*" else tokens[place + step] == part
        for step, part in enumerate(parts)
    )


def _without_own(hits: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Hits without instructions that are the customer's own ("my previous instructions") or of goods, and no "don't forget"."""
    mine, goods, instruction = _BIT["MINE"], _BIT["GOODS"], _BIT["INSTRUCTION"]
    override, negated = _BIT["OVERRIDE"], _BIT["NEGATED"]
    kept = []
    for at, (place, sentence, mask) in enumerate(hits):
        if mask & instruction:
            near = hits[max(0, at - 4) : at + 5]
            if any((m & mine and 0 < place - p <= 3) or (m & goods and abs(place - p) <= 3) for p, _, m in near):
                mask &= ~instruction
        if mask & override and any(m & negated and abs(place - p) <= 3 for p, _, m in hits[max(0, at - 2) : at + 3]):
            mask &= ~override
        if mask & _SILENT:
            kept.append((place, sentence, mask & _SILENT))
    return kept


def _signs(hits: list[tuple[int, int, int]]) -> Iterator[Sign]:
    """The signs whose meanings stand close enough together."""
    union = 0
    for _, _, mask in hits:
        union |= mask
    for needs, sign in _NEEDS:
        if union & needs == needs and (len(sign.needs) == 1 or _together(hits, needs, sign)):
            yield sign


def _together(hits: list[tuple[int, int, int]], needs: int, sign: Sign) -> bool:
    """Whether all meanings of a sign stand within its number of words."""
    relevant = [hit for hit in hits if hit[2] & needs]
    for at, (place, sentence, _) in enumerate(relevant):
        have = 0
        for used, (other, its_sentence, mask) in enumerate(relevant[at : at + sign.words + 1], start=1):
            if other - place > sign.words or (sign.one_sentence and its_sentence != sentence):
                break
            have |= mask
            # A word with two meanings ("original") stands for one of them only.
            if have & needs == needs and used >= len(sign.needs):
                return True
    return False
