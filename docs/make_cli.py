"""Prints docs/cli.md from the commands' own help: `make docs` writes it, tests/test_docs.py checks it."""

from __future__ import annotations

import os

os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "100"

from typer.main import get_command
from typer.testing import CliRunner

from tailorbird.cli import app


def main() -> None:
    """The help of every command, in order."""
    print("# Commands\n\nMade from the commands' own help by `make docs`.")
    for name in get_command(app).commands:  # type: ignore[attr-defined]
        said = CliRunner().invoke(app, [name, "--help"], prog_name="tailorbird", env={"COLUMNS": "100"})
        text = "\n".join(line.rstrip() for line in said.output.strip().splitlines())
        print(f"\n## tailorbird {name}\n\n```\n{text}\n```")


main()
