"""Rewards that are rules: pure functions (messages, answer) -> 0..1, made by factories that get what a rule needs.

Word lists are in English, German, French, Spanish and Portuguese. A rule is a proxy: name several together, and let the
guard (engine/guard.py) watch what they do to answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tailorbird.language import identify
from tailorbird.replier import Message

Rule = Callable[[list[Message], str], float]

_LEAST_SURE = 0.4  # about a language; below, the text is too short or too mixed to judge
_PHRASE = 4  # words in a row that count as a quotation of a policy
_LEAST_LETTERS = 4  # of a word that says something about a policy's subject
_USUAL_WORDS = 60  # what an answer may have before it counts as long

_FIGURE = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]*\w"  # e-mail
    r"|(?:https?://|www\.)[^\s<>\"')\]]+"
    r"|\d+(?:[.,:/-]\d+)*"  # numbers, prices, dates, times
)
_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+(.+?)|(.+?):)\s*$", re.MULTILINE)

_PERSON = r"(?:person|human|agent|representative|someone|somebody|manager|supervisor|colleague|staff|team)"
_PASSES = r"\b(?:pass|forward|hand|transfer|connect|put|refer|escalate)\w*\b"
_OFFERS = re.compile(
    rf"{_PASSES}[^.?!\n]{{0,40}}\b(?:{_PERSON}|specialist|owner)\b"
    rf"|\b(?:{_PERSON}|specialist|owner|one of us) (?:will|can|is going to)\b"
    r"|\b(?:leite|gebe|verbinde|übergebe|weiterleiten|weitergeben|verbinden|weitergeleitet)\b"
    r"[^.?!\n]{0,60}\b(?:kolleg\w*|mitarbeiter\w*|team|person|mensch\w*|weiter)\b"
    r"|\b(?:kolleg\w+|mitarbeiter\w*|jemand)\b[^.?!\n]{0,40}\b(?:meldet|melden|kümmert|übernimmt|hilft)\b"
    r"|\b(?:transm\w+|transf[eè]r\w+|met\w* en relation|pass\w+)\b"
    r"[^.?!\n]{0,50}\b(?:collègue|conseill\w+|équipe|personne|humain|responsable)\b"
    r"|\b(?:un collègue|une collègue|un conseiller|une conseillère|quelqu'un)\b[^.?!\n]{0,40}\b(?:va|vous)\b"
    r"|\b(?:pas[oae]\w*|transfer\w+|transfier\w+|deriv\w+|comunic\w+|pon\w+ en contacto)\b"
    r"[^.?!\n]{0,50}\b(?:compañer\w+|agente|persona|equipo|humano|encargad\w+)\b"
    r"|\b(?:encaminh\w+|transf[ei]r\w+|pass\w+|coloc\w+ em contato)\b"
    r"[^.?!\n]{0,50}\b(?:coleg\w+|atendente|pessoa|equip[ae]|humano|responsável)\b",
    re.IGNORECASE,
)


def right_language() -> Rule:
    """1 if the answer is in the language of the customer's last message, or that cannot be told; 0.5 if the answer's cannot."""

    def rule(messages: list[Message], answer: str) -> float:
        wanted, sure = identify(_asked(messages))
        if not wanted or sure < _LEAST_SURE:
            return 1.0
        found, score = identify(answer)
        if found == wanted or not found:
            return float(bool(found))
        return 0.5 if score < _LEAST_SURE else 0.0

    return rule


def supported_figures(policies: Iterable[str] = ()) -> Rule:
    """The share of the answer's numbers, e-mail and web addresses that the conversation or the policies have; 1 without any."""
    known = {figure for text in policies for figure in _figures(text)}

    def rule(messages: list[Message], answer: str) -> float:
        named = _figures(answer)
        told = known | {figure for message in messages for figure in _figures(message["content"])}
        return sum(figure in told for figure in named) / len(named) if named else 1.0

    return rule


