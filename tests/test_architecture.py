"""The house rules of imports, sizes and docstrings, each from one table."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from conftest import ROOT

SOURCE = ROOT / "src" / "tailorbird"
STAGES = {"erasing", "importing", "auditing", "planning", "training", "evaluating", "releasing", "serving", "improving"}
ROOMS = {"engine", "privacy", "language", "feedback", "lessons", "knowledge", "turns", "versions"}
ROOTS = {"artifacts", "errors", "settings", "replier", "progress", "workspace", "prices", "database"}
SKINS = {
    "improvement", "cli_tools", "cli", "console", "commands", "feedback_commands", "knowledge_commands", "release_commands",
    "key_commands", "watch_commands", "demo", "__main__", "__init__",
}  # fmt: skip
# What the nouns may import: the standard library, pydantic, and only the nouns named here.
NOUNS = {
    "errors": set(),
    "progress": set(),
    "replier": set(),
    "artifacts": {"replier"},
    "settings": {"errors"},
    "workspace": {"artifacts", "errors", "settings"},
    "prices": {"artifacts", "errors"},
    "database": {"artifacts", "errors", "settings", "workspace"},
}
NOUN_LIBRARIES = {
    "settings": {"pydantic", "yaml"},
    "artifacts": {"pydantic"},
    "workspace": {"pydantic"},
    "prices": {"pydantic", "yaml"},
}
# Heavy libraries and the only places, often one, that may import them; none for the skins.
HOMES = {
    **dict.fromkeys(("torch", "transformers", "peft", "trl", "accelerate", "datasets", "xllamacpp", "gguf"), "engine"),
    **dict.fromkeys(("tokenizers", "numba", "llvmlite", "openai", "lm_eval"), "engine"),
    **dict.fromkeys(("anyio", "fastapi", "uvicorn", "starlette", "limits"), "serving"),
    **dict.fromkeys(("prometheus_client", "standardwebhooks", "httpx2"), "serving"),
    **dict.fromkeys(("rich", "typer"), ""),
    **dict.fromkeys(("pypdfium2", "docx", "markdown_it"), "knowledge"),
    **dict.fromkeys(("sqlalchemy", "alembic"), "database feedback turns"),
    "optuna": "training",
}
FILES = sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    """The first part of a file's place: a folder, or a root module."""
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> list[str]:
    """Dotted names of everything a file imports, also inside functions; `if TYPE_CHECKING` does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner) for node in ast.walk(tree) if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }  # fmt: skip
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def rooms_used(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("tailorbird.")}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_data_flows_one_way(path: Path) -> None:
    here, used = room(path), rooms_used(path) - {"__version__"}
    if here in NOUNS:
        assert used <= NOUNS[here] | {here}
    elif here in ROOMS:
        assert used <= ROOTS | {here}, "a tool room knows root modules only"
    elif here in STAGES:
        assert used <= ROOTS | ROOMS | {here}, "a stage never imports another stage"
    else:
        assert here in SKINS, f"{here} has no place in the house plan"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_heavy_libraries_stay_in_their_room(path: Path) -> None:
    for name in imports(path):
        home = HOMES.get(name.split(".")[0])
        if home is not None:
            assert room(path) in home.split() if home else room(path) in SKINS, name
        if room(path) in NOUNS and name.split(".")[0] in {"pydantic", "yaml", "numpy", "rich", "jinja2"}:
            assert name.split(".")[0] in NOUN_LIBRARIES.get(room(path), set())


def test_trl_trains_rewards_and_reinforces_and_nothing_else() -> None:
    users = {str(path.relative_to(SOURCE)) for path in FILES if any(name.split(".")[0] == "trl" for name in imports(path))}
    assert users == {"engine/reward_model.py", "engine/online.py"}


def test_the_door_of_the_engine_is_light() -> None:
    top = ast.parse((SOURCE / "engine" / "__init__.py").read_text()).body
    names = [n.module or "" for n in top if isinstance(n, ast.ImportFrom)]
    assert all(not name.startswith(("torch", "transformers", "peft")) for name in names)
    light = {"tailorbird.engine.catalogue", "tailorbird.engine.cores", "tailorbird.engine.run"}
    assert {n for n in names if n.startswith("tailorbird.engine")} == light


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_functions_and_docstrings_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 75, node.name
            command = path.name.startswith("cli") and node.decorator_list  # its parameters are the options that users have
            assert len(node.args.args) + len(node.args.kwonlyargs) <= (12 if command else 8), node.name
            assert node.returns is not None or node.name == "__init__", node.name


def test_settings_and_plan_stay_under_twenty_fields() -> None:
    from tailorbird.artifacts import Artifact, Plan
    from tailorbird.settings import Settings
    from tailorbird.settings.strict import Strict

    sections = [Settings, *Strict.__subclasses__()]
    assert len(sections) > 10
    assert [section.__name__ for section in sections if len(section.model_fields) >= 20] == []
    assert len(Plan.model_fields) - len(Artifact.model_fields) < 20
