"""Which version answers: a running server follows promotions, rollbacks and the kill switch with its next request."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import combinations
from threading import Lock, Thread

from pydantic import BaseModel

from tailorbird.artifacts import Release
from tailorbird.errors import InputError, TailorbirdError, WorkspaceError
from tailorbird.serving.assistant import Assistant, Paused
from tailorbird.serving.conversing import Conversations
from tailorbird.serving.keys import Keys
from tailorbird.serving.phrases import Phrases
from tailorbird.versions import model_name
from tailorbird.workspace import PREVIOUS, PRODUCTION, Trial, Workspace

_OPEN = 4
"""Versions that are kept loaded: what serves, what served before, and those that are tried."""

Explain = Callable[[str, str, int], BaseModel]
"""Question, answer, how many conversations -> what the answer comes from."""


class Desk:
    """The versions of one workspace by their model names: `production`, the other aliases, and `<folder>-v<number>`.

    Aliases are read with every request, so what another process promotes or pauses is answered with at once. A version is
    opened when it is first asked for. One that is no longer kept goes on until its last answer is written: it is only let go
    of here, and frees its model with the last reference.
    """

    def __init__(self, workspace: Workspace, opening: Callable[[Release], Assistant], explain: Explain | None = None) -> None:
        """Opens nothing yet; `opening` makes the assistant of a version, `explain` says where production's answers come from."""
        self.workspace, self._opening, self.explain = workspace, opening, explain
        self.business = workspace.folder.resolve().name
        self.conversations, self.keys = Conversations(workspace), Keys(workspace)
        self._open: OrderedDict[str, Future[Assistant]] = OrderedDict()
        self._lock = Lock()

    def names(self) -> list[str]:
        """The model names there are, production's own first."""
        aliases, erased = self.workspace.aliases, self._erased()
        made = {one.id: self.called(one) for one in self.workspace.all(Release) if one.id not in erased}
        serving = made.get(aliases.get(PRODUCTION, ""))
        first = [serving] if serving else []
        return list(dict.fromkeys([*first, *(name for name, identity in aliases.items() if identity in made), *made.values()]))

    def called(self, release: Release) -> str:
        """A version's own model name."""
        return model_name(self.workspace, release)

    def release(self, name: str) -> Release | None:
        """The version behind a model name; None where there is none, or where it must be trained again and does not serve."""
        if identity := self.workspace.alias(name):
            made = self.workspace.find(Release, identity)
        else:
            made = next((one for one in self.workspace.all(Release) if self.called(one) == name), None)
        return made if made and made.id not in self._erased() else None

    def replier(self, name: str, conversation: str = "") -> Assistant | Paused | None:
        """What answers under a model name: the version's assistant, or while the workspace is paused its fixed words.

        Of production's conversations a share is answered by the version that is tried out, always the same ones. None where
        there is no such version. Raises WorkspaceError or ModelError where it cannot be opened.
        """
        release = self.release(name)
        if release is None:
            return None
        if conversation and release.id == self.workspace.alias(PRODUCTION):
            release = self.tried("canary", conversation) or release
        words = self.workspace.paused
        return self.assistant(release) if words is None else Paused(self.called(release), self._phrases(release), words)

    def tried(self, kind: Trial, conversation: str) -> Release | None:
        """The version that is tried out so, if it is for this conversation."""
        told = self.workspace.trial(kind)
        if told is None or told[0] in self._erased() or _place(f"{kind} {conversation}") >= told[1]:
            return None
        return self.workspace.find(Release, told[0])

    def _phrases(self, release: Release) -> Phrases:
        return Phrases(release.disclosure, self.workspace.settings.business.name)

    def serving(self) -> Release:
        """The version in production; raises WorkspaceError where there is none."""
        release = self.release(PRODUCTION)
        if release is None:
            raise WorkspaceError("Nothing is released any more.", fix="Run `tailorbird release` or `tailorbird promote`.")
        return release

    def _erased(self) -> set[str]:
        """The versions with an erased customer; what serves is left to the owner, who trains again or pauses."""
        return self.workspace.retraining.keys() - {self.workspace.alias(PRODUCTION)}

    def assistant(self, release: Release) -> Assistant:
        """The version's assistant; whoever asks first opens it, without keeping those waiting who ask for others."""
        with self._lock:
            first = release.id not in self._open
            held = self._open.setdefault(release.id, Future())
            self._open.move_to_end(release.id)
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)
        if first:
            try:
                held.set_result(self._opening(release))
            except BaseException as problem:
                with self._lock:
                    self._open.pop(release.id, None)
                held.set_exception(problem)
        return held.result()


class Desks:
    """The desks of a server, one for each business; `only` those that a request may ask.

    A model is named `<business>` (its version in production), `<business>/<alias>` or `<business>-v<number>`; with a single desk
    an alias alone will do.
    """

    def __init__(self, desks: Sequence[Desk]) -> None:
        """Raises InputError for two businesses whose folders have the same name, or that keep their live data together."""
        self.desks = tuple(desks)
        names = [desk.business for desk in desks]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"Two workspaces are called {twice}.", fix="Rename one of the folders: models are named after them.")
        for one, other in combinations(desks, 2):
            if one.conversations.database.is_same(other.conversations.database):
                raise InputError(
                    f"{one.workspace.folder} and {other.workspace.folder} keep their conversations in the same database.",
                    fix="Name another database in serving.log of one of them, or a schema of its own: docs/live-data.md has how.",
                )

    def warm(self) -> None:
        """Opens what serves, before the first customer asks, and behind that what a rollback would let serve.

        All of them are opened before the first one answers, since a base model that is shared is loaded with the first answer.
        Raises WorkspaceError where nothing is released.
        """
        _practise([desk.replier(desk.called(desk.serving())) for desk in self.desks])

        def behind() -> None:
            opened: list[Assistant | Paused | None] = []
            for desk in self.desks:
                with suppress(TailorbirdError):  # whoever asks for it is told
                    opened.append(desk.replier(PREVIOUS))
            _practise(opened)

        Thread(target=behind, daemon=True).start()

    def only(self, desk: Desk) -> Desks:
        """One of them alone."""
        return Desks([desk])

    def names(self) -> list[str]:
        """The model names there are."""
        if len(self.desks) == 1:
            return self.desks[0].names()
        return [
            name if name.startswith(f"{one.business}-v") else f"{one.business}/{name}"
            for one in self.desks
            for name in one.names()
        ]

    def find(self, model: str) -> tuple[Desk, str] | None:
        """The desk that a model name is of, and the name that it has there; None where there is none."""
        business, _, name = model.rpartition("/")
        for one in self.desks:
            if one.business == model or (business and one.business == business):
                return one, name if business else PRODUCTION
        whose = (one for one in self.desks if model.startswith(f"{one.business}-v") and one.release(model))
        desk = self.desks[0] if len(self.desks) == 1 else next(whose, None)
        return (desk, model) if desk else None


def _place(conversation: str) -> float:
    """A number of 0 to 1 for a conversation, as good as drawn by chance and always the same."""
    return int.from_bytes(hashlib.sha256(conversation.encode()).digest()[:8], "big") / 2**64


def _practise(opened: Sequence[Assistant | Paused | None]) -> None:
    """One word from each, so that its model is loaded and has read its system prompt."""
    for one in opened:
        if isinstance(one, Assistant):
            one.practise()