def cites_policy(policies: Iterable[str] = ()) -> Rule:
    """1 if the answer has four words in a row of a policy, or its heading (a Markdown heading, or a line that ends with `:`).

    Phrases that the customer wrote first do not count, nor such of short words only. 0.5 for everything without policies.
    """
    texts = list(policies)
    phrases = {phrase for text in texts for phrase in _phrases(text)}
    headings = {tuple(_words(one or other)) for text in texts for one, other in _HEADING.findall(text)}
    headings = {heading for heading in headings if any(len(word) >= _LEAST_LETTERS for word in heading)}

    def rule(messages: list[Message], answer: str) -> float:
        if not texts:
            return 0.5
        asked = _phrases(_asked(messages))
        cites = bool((_phrases(answer) & phrases) - asked)
        said = f" {' '.join(_words(answer))} "
        return float(cites or any(f" {' '.join(heading)} " in said for heading in headings))

    return rule


def hand_off(topics: Iterable[str] = ()) -> Rule:
    """1 if the answer offers a person exactly when one is due: the customer asks for one, is angry, or names a topic."""
    # Here, because `anger` reads with `breaches`, which needs this file.
    from tailorbird.language.anger import angry
    from tailorbird.language.wishes import wants_person

    wanted = [re.compile(rf"\b{re.escape(topic.lower())}") for topic in topics if topic.strip()]

    def rule(messages: list[Message], answer: str) -> float:
        asked = _asked(messages)
        due = wants_person(asked) or angry(asked) or any(topic.search(asked.lower()) for topic in wanted)
        return float(due == bool(_OFFERS.search(answer)))

    return rule


def brevity(words: int = _USUAL_WORDS) -> Rule:
    """1 for an answer of up to so many words, falling to 0 at twice as many; an empty answer gets 0.

    Against answers that grow because every other rule likes another sentence.
    """

    def rule(messages: list[Message], answer: str) -> float:
        written = len(answer.split())
        return min(1.0, max(0.0, 2 - written / words)) if written else 0.0

    return rule


def offers_person(answer: str, names: Iterable[str] = ()) -> bool:
    """Whether an answer passes the customer on to a person, or to one of these names."""
    if _OFFERS.search(answer):
        return True
    people = "|".join(re.escape(name) for name in names if name.isalpha())
    return bool(
        people and re.search(rf"{_PASSES}[^.?!\n]{{0,40}}\b(?:{people})\b|\b(?:{people}) (?:will|can) ", answer, re.IGNORECASE)
    )


RULES: dict[str, Callable[..., Rule]] = {
    "right_language": right_language,
    "supported_figures": supported_figures,
    "cites_policy": cites_policy,
    "hand_off": hand_off,
    "brevity": brevity,
}
"""The rules by name."""

EXPLAINED: dict[str, str] = {
    "right_language": "answers in the customer's language",
    "supported_figures": "numbers, prices, dates and addresses only as the conversation or the policies have them",
    "cites_policy": "answers with the words or the name of a policy",
    "hand_off": "offers a person when one is due, and only then",
    "brevity": "no longer than needed",
}
"""What each rule rewards, in one line."""


def _asked(messages: list[Message]) -> str:
    """The customer's last message."""
    return next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")


def _figures(text: str) -> set[str]:
    """Numbers, prices, dates, e-mail and web addresses, in one form whatever the thousands and decimal signs."""
    found = (figure.lower().rstrip(".,;:!?/") for figure in _FIGURE.findall(text))
    return {_number(figure) if figure[:1].isdigit() and "@" not in figure else figure for figure in found}


def _number(figure: str) -> str:
    """1,200.00 and 1.200 and 1200 are one number; 3,50 and 3.5 too."""
    figure = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", figure)
    whole, sign, rest = re.sub(",", ".", figure).partition(".")
    return f"{whole}.{rest.rstrip('0')}".rstrip(".") if sign else whole


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _phrases(text: str) -> set[tuple[str, ...]]:
    """Runs of four words, at least two of which are not short."""
    words = _words(text)
    runs = (tuple(words[place : place + _PHRASE]) for place in range(len(words) - _PHRASE + 1))
    return {run for run in runs if sum(len(word) >= _LEAST_LETTERS for word in run) >= 2}
