"""Whether customers of different groups are answered differently: differences with intervals, never a verdict.

Groups are what the export says (language, channel, department), how carefully the customer writes, and, only where the
settings ask for it, the form of address that the agent uses. Sums are kept, no conversations.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from math import sqrt

from pydantic import BaseModel
from scipy.stats import norm  # type: ignore[import-untyped]

from tailorbird.artifacts import Conversation
from tailorbird.auditing.exemplary import escalated

_FEWEST = 20  # conversations in a group and outside it
_SURE = 0.95
_SHARES = {"courteous", "refused", "refund granted", "escalated"}
_SCALES = {"answer length": "words", "rating": "of 5"}
_ACROSS_LANGUAGES = {"rating", "escalated"}
"""What can be compared across languages: word lists differ among them, and so does how long a text is."""
_COURTEOUS = re.compile(
    r"\b(?:please|thank|sorry|apolog|glad|happy to|welcome|bitte|danke|entschuldig|leid|gern|por favor|gracias|disculp|lament|"
    r"merci|désolé|excus|plaisir|je vous en prie|grazie|prego|scus|spiace|obrigad|desculp|prazer|proszę|dziękuj|przepraszam|"
    r"przykro|alstublieft|bedankt|dank|excuses|spijt|graag)",
    re.I,
)
_REFUSED = re.compile(
    r"\b(?:unfortunately|can ?not|can't|unable to|not possible|leider|nicht möglich|lamentablemente|no es posible|no podemos|"
    r"malheureusement|pas possible|ne pouvons|purtroppo|non è possibile|infelizmente|não é possível|niestety|nie możemy|helaas|"
    r"niet mogelijk)",
    re.I,
)
_REFUND = re.compile(
    r"\b(?:refund|money back|reimburs|compensat|erstatt|rückerstatt|geld zurück|reembols|devolu|dinero|rembours|rimbors|zwrot|"
    r"terugbetal|geld terug)",
    re.I,
)
_ADDRESSED = re.compile(
    r"\b(?:(?P<Mr>Mr|Herrn?|Señor|Sr|Monsieur|Signor|Senhor|Panie|Meneer)|"
    r"(?P<Ms>Ms|Mrs|Miss|Frau|Señora|Sra|Madame|Mme|Signora|Senhora|Pani|Mevrouw))\b\.?\s+(?=[<A-ZÀ-Ž])"
)


class Difference(BaseModel):
    """How a group's conversations differ from all others in one measure.

    `low` and `high` bound the difference of the means at 95%; `clear` when it stays apart from 0 after correction for
    the number of comparisons made (Holm 1979).
    """

    kind: str
    group: str
    conversations: int
    measure: str
    unit: str
    mean: float
    others: float
    low: float
    high: float
    clear: bool = False


class _Sums:
    """Number, sum and sum of squares of what was added."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.squares += value * value


class Treatment:
    """Takes in conversations one by one and tells how groups of them differ."""

    def __init__(self, infer: bool) -> None:
        self._infer = infer
        self._sums: dict[tuple[str, str], dict[str, _Sums]] = defaultdict(lambda: defaultdict(_Sums))
        self._all: dict[str, dict[str, _Sums]] = defaultdict(lambda: defaultdict(_Sums))

    def add(self, conversation: Conversation, spoke: str) -> None:
        """A conversation with redacted texts, and the language that it is in."""
        measured = dict(_measures(conversation))
        for kind, group in _groups(conversation, spoke, self._infer):
            for measure, value in measured.items():
                if kind != "language" or measure in _ACROSS_LANGUAGES:
                    self._sums[kind, group][measure].add(value)
                    self._all[kind][measure].add(value)

    def differences(self) -> list[Difference]:
        """Every group of at least 20 conversations against at least 20 others, the clearest first."""
        tested = []
        for (kind, group), measures in self._sums.items():
            if self._is_mirrored(kind, group):
                continue
            for measure, sums in measures.items():
                others = _without(self._all[kind][measure], sums)
                if min(sums.count, others.count) >= _FEWEST:
                    tested.append(_compared(kind, group, measure, sums, others))
        tested.sort(key=lambda pair: pair[0])
        clear, found = True, []
        for place, (chance, difference) in enumerate(tested):
            clear = clear and chance * (len(tested) - place) < 1 - _SURE
            found.append(difference.model_copy(update={"clear": clear}))
        return found

    def _is_mirrored(self, kind: str, group: str) -> bool:
        """Of two groups, the smaller one against the other says it all."""
        groups = sorted((sums["answer length"].count, name) for (k, name), sums in self._sums.items() if k == kind)
        return len(groups) == 2 and group == groups[1][1]


