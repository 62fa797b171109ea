"""Whether a text is written for a model and not for a person: what it says, and what stands hidden in it."""

from __future__ import annotations

from collections.abc import Iterable

from tailorbird.language.hidden import Hidden, visible
from tailorbird.language.injection_model import judge
from tailorbird.language.injections import THRESHOLD, Injection, markers

_QUOTED = 120
_VETO = -4.0
"""Below this score a text that has the words of a command means something else ("ignore the rules on the label")."""


def instructing(text: str) -> Injection | None:
    """What speaks for an instruction to a model in a text, if enough does: a control mark, known words, or its meaning."""
    marks = list(markers(text))
    if marks and max(points for _, points in marks) >= THRESHOLD:
        return Injection(max(points for _, points in marks), tuple(dict.fromkeys(reason for reason, _ in marks))[:3])
    judged = judge().judge(text)
    known = judged.known
    if known.score >= THRESHOLD and judged.score > _VETO:
        return known._replace(stretch=judged.stretch)
    if judged.score > 0:
        quote = judged.stretch if len(judged.stretch) <= _QUOTED else f"{judged.stretch[:_QUOTED]}…"
        return Injection(round(THRESHOLD + judged.score, 3), (f"{judged.kind} (“{quote}”)",), judged.stretch)
    return None


def readings(text: str, concealed: Iterable[Hidden]) -> list[str]:
    """A text as a model may read it: as it stands, what is hidden in it, and without invisible and disguised characters."""
    found = [text, *(one.text for one in concealed if one.text)]
    if not text.isascii() and (bare := visible(text)) != text:
        found.append(bare)
    return found
