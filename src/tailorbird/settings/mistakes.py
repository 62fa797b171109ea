"""What is wrong with a tailorbird.yaml, in words, with its line."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from tailorbird.errors import SettingsError


def explained(error: Any, model: type[BaseModel], tree: Any, path: Path) -> SettingsError:
    """One of pydantic's errors about this model, as the file's YAML tree has it: with line, field and remedy."""
    place = [str(part) for part in error["loc"]]
    field = ".".join(place)
    where = f"{path}:{_line(tree, place)}"
    if error["type"] == "extra_forbidden":
        known = _fields_at(model, place[:-1])
        close = difflib.get_close_matches(place[-1], known, 1)
        fix = f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(known)}."
        return SettingsError(f"Unknown setting `{field}`.", fix=fix, where=where)
    if error["type"] == "missing":
        return SettingsError(f"The setting `{field}` is missing.", fix=f"Add `{place[-1]}:` there.", where=where)
    return SettingsError(f"The setting `{field}` is wrong: {error['msg']}.", fix="Correct the value.", where=where)


def _line(node: Any, place: list[str]) -> int:
    """The line of the deepest key of `place` that the YAML tree has."""
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == part]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit():
            node = node.value[int(part)]
            line = node.start_mark.line + 1
    return line


def _fields_at(model: type[BaseModel], place: list[str]) -> list[str]:
    section: Any = model
    for part in place:
        if part.isdigit():
            continue
        inner = section.model_fields[part].annotation
        section = get_args(inner)[0] if get_args(inner) else inner
    return list(section.model_fields)
