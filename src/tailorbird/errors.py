"""Every problem an owner can meet says what happened, where, and what to do next."""

from __future__ import annotations


class TailorbirdError(Exception):
    """A problem to be shown as it is, without a traceback.

    `where` is a file with its line or field, `what` the problem, `fix` the next thing to do.
    """

    exit_code = 1

    def __init__(self, what: str, fix: str = "", where: str = "") -> None:
        self.what, self.fix, self.where = what, fix, where
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """The whole message, one or two lines."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  What to do: {self.fix}" if self.fix else head


class InputError(TailorbirdError):
    """A file that the owner handed in cannot be read as what it should be."""


class SettingsError(TailorbirdError):
    """tailorbird.yaml is missing, misspelt or contradicts itself."""


class WorkspaceError(TailorbirdError):
    """The workspace cannot be read or written."""


class ModelError(TailorbirdError):
    """A base model or adapter cannot be had, loaded or trained."""


class PlanError(TailorbirdError):
    """What was asked for cannot fit this machine or this data."""


class StoppedError(TailorbirdError):
    """The owner pressed Ctrl-C."""

    exit_code = 130


class GateError(TailorbirdError):
    """A candidate is refused release."""
