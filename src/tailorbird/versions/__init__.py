"""Which version of a business serves its customers, and the way back. Owners change it, and rules of the server may."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from tailorbird.artifacts import Release
from tailorbird.errors import GateError, InputError, WorkspaceError
from tailorbird.workspace import PREVIOUS, PRODUCTION, Trial, Workspace


def promote(workspace: Workspace, made: Release) -> Release:
    """Lets a version serve all customers; what served before is `previous`, and a trial of this one is over.

    Raises GateError for a version that learned from a customer who was erased since, WorkspaceError for one without its files.
    """
    check_usable(workspace, made)
    before = workspace.alias(PRODUCTION)
    if before != made.id:
        workspace.set_aliases({PRODUCTION: made.id} | ({PREVIOUS: before} if before else {}))
    end_trials(workspace, made)
    return made


def try_out(workspace: Workspace, made: Release, share: float, kind: Trial = "canary") -> Release:
    """Has a share of conversations, 0 to 1, answered by a version beside production: the same customers as long as it lasts.

    As a `shadow` nobody sees its answers, which stand in the log. Raises InputError for a share that is none, or for production
    itself; GateError and WorkspaceError as `promote` does.
    """
    if not 0 < share < 1 and (kind, share) != ("shadow", 1):
        raise InputError(f"A share of {share:g} is none.", fix="Give one between 0 and 1, such as 0.1; `promote` takes all.")
    if made.id == workspace.alias(PRODUCTION):
        raise InputError(f"Version {made.version} answers everybody already.", fix="Name the version to try out.")
    check_usable(workspace, made)
    workspace.set_trial(kind, made.id, share)
    return made


def end_trials(workspace: Workspace, made: Release) -> None:
    """Has a version tried out no more, whichever way it is."""
    for kind in get_args(Trial):
        if (told := workspace.trial(kind)) and told[0] == made.id:
            workspace.end_trial(kind)


def model_name(workspace: Workspace, made: Release) -> str:
    """What a version is called by the API, in the log and as an export."""
    return f"{workspace.folder.resolve().name}-v{made.version}"


def adapter_of(workspace: Workspace, made: Release) -> Path:
    """The folder with a version's adapter or whole model; raises WorkspaceError where it is gone."""
    if not (adapter := workspace.path(made) / "adapter").is_dir():
        raise WorkspaceError(
            f"The adapter of {made.id} is missing.",
            fix="Promote another version, or run `tailorbird release` again.",
            where=str(adapter),
        )
    return adapter


def check_usable(workspace: Workspace, made: Release) -> None:
    """Raises GateError for a version with an erased customer, WorkspaceError for one without its files."""
    adapter_of(workspace, made)
    if reason := workspace.retraining.get(made.id):
        raise GateError(
            f"Version {made.version} must not serve: {reason}.", fix="Train again and release that, or take another version."
        )


def rollback(workspace: Workspace) -> Release:
    """Lets the version serve that served before this one; raises WorkspaceError where there was none."""
    if workspace.alias(PREVIOUS) is None:
        raise WorkspaceError(
            "No version served before this one.", fix="`tailorbird releases` lists all; `tailorbird promote N` lets one serve."
        )
    return promote(workspace, version(workspace, PREVIOUS))


def take_back(workspace: Workspace, bad: Release) -> Release:
    """Rolls back by a rule, from the version that it is about and to an older one only: a newer one was taken back itself.

    Raises WorkspaceError where that version serves no more, or no older one served before it; GateError as `promote` does.
    """
    if workspace.alias(PRODUCTION) != bad.id:
        raise WorkspaceError(f"Version {bad.version} serves no more.", fix="`tailorbird releases` shows what does.")
    if workspace.alias(PREVIOUS) and (before := version(workspace, PREVIOUS)).version > bad.version:
        raise WorkspaceError(
            f"Version {before.version}, which served before, is newer: it was taken back itself.",
            fix="`tailorbird promote N` lets one serve.",
        )
    return rollback(workspace)


def version(workspace: Workspace, name: str) -> Release:
    """A release by its number, its id or an alias; raises WorkspaceError where there is none."""
    identity = workspace.alias(name) or name
    found = [one for one in workspace.all(Release) if one.id == identity or str(one.version) == name.removeprefix("v")]
    if not found:
        known = ", ".join([*(str(one.version) for one in workspace.all(Release)), *workspace.aliases])
        fix = f"There are {known}." if known else "Run `tailorbird release` first."
        raise WorkspaceError(f"There is no version {name!r} here.", fix=fix)
    return found[0]
