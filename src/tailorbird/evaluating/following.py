"""Regular evaluation: how what serves customers does on conversations from after it was trained, and how that goes over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from tailorbird import engine
from tailorbird.artifacts import Audit, Candidate, Checkup, Conversation, Figure, Interval, Plan, Release, Scorecard, make_id
from tailorbird.errors import InputError
from tailorbird.evaluating import drawing
from tailorbird.evaluating.answering import KEPT, Ask, answered
from tailorbird.evaluating.checking import Documents
from tailorbird.evaluating.figures import METRICS, Sheet
from tailorbird.evaluating.held_out import tested_with
from tailorbird.evaluating.scoring import Measures, scored
from tailorbird.evaluating.systems import Systems
from tailorbird.knowledge import documents_of
from tailorbird.progress import Progress, silent
from tailorbird.replier import ReplyOptions
from tailorbird.workspace import Workspace, read_conversations, write_text

FEWEST = 8
"""Conversations; fewer tell nothing."""


def follow(workspace: Workspace, audit: Audit, release: Release, since: date | None, progress: Progress = silent) -> Checkup:
    """The base model and a release, as it serves, on an audit's conversations that no model of this release has seen.

    With `since`, of those that were begun on that day or later. Raises InputError where there are too few.
    """
    settings = workspace.settings.evaluation
    fresh = _fresh(workspace, audit, release, since)
    knowledge = documents_of(workspace, engine.embed, progress) if release.passages else None
    identity = make_id(
        Checkup, release=release.id, conversations=sorted(one.id for one in fresh), settings=settings.model_dump(),
        documents=knowledge.digests() if knowledge else {},
    )  # fmt: skip
    if found := workspace.find(Checkup, identity):
        return workspace.use(found)
    plan, adapter = workspace.ancestor(release, Plan), workspace.path(workspace.ancestor(release, Candidate)) / "adapter"
    systems = Systems(engine.locate(release.model, progress), adapter, knowledge)
    held = tested_with(workspace, workspace.ancestor(release, Audit), fresh)
    losses = held.losses(systems, plan.sequence_length, progress)
    asked, limits = held.asked(settings.answers), ReplyOptions(max_tokens=settings.longest_answer)
    system = "both" if release.passages else "tuned"
    compared = {name: systems.adapters[name] for name in ("base", system)}
    said = answered(
        systems.base,
        compared,
        asked,
        lambda name, one: Ask(systems.messages(name, one), limits),
        workspace.store / KEPT,
        progress,
    )
    with progress("Computing figures and intervals", None):
        documents = Documents(workspace, knowledge) if knowledge else None
        scores = scored(asked, said, Measures(workspace.settings, documents, held.voice()))
        sheet = Sheet(held.texts, {name: losses[name] for name in compared}, asked, scores)
        figures = sheet.figures(held.whole)
    days = sorted(day for one in fresh if (day := _day(one)))
    made = Checkup(
        id=identity,
        made_from=(release.id, audit.id),
        version=release.version,
        conversations=len(fresh),
        first=days[0] if days else None,
        last=days[-1] if days else None,
        base=figures["base"],
        production=figures[system],
        worse=_worse(figures[system], workspace.ancestor(release, Scorecard).systems[system]),
    )
    with workspace.drafting(identity) as draft:
        write_text(draft / "trend.html", _page(workspace, [*_earlier(workspace), made]))
        return workspace.save(made, draft)


def _fresh(workspace: Workspace, audit: Audit, release: Release, since: date | None) -> list[Conversation]:
    """What an audit kept and no audit before the release did."""
    parts = ("train", "validation", "test")
    audits = [one for one in workspace.lineage(release) if isinstance(one, Audit)]
    seen = {one.id for made in audits for part in parts for one in read_conversations(workspace.path(made) / f"{part}.jsonl")}
    kept = [one for part in parts for one in read_conversations(workspace.path(audit) / f"{part}.jsonl")]
    fresh = [one for one in kept if one.id not in seen and (since is None or ((day := _day(one)) is not None and day >= since))]
    if len(fresh) < FEWEST:
        told = f" since {since}" if since else ""
        raise InputError(
            f"Only {len(fresh)} conversations{told} are new to version {release.version}; {FEWEST} are the fewest to tell from.",
            fix="Put newer exports into tailorbird.yaml, or name an earlier day. Without a date, conversations count for no day.",
        )
    return fresh


def _day(conversation: Conversation) -> date | None:
    """When it was begun."""
    try:
        return date.fromisoformat((conversation.created_at or "")[:10])
    except ValueError:
        return None


def _worse(now: Mapping[str, Figure], then: Mapping[str, Figure]) -> tuple[str, ...]:
    """Figures whose whole interval is worse than that of the release's scorecard: other conversations, so nothing is paired."""
    found = []
    for name, figure in now.items():
        before = then.get(name)
        if before and (figure.low > before.high if figure.better == "lower" else figure.high < before.low):
            found.append(name)
    return tuple(found)


def _earlier(workspace: Workspace) -> list[Checkup]:
    return sorted(workspace.all(Checkup), key=lambda one: one.made_at)


def _page(workspace: Workspace, checkups: Sequence[Checkup]) -> str:
    """The trend as one page: each figure over time, with the scorecards of the releases that were followed."""
    from jinja2 import Environment, PackageLoader

    points = sorted([(_when(one), f"version {one.version}", one.production) for one in checkups], key=lambda point: point[0])
    releases = {one.made_from[0] for one in checkups}
    tested = [one for one in workspace.all(Release) if one.id in releases]
    starts = {
        (one.made_at.date(), one.version): workspace.ancestor(one, Scorecard).systems["both" if one.passages else "tuned"]
        for one in tested
    }
    names = [name for name in METRICS if any(name in figures for _, _, figures in points)]
    rows: dict[str, list[tuple[date, Interval]]] = {
        name: [
            *((day, figures[name]) for (day, _), figures in starts.items() if name in figures),
            *((day, figures[name]) for day, _, figures in points if name in figures),
        ]
        for name in names
    }
    changed = [day for (day, one), (_, other) in pairwise(sorted(starts)) if one != other]
    pages = Environment(loader=PackageLoader("tailorbird.evaluating", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return pages.get_template("trend.html.j2").render(
        business=workspace.settings.business.name, checkups=checkups[::-1], metrics=METRICS, names=names,
        picture=drawing.trend({name: sorted(found, key=lambda one: one[0]) for name, found in rows.items()}, changed),
    )  # fmt: skip


def _when(checkup: Checkup) -> date:
    return checkup.last or checkup.made_at.date()
