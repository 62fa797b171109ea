from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest

from tailorbird.artifacts import Audit, Dataset
from tailorbird.auditing import audit
from tailorbird.errors import WorkspaceError
from tailorbird.importing import import_conversations
from tailorbird.workspace import Workspace


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_workspace_of_a_newer_version_is_refused_and_left_alone(shop: Path) -> None:
    import_conversations(Workspace(shop))
    (shop / "artifacts" / "format.json").write_text('{"format": 99}')
    before = contents(shop)
    with pytest.raises(WorkspaceError, match="newer tailorbird"):
        Workspace(shop)
    assert contents(shop) == before


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "x"}', ""])
def test_a_damaged_format_file_is_named(shop: Path, text: str) -> None:
    import_conversations(Workspace(shop))
    (shop / "artifacts" / "format.json").write_text(text)
    with pytest.raises(WorkspaceError, match=r"format\.json"):
        Workspace(shop)


def test_a_damaged_manifest_is_named(shop: Path) -> None:
    workspace = Workspace(shop)
    dataset = import_conversations(workspace)
    (workspace.path(dataset) / "manifest.json").write_text('{"id": ')
    with pytest.raises(WorkspaceError, match=r"manifest\.json"):
        workspace.newest(Dataset, "import")


def test_full_disk_in_the_middle_of_saving_changes_nothing(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(shop)
    dataset = import_conversations(workspace)
    before = contents(shop)
    calls = iter(range(100))
    real = os.fsync

    def full(descriptor: int) -> None:
        if next(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkspaceError, match="The disk is full; nothing that was saved before is changed"):
        audit(workspace, dataset)
    assert contents(shop) == before
    monkeypatch.undo()
    assert audit(workspace, dataset).kept == 60


def test_a_really_full_disk(shop: Path, tmp_path: Path) -> None:
    import shutil

    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine may not mount a small disk; the test above covers the same path")
    try:
        for name in ("tailorbird.yaml", "conversations.jsonl"):
            shutil.copy(shop / name, small)
        workspace = Workspace(small)
        dataset = import_conversations(workspace)
        (small / "filler").write_bytes(b"x" * (shutil.disk_usage(small).free - 8192))
        with pytest.raises(WorkspaceError, match="The disk is full"):
            audit(workspace, dataset)
        assert workspace.all(Audit) == []
        assert workspace.newest(Dataset, "import") == dataset
        (small / "filler").unlink()
        assert audit(workspace, dataset).kept == 60
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_ids_follow_from_inputs_and_settings(shop: Path) -> None:
    workspace = Workspace(shop)
    first = audit(workspace, import_conversations(workspace))
    text = (shop / "tailorbird.yaml").read_text().replace("test_share: 0.2", "test_share: 0.3")
    (shop / "tailorbird.yaml").write_text(text)
    changed = Workspace(shop)
    second = audit(changed, import_conversations(changed))
    assert first.id != second.id
    assert first.made_from == second.made_from
    (shop / "tailorbird.yaml").write_text(text.replace("0.3", "0.2"))
    again = Workspace(shop)
    assert audit(again, import_conversations(again)).id == first.id
    assert again.newest(Audit, "audit").id == first.id, "the next stage takes what was asked for last"


def test_unknown_artifacts_and_damaged_pointers_are_explained(shop: Path) -> None:
    workspace = Workspace(shop)
    import_conversations(workspace)
    with pytest.raises(WorkspaceError, match="no artifact"):
        workspace.get("dataset-nothing")
    (shop / "artifacts" / "current.json").write_text("{")
    with pytest.raises(WorkspaceError, match=r"current\.json"):
        workspace.newest(Dataset, "import")
    assert json.loads((shop / "artifacts" / "format.json").read_text()) == {"format": 1}
