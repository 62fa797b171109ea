"""Dataset -> Audit: what may be learned from, what is set aside and why, and the three splits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Audit, Conversation, Dataset, Release, Turn, make_id
from tailorbird.auditing import report
from tailorbird.auditing.comparing import SEARCHES, Gathered, compared, own_of
from tailorbird.auditing.decisions import Decision, decided
from tailorbird.auditing.examining import Examined, Looked, Note, Profile, examined
from tailorbird.auditing.findings import RULES, Finding, action
from tailorbird.auditing.leftovers import hidden, left_in, refuse_secret_prompt, refuse_secrets
from tailorbird.auditing.overview import Collector
from tailorbird.auditing.splitting import SPLITS, split
from tailorbird.errors import InputError
from tailorbird.language import injection_model
from tailorbird.language.facts import Fact, facts
from tailorbird.progress import Advance, Progress, silent
from tailorbird.settings import AuditSettings, Settings
from tailorbird.workspace import KNOWLEDGE, PRODUCTION, Workspace, read_lines

_FEWEST = 10
_COMMON = 0.05  # share of conversations that makes a language one of the business's
ASK_FOR_LANGUAGE = "Answer in the language that the customer writes in."
"""What is added to the system prompt where conversations are in several languages."""


class Quarantined(Conversation):
    """A conversation that was set aside as it came, with everything that was found in it, the reason first."""

    findings: tuple[Finding, ...]


class Verdict(BaseModel):
    """A line of findings.jsonl: what became of a conversation, and why."""

    id: str
    verdict: str
    findings: tuple[Finding, ...]
    redacted: dict[str, int]


def audit(workspace: Workspace, dataset: Dataset, progress: Progress = silent) -> Audit:
    """Sets flawed conversations aside, redacts personal data, and splits the rest by customer.

    Nothing is deleted: quarantined.jsonl keeps every conversation that was set aside. Raises InputError when too few
    are left to train and test on, when too many answers are the same text, or when a secret would still be learned.
    """
    settings = workspace.settings
    refuse_secret_prompt(settings.system_prompt)
    for task in settings.tasks.values():
        refuse_secret_prompt(task.system_prompt)
    decisions = decided(workspace)
    earlier = _earlier(workspace)
    documents = facts(workspace.folder / KNOWLEDGE)
    told = {name: one.verdict for name, one in decisions.items()}
    identity = make_id(
        Audit, dataset=dataset.id, settings=settings.audit.model_dump(), system_prompt=settings.system_prompt, decisions=told,
        documents=[passage.text for passage in documents], earlier=earlier.id if earlier else None,
        tasks={name: task.model_dump(exclude={"weight"}) for name, task in settings.tasks.items()},
    )  # fmt: skip
    if found := workspace.find(Audit, identity):
        return workspace.use(found)
    source = workspace.path(dataset) / "conversations.jsonl"
    keep = (settings.business.name, *settings.audit.keep, *_staff(source))
    prompts = {"": settings.system_prompt, **{name: task.system_prompt for name, task in settings.tasks.items()}}
    labelled = frozenset(name for name, task in settings.tasks.items() if task.answer == "label")
    held_out = _held_out(source, dataset, prompts)
    profile = Profile(settings=settings.audit, prompts=prompts, labelled=labelled, keep=keep)
    with workspace.drafting(identity) as draft:
        spool = draft / "examined.jsonl"
        with progress("Auditing", dataset.conversations) as advance, source.open(encoding="utf-8") as lines:
            everything, notes = _spool(spool, examined(lines, profile, engine.cores()), advance)
        with progress("Comparing conversations", SEARCHES) as advance:
            _compare(everything, notes, profile, documents, advance)
        reasons = {note.id: _verdict(note, settings.audit, decisions) for note in notes}
        kept = [note for note in notes if not reasons[note.id]]
        refuse_secrets({note.id: note.findings for note in kept})
        _refuse_one_template(
            [note for note in notes if {found.rule for found in reasons[note.id]} <= {"boilerplate"}], settings.audit
        )
        _refuse_too_few(kept, Counter(found[0].rule for found in reasons.values() if found))
        before = _parts(workspace, earlier) | held_out
        # What was learned or held out and is set aside by now still tells where its customer's other conversations belong.
        placed = [note for note in notes if not reasons[note.id] or note.id in before]
        found_parts, groups = split(
            [note.id for note in placed],
            [note.keys for note in placed],
            [note.stratum for note in placed],
            settings.audit,
            before,
        )
        chosen = dict(zip((note.id for note in placed), found_parts, strict=True))
        parts = [chosen[note.id] for note in kept]
        _refuse_empty_parts(parts, groups)
        system_prompt = _prompt([note.stratum for note in kept], settings)
        collector = Collector(settings.audit)
        _write(draft, spool, reasons, notes, chosen, collector, system_prompt)
        splits = {name: parts.count(name) for name in SPLITS}
        report.write(draft, collector.overview(settings.business.name, dataset, everything.examples, splits))
        spool.unlink()
        injection_model.release()
        engine.release()
        made = Audit(
            id=identity,
            made_from=(dataset.id,),
            conversations=len(notes),
            kept=len(kept),
            split_groups=groups,
            splits=splits,
            seed=settings.audit.seed,
            system_prompt=system_prompt,
            **{name: dict(found) for name, found in collector.counts.items()},
        )
        return workspace.save(made, draft)


def _earlier(workspace: Workspace) -> Audit | None:
    """The audit that production was made from, if it was split by the same seed: what was held out then stays held out."""
    released = workspace.find(Release, workspace.alias(PRODUCTION) or "")
    found = workspace.ancestor(released, Audit) if released else None
    return found if found and found.seed == workspace.settings.audit.seed else None


def _parts(workspace: Workspace, audit: Audit | None) -> dict[str, str]:
    """The part of each of an audit's conversations."""
    if audit is None:
        return {}
    folder = workspace.path(audit)
    return {one.id: name for name in SPLITS for one in read_lines(folder / f"{name}.jsonl", Conversation)}


