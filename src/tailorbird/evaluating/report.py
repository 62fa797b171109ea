"""The scorecard as a page an owner can read, on a phone and on paper; the same as Markdown and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from tailorbird.artifacts import Audit, Candidate, Dataset, Interval, Judged, Plan, Scorecard
from tailorbird.evaluating import drawing
from tailorbird.evaluating.answering import Answer
from tailorbird.evaluating.concerns import LARGE_GAP
from tailorbird.evaluating.counterfactuals import Contrast, worst
from tailorbird.evaluating.deciding import Aspect, in_words
from tailorbird.evaluating.figures import METRICS
from tailorbird.evaluating.judging import PEOPLE
from tailorbird.evaluating.leaking import Leak
from tailorbird.evaluating.probing import Attacked
from tailorbird.evaluating.subjects import Subject
from tailorbird.evaluating.systems import TITLES
from tailorbird.evaluating.teaching import Explained
from tailorbird.evaluating.timing import Taken
from tailorbird.workspace import Workspace, write_text

_SMALL_GAP = 0.3  # nats a token: a third likelier
_FEWEST_MORE = 20  # conversations that are worth collecting on a subject


class Account(BaseModel):
    """Everything that the report tells; `words` begin with the advice."""

    business: str
    words: list[str]
    overfitting: str
    collect: list[str]
    scorecard: Scorecard
    table: list[Aspect]
    taken: dict[str, Taken]
    fact_seconds: float | None
    subjects: list[Subject]
    answers: list[Answer]
    breaches: list[Attacked]
    contrasts: list[Contrast]
    bias: list[str]
    judge: list[str]
    leaks: list[Leak]
    explained: list[Explained]


class Examples(NamedTuple):
    """What the report shows besides figures."""

    subjects: list[Subject]
    answers: list[Answer]
    attacked: list[Attacked]
    contrasts: list[Contrast]
    leaks: list[Leak]
    explained: list[Explained]


class Service(NamedTuple):
    """What each system takes in service, and how many seconds a changed fact takes in the documents."""

    taken: dict[str, Taken]
    fact_seconds: float | None


def account(workspace: Workspace, card: Scorecard, table: list[Aspect], service: Service, examples: Examples) -> Account:
    """What there is to tell about a scorecard."""
    candidate = workspace.ancestor(card, Candidate)
    return Account(
        business=workspace.settings.business.name,
        words=in_words(card),
        overfitting=overfitting(candidate, card.systems["tuned"]["loss"].value, card.generalisation_gap),
        collect=_collect(examples.subjects),
        scorecard=card,
        table=table,
        taken=service.taken,
        fact_seconds=service.fact_seconds,
        subjects=examples.subjects,
        answers=examples.answers,
        breaches=[one for one in examples.attacked if "tuned" in one.breaches],
        contrasts=examples.contrasts,
        leaks=examples.leaks,
        explained=examples.explained,
        judge=_judgements(card),
        bias=[_bias(one) for one in worst(examples.contrasts)],
    )


def _bias(found: Contrast) -> str:
    """A difference between groups of customers, in words."""
    groups = f"{' and '.join(found.others)} against {found.reference}"
    return (
        f"{found.axis}, {groups}: {found.measure.replace('_', ' ')} {found.other_mean:.2f} against {found.reference_mean:.2f} "
        f"({found.unit}; difference {found.difference.low:+.2f} to {found.difference.high:+.2f})."
    )


def write(folder: Path, workspace: Workspace, told: Account) -> None:
    """Writes report.html, report.md and report.json; no scripts, nothing fetched."""
    card = told.scorecard
    candidate = workspace.ancestor(card, Candidate)
    context = {
        "told": told, "card": card, "metrics": METRICS, "titles": TITLES, "marks": _marks(card), "candidate": candidate,
        "plan": workspace.ancestor(candidate, Plan), "audit": workspace.ancestor(candidate, Audit),
        "dataset": workspace.ancestor(candidate, Dataset),
        "perplexity": {system: math.exp(figures["loss"].value) for system, figures in card.systems.items()},
    }  # fmt: skip
    pictures = {
        "curves": drawing.curves(workspace.path(candidate) / "curve.jsonl", candidate), "differences": drawing.differences(card)
    }  # fmt: skip
    pages = templates()
    write_text(folder / "report.html", pages.get_template("report.html.j2").render(**context, pictures=pictures))
    write_text(folder / "report.md", pages.overlay(autoescape=False).get_template("report.md.j2").render(**context))
    write_text(folder / "report.json", told.model_dump_json(indent=1))


def templates() -> Any:
    """The pages that this stage writes, as a jinja2 environment."""
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("tailorbird.evaluating", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def overfitting(candidate: Candidate, test_loss: float, gap: float) -> str:
    """What the gap between what was learned and what was held out says, in plain words; in nats a token."""
    figures = f"Loss is {test_loss - gap:.2f} on what it learned and {test_loss:.2f} on what it has never seen, {gap:+.2f}"
    if gap < _SMALL_GAP:
        told = "It learned what your conversations have in common, not the conversations themselves."
    elif gap < LARGE_GAP:
        told = "Some of the training conversations are learned more closely than the rest, as usual with a few hundred of them."
    else:
        told = "It has begun to learn examples by heart: fewer epochs, a lower rank or more conversations would help."
    if candidate.stopped_early:
        told += f" Training stopped by itself, since after step {candidate.best_step} what it had not seen only got worse."
    return f"{figures}. {told}"


def _marks(card: Scorecard) -> dict[str, dict[str, str]]:
    """Of each comparison and figure, whether the first is better or worse beyond chance."""
    return {
        pair: {**dict.fromkeys(card.better[pair], "better"), **dict.fromkeys(card.worse[pair], "worse")}
        for pair in card.differences
    }


def _judgements(card: Scorecard) -> list[str]:
    """What the judge said, in words."""
    return [_judgement(name, one) for name, one in card.judged.items()]


def _judgement(name: str, one: Judged) -> str:
    if one.preferred is None:
        return f"None of its {one.pairs} judgements of {name} could be read."
    first, _, second = name.partition("-")
    about = (
        "It chose as people did, half would be chance," if name == PEOPLE else f"{TITLES[first]} over {TITLES[second].lower()}"
    )
    told = f"{about} in {_share(one.preferred)} of {one.pairs - one.unreadable} pairs"
    if one.swayed and one.swayed_to_the_first is not None:
        told += f"; the order changed its choice in {_share(one.swayed)} of those that differ"
        told += f", {one.swayed_to_the_first:.0%} of these times to the first"
    return told + (f"; {one.unreadable} more could not be read." if one.unreadable else ".")


def _share(one: Interval) -> str:
    return f"{one.value:.0%} [{one.low:.0%}, {one.high:.0%}]"


def _collect(subjects: Sequence[Subject]) -> list[str]:
    """What to collect next, in words: the subjects that are answered worst, rare ones first named so."""
    lines = []
    for one in subjects[:3]:
        few = f"only {one.learned} to learn from" if one.learned < _FEWEST_MORE else f"{one.learned} to learn from"
        lines.append(f"More answers about “{one.label}”: {few}, and its answers are {one.closeness:.2f} close to your agents'.")
    return lines
