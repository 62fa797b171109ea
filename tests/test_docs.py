"""Documents that can be checked are: the file map, the command reference, the settings, the links."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

from tailorbird.auditing.findings import RULES

README = (ROOT / "README.md").read_text(encoding="utf-8")


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_the_file_map_names_every_source_file_and_nothing_else() -> None:
    block = re.search(r"```text\n(.*?)```", README, re.S)
    assert block, "README.md has a file map"
    folder, named = "", set()
    for line in block[1].splitlines():
        name = line.strip().split(" ")[0]
        if not name:
            continue
        if not line.startswith(" "):
            folder = name if name.endswith("/") else ""
        named.add(folder + name if line.startswith(" ") else name)
    files = {f for f in named if not f.endswith("/")}
    missing = [f for f in files if not (ROOT / f).is_file()] + [f for f in named if f.endswith("/") and not (ROOT / f).is_dir()]
    assert missing == []
    source = {f for f in tracked() if f.startswith("src/") and f.endswith(".py")} | {
        str(p.relative_to(ROOT)) for p in (ROOT / "src").rglob("*.py")
    }
    assert sorted(source - files) == []


def test_the_audits_page_names_every_rule() -> None:
    page = (ROOT / "docs" / "auditing.md").read_text(encoding="utf-8")
    assert [rule for rule in RULES if f"`{rule}`" not in page] == []


def test_the_command_reference_is_what_the_commands_say() -> None:
    made = subprocess.run([sys.executable, str(ROOT / "docs" / "make_cli.py")], capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == made, "run: make docs"


def test_every_linked_file_exists() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_commands_in_the_readme_exist() -> None:
    from typer.main import get_command

    from tailorbird.cli import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", README, re.S))
    used = set(re.findall(r"^tailorbird ([a-z]+)", blocks, re.M))
    assert used
    assert used <= known


def test_make_targets_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make ([a-z]+)", README, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_no_file_names_this_machine_or_a_registry() -> None:
    forbidden = [str(ROOT.parent) + "/", "pypi" + ".org", "files.python" + "hosted", "registry.npm" + "js"]
    for name in tracked():
        path = Path(ROOT / name)
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".j2"} or path.name in {"Makefile", "run"}:
            text = path.read_text(encoding="utf-8")
            assert not [word for word in forbidden if word in text], name
