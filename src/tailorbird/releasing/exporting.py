"""A version as files for other programs: adapter, merged weights, GGUF, Ollama; each compared with what was trained."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Audit, Release
from tailorbird.errors import InputError
from tailorbird.progress import Progress, silent
from tailorbird.replier import Message
from tailorbird.versions import adapter_of, check_usable, model_name
from tailorbird.workspace import Workspace, read_conversations, write_text

PROMPTS = 20
REPORT = "parity.json"


class Export(BaseModel):
    """What was exported and where, and which forms this version cannot have, with the reason."""

    release: str
    version: int
    folder: str
    forms: list[str]
    compared: list[engine.Parity]
    impossible: dict[str, str]


def export(
    workspace: Workspace, release: Release, forms: Sequence[str] = (), folder: Path | None = None, progress: Progress = silent
) -> Export:
    """Writes a version's forms, all that it can have if none are named, into a folder that appears when all of them are proved.

    By itself the folder is `exports/<workspace>-v<version>`; an earlier export there is replaced. Raises InputError for an
    unknown form or a folder with something else in it, GateError for a version with an erased customer, ModelError for a form
    that the model cannot have or that turned out to be another model.
    """
    check_usable(workspace, release)
    name = model_name(workspace, release)
    target = folder or workspace.folder / "exports" / name
    if target.exists() and not (target / REPORT).is_file():
        raise InputError(f"{target} has something else in it.", fix="Name another folder with --to.")
    base, tuned = engine.locate(release.model, progress), adapter_of(workspace, release)
    known = engine.export_forms(base, tuned)
    chosen = _chosen(forms, known)
    told = engine.Exported(release.model, base, tuned, name, release.system_prompt)
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        found = engine.export(told, chosen, _chats(workspace, release), draft, progress)
        for place in [draft, *(one for one in draft.iterdir() if one.is_dir())]:
            shutil.copy(workspace.path(release) / "MODEL_CARD.md", place / "README.md")
        made = Export(
            release=release.id, version=release.version, folder=str(target), forms=chosen, compared=found,
            impossible={form: why for form, why in known.items() if why},
        )  # fmt: skip
        write_text(draft / REPORT, made.model_dump_json(indent=1))
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _chosen(forms: Sequence[str], known: dict[str, str]) -> list[str]:
    """The forms by their proper names, in whatever case they were written."""
    names = {name.casefold(): name for name in known}
    if unknown := [form for form in forms if form.casefold() not in names]:
        raise InputError(f"There is no form {unknown[0]!r}.", fix=f"There are {', '.join(known)}.")
    return list(dict.fromkeys(names[form.casefold()] for form in forms)) or [name for name, why in known.items() if not why]


def _chats(workspace: Workspace, release: Release) -> list[list[Message]]:
    """Customers' questions to compare answers to: held-out ones first, each conversation up to its last question."""
    folder = workspace.path(workspace.ancestor(release, Audit))
    parts = (read_conversations(folder / f"{part}.jsonl") for part in ("test", "validation", "train"))
    chats: list[list[Message]] = []
    for one in chain.from_iterable(parts):
        asked = [place for place, message in enumerate(one.messages) if message["role"] == "user"]
        if asked and not one.task:
            said: list[Message] = [{"role": m["role"], "content": m["content"].strip()} for m in one.messages[: asked[-1] + 1]]
            chats.append(said)
        if len(chats) == PROMPTS:
            break
    return chats
