"""How fast a LoRA adapter trains here, beside TRL: same base model, same token ids, same LoRA, loss on answers only.

Usage: .venv/bin/python benchmarks/train_speed.py [--workloads NAME ...] [--peers NAME ...] [--repeats N] [--json]
It makes TRL's environment in benchmarks/.peers the first time. Every measurement is a process of its own; the
sides take turns; a figure is the median of the repeats, in real tokens of the examples a second: each example counts the
tokens of its own prompt even where they are computed once, padding counts nothing. The first one or two steps are not
timed. speed_data.py has the workloads, peer_trl.py TRL's settings, speed_flops.py the formula of utilisation.
DPO's time includes the reference log-probabilities of the timed pairs. Run it on an otherwise idle machine.
LLaMA-Factory 0.9.5 is no peer: it pulls builds of torchvision and torchaudio that do not load beside a CPU build of
torch 2.13, and does not start without them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from speed_data import WORKLOADS, Workload, data_folder, write_job

from tailorbird.engine import locate
from tailorbird.progress import silent

HERE = Path(__file__).parent
PACKAGES = ["torch==2.13.0", "trl==1.16.0", "transformers==5.23.0", "peft==0.21.2", "accelerate==1.15.0", "datasets==5.2.0"]
PEERS = ("trl_best", "trl_default")
RECIPE = {"rank": 16, "alpha": 32, "learning_rate": 1e-4, "seed": 42}
CURVE = {"steps": 24, "batch": 8}
# What a user can set from outside for a peer: glibc keeps freed buffers, as our engine has it do.
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str((1 << 31) - 1), "MALLOC_TOP_PAD_": str(1 << 26)}
say = Console(stderr=True, highlight=False).print


def main() -> None:
    """Measures, and prints a table or JSON."""
    chosen = arguments()
    data_folder()
    peer_python()
    base = locate("smollm2-135m-instruct", silent)
    with tempfile.TemporaryDirectory() as folder:
        if chosen.plot:
            plot(write_job("alpaca", base, Path(folder), RECIPE), chosen)
            return
        rates = [bf16_gflops()]
        results = {name: measure(name, write_job(name, base, Path(folder), RECIPE), chosen) for name in chosen.workloads}
        rates.append(bf16_gflops())
    for figures in results.values():
        figures["utilisation"] = figures.pop("gflops") / max(rates)
    if chosen.json:
        print(json.dumps({"workloads": results, "bf16_gflops": max(rates)}))
    else:
        show(results, max(rates))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=0, help="timed steps at most, for a quick look")
    parser.add_argument("--tokens-per-step", type=int, default=1024, help="our token budget")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="only compare loss curves on alpaca, drawn as a PNG")
    return parser.parse_args()


def peer_python() -> Path:
    """The interpreter of TRL's environment, which is made if it is not there as pinned."""
    folder = HERE / ".peers" / "trl"
    python, stamp = folder / "bin" / "python", folder / "packages.json"
    if stamp.is_file() and json.loads(stamp.read_text()) == PACKAGES:
        return python
    say(f"Making TRL's environment in {folder.relative_to(HERE.parent)} …")
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / ".gitignore").write_text("*\n")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for wanted in (PACKAGES[:1], PACKAGES):  # torch first and by itself: its CPU build
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True, stdout=sys.stderr)
    stamp.write_text(json.dumps(PACKAGES))
    return python


def worker(command: list[Any], **environment: str) -> Any:
    """What a worker process prints; ends the program with the worker's last words if it fails."""
    inherited = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}  # tailorbird sets its own
    settings = {**inherited, "HF_HUB_OFFLINE": "1", "STARTED": str(time.time()), **environment}
    done = subprocess.run([str(part) for part in command], env=settings, capture_output=True, text=True)
    if done.returncode:
        killed = " (killed: out of memory?)" if done.returncode == -9 else ""
        raise SystemExit(f"{Path(command[1]).name} failed{killed}: {done.stderr.strip()[-1500:]}")
    return json.loads(done.stdout.splitlines()[-1])


