"""What an audit set aside, for the owner to look through and decide about."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.artifacts import Audit, Conversation
from tailorbird.auditing import Quarantined
from tailorbird.errors import InputError
from tailorbird.workspace import Workspace, read_lines


def aside(workspace: Workspace, audit: Audit) -> Iterator[Quarantined]:
    """Every conversation that was set aside, with what was found in it."""
    return read_lines(workspace.path(audit) / "quarantined.jsonl", Quarantined)


def chosen(workspace: Workspace, audit: Audit, ids: list[str], rule: str | None) -> list[str]:
    """The conversations with these ids, and those that a rule set aside; raises InputError for ids that nobody has."""
    if not ids and rule is None:
        raise InputError("No conversation is named.", fix="Name their ids, or --rule for all that a rule set aside.")
    by_rule = [one.id for one in aside(workspace, audit) if rule is not None and one.findings[0].rule == rule]
    if rule is not None and not ids:
        if not by_rule:
            raise InputError(f"Nothing is set aside for {rule!r}.", fix="`tailorbird audit review` shows what is.")
        return by_rule
    known = {one.id for one in aside(workspace, audit)}
    for name in audit.splits:
        known.update(one.id for one in read_lines(workspace.path(audit) / f"{name}.jsonl", Conversation))
    if unknown := [one for one in ids if one not in known]:
        raise InputError(f"There is no conversation {unknown[0]!r} in this audit.", fix="`tailorbird audit review` lists ids.")
    return ids
