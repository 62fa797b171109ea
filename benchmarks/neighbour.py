"""How much training slows down while another process keeps one core busy: a good neighbour waits without spinning.

Usage: .venv/bin/python benchmarks/neighbour.py [--rounds N] [--spin COUNT]
Trains on random conversations, alternately alone and beside a process that never rests. On two cores half the speed would
be fair. --spin tries another GOMP_SPINCOUNT than tailorbird's own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from statistics import median


def main() -> None:
    """Prints the time of a step alone and in company."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--steps", type=int, default=6)
    arguments.add_argument("--spin", help="GOMP_SPINCOUNT")
    chosen = arguments.parse_args()
    if chosen.spin:
        os.environ["GOMP_SPINCOUNT"] = chosen.spin

    from training_memory import conversation

    from tailorbird import engine
    from tailorbird.engine import adapters, loading, objectives, packing
    from tailorbird.progress import silent

    base = engine.locate("smollm2-135m-instruct", silent)
    model = adapters.add_lora(loading.load_base(base, packed=True), 16, 32, seed=0).train()
    packs = packing.plan_steps([(conversation(n, 320),) for n in range(8 * chosen.steps)], 1024, 1, seed=0)[: chosen.steps]

    def seconds_a_step() -> float:
        started = time.monotonic()
        for pack in packs:
            objectives.Pass(pack).losses(model).sum().backward()
        return (time.monotonic() - started) / len(packs)

    seconds_a_step()  # kernels are loaded, memory is there
    alone, beside = [], []
    for _ in range(chosen.rounds):
        alone.append(seconds_a_step())
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            beside.append(seconds_a_step())
        finally:
            busy.kill()
            busy.wait()
    print(
        f"{engine.cores()} cores, spin count {os.environ['GOMP_SPINCOUNT']}: a step takes {median(alone):.2f} s alone, "
        f"{median(beside):.2f} s beside a busy process: {median(beside) / median(alone):.2f}x"
    )


if __name__ == "__main__":
    main()
