"""Dataset -> Audit: what may be learned from, what is set aside and why, and the three splits."""

from __future__ import annotations

from collections import Counter

from tailorbird.artifacts import Audit, Conversation, Dataset, Turn, make_id
from tailorbird.auditing.rules import fingerprint, first_problem
from tailorbird.auditing.splitting import SPLITS, split
from tailorbird.errors import InputError
from tailorbird.privacy import Redactor
from tailorbird.progress import Progress, silent
from tailorbird.workspace import Workspace, read_conversations, write_lines

_FEWEST = 10


class Quarantined(Conversation):
    """A conversation that was set aside, with the reason."""

    reason: str
    detail: str


def audit(workspace: Workspace, dataset: Dataset, progress: Progress = silent) -> Audit:
    """Sets flawed conversations aside, redacts personal data, and splits the rest by customer.

    Nothing is deleted: quarantined.jsonl keeps every conversation that was set aside. Raises InputError when too few
    are left to train and test on.
    """
    settings = workspace.settings
    identity = make_id(Audit, dataset=dataset.id, settings=settings.audit.model_dump(), system_prompt=settings.system_prompt)
    if found := workspace.find(Audit, identity):
        return workspace.use(found)
    conversations = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    kept: list[Conversation] = []
    aside: list[Quarantined] = []
    seen: dict[str, str] = {}
    redacted: Counter[str] = Counter()
    with progress("Auditing", len(conversations)) as advance:
        for conversation in conversations:
            problem = first_problem(conversation, settings.audit.longest_turn, seen)
            if problem:
                aside.append(Quarantined(**dict(conversation), reason=problem.reason, detail=problem.detail))
            else:
                seen[fingerprint(conversation)] = conversation.id
                redactor = Redactor.keeping(settings.audit.keep)
                kept.append(_prepared(conversation, redactor, settings.system_prompt))
                redacted += redactor.counts
            advance(1)
    if len(kept) < _FEWEST:
        raise InputError(
            f"Only {len(kept)} of {len(conversations)} conversations can be used; at least {_FEWEST} are needed.",
            fix=f"Reasons: {dict(Counter(q.reason for q in aside))}. Import more conversations.",
        )
    parts, groups = split(kept, settings.audit)
    if empty := [name for name in SPLITS if not parts[name]]:
        raise InputError(
            f"Nothing is left for {' and '.join(empty)}: the {len(kept)} conversations form only {groups} groups that share a "
            "customer, a first question or an answer, and such a group is never divided.",
            fix="Check that customer_id really names customers (a column where everybody is 'Guest' does not).",
        )
    with workspace.drafting(identity) as draft:
        for name in SPLITS:
            write_lines(draft / f"{name}.jsonl", parts[name])
        write_lines(draft / "quarantined.jsonl", aside)
        made = Audit(
            id=identity,
            made_from=(dataset.id,),
            conversations=len(conversations),
            kept=len(kept),
            split_groups=groups,
            quarantined=dict(Counter(q.reason for q in aside)),
            redacted=dict(redacted),
            splits={name: len(parts[name]) for name in SPLITS},
            seed=settings.audit.seed,
            system_prompt=settings.system_prompt,
        )
        return workspace.save(made, draft)


def _prepared(conversation: Conversation, redactor: Redactor, system_prompt: str) -> Conversation:
    """Redacted, and under the system prompt that it will be served with."""
    spoken = [Turn(role=turn.role, content=redactor.redact(turn.content)) for turn in conversation.turns if turn.role != "system"]
    return conversation.model_copy(update={"turns": (Turn(role="system", content=system_prompt), *spoken)})
