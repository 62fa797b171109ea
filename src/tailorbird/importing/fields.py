"""Fields of JSON exports, which may be missing, null or of any type: read here, or refused with a reason that names them."""

from __future__ import annotations

from typing import Any

from tailorbird.importing.cleaning import plain, reply_only, tidy
from tailorbird.importing.openai_chat import UnusableError
from tailorbird.importing.ratings import stars

Fields = dict[str, Any]


def word(value: Any) -> str | None:
    """An id or label as clean text; None for what is none."""
    return tidy(str(value)) or None if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None


def inside(value: Any, *path: str) -> Any:
    """What stands at a path of fields; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def needed(value: Fields, name: str) -> str:
    """An id that must be there; raises UnusableError."""
    if (found := word(value.get(name))) is None:
        raise UnusableError(f'This record has no "{name}".')
    return found


def objects(value: Fields, name: str) -> list[Fields]:
    """The objects of a list, none if it is missing; raises UnusableError for anything else."""
    told = value.get(name)
    if told is None:
        return []
    if not isinstance(told, list) or not all(isinstance(item, dict) for item in told):
        raise UnusableError(f'"{name}" must be a list of objects.')
    return told


def flag(value: Fields, name: str) -> bool:
    """A field that decides who may read a message or who wrote it; raises UnusableError where it says nothing."""
    told = value.get(name)
    if not isinstance(told, bool):
        raise UnusableError(f'A message does not say whether it is "{name}": it must be true or false.')
    return told


def wording(value: Fields, *names: str, mail: bool = False) -> str:
    """The text of the first of these fields that has any, of a mail its newest part; raises UnusableError for what is no text."""
    for name in names:
        told = value.get(name)
        if told is not None and not isinstance(told, str):
            raise UnusableError(f'"{name}" of a message must be text.')
        if said := plain(told).replace("\u00a0", " "):
            return reply_only(said) if mail else said
    return ""


def unknown(name: str, told: Any) -> UnusableError:
    """The reason for a role or type that nobody has described."""
    shown = repr(told[:60]) if isinstance(told, str) else "missing" if told is None else f"a {type(told).__name__}"
    return UnusableError(f'"{name}" of a message is {shown}, so nobody knows who wrote it to whom.')


def labels(told: Any) -> tuple[str, ...]:
    """The words of a list of tags, each a word or an object with a name."""
    names = (word(inside(item, "name") if isinstance(item, dict) else item) for item in (told if isinstance(told, list) else []))
    return tuple(dict.fromkeys(name for name in names if name))


def called(*told: Any) -> tuple[str, ...]:
    """Names and addresses of a customer, each once."""
    names = (tidy(name) for name in told if isinstance(name, str))
    return tuple(dict.fromkeys(name for name in names if name))


def rated(value: Any, lowest: float = 1, highest: float = 5) -> float | None:
    """A help desk's score as 1 to 5; None for what is off its scale."""
    if isinstance(value, int) and not lowest <= value <= highest:
        return None
    return stars(value, lowest, highest)


def letters(text: Any) -> str:
    """The letters and digits of a text, by which two of its copies are known in spite of their mark-up."""
    return "".join(filter(str.isalnum, plain(text)))
