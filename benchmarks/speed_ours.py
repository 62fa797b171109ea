"""Our side of train_speed.py: one run of the packed trainer in a fresh process, one JSON line out.

Usage: PYTHON speed_ours.py JOB EXAMPLES [--tokens-per-step N] [--steps N] [--batch N]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tailorbird import engine  # isort: skip  (first: it sets what torch's threads read when they are loaded)
from speed_watch import Watch  # isort: skip
from tailorbird.progress import silent  # isort: skip

engine.mixed_precision(silent)  # loads the libraries as `tailorbird train` does

from speed_flops import Shape, reference_flops, step_flops  # noqa: E402
from transformers import TrainingArguments  # noqa: E402

from tailorbird.engine import adapters, loading, objectives, packing, trainer  # noqa: E402
from tailorbird.engine.chat import Encoded  # noqa: E402

WARMUP = 2


def main() -> None:
    """Trains and prints the measurements."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("job", type=Path)
    arguments.add_argument("examples", type=int)
    arguments.add_argument("--tokens-per-step", type=int, default=1024)
    arguments.add_argument("--steps", type=int, default=0, help="timed steps at most; 0 for all")
    arguments.add_argument("--batch", type=int, default=0, help="this many examples a step, in the job's order")
    chosen = arguments.parse_args()
    job = json.loads(chosen.job.read_text(encoding="utf-8"))
    groups = [tuple(encoded(item) for item in group) for group in job["groups"][: chosen.examples]]
    budget = chosen.tokens_per_step + packing.measure(groups)[0]  # as the plan has it: what all share comes on top
    if chosen.batch:
        bins = [list(range(i, min(i + chosen.batch, len(groups)))) for i in range(0, len(groups), chosen.batch)]
    else:
        bins = packing.plan_bins(groups, budget, 1, job["seed"])
    if chosen.steps:
        bins = bins[: chosen.steps + WARMUP]
    print(json.dumps(train(job, groups, bins, budget)))


def encoded(item: dict[str, list[int]]) -> Encoded:
    """A conversation of the job file."""
    return Encoded(tuple(item["ids"]), tuple(bool(flag) for flag in item["trained"]))


def train(job: dict[str, Any], groups: list[packing.Group], bins: list[list[int]], budget: int) -> dict[str, Any]:
    """SFT, or DPO where groups are pairs, through the real trainer; of the timed steps the measurements."""
    model = adapters.add_lora(loading.load_base(Path(job["base"]), packed=True), job["rank"], job["alpha"], job["seed"])
    shape, pairs = Shape.of(model), len(groups[0]) == 2
    packs = [packing.lay_out(packing.joined(groups, chosen)) for chosen in bins]
    references: list[Any] = [()] * len(bins)
    seconds = flops = 0.0
    if pairs:  # as fitting.prefer does; the timed part is the timed steps' share
        for part in (slice(0, WARMUP), slice(WARMUP, None)):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                members = [number for chosen in bins[part] for number in chosen]
                found = objectives.reference_losses(
                    model, [groups[n] for n in members], budget, Path(folder) / "kept.json", model.disable_adapter(), silent
                )
                seconds = time.perf_counter() - started
            by_number = dict(zip(members, found, strict=True))
            references[part] = [tuple(by_number[number] for number in chosen) for chosen in bins[part]]
        flops = sum(reference_flops(pack, shape) for pack in packs[WARMUP:])
    settings = TrainingArguments(
        output_dir=job["folder"], max_steps=len(bins), per_device_train_batch_size=1, learning_rate=job["learning_rate"],
        lr_scheduler_type="constant", save_strategy="no", logging_steps=1, report_to="none", disable_tqdm=True,
        remove_unused_columns=False, use_cpu=loading.device() == "cpu", seed=job["seed"],
    )  # fmt: skip
    passes = [
        objectives.PairPass(pack, reference) if pairs else objectives.Pass(pack)
        for pack, reference in zip(packs, references, strict=True)
    ]
    watch = Watch(WARMUP)
    trainer.PackedTrainer(
        model=model, args=settings, train_dataset=passes, data_collator=trainer.collate, callbacks=[watch]
    ).train()  # fmt: skip
    report = watch.report()
    return report | {
        "tokens": sum(pack.tokens for pack in packs[WARMUP:]),
        "seconds": report["seconds"] + seconds,
        "flops": flops + sum(step_flops(pack, shape) for pack in packs[WARMUP:]),
    }


if __name__ == "__main__":
    main()
