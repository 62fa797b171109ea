"""What the owner decided about single conversations: kept over imports and audits, with name and time."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tailorbird.errors import WorkspaceError
from tailorbird.workspace import Workspace

FILE = "decisions.jsonl"


class Decision(BaseModel):
    """One conversation that the owner releases from quarantine, or excludes from training."""

    model_config = ConfigDict(frozen=True)

    conversation: str
    verdict: Literal["release", "exclude"]
    by: str
    at: datetime
    reason: str = ""


def decided(workspace: Workspace) -> dict[str, Decision]:
    """The newest decision about each conversation; raises WorkspaceError for a damaged file."""
    path = workspace.folder / FILE
    if not path.is_file():
        return {}
    found: dict[str, Decision] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            decision = Decision.model_validate_json(line)
        except ValidationError as problem:
            raise WorkspaceError(
                "This decision cannot be read.", fix="Correct or delete this line.", where=f"{path}:{number}"
            ) from problem
        found[decision.conversation] = decision
    return found


def decide(workspace: Workspace, conversations: Iterable[str], verdict: Literal["release", "exclude"], reason: str = "") -> int:
    """Writes decisions down, in the name of whoever is logged in; returns how many. The next audit follows them."""
    now, name = datetime.now(UTC), getpass.getuser()
    made = [Decision(conversation=one, verdict=verdict, by=name, at=now, reason=reason) for one in conversations]
    with (workspace.folder / FILE).open("a", encoding="utf-8") as file:
        for decision in made:
            file.write(decision.model_dump_json(exclude_defaults=True) + "\n")
    return len(made)
