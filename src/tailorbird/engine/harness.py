"""Tasks of lm-evaluation-harness (Gao et al. 2024) on this machine's models, from local files; an optional extra."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from tailorbird.engine.adapters import load_adapter
from tailorbird.engine.loading import is_whole_model, load_base
from tailorbird.errors import ModelError, SettingsError
from tailorbird.progress import Progress

_BATCH = 8
Shares = dict[str, list[float]]
"""For each task what every document of it was worth, 0 to 1, in the order of the file."""


def run_harness(
    base: Path, systems: Mapping[str, Path | None], folder: Path, tasks: Sequence[str], progress: Progress
) -> dict[str, Shares]:
    """For each system (None is the base model) the first metric of each task, document by document.

    `folder` has the tasks' YAML files, and their data by paths from there. Raises ModelError where the harness is not
    installed and SettingsError for a task that it cannot run.
    """
    try:
        from lm_eval.tasks import TaskManager
    except ImportError as problem:
        raise ModelError("lm-evaluation-harness is not installed.", fix='pip install "tailorbird[harness]"') from problem
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    known = TaskManager(include_path=str(folder), include_defaults=False)
    if missing := sorted(set(tasks) - set(known.all_tasks)):
        raise SettingsError(
            f"There is no task {', '.join(missing)} in {folder}.",
            fix=f"Choose from {', '.join(known.all_tasks) or 'nothing: put a task.yaml there'}.",
            where="tailorbird.yaml: evaluation.harness.tasks",
        )
    found = {}
    with progress("Running lm-evaluation-harness", len(systems)) as advance:
        for name, adapter in systems.items():
            found[name] = _shares(_opened(base, adapter), folder, tasks, known)
            advance(1)
    return found


def _opened(base: Path, adapter: Path | None) -> Any:
    """A model as the harness takes it."""
    from lm_eval.models.huggingface import HFLM

    whole = adapter is not None and is_whole_model(adapter)
    model = load_base(adapter if adapter and whole else base, packed=False)
    if adapter and not whole:
        model = load_adapter(model, adapter)
    return HFLM(pretrained=model.eval(), tokenizer=AutoTokenizer.from_pretrained(base), batch_size=_BATCH)


def _shares(model: Any, folder: Path, tasks: Sequence[str], known: Any) -> Shares:
    from lm_eval import simple_evaluate

    try:
        # Data files are named from the task's folder; the harness's own bars would break ours.
        with contextlib.chdir(folder), contextlib.redirect_stderr(io.StringIO()):
            told = simple_evaluate(model, tasks=list(tasks), task_manager=known, log_samples=True, bootstrap_iters=0)
        return {task: _of_documents(rows) for task, rows in told["samples"].items()}
    except Exception as problem:  # whatever the task's author's templates and files lead to
        raise SettingsError(
            f"lm-evaluation-harness cannot run {', '.join(tasks)}: {problem}",
            fix="Try the task with its own command lm_eval first; paths in it are from its folder.", where=str(folder),
        ) from problem  # fmt: skip


def _of_documents(rows: list[dict[str, Any]]) -> list[float]:
    """Each document once: by the first of the filters, of which a task may have several."""
    first = [row for row in rows if row["filter"] == rows[0]["filter"]]
    return [_share(row) for row in sorted(first, key=lambda row: row["doc_id"])]


def _share(row: dict[str, Any]) -> float:
    """The first metric of a document, where it is one that each document has by itself."""
    value = row[row["metrics"][0]]
    if not isinstance(value, (int, float)):
        raise ValueError(f"its metric {row['metrics'][0]} is not a number for each document; put acc or exact_match first")
    return float(value)