def _measures(conversation: Conversation) -> Iterator[tuple[str, float]]:
    """What is compared; a measure that says nothing about this conversation is left out."""
    asked = "\n".join(turn.content for turn in conversation.turns if turn.role == "user")
    answers = [turn.content for turn in conversation.turns if turn.role == "assistant"]
    yield "answer length", sum(len(answer.split()) for answer in answers) / max(1, len(answers))
    yield "courteous", sum(bool(_COURTEOUS.search(answer)) for answer in answers) / max(1, len(answers))
    yield "refused", float(any(_REFUSED.search(answer) for answer in answers))
    if _REFUND.search(asked):
        said = [answer for answer in answers if _REFUND.search(answer)]
        yield "refund granted", float(bool(said) and not any(_REFUSED.search(answer) for answer in said))
    yield "escalated", float(escalated(conversation))
    if conversation.rating is not None:
        yield "rating", conversation.rating


def _groups(conversation: Conversation, spoke: str, infer: bool) -> Iterator[tuple[str, str]]:
    """The kinds of group that a conversation belongs to, and which."""
    for kind, group in (("language", spoke), ("channel", conversation.channel), ("department", conversation.department)):
        if group:
            yield kind, group
    asked = [turn.content for turn in conversation.turns if turn.role == "user"]
    if asked and len(asked[0].split()) >= 5:
        yield "the customer's writing", "careless" if _is_careless(asked[0]) else "careful"
    if infer:
        told = (_ADDRESSED.search(turn.content) for turn in conversation.turns if turn.role == "assistant")
        if address := next((match.lastgroup for match in told if match), None):
            yield "form of address", address


def _is_careless(text: str) -> bool:
    """Whether most sentences begin without a capital, or none ends."""
    starts = re.findall(r"(?:^|[.!?]\s+|\n+)([^\W\d_])", text)
    return sum(letter.islower() for letter in starts) > len(starts) / 2 or not re.search(r"[.!?]\s*$", text.strip())


def _without(everything: _Sums, part: _Sums) -> _Sums:
    rest = _Sums()
    rest.count, rest.total = everything.count - part.count, everything.total - part.total
    rest.squares = everything.squares - part.squares
    return rest


def _compared(kind: str, group: str, measure: str, ours: _Sums, others: _Sums) -> tuple[float, Difference]:
    """How likely such a difference is by chance, and the difference.

    Means by Welch's interval; shares by Agresti and Caffo's (2000), who add a success and a failure to both sides, so that
    0 of 20 has an interval too.
    """
    spread, between = [], []
    for sums in (ours, others):
        if measure in _SHARES:
            count, mean = sums.count + 2, (sums.total + 1) / (sums.count + 2)
            spread.append(mean * (1 - mean) / count)
        else:
            count, mean = sums.count, sums.total / sums.count
            spread.append(max(sums.squares / count - mean * mean, 0.0) / (count - 1))
        between.append(mean)
    gap, error = between[0] - between[1], sqrt(sum(spread))
    margin = float(norm.ppf((1 + _SURE) / 2)) * error
    chance = float(2 * norm.sf(abs(gap) / error)) if error else float(gap == 0)
    return chance, Difference(
        kind=kind, group=group, conversations=ours.count, measure=measure, unit=_SCALES.get(measure, "share"),
        mean=round(ours.total / ours.count, 3), others=round(others.total / others.count, 3),
        low=round(gap - margin, 3), high=round(gap + margin, 3),
    )  # fmt: skip
