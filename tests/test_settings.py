from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SETTINGS

from tailorbird import settings
from tailorbird.errors import SettingsError

GOOD = SETTINGS.format(model="smollm2-135m-instruct")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace("epochs", "epoch"), ["tailorbird.yaml:13", "Unknown setting `training.epoch`", "Did you mean `epochs`"]),
        (GOOD.replace("sources", "source"), ["tailorbird.yaml:6", "Did you mean `sources`"]),
        (GOOD.replace("  - path:", "  - file:"), ["sources.0.", "path"]),
        (GOOD.replace("epochs: 2", "epochs: many"), ["tailorbird.yaml:13", "training.epochs", "valid integer"]),
        (GOOD.replace("epochs: 2", "epochs: 0"), ["training.epochs", "greater than or equal to 1"]),
        (GOOD.replace("business:", "business: ["), ["not valid YAML"]),
        (GOOD.replace("system_prompt:", "# "), ["`system_prompt` is missing"]),
        (GOOD.replace("system_prompt", "system_promt"), ["Unknown setting `system_promt`", "Did you mean `system_prompt`"]),
        (GOOD.replace("I am an AI.", '""'), ["business.disclosure", "at least 10 characters"]),
        (GOOD + "serving: {log: {keep_day: 9}}", ["serving.log.keep_day", "Did you mean `keep_days`"]),
        (GOOD + "serving: {log: {keep_days: 0}}", ["serving.log.keep_days", "greater than or equal to 1"]),
        ("", ["is missing"]),
        ("just words", ["is wrong"]),
    ],
)
def test_mistakes_name_line_field_and_fix(tmp_path: Path, text: str, expected: list[str]) -> None:
    path = tmp_path / "tailorbird.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        settings.load(path)
    for part in expected:
        assert part in refused.value.text


def test_a_section_without_lines_takes_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "tailorbird.yaml"
    path.write_text("business: {name: A shop}\nsystem_prompt: Be kind.\ntraining:\n  # minutes: 3\n", encoding="utf-8")
    assert settings.load(path).training.minutes == 5.0


def test_missing_file_and_wrong_encoding_are_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="tailorbird init"):
        settings.load(tmp_path / "tailorbird.yaml")
    (tmp_path / "tailorbird.yaml").write_bytes(b"business: caf\xe9")
    with pytest.raises(SettingsError, match="not UTF-8"):
        settings.load(tmp_path / "tailorbird.yaml")


def test_every_field_is_explained() -> None:
    from tailorbird.commands import _fields

    rows = _fields(settings.Settings, "")
    unexplained = [row["field"] for row in rows if not row["meaning"]]
    assert unexplained == []
    assert len(settings.Settings.model_fields) < 20
