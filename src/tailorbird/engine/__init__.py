"""The door to everything heavy: torch, transformers, peft and llama.cpp live behind these functions and nowhere else.

Importing this module is cheap; each function imports what it needs when it is called.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailorbird.artifacts import Plan
from tailorbird.engine.catalogue import DEFAULT, ENTRIES, Entry
from tailorbird.engine.cores import cores
from tailorbird.engine.run import Exported, Parity, Rewards, Run
from tailorbird.progress import Progress, silent
from tailorbird.replier import Message, Replier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailorbird.engine.fitting import Fitted
    from tailorbird.engine.measuring import Calibration
    from tailorbird.engine.online import Reinforced
    from tailorbird.engine.reward_model import Rewarded

__all__ = [
    "DEFAULT",
    "ENTRIES",
    "Entry",
    "Exported",
    "Parity",
    "Rewards",
    "Run",
    "answer_all",
    "calibrate",
    "conversation_losses",
    "cores",
    "embed",
    "export",
    "export_forms",
    "fit",
    "is_available",
    "learn_thumbs",
    "locate",
    "measure_lengths",
    "mixed_precision",
    "model_facts",
    "open_replier",
    "open_upstream",
    "prefer",
    "reinforce",
    "release",
    "run_harness",
    "score_answers",
    "sketch_gradients",
    "train_reward",
]  # fmt: skip

# Nothing leaves this machine by default.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# How long waiting threads spin, read when the library loads: the default collapses beside another busy process, and more
# than this gains nothing alone (benchmarks/neighbour.py).
os.environ.setdefault("GOMP_SPINCOUNT", "2500")
# torch brings its own copy of GOMP and numba takes the system's: two pools of threads that wait for each other, unless torch's
# is there first. The other way round is slow: torch waits several times as long for threads of the system's.
_torch = importlib.util.find_spec("torch")
for _folder in (_torch.submodule_search_locations or []) if _torch else []:
    with contextlib.suppress(OSError):
        ctypes.CDLL(str(Path(_folder) / "lib" / "libgomp.so.1"), mode=ctypes.RTLD_GLOBAL)

Chats = list[list[Message]]
Pairs = list[tuple[list[Message], list[Message]]]
Thumbs = list[tuple[list[Message], bool]]


def locate(name: str, progress: Progress) -> Path:
    """The folder of a base model, fetched, checked and converted once if need be; raises ModelError."""
    from tailorbird.engine import base_model

    return base_model.locate(name, progress)


def is_available(name: str) -> bool:
    """Whether a catalogue model is on this machine already."""
    from tailorbird.engine import base_model

    return base_model.available(name)


def model_facts(base: Path) -> dict[str, int]:
    """Width, inner, layers, heads, vocabulary, context, parameters of a model folder."""
    from tailorbird.engine import measuring

    return measuring.model_facts(base)


def embed(texts: list[str]) -> NDArray[np.float32]:
    """Unit vectors of meaning [N, 512], alike across languages."""
    from tailorbird.engine import sentence_encoder

    return sentence_encoder.shared().encode(texts)


def release() -> None:
    """Lets go of what `embed` has loaded and gives freed memory back to the system, before a stage that needs it."""
    from tailorbird.engine import memory

    if "tailorbird.engine.sentence_encoder" in sys.modules:
        from tailorbird.engine import sentence_encoder

        sentence_encoder.shared.cache_clear()
    memory.release_memory()


def measure_lengths(base: Path, chats: Chats) -> tuple[list[int], int]:
    """Tokens of each chat, and of the prefix they all share."""
    from tailorbird.engine import measuring

    return measuring.measure_lengths(base, chats)


def mixed_precision(progress: Progress) -> bool:
    """Whether this machine computes bfloat16 in hardware."""
    _load_libraries(progress)
    from tailorbird.engine import precision

    return precision.mixed_precision()


def calibrate(base: Path, plan: Plan, sample: Chats, progress: Progress) -> Calibration:
    """About ten seconds of real training as planned: what this machine does in a second, and the memory it takes."""
    _load_libraries(progress)
    from tailorbird.engine import measuring, memory

    measured = measuring.calibrate(base, plan, sample, progress)
    memory.release_memory()
    return measured


def fit(base: Path, plan: Plan, train: Chats, validation: Chats, run: Run, replayed: Chats | None = None) -> Fitted:
    """Trains on answers (SFT) as planned and leaves `run.folder/adapter` (PEFT, and GGUF where it is served).

    About the `replayed` conversations the model goes on to think what `run.start` thought of them.
    """
    return _trained(base, plan, run, lambda fitting: fitting.fit(base, plan, train, validation, run, replayed or []))


def prefer(base: Path, plan: Plan, train: Pairs, validation: Pairs, run: Run) -> Fitted:
    """As `fit`, from pairs of a chosen and a rejected conversation that differ in their last answer, by DPO."""
    return _trained(base, plan, run, lambda fitting: fitting.prefer(base, plan, train, validation, run))


def learn_thumbs(base: Path, plan: Plan, train: Thumbs, validation: Thumbs, run: Run) -> Fitted:
    """As `fit`, from conversations whose last answer was liked or not, by KTO."""
    return _trained(base, plan, run, lambda fitting: fitting.learn_thumbs(base, plan, train, validation, run))


def train_reward(base: Path, plan: Plan, train: Pairs, validation: Pairs, run: Run) -> Rewarded:
    """Learns from pairs which answer people prefer and leaves the reward model in `run.folder/reward`."""
    _load_libraries(run.progress)
    from tailorbird.engine import memory, reward_model

    rewarded = reward_model.train_reward(base, plan, train, validation, run)
    memory.release_memory()
    return rewarded


def score_answers(base: Path, reward: Path, chats: Chats) -> list[float]:
    """What a reward model gives the last answer of each chat: 0 for a usual one, differences are log odds."""
    _load_libraries(silent)
    from tailorbird.engine import reward_model

    return reward_model.score_answers(base, reward, chats)


def reinforce(base: Path, plan: Plan, train: Chats, validation: Chats, rewards: Rewards, run: Run) -> Reinforced:
    """As `fit`, from the model's own answers to `train`, chats that end with a customer, by what `rewards` says of them."""
    _load_libraries(run.progress)
    from tailorbird.engine import memory, online

    reinforced = online.reinforce(base, plan, train, validation, rewards, run)
    memory.release_memory()
    _write_serving_files(base, run.folder / "adapter", plan)
    return reinforced


