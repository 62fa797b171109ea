"""Tasks of lm-evaluation-harness that the owner has as files: what tuning changed in what has nothing to do with the business."""

from __future__ import annotations

import hashlib

from tailorbird import engine
from tailorbird.artifacts import Part
from tailorbird.errors import SettingsError
from tailorbird.evaluating.figures import compared
from tailorbird.evaluating.systems import Systems
from tailorbird.progress import Progress
from tailorbird.workspace import Workspace


def digests(workspace: Workspace) -> dict[str, str]:
    """Of the tasks' files, by their names; none without tasks."""
    wanted = workspace.settings.evaluation.harness
    folder = workspace.folder / wanted.folder if wanted else None
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    return {str(path.relative_to(workspace.folder)): hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def harness(workspace: Workspace, systems: Systems, progress: Progress) -> dict[str, Part]:
    """Base against tuned on the tasks of the settings, document by document; nothing without any.

    Raises ModelError where the harness is not installed and SettingsError for tasks that it cannot run.
    """
    wanted = workspace.settings.evaluation.harness
    if wanted is None:
        return {}
    folder = workspace.folder / wanted.folder
    if not folder.is_dir():
        raise SettingsError(
            f"There is no folder {wanted.folder}.", fix="Put the tasks' YAML files and data there.",
            where="tailorbird.yaml: evaluation.harness.folder",
        )  # fmt: skip
    found = engine.run_harness(systems.base, systems.alone, folder, wanted.tasks, progress)
    return {
        f"lm-eval {task}": compared("harness", {system: [(share, 1.0) for share in told[task]] for system, told in found.items()})
        for task in found["base"]
    }
