"""Tasks of lm-evaluation-harness that the owner has as files: what tuning changed in what has nothing to do with the business."""

from __future__ import annotations

from tailorbird import engine
from tailorbird.artifacts import Part
from tailorbird.errors import SettingsError
from tailorbird.evaluating.figures import compared
from tailorbird.evaluating.systems import Systems
from tailorbird.progress import Progress
from tailorbird.workspace import Workspace


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