def _trained(base: Path, plan: Plan, run: Run, train: Callable[[Any], Fitted]) -> Fitted:
    """Trains, gives freed memory back, and writes what the serving engine takes."""
    _load_libraries(run.progress)
    from tailorbird.engine import fitting, memory

    fitted = train(fitting)
    memory.release_memory()
    _write_serving_files(base, run.folder / "adapter", plan)
    return fitted


def conversation_losses(
    base: Path, systems: Mapping[str, Path | None], chats: Chats, longest: int, progress: Progress, last_only: bool = False
) -> dict[str, list[tuple[float, int] | None]]:
    """For each system (None is the base model, else an adapter or a whole model) each chat's summed loss and target tokens.

    None for a chat that is too long; with `last_only` only its last answer counts.
    """
    _load_libraries(progress)
    from tailorbird.engine import memory, scoring

    losses = scoring.conversation_losses(base, systems, chats, longest, progress, last_only)
    memory.release_memory()
    return losses


def sketch_gradients(
    base: Path, adapter: Path, longest: int, progress: Progress, chats: Chats, last_only: bool = False
) -> np.ndarray:
    """What each chat would change in a LoRA adapter, as unit rows [N, numbers]: chats with near rows teach the same.

    With `last_only` what its last answer would; zeros where a chat does not fit.
    """
    _load_libraries(progress)
    from tailorbird.engine import influence, memory

    found = influence.sketches(base, adapter, chats, longest, progress, last_only)
    memory.release_memory()
    return found


