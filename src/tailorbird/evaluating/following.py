"""Regular evaluation: how what serves customers does on conversations from after it was trained, and how that goes over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from tailorbird import engine
from tailorbird.artifacts import Audit, Candidate, Checkup, Conversation, Figure, Plan, Release, Scorecard, make_id
from tailorbird.errors import InputError
from tailorbird.evaluating import drawing
from tailorbird.evaluating.answering import KEPT, Ask, answered
from tailorbird.evaluating.checking import Documents
from tailorbird.evaluating.figures import METRICS, Sheet
from tailorbird.evaluating.held_out import tested_with
from tailorbird.evaluating.report import templates
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
    system = "both" if knowledge else "tuned"
    systems = Systems(engine.locate(release.model, progress), adapter, knowledge).only("base", system)
    held = tested_with(workspace, workspace.ancestor(release, Audit), fresh)
    losses = held.losses(systems, plan.sequence_length, progress)
    asked, limits = held.asked(settings.answers), ReplyOptions(max_tokens=settings.longest_answer)
    kept = workspace.store / KEPT
    said = answered(
        systems.base, systems.adapters, asked, lambda name, one: Ask(systems.messages(name, one), limits), kept, progress
    )
    with progress("Computing figures and intervals", None):
        documents = Documents(workspace, knowledge) if knowledge else None
        scores = scored(asked, said, Measures(workspace.settings, documents, held.voice()))
        sheet = Sheet(held.texts, losses, asked, scores)
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
        worse=_worse(figures[system], _when_released(workspace, release)),
    )
    with workspace.drafting(identity) as draft:
        write_text(draft / "trend.html", _page(workspace, [*sorted(workspace.all(Checkup), key=lambda one: one.made_at), made]))
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


def _when_released(workspace: Workspace, release: Release) -> dict[str, Figure]:
    """The scorecard's figures of what a release serves."""
    card = workspace.ancestor(release, Scorecard)
    return card.systems[card.served(release.passages)]


def _page(workspace: Workspace, checkups: Sequence[Checkup]) -> str:
    """The trend as one page: each figure over time, with the scorecards of the releases that were followed."""
    followed = {one.made_from[0] for one in checkups}
    releases = sorted((one for one in workspace.all(Release) if one.id in followed), key=lambda one: one.made_at)
    points = [(one.made_at.date(), _when_released(workspace, one)) for one in releases]
    points += [(one.last or one.made_at.date(), one.production) for one in checkups]
    points.sort(key=lambda point: point[0])
    names = [name for name in METRICS if any(name in one.production for one in checkups)]
    rows = {name: [(day, figures[name]) for day, figures in points if name in figures] for name in names}
    changed = [one.made_at.date() for one in releases[1:]]
    return str(
        templates()
        .get_template("trend.html.j2")
        .render(
            business=workspace.settings.business.name,
            checkups=checkups[::-1],
            metrics=METRICS,
            names=names,
            picture=drawing.trend(rows, changed),
        )
    )
