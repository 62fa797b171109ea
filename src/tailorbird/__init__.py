"""tailorbird fine-tunes a small language model on a business's own support conversations.

The eight verbs, each with its artifact, are importable from here; nothing heavy loads before a verb needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Workspace": "workspace",
    "TailorbirdError": "errors",
    "import_conversations": "importing",
    "audit": "auditing",
    "plan": "planning",
    "train": "training",
    "evaluate": "evaluating",
    "release": "releasing",
    "serve": "serving",
    "open_assistant": "serving",
    "improve": "improving",
}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"tailorbird.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'tailorbird' has no attribute {name!r}")
