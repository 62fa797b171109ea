"""Answers that state another number, date, price, day or temperature than answers to the same question do.

Statements are compared as typed slots: a value, its unit, and the words around it. Values that most answers to a question agree
on are current, or the newest if the answers changed over time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.neighbours import Neighbours
from tailorbird.language.statements import Statement, is_reckoned, statements

CLOSE = 0.3
"""Centred cosine of two questions above which they may ask for the same."""
SAME_SUBJECT = 0.6
"""Share of words that two statements have in common above which they are about the same thing."""
_WITNESSES = 2  # answers that must agree against one


def contradictions(
    examples: Sequence[Example],
    near: Neighbours,
    made_at: Mapping[str, str],
    is_supported: Callable[[Statement], bool] = lambda _: False,
) -> Iterator[tuple[str, Finding]]:
    """With its id, each conversation whose answer others contradict: by what, and by which of them.

    What `is_supported` by the business's documents is no contradiction, whatever others say.
    """
    told = [list(statements(example.answer)) for example in examples]
    same_value: dict[tuple[str, str], list[tuple[str, Statement]]] = defaultdict(list)
    for example, theirs in zip(examples, told, strict=True):
        for statement in theirs:
            same_value[statement.kind, statement.value].append((example.id, statement))
    for place, example in enumerate(examples):
        others = [
            int(n) for n, close in zip(near.nearest[place], near.closeness[place], strict=True) if n >= 0 and close >= CLOSE
        ]
        for statement in told[place]:
            if is_reckoned(statement, example.question) or is_supported(statement):
                continue
            same = same_value[statement.kind, statement.value]
            if any(one != example.id and _overlap(statement.words, other.words) >= SAME_SUBJECT for one, other in same):
                continue  # another answer says so too, perhaps to a question in other words
            votes = _votes(statement, [(other, told[other]) for other in others])
            agreeing = votes.pop(statement.value, [])
            if not votes:
                continue
            value, against = max(votes.items(), key=lambda vote: (len(vote[1]), _newest(vote[1], examples, made_at)))
            outdated = _newest(against, examples, made_at) >= made_at.get(example.id, "")
            if len(against) >= max(_WITNESSES, 2 * len(agreeing)) and (outdated or not agreeing):
                ids = tuple(dict.fromkeys(examples[n].id for n in against))[:5]
                detail = f"says “{statement.text[:80]}”; {len(against)} answers to such questions say {value} ({statement.kind})"
                yield (
                    example.id,
                    Finding(
                        rule="contradiction",
                        detail=detail,
                        turn=example.turn,
                        score=len(against),
                        threshold=_WITNESSES,
                        related=ids,
                    ),
                )


def _votes(statement: Statement, others: Sequence[tuple[int, list[Statement]]]) -> dict[str, list[int]]:
    """For each value, the answers that state it about the same thing; an answer that names several is no witness."""
    votes: dict[str, list[int]] = defaultdict(list)
    for place, theirs in others:
        values = Counter(
            statement.value if _compatible(statement, other) else other.value for other in theirs
            if other.kind == statement.kind and _overlap(statement.words, other.words) >= SAME_SUBJECT
        )  # fmt: skip
        if len(values) == 1:
            votes[next(iter(values))].append(place)
        elif statement.value in values:
            votes[statement.value].append(place)
    return votes


def _compatible(one: Statement, other: Statement) -> bool:
    """The same value, or one of several days that the other names."""
    if one.kind == "weekday":
        return bool(set(one.value.split(",")) & set(other.value.split(",")))
    return one.value == other.value


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))


def _newest(places: Sequence[int], examples: Sequence[Example], made_at: Mapping[str, str]) -> str:
    return max((made_at.get(examples[n].id, "") for n in places), default="")
