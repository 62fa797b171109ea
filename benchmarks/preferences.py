"""Human preferences on dpo_en_demo.json: a reward model's accuracy, and what DPO does, on a held-out fifth of the pairs.

Usage: .venv/bin/python benchmarks/preferences.py [--minutes 10] [--folder DIR]
The pairs are general questions. Printed: the share of held-out pairs whose preferred answer the base model, the model after DPO
and the reward model find better, and that of simply taking the longer answer.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from tailorbird import Workspace, audit, console, engine, evaluate, import_conversations, plan, train
from tailorbird.artifacts import Audit, Plan
from tailorbird.auditing.findings import RULES
from tailorbird.workspace import read_conversations

DATA = Path(os.environ.get("TAILORBIRD_DATA") or Path(__file__).parents[2] / "shared" / "data")
SETTINGS = """\
business: {{name: General}}
system_prompt: You are a helpful assistant.
sources: [{{path: pairs.jsonl}}]
audit: {{test_share: 0.2, validation_share: 0.08, rules: {rules}}}
training: {{learn_from: pairs, start_from: base, minutes: {minutes}, sequence_length: 1024}}
evaluation: {{answers: 2, attacks: 0, counterfactuals: 0, training_answers: 0, forgetting: false, explained: 0}}
"""
ROLES = {"system": "system", "human": "user", "gpt": "assistant"}


def main() -> None:
    """Trains both and prints."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=Path("preferences-workspace"))
    arguments.add_argument("--minutes", type=float, default=10)
    told = arguments.parse_args()
    told.folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(number, pair) for number, pair in enumerate(json.loads((DATA / "dpo_en_demo.json").read_text()))]
    (told.folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = SETTINGS.format(rules=json.dumps(dict.fromkeys(RULES, "ignore")), minutes=told.minutes)
    (told.folder / "tailorbird.yaml").write_text(settings)
    workspace = Workspace(told.folder)
    audited = audit(workspace, import_conversations(workspace, progress=console.bar), console.bar)
    planned = plan(workspace, audited, console.bar)
    candidate = train(workspace, planned, console.bar)
    part = evaluate(workspace, candidate, console.bar).parts["preferences"]
    for system, figures in part.systems.items():
        name = "after DPO" if system == "tuned" else system
        told = (f"{which} {one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for which, one in figures.items())
        print(f"{name}: {'; '.join(told)}; of {part.examples} pairs")
    for name, one in part.differences.items():
        print(f"difference of {name}: {one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})")
    print(f"{candidate.steps} steps, {candidate.minutes:.1f} minutes; validation loss {candidate.validation_loss:.3f}")
    _reward(workspace, audited, planned)


def _reward(workspace: Workspace, audited: Audit, planned: Plan) -> None:
    """The same for a reward model trained on the same pairs."""
    folder = workspace.path(audited)
    parts = {name: read_conversations(folder / f"{name}.jsonl") for name in ("train", "validation", "test")}
    pairs = {name: [one.pair for one in ones if one.pair] for name, ones in parts.items()}
    longer = [len(better[-1]["content"]) > len(worse[-1]["content"]) for better, worse in pairs["test"]]
    print(f"the longer answer: {sum(longer) / len(longer):.3f} of {len(longer)} pairs")
    changed = planned.model_copy(update={"learning_rate": 3e-4, "epochs": 2, "steps": 10_000, "check_every": 8})
    run = engine.Run(workspace.folder / "reward-run", console.bar)
    run.folder.mkdir(exist_ok=True)
    base = engine.locate(planned.model, console.bar)
    made = engine.train_reward(base, changed, pairs["train"], pairs["validation"], run)
    scores = engine.score_answers(base, run.folder / "reward", [chat for pair in pairs["test"] for chat in pair])
    right = [better > worse for better, worse in zip(scores[::2], scores[1::2], strict=True)]
    print(f"reward model: {sum(right) / len(right):.3f} of {len(right)} held-out pairs", end="; ")
    print(f"{made.seconds / 60:.1f} minutes, {made.peak_memory_gb:.2f} GB")


def _row(number: int, pair: dict[str, Any]) -> dict[str, Any]:
    """LLaMA-Factory's form as TRL's."""
    prompt = [{"role": ROLES[one["from"]], "content": one["value"]} for one in pair["conversations"]]
    answers = {name: [{"role": "assistant", "content": pair[name]["value"]}] for name in ("chosen", "rejected")}
    return {"id": f"pair-{number}", "prompt": prompt, **answers}


if __name__ == "__main__":
    main()