def bf16_gflops() -> float:
    """The machine's rate of bfloat16 matrix products."""
    return float(worker([sys.executable, HERE / "speed_flops.py"]))


def run_side(side: str, job: Path, workload: Workload, chosen: argparse.Namespace) -> Any:
    """One measurement of one side."""
    if side == "ours":
        options = ["--steps", chosen.steps, "--tokens-per-step", chosen.tokens_per_step]
        return worker([sys.executable, HERE / "speed_ours.py", job, workload.ours, *options])
    examples, environment = (workload.tuned, TUNED) if side == "trl_best" else (workload.default, {})
    return worker([peer_python(), HERE / "peer_trl.py", job, side, examples, chosen.steps], **environment)


def measure(name: str, job: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """The medians of a workload; the sides take turns."""
    sides = ["ours", *chosen.peers]
    runs: dict[str, list[Any]] = {side: [] for side in sides}
    for number in range(1, chosen.repeats + 1):
        for side in sides:
            run = run_side(side, job, WORKLOADS[name], chosen)
            run["speed"] = run["tokens"] / run["seconds"]
            runs[side].append(run)
            say(f"{name} {number}/{chosen.repeats} {side}: {run['speed']:.0f} tok/s over {run['seconds']:.1f} s")
    figures: dict[str, Any] = {side: median(run["speed"] for run in runs[side]) for side in sides}
    figures |= {peer.replace("trl", "vs"): figures["ours"] / figures[peer] for peer in chosen.peers}
    figures["gflops"] = median(run["flops"] / run["seconds"] / 1e9 for run in runs["ours"])
    for what in ("first_step", "peak_gb"):
        figures[what] = {side: median(run[what] for run in runs[side]) for side in sides}
    figures["runs"] = {side: [run["speed"] for run in runs[side]] for side in sides}
    return figures


def show(results: dict[str, Any], rate: float) -> None:
    """The table."""
    table = Table(title=f"real tokens a second; bfloat16 matrix products {rate:.0f} GFLOP/s", title_justify="left")
    for column in ("", "ours", *PEERS, "vs best", "vs default", "utilisation", "first step", "peak"):
        table.add_column(column, justify="right" if column else "left")
    for name, figures in results.items():
        speeds = [f"{figures[side]:.0f}" if side in figures else "" for side in ("ours", *PEERS)]
        ratios = [f"{figures[key]:.2f}x" if key in figures else "" for key in ("vs_best", "vs_default")]
        ours = [f"{figures['utilisation']:.0%}", f"{figures['first_step']['ours']:.1f} s", f"{figures['peak_gb']['ours']:.2f} GB"]
        table.add_row(name, *speeds, *ratios, *ours)
    Console(width=120).print(table)


def plot(job: Path, chosen: argparse.Namespace) -> None:
    """Draws our loss curve and that of TRL in float32 on the same batches in the same order."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    examples = CURVE["batch"] * (chosen.steps or CURVE["steps"])
    found = {
        "ours": worker([sys.executable, HERE / "speed_ours.py", job, examples, "--batch", CURVE["batch"]]),
        "TRL, float32": worker([peer_python(), HERE / "peer_trl.py", job, "trl_curve", examples], **TUNED),
    }
    curves = {name: run["losses"] for name, run in found.items()}
    figure, axes = pyplot.subplots(figsize=(8, 4))
    for name, losses in curves.items():
        axes.plot(range(1, len(losses) + 1), losses, label=name, linewidth=1)
    axes.set(xlabel=f"step ({CURVE['batch']} examples)", ylabel="loss, nats a token")
    axes.legend()
    figure.savefig(chosen.plot, dpi=150, bbox_inches="tight")
    ours, theirs = curves.values()
    difference = sum(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / len(ours)
    print(
        f"{len(ours)} steps; mean absolute difference of the losses {difference:.4f} (mean loss {sum(theirs) / len(theirs):.3f})"
    )


if __name__ == "__main__":
    main()