def _prompt(strata: list[str], settings: Settings) -> str:
    """The system prompt, which asks for the customer's language where conversations are in several."""
    languages = Counter(language for task, _, language in (stratum.partition(" ") for stratum in strata) if not task and language)
    common = [language for language, count in languages.items() if count >= _COMMON * languages.total()]
    asks = settings.audit.ask_for_language and len(common) > 1
    return f"{settings.system_prompt.rstrip()}\n{ASK_FOR_LANGUAGE}" if asks else settings.system_prompt


def _prompted(conversation: Conversation, system_prompt: str) -> Conversation:
    if conversation.task:
        return conversation
    return conversation.model_copy(update={"turns": (Turn(role="system", content=system_prompt), *conversation.turns[1:])})


def _held_out(path: Path, dataset: Dataset, prompts: dict[str, str]) -> dict[str, str]:
    """The conversations of sources that are for the scorecard only; raises InputError for tasks that nobody knows any more."""
    sources = {one.name for one in dataset.sources if one.options and json.loads(one.options).get("held_out")}
    found, tasks = {}, set()
    for one in read_lines(path, Conversation):
        tasks.add(one.task)
        if one.source in sources:
            found[one.id] = "test"
    if unknown := tasks - set(prompts):
        raise InputError(
            f"Conversations were imported for the task {', '.join(sorted(unknown))}, which tailorbird.yaml does not have.",
            fix="Add it under `tasks:`, or import again with --fresh and without it.",
        )
    return found


def _staff(path: Path) -> list[str]:
    """The names of agents, as the help desk has them."""
    names = {
        turn.author for one in read_lines(path, Conversation) for turn in one.turns if turn.role == "assistant" and turn.author
    }
    return sorted(name for name in names if not name.isdigit())


def _spool(path: Path, rows: Iterable[Looked], advance: Advance) -> tuple[Gathered, list[Note]]:
    """Writes what was examined to a file, and keeps of it what comparing and splitting need."""
    everything = Gathered()
    notes: list[Note] = []
    secrets: set[str] = set()
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            print(row.line, file=file)
            everything.add(row.sketch, row.answers)
            notes.append(row.note)
            secrets.update(row.secrets)
            advance(1)
    everything.finish()
    if secrets:
        for note, one in zip(notes, read_lines(path, Examined), strict=True):
            if left := left_in(one.prepared, secrets):
                note.findings.append(left)
    return everything, notes


