"""Which version answers: a running server follows promotions, rollbacks and the kill switch with its next request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread

from tailorbird.artifacts import Release
from tailorbird.errors import TailorbirdError, WorkspaceError
from tailorbird.serving.assistant import Assistant, Paused
from tailorbird.workspace import PREVIOUS, PRODUCTION, Workspace

_OPEN = 3
"""Versions that are kept loaded: what serves, what served before, and one that is tried."""


class Desk:
    """The versions of one workspace by their model names: `production`, the other aliases, and `<folder>-v<number>`.

    Aliases are read with every request, so what another process promotes or pauses is answered with at once. A version is
    opened when it is first asked for. One that is no longer kept goes on until its last answer is written: it is only let go
    of here, and frees its model with the last reference.
    """

    def __init__(self, workspace: Workspace, opening: Callable[[Release], Assistant]) -> None:
        """Opens nothing yet; `opening` makes the assistant of a version."""
        self.workspace, self._opening = workspace, opening
        self._folder = workspace.folder.resolve().name
        self._open: OrderedDict[str, Assistant] = OrderedDict()
        self._lock = Lock()

    def warm(self, release: Release) -> None:
        """Opens a version before the first customer asks, and behind that the one that a rollback would let serve."""
        self._assistant(release)

        def behind() -> None:
            with suppress(TailorbirdError):  # whoever asks for it is told
                self.replier(PREVIOUS)

        Thread(target=behind, daemon=True).start()

    def names(self) -> list[str]:
        """The model names there are, production's own first."""
        aliases, erased = self.workspace.aliases, self._erased()
        made = {one.id: self.called(one) for one in self.workspace.all(Release) if one.id not in erased}
        serving = made.get(aliases.get(PRODUCTION, ""))
        first = [serving] if serving else []
        return list(dict.fromkeys([*first, *(name for name, identity in aliases.items() if identity in made), *made.values()]))

    def called(self, release: Release) -> str:
        """A version's own model name."""
        return f"{self._folder}-v{release.version}"

    def release(self, name: str) -> Release | None:
        """The version behind a model name; None where there is none, or where it must be trained again and does not serve."""
        if identity := self.workspace.alias(name):
            made = self.workspace.find(Release, identity)
        else:
            made = next((one for one in self.workspace.all(Release) if self.called(one) == name), None)
        return made if made and made.id not in self._erased() else None

    def replier(self, name: str) -> Assistant | Paused | None:
        """What answers under a model name: the version's assistant, or while the workspace is paused its fixed words.

        None where there is no such version. Raises WorkspaceError or ModelError where it cannot be opened.
        """
        release = self.release(name)
        if release is None:
            return None
        words = self.workspace.paused
        return self._assistant(release) if words is None else Paused(self.called(release), release.disclosure, words)

    def explained(self) -> Release:
        """The version in production; raises WorkspaceError where there is none."""
        release = self.release(PRODUCTION)
        if release is None:
            raise WorkspaceError("Nothing is released any more.", fix="Run `tailorbird release` or `tailorbird promote`.")
        return release

    def _erased(self) -> set[str]:
        """The versions with an erased customer; what serves is left to the owner, who trains again or pauses."""
        return self.workspace.retraining.keys() - {self.workspace.alias(PRODUCTION)}

    def _assistant(self, release: Release) -> Assistant:
        with self._lock:
            assistant = self._open.get(release.id)
            if assistant is None:
                assistant = self._open[release.id] = self._opening(release)
            self._open.move_to_end(release.id)
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)
            return assistant
