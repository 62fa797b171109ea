"""Which system a business should use, and why: the simplest one that nothing clearly beats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import BaseModel

from tailorbird.artifacts import Candidate, Scorecard
from tailorbird.evaluating.figures import METRICS
from tailorbird.evaluating.systems import TITLES
from tailorbird.evaluating.timing import Taken

BY_EFFORT = ("base", "knowledge", "tuned", "both")
"""What is simpler to set up, to update and to understand comes first."""
_TUNED = ("tuned", "both")
_ADVICE = {
    "base": "Do not tune: nothing did clearly better than the base model with your system prompt.",
    "knowledge": "Your documents are enough: the base model that is shown them did best, and tuning adds nothing clear to that.",
    "tuned": "Use the tuned model: showing it your documents adds nothing clear to that.",
    "both": "Use the tuned model together with your documents.",
}
_WITHOUT_DOCUMENTS = "Use the tuned model."


def choose(card: Scorecard) -> str:
    """The name of the system to use.

    A system that takes more effort replaces a simpler one if it is clearly better on more figures than it is clearly worse on.
    Where tuning is the effort, loss must be one of them: it uses every word that agents wrote, and the gate asks for it.
    """
    best = "base"
    for system in BY_EFFORT[1:]:
        better, worse = (found.get(f"{system}-{best}", ()) for found in (card.better, card.worse))
        tuning = system in _TUNED and best not in _TUNED
        if len(better) > len(worse) and ("loss" in better or not tuning):
            best = system
    return best


def in_words(card: Scorecard) -> list[str]:
    """The advice, and what each comparison found."""
    best = card.use
    advice = _WITHOUT_DOCUMENTS if best == "tuned" and "both" not in card.systems else _ADVICE[best]
    return [advice, *(_compared(pair, card.better[pair], card.worse[pair]) for pair in card.differences)]


class Aspect(BaseModel):
    """One row of the decision table: what it is about, and what holds for each system."""

    name: str
    cells: dict[str, str]


def table(
    card: Scorecard, candidate: Candidate, adapter_mb: float, taken: Mapping[str, Taken], fact_seconds: float | None,
    money: Callable[[float], str],
) -> list[Aspect]:  # fmt: skip
    """Fine-tuning against documents, row by row; every figure is of this business and this machine.

    `money` says what so many minutes of this machine cost.
    """
    trained = f"{candidate.minutes:.1f} minutes of training ({money(candidate.minutes)} of electricity)"
    changed = f"{fact_seconds:.1f} s: change the document" if fact_seconds is not None else "change the document"
    fixed = {
        "to set up": ("a system prompt", "your documents", f"conversations; {trained}", f"both; {trained}"),
        "to change a fact": ("the system prompt", changed, f"ten examples; {trained} or less", f"{changed}, and teach it"),
        "why it said that": ("cannot be told", "the passages it was shown", "the conversations it learned from", "both"),
        "on disk beside the base model": (
            "nothing",
            "the documents",
            f"{adapter_mb:.0f} MB",
            f"{adapter_mb:.0f} MB, and documents",
        ),
    }
    rows = [Aspect(name=name, cells=dict(zip(BY_EFFORT, cells, strict=True))) for name, cells in fixed.items()]
    for name, metric in METRICS.items():
        cells = {system: f"{figures[name].value:.3f}" for system, figures in card.systems.items() if name in figures}
        if cells:
            rows.append(Aspect(name=f"{metric.title} ({metric.unit}, {metric.better} is better)", cells=cells))
    for title, told in _TAKEN.items():
        rows.append(Aspect(name=title, cells={system: told(one) for system, one in taken.items()}))
    paid = {system: money(1000 * one.answer_seconds / 60) for system, one in taken.items()}
    rows.append(Aspect(name="electricity for a thousand of these answers", cells=paid))
    shown = [name for name in BY_EFFORT if name in card.systems]
    return [Aspect(name=row.name, cells={name: row.cells[name] for name in shown if name in row.cells}) for row in rows]


_TAKEN: dict[str, Callable[[Taken], str]] = {
    "tokens to read for an answer": lambda one: f"{one.prompt_tokens:.0f}",
    "to the first word": lambda one: f"{one.first_word_seconds:.2f} s",
    "for an answer of up to 48 tokens": lambda one: f"{one.answer_seconds:.2f} s",
    "memory in service": lambda one: f"{one.memory_gb:.2f} GB",
}


def _compared(pair: str, better: tuple[str, ...], worse: tuple[str, ...]) -> str:
    one, _, other = pair.partition("-")
    found = [f"better on {listed(better)}"] * bool(better) + [f"worse on {listed(worse)}"] * bool(worse)
    told = " and ".join(found) or "no clear difference"
    return f"{TITLES[one]} against {TITLES[other].lower()}: {told}."


def listed(metrics: tuple[str, ...]) -> str:
    """Metrics in words."""
    return ", ".join(METRICS[name].title.split(" (")[0].lower() for name in metrics)