def _compare(everything: Gathered, notes: list[Note], profile: Profile, documents: list[Fact], advance: Advance) -> None:
    """Adds what shows only beside the others, among conversations that nothing else sets aside."""
    sound = {note.id: note for note in notes if not _refused(note, profile.settings)}
    found = compared(everything, sound, own_of(profile.keep[0], profile.keep), documents, advance)
    for identity, findings in found.items():
        sound[identity].findings.extend(found for found in findings if action(found.rule, profile.settings.rules) != "ignore")


def _refused(note: Note, settings: AuditSettings) -> list[Finding]:
    """The findings that set a conversation aside."""
    return [found for found in note.findings if action(found.rule, settings.rules) == "quarantine"]


def _verdict(note: Note, settings: AuditSettings, decisions: dict[str, Decision]) -> list[Finding]:
    """The same, with the owner's decision, which is the last word."""
    decision = decisions.get(note.id)
    if decision is None:
        return _refused(note, settings)
    if decision.verdict == "release":
        return []
    return [
        Finding(rule="excluded", detail=f"by {decision.by} on {decision.at:%Y-%m-%d}{decision.reason and ': '}{decision.reason}")
    ]


def _refuse_one_template(notes: list[Note], settings: AuditSettings) -> None:
    """Raises InputError where too many first answers are one text; of those set aside, such texts count too."""
    count = max(Counter(note.template for note in notes).values(), default=0)
    if len(notes) >= _FEWEST and count > settings.most_of_one_template * len(notes):
        raise InputError(
            f"{count} of {len(notes)} first answers are one text with other names and numbers; a model would learn it by heart.",
            fix="Leave such conversations out (audit.select in tailorbird.yaml), or raise audit.most_of_one_template if they "
            "are labels that you want to train.",
        )


def _refuse_too_few(kept: list[Note], aside: Counter[str]) -> None:
    """Raises InputError for too few conversations, with what became of the others."""
    if len(kept) < _FEWEST:
        reasons = ", ".join(f"{count} {RULES[rule].title}" for rule, count in aside.most_common())
        raise InputError(
            f"Only {len(kept)} of {len(kept) + aside.total()} conversations can be used; at least {_FEWEST} are needed.",
            fix=f"Set aside: {reasons or 'none'}. Import more conversations, or release some: `tailorbird audit review`.",
        )


def _refuse_empty_parts(parts: list[str], groups: int) -> None:
    if empty := [name for name in SPLITS if name not in parts]:
        raise InputError(
            f"Nothing is left for {' and '.join(empty)}: the {len(parts)} conversations form only {groups} groups that share a "
            "customer, a first question or an answer, and such a group is never divided.",
            fix="Check that customer_id really names customers (a column where everybody is 'Guest' does not).",
        )


def _write(
    draft: Path, spool: Path, reasons: dict[str, list[Finding]], notes: list[Note], parts: dict[str, str],
    collector: Collector, system_prompt: str,
) -> None:  # fmt: skip
    """Writes the splits, what was set aside, and all findings; tells the collector."""
    with ExitStack() as stack:
        names = (*SPLITS, "quarantined", "findings")
        files = {name: stack.enter_context((draft / f"{name}.jsonl").open("w", encoding="utf-8")) for name in names}
        for note, one in zip(notes, read_lines(spool, Examined), strict=True):
            refused = reasons[note.id]
            findings = (*refused, *(found for found in note.findings if found not in refused))
            shown = hidden(one.prepared) if any(found.rule == "secret_left" for found in findings) else one.prepared
            collector.add(shown, one.language, findings, bool(refused), one.redacted)
            kept = Quarantined(**dict(one.original), findings=findings) if refused else _prompted(one.prepared, system_prompt)
            print(kept.model_dump_json(exclude_defaults=True), file=files["quarantined" if refused else parts[note.id]])
            if findings or one.redacted:
                verdict = "quarantined" if refused else "redacted" if one.redacted else "kept"
                told = Verdict(id=note.id, verdict=verdict, findings=findings, redacted=one.redacted)
                print(told.model_dump_json(exclude_defaults=True), file=files["findings"])
