"""Noise on the embeddings while training (NEFTune, arXiv 2310.05914) against none, on the boutique: does it help small data?

Usage: .venv/bin/python benchmarks/neftune.py --workspace DIR [--noise 5]
DIR is a workspace of `tailorbird demo` with a released version, whose plan is trained again with and without noise, in the
same order from the same seed. Printed: losses on the test split, and their difference with a 95% interval. Two trainings of
about 5 minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tailorbird import Workspace, console, engine
from tailorbird.artifacts import Audit, Candidate, Plan, Release
from tailorbird.engine import fitting
from tailorbird.evaluating import intervals
from tailorbird.workspace import PRODUCTION, read_conversations


def main() -> None:
    """Trains twice and prints."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workspace", type=Path, required=True)
    arguments.add_argument("--noise", type=float, default=5.0)
    told = arguments.parse_args()
    workspace = Workspace(told.workspace)
    candidate = workspace.ancestor(workspace.find(Release, workspace.alias(PRODUCTION) or ""), Candidate)  # type: ignore[arg-type]
    plan, audit = workspace.ancestor(candidate, Plan), workspace.ancestor(candidate, Audit)
    train, validation, test = (
        [one.messages for one in read_conversations(file)]
        for file in (
            workspace.path(plan) / "train.jsonl",
            workspace.path(plan) / "validation.jsonl",
            workspace.path(audit) / "test.jsonl",
        )
    )
    base = engine.locate(plan.model, console.bar)
    lengths, _ = engine.measure_lengths(base, train)
    usual = sum(lengths) / len(lengths)
    with tempfile.TemporaryDirectory() as scratch:
        systems: dict[str, Path | None] = {}
        for name, noise in (("plain", 0.0), ("noise", told.noise)):
            folder = Path(scratch) / name
            folder.mkdir()
            begun, fitting._begun = fitting._begun, _noisy(fitting._begun, noise, usual)
            engine.fit(base, plan, train, validation, engine.Run(folder, console.bar))
            fitting._begun = begun
            systems[name] = folder / "adapter"
        losses = engine.conversation_losses(base, systems, test, plan.sequence_length, console.bar)
    rows = {name: [(loss, float(count)) for loss, count in filter(None, found)] for name, found in losses.items()}
    for name, found in rows.items():
        print(f"{name}: {sum(loss for loss, _ in found) / sum(count for _, count in found):.4f} nats a token")
    difference = intervals.difference(rows["noise"], rows["plain"], 0)
    print(f"noise {told.noise:g} - plain: {difference.value:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})")


def _noisy(begun: Callable[..., Any], noise: float, length: float) -> Callable[..., Any]:
    """Models whose embeddings get uniform noise while they are trained, of the paper's size for conversations of this length."""

    def begin(*arguments: Any) -> Any:
        model = begun(*arguments)

        def disturb(layer: Any, inputs: Any, states: torch.Tensor) -> torch.Tensor:
            if not torch.is_grad_enabled():
                return states
            return states + (2 * torch.rand_like(states) - 1) * noise / (length * states.shape[-1]) ** 0.5

        model.get_base_model().get_input_embeddings().register_forward_hook(disturb)
        return model

    return begin


if __name__ == "__main__":
    main()
