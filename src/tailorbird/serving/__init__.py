"""Release -> answers for customers: an OpenAI-compatible server, and the same assistant in a terminal.

Feedback, guards and hand-off are not here yet.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tailorbird import engine
from tailorbird.artifacts import Release
from tailorbird.errors import WorkspaceError
from tailorbird.progress import Progress, silent
from tailorbird.serving.assistant import Assistant
from tailorbird.workspace import Workspace

__all__ = ["Assistant", "open_assistant", "serve"]


def open_assistant(workspace: Workspace, release: Release, tuned: bool = True, progress: Progress = silent) -> Assistant:
    """The released assistant, or the base model under the same system prompt and disclosure."""
    adapter: Path | None = workspace.path(release) / "adapter" if tuned else None
    if adapter is not None and not adapter.is_dir():
        raise WorkspaceError(
            f"The adapter of {release.id} is missing.", fix="Run `tailorbird release` again.", where=str(adapter)
        )
    name = f"{workspace.folder.resolve().name}-v{release.version}" if tuned else release.model
    replier = engine.open_replier(name, engine.locate(release.model, progress), adapter)
    return Assistant(replier, release.system_prompt, release.disclosure)


def serve(
    workspace: Workspace,
    release: Release,
    address: tuple[str, int],
    progress: Progress = silent,
    listening: Callable[[str], None] = lambda url: None,
) -> None:
    """Answers `POST /v1/chat/completions` and `GET /v1/models` at (host, port) until stopped; port 0 takes any free one."""
    from tailorbird.serving import api

    api.run(open_assistant(workspace, release, progress=progress), *address, listening)
