"""One loaded base model with many adapters over it, in llama.cpp; whose state each of its slots holds.

llama.cpp would go on from one adapter's cached state with another (upstream issue 26207), so a slot that changes hands starts
from nothing, and every request names its slot and its adapter. Knows nothing of messages or of the web.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import psutil

from tailorbird.engine.cores import cores
from tailorbird.errors import ModelError

CONTEXT = 4096
"""Tokens that a conversation and its answer may have."""
_FEWEST_SLOTS = 4
_SHARE = 0.25  # of the free memory that slots may take
_SLOT_BYTES = 100_000_000  # of 4096 tokens of the default model
_SHARED: WeakValueDictionary[Path, Fleet] = WeakValueDictionary()
_SHARING = threading.Lock()


def open_server(model: Path, adapters: Sequence[Path], slots: int = _FEWEST_SLOTS, key: str = "") -> Any:
    """A llama.cpp server object for a GGUF file and GGUF adapters, none of which is applied unless a request says so.

    Its own HTTP port asks for the key, which keeps it closed to others on this machine. Raises ModelError.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx, params.n_parallel, params.n_gpu_layers = CONTEXT * slots, slots, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = cores()
    params.cache_ram_mib, params.warmup, params.verbosity = 0, False, -1
    params.lora_init_without_apply = True
    params.api_keys = [key or secrets.token_hex(16)]
    infos = []
    for adapter in adapters:
        info = xllamacpp.CommonAdapterLoraInfo()
        info.path, info.scale = str(adapter), 1.0
        infos.append(info)
    params.lora_adapters = infos
    try:
        return xllamacpp.Server(params)
    except Exception as problem:  # the binding raises RuntimeError and ValueError with llama.cpp's own words
        raise ModelError(f"llama.cpp could not load the model in {model}: {problem}") from problem


def shared(base: Path) -> Fleet:
    """The fleet of this process for a base model, there as long as anybody is in it."""
    with _SHARING:
        found = _SHARED.get(base)
        if found is None:
            found = _SHARED[base] = Fleet(base)
        return found


def scales(count: int, chosen: int | None) -> list[dict[str, Any]]:
    """What a request says of so many adapters: each by its number, the chosen one at full strength and the rest off."""
    return [{"id": number, "scale": float(number == chosen)} for number in range(count)]


class Slots:
    """Which slot answers whom. An owner's own slot with the longest common start is taken first, then one of nobody's, then the
    one of somebody else that was used longest ago.
    """

    def __init__(self, count: int) -> None:
        self._owners: list[object | None] = [None] * count
        self._said: list[Sequence[int]] = [()] * count
        self._used = [0] * count
        self._busy: set[int] = set()
        self._turn = 0
        self._free = threading.Condition()

    @contextmanager
    def lease(self, owner: object, prompt: Sequence[int]) -> Iterator[tuple[int, bool]]:
        """A slot for one answer, waited for, and whether what it holds is the owner's own."""
        with self._free:
            self._free.wait_for(lambda: len(self._busy) < len(self._owners))
            slot = min(
                (one for one in range(len(self._owners)) if one not in self._busy), key=lambda one: self._cost(one, owner, prompt)
            )
            own = self._owners[slot] is owner
            self._turn += 1
            self._owners[slot], self._said[slot], self._used[slot] = owner, prompt, self._turn
            self._busy.add(slot)
        try:
            yield slot, own
        finally:
            with self._free:
                self._busy.remove(slot)
                self._free.notify()

    def _cost(self, slot: int, owner: object, prompt: Sequence[int]) -> tuple[int, int, int]:
        held = self._owners[slot]
        kind = 0 if held is owner else 1 if held is None else 2
        return kind, -_common(self._said[slot], prompt) if kind == 0 else 0, self._used[slot]


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


class _Loaded(NamedTuple):
    """One server object with the adapters that it knows."""

    server: Any
    adapters: tuple[Path, ...]
    slots: Slots


class Fleet:
    """A base model from `serving.gguf` under all adapters that were asked for and are not closed yet.

    llama.cpp takes no adapter later on, so a further one makes a new server object; answers that are being written end on the
    old one, which goes with the last of them. Used by many threads.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._wanted: dict[Path, int] = {}
        self._bare = 0
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()

    def join(self, adapter: Path | None) -> None:
        """Keeps a place for an adapter, or for the base model alone; it is loaded with its first answer."""
        with self._lock:
            if adapter is None:
                self._bare += 1
            else:
                self._wanted[adapter] = self._wanted.get(adapter, 0) + 1

    def leave(self, adapter: Path | None) -> None:
        """Lets go of an adapter; with the last one the model is freed."""
        with self._lock:
            if adapter is None:
                self._bare -= 1
            elif self._wanted[adapter] == 1:
                del self._wanted[adapter]
            else:
                self._wanted[adapter] -= 1
            if not self._wanted and not self._bare:
                self._loaded = None

    def _with(self, adapter: Path | None) -> _Loaded:
        """The server object that knows this adapter, made anew if need be; raises ModelError where llama.cpp cannot load it."""
        with self._lock:
            if self._loaded is None or (adapter and adapter not in self._loaded.adapters):
                adapters = tuple(self._wanted)
                room = int(psutil.virtual_memory().available * _SHARE // _SLOT_BYTES)
                slots = max(_FEWEST_SLOTS, min(len(adapters), room))
                server = open_server(self._base / "serving.gguf", adapters, slots)
                self._loaded = _Loaded(server, adapters, Slots(slots))
            return self._loaded

    @contextmanager
    def place(self, owner: object, adapter: Path | None, prompt: Sequence[int]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """A server object for one request, and what the request has to say of slot and adapter."""
        loaded = self._with(adapter)
        chosen = loaded.adapters.index(adapter) if adapter else None
        with loaded.slots.lease(owner, prompt) as (slot, own):
            yield loaded.server, {"id_slot": slot, "cache_prompt": own, "lora": scales(len(loaded.adapters), chosen)}