def answer_all(base: Path, tuned: Path | None, chats: Chats, longest: int, progress: Progress) -> Iterator[tuple[int, str]]:
    """Greedy answers to many chats, each with its chat's number, as they come; raises InputError where one is too long."""
    _load_libraries(progress)
    from tailorbird.engine import memory, writing

    try:
        yield from writing.answer_all(base, tuned, chats, longest)
    finally:
        memory.release_memory()


def run_harness(
    base: Path, systems: Mapping[str, Path | None], folder: Path, tasks: Sequence[str], progress: Progress
) -> dict[str, dict[str, list[float]]]:
    """For each system and task of lm-evaluation-harness in a folder what each document was worth."""
    _load_libraries(progress)
    from tailorbird.engine import harness, memory

    found = harness.run_harness(base, systems, folder, tasks, progress)
    memory.release_memory()
    return found


def export_forms(base: Path, tuned: Path) -> dict[str, str]:
    """Every form that a tuned model may be exported in, with why this one cannot be, or nothing."""
    _load_libraries(silent)
    from tailorbird.engine import exporting

    return exporting.possible(base, tuned)


def export(told: Exported, forms: Sequence[str], chats: Chats, folder: Path, progress: Progress) -> list[Parity]:
    """Writes a tuned model in these forms into a folder and compares each with the model as it was trained on the chats.

    Raises ModelError for a form that it has not, and for one that turned out to be another model.
    """
    _load_libraries(progress)
    from tailorbird.engine import exporting, memory

    found = exporting.export(told, forms, chats, folder, progress)
    memory.release_memory()
    return found


def open_replier(name: str, base: Path, adapter: Path | None = None, shared: bool = False) -> Replier:
    """The fastest replier for this model: llama.cpp where model and adapter have files for it, transformers elsewhere.

    `adapter` may also be a whole model, as full fine-tuning leaves one. With `shared` all adapters that were opened so have one
    loaded base model between them, where llama.cpp serves.
    """
    if adapter and (adapter / "config.json").is_file():
        base, adapter = adapter, None
    if _serving_file(base).is_file() and (adapter is None or _serving_adapter(adapter).is_file()):
        from tailorbird.engine import fleet
        from tailorbird.engine.llama_cpp import LlamaCppReplier

        joined = fleet.shared(base) if shared else None
        return LlamaCppReplier(name, base, _serving_adapter(adapter) if adapter else None, joined)
    from tailorbird.engine.transformers_replier import TransformersReplier

    return TransformersReplier(name, base, adapter)


def open_upstream(name: str, url: str, model: str, key: str = "") -> Replier:
    """A model behind an address that speaks OpenAI's protocol."""
    from tailorbird.engine.upstream import UpstreamReplier

    return UpstreamReplier(name, url, model, key)


def _load_libraries(progress: Progress) -> None:
    """Imports the libraries with a bar, since they take seconds the first time.

    Without the garbage collector, which spent a third of that time looking through what is there to stay.
    """
    names = [name for name in ("torch", "numba", "transformers", "peft") if name not in sys.modules]
    if names:
        gc.disable()
        try:
            with progress("Loading the training libraries", len(names)) as advance:
                for name in names:
                    import_module(name)
                    advance(1)
        finally:
            gc.freeze()
            gc.enable()
    from tailorbird.engine import compiling

    compiling.compile_loops(progress)


def _write_serving_files(base: Path, tuned: Path, plan: Plan) -> None:
    """What was trained as llama.cpp takes it; soft prompts and DoRA have no such form."""
    from tailorbird.engine import gguf_files

    if not _serving_file(base).is_file():
        return
    if plan.method == "full":
        gguf_files.write_model(tuned, base, _serving_file(tuned))
    elif plan.method in ("lora", "rslora"):
        gguf_files.write_adapter(tuned, base, _serving_adapter(tuned))


def _serving_adapter(adapter: Path) -> Path:
    return adapter / "adapter.gguf"


def _serving_file(base: Path) -> Path:
    return base / "serving.gguf"
