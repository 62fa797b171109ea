"""What a guard hands on, and what becomes of a text by it: masked, rewritten, or nothing left to say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tailorbird.language.breaches import sentence

Action = Literal["block", "mask", "rewrite", "hand_over", "flag"]
_PRIVATE = ("personal_data", "secrets")
_FEWEST = 3  # words below which what is left of an answer says nothing


class Span(NamedTuple):
    """Where something stands in a text, in characters, and what kind of thing it is, for its placeholder."""

    start: int
    end: int
    kind: str = "REMOVED"


@dataclass(frozen=True)
class Alarm:
    """One guard's finding in one text: the guard's name as in the settings, what is to be done, where, and why in words.

    Without spans the whole text is meant. `why` quotes nothing, so it may be written down.
    """

    guard: str
    action: Action
    spans: tuple[Span, ...]
    why: str

    @property
    def rule(self) -> str:
        """The guard's name without what it reads: `secrets` of `message.secrets`."""
        return self.guard.partition(".")[2]


def masked(text: str, spans: Iterable[Span]) -> str:
    """The text with a placeholder such as [EMAIL] for each span; spans that overlap share one. All else stays as it is."""
    parts, end = [], 0
    for start, stop, kind in _joined(spans):
        parts += [text[end:start], f"[{kind}]"]
        end = stop
    return "".join([*parts, text[end:]])


def shown(message: str, alarms: Sequence[Alarm]) -> str:
    """A customer's message as the model is shown it: secrets and card numbers masked, names and addresses left."""
    return masked(message, _spans(one for one in alarms if one.action == "mask" and one.rule == "secrets"))


def kept(text: str, alarms: Sequence[Alarm]) -> str:
    """A message or an answer as it may be written down: secrets and personal data masked, unless the owner only flags them."""
    return masked(text, _spans(one for one in alarms if one.action != "flag" and one.rule in _PRIVATE))


def stopped(alarms: Iterable[Alarm]) -> Literal["", "block", "hand_over"]:
    """Whether a text may go on ("") or not; a person takes over where any guard wants it."""
    actions = {one.action for one in alarms}
    return "hand_over" if "hand_over" in actions else "block" if "block" in actions else ""


def sent(answer: str, alarms: Sequence[Alarm]) -> str:
    """An answer as the customer gets it: sentences to rewrite taken out, spans masked; "" if nothing may be said, or is left."""
    if stopped(alarms):
        return ""
    rewriting = [one for one in alarms if one.action == "rewrite"]
    if any(not one.spans for one in rewriting):
        return ""
    gone = [sentence(answer, span.start, span.end) for span in _spans(rewriting)]
    out = [Span(start, end, "") for start, end in gone]
    hidden = [
        span
        for span in _spans(one for one in alarms if one.action == "mask")
        if not any(span.start < end and start < span.end for start, end in gone)
    ]
    left = masked(answer, [*out, *hidden]).replace("[]", "") if out else masked(answer, hidden)
    if out:
        before = answer[: len(answer) - len(answer.lstrip())]  # what stands between this and an earlier piece of the answer
        left = before + re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]{2,}", " ", left)).strip()
    return left if not out or len(re.findall(r"\w+", left)) >= _FEWEST else ""


def _spans(alarms: Iterable[Alarm]) -> list[Span]:
    return [span for one in alarms for span in one.spans]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that share a character as one with the first one's kind."""
    joined: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if joined and span.start < joined[-1].end:
            joined[-1] = joined[-1]._replace(end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
