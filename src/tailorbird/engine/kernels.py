"""Compiled loops for what lies between the matrix products on a CPU: each reads and writes its data once.

Written with numba, which compiles them for this processor at first use and keeps the result on disk. They take the
memory of tensors (`raw`) in bfloat16, float32 or float64 and compute in float32 (float64 for float64); an array named
`scales`, `losses` or `exact` tells which. Indices run over rows in parallel.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import torch
from numba import njit, prange, types
from numba.extending import overload

from tailorbird.engine.base_model import home

if not numba.config.CACHE_DIR:  # compiled loops are kept beside the models: the installation may be read-only
    numba.config.CACHE_DIR = str(home() / "kernels")
_LOG2_E = np.float32(math.log2(math.e))
_LN_2 = np.float32(math.log(2))
# Terms of exp between -ln(2)/2 and ln(2)/2: what follows is below 1e-8.
_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7 = (np.float32(1 / math.factorial(n)) for n in range(8))
_FAST = {"reassoc", "contract", "arcp", "nsz", "nnan"}  # what vector instructions need
_parallel = njit(cache=True, fastmath=_FAST, parallel=True, nogil=True)
_inline = njit(cache=True, fastmath=_FAST, nogil=True)


def use_threads(count: int) -> None:
    """How many threads the kernels use."""
    numba.set_num_threads(max(1, min(count, numba.config.NUMBA_NUM_THREADS)))


def raw(tensor: torch.Tensor) -> Any:
    """The tensor's memory as a numpy array; bfloat16 as its 16 bits."""
    tensor = tensor.detach()
    return (tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


def precise(dtype: torch.dtype) -> torch.dtype:
    """What the kernels compute in for tensors of this type."""
    return torch.promote_types(dtype, torch.float32)


def exact(like: torch.Tensor) -> Any:
    """An empty array of the type that the kernels compute in for this tensor."""
    return raw(like.new_empty(0, dtype=precise(like.dtype)))


def _load(bits: Any) -> Any: ...
def _store(value: Any, like: Any) -> Any: ...
def _exp(value: Any) -> Any: ...
def _highest(values: Any) -> Any: ...


@overload(_load, inline="always")
def _load_as(bits) -> Any:
    if bits == types.uint16:
        return lambda bits: np.uint32(np.uint32(bits) << np.uint32(16)).view(np.float32)
    return lambda bits: bits


@overload(_store, inline="always")
def _store_as(value, like) -> Any:
    if like != types.uint16:
        return lambda value, like: value

    def rounded(value, like) -> Any:  # to the nearest, ties to even
        bits = np.float32(value).view(np.uint32)
        odd = np.uint32(np.uint32(bits >> np.uint32(16)) & np.uint32(1))
        return np.uint16(np.uint32(bits + np.uint32(np.uint32(0x7FFF) + odd)) >> np.uint32(16))

    return rounded


@overload(_exp, inline="always")
def _exp_as(value) -> Any:
    if value == types.float64:
        return lambda value: math.exp(value)

    def exp(value) -> Any:  # in a form that compilers turn into vector instructions
        x = min(max(value, np.float32(-87.0)), np.float32(87.0))
        whole = np.floor(x * _LOG2_E + np.float32(0.5))
        f = x - whole * _LN_2
        power = _P0 + f * (_P1 + f * (_P2 + f * (_P3 + f * (_P4 + f * (_P5 + f * (_P6 + f * _P7))))))
        return power * np.int32(np.int32(np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)

    return exp


@overload(_highest)
def _highest_as(values) -> Any:
    """The largest of some numbers; minus infinity of none."""
    if values.dtype == types.float64:
        return lambda values: values.max() if len(values) else -np.inf

    def highest(values) -> Any:  # floats keep their order as integers, and only those get a vector instruction here
        most = np.int32(-2139095041)  # minus infinity
        for i in range(len(values)):
            bits = np.float32(_load(values[i])).view(np.int32)
            most = max(most, np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF))))
        bits = np.int32(most)
        return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)

    return highest


@_parallel
def normalise(x: Any, weight: Any, extra: float, epsilon: float, out: Any, scales: Any) -> None:
    """RMSNorm (arXiv 1910.07467) of rows x -> out [T, D], by weight [D] + extra; leaves 1/rms of each row in scales [T]."""
    kind = scales.dtype.type
    more = kind(extra)
    for row in prange(x.shape[0]):
        source, target = x[row], out[row]
        total = kind(0)
        for i in range(len(source)):
            value = _load(source[i])
            total += value * value
        scale = kind(1 / math.sqrt(total / len(source) + epsilon))
        scales[row] = scale
        for i in range(len(source)):
            target[i] = _store(_load(source[i]) * scale * (_load(weight[i]) + more), target[i])


@_parallel
def normalise_backward(grad: Any, x: Any, weight: Any, extra: float, scales: Any, out: Any) -> None:
    """Gradient of `normalise` with respect to x, into out [T, D]."""
    kind = scales.dtype.type
    more = kind(extra)
    for row in prange(x.shape[0]):
        source, slope, target = x[row], grad[row], out[row]
        scale = scales[row]
        total = kind(0)
        for i in range(len(source)):
            total += _load(slope[i]) * (_load(weight[i]) + more) * _load(source[i])
        pull = kind(total * scale * scale / len(source))
        for i in range(len(source)):
            own = _load(slope[i]) * (_load(weight[i]) + more)
            target[i] = _store((own - _load(source[i]) * pull) * scale, target[i])


@_parallel
def gate(both: Any, tanh: bool, out: Any, exact: Any) -> None:
    """act(gate) * up: both [T, 2I] holds gate | up, out [T, I]; act is SiLU, or GELU's tanh form."""
    kind = exact.dtype.type
    one, two, cubic, root = kind(1), kind(2), kind(0.044715), kind(math.sqrt(2 / math.pi))
    width = out.shape[1]
    for row in prange(out.shape[0]):
        gates, ups, target = both[row][:width], both[row][width:], out[row]
        if tanh:
            for i in range(width):
                g = _load(gates[i])
                # (1 + tanh z) / 2 is the logistic function of 2z
                target[i] = _store(g / (one + _exp(-two * root * (g + cubic * g * g * g))) * _load(ups[i]), target[i])
        else:
            for i in range(width):
                g = _load(gates[i])
                target[i] = _store(g / (one + _exp(-g)) * _load(ups[i]), target[i])


@_parallel
def gate_backward(grad: Any, both: Any, tanh: bool, slopes: Any, out: Any, exact: Any) -> None:
    """Gradient of `gate` with respect to `both`, into slopes [T, 2I]; `out` gets the forward result again."""
    kind = exact.dtype.type
    one, two, three, cubic, root = kind(1), kind(2), kind(3), kind(0.044715), kind(math.sqrt(2 / math.pi))
    width = out.shape[1]
    for row in prange(out.shape[0]):
        gates, ups, slope, target = both[row][:width], both[row][width:], grad[row], out[row]
        of_gates, of_ups = slopes[row][:width], slopes[row][width:]
        if tanh:
            for i in range(width):
                g, u, d = _load(gates[i]), _load(ups[i]), _load(slope[i])
                share = one / (one + _exp(-two * root * (g + cubic * g * g * g)))
                inner = two * root * (one + three * cubic * g * g)
                target[i] = _store(g * share * u, target[i])
                of_gates[i] = _store(d * u * share * (one + g * (one - share) * inner), of_gates[i])
                of_ups[i] = _store(d * g * share, of_ups[i])
        else:
            for i in range(width):
                g, u, d = _load(gates[i]), _load(ups[i]), _load(slope[i])
                share = one / (one + _exp(-g))
                target[i] = _store(g * share * u, target[i])
                of_gates[i] = _store(d * u * share * (one + g * (one - share)), of_gates[i])
                of_ups[i] = _store(d * g * share, of_ups[i])


# Rows of scores are whole blocks of this many: vector instructions leave no remainder to be done one by one.
BLOCK = 32


def whole_blocks(number: int) -> int:
    """The number rounded up to whole blocks; larger ones more coarsely.

    The CPU library compiles and keeps a kernel for every shape of matrix it meets: with shapes as they come, memory grew
    by 0.1 GB a step.
    """
    block = BLOCK * (1 if number <= 256 else 2 if number <= 512 else 4)
    return -(-number // block) * block


@_parallel
def weigh(scores: Any, table: Any, heads: int, groups: int, scale: float, window: int, exact: Any) -> None:
    """Softmax over each query's scores, in place: causal over its own segment, whole over what comes before it.

    scores: flat, of products [Hk, count, groups, rows, width] with all heads. table [segments, 13]: length, depth, then of
    the product with its own tokens rows, width, position of the first key, number, count and place for one head, then of
    the product of its family place, number of its first row, rows, width (0: none), and rows of filling behind it. A query
    looks back `window` tokens (0: all the way).
    """
    kind = exact.dtype.type
    factor, zero = kind(scale), kind(0)
    segments = len(table)
    for job in prange(segments * heads):
        head = job // segments
        entry = table[job % segments]
        length, depth, rows, width, begin = entry[0], entry[1], entry[2], entry[3], entry[4]
        start, family, wide = _places(entry, head, heads, groups)
        for i in range(rows):
            mine = scores[start + i * width : start + (i + 1) * width]
            if i >= length:
                for j in range(width):
                    mine[j] = 0
                continue
            theirs = scores[family + i * wide : family + (i + 1) * wide]
            first = max(0, depth + i - window + 1) if window > 0 else 0
            low, high, far = max(0, first - begin), depth + i + 1 - begin, min(first, depth)
            highest = _highest(mine[low:high])
            if wide > 0:
                highest = max(highest, _highest(theirs[far:depth]))
            total = _powers(mine, low, high, highest, factor, zero)
            if wide > 0:
                total += _powers(theirs, far, depth, highest, factor, zero)
            share = factor / (factor * total)  # 1 would be an integer, and widen all that it touches
            _multiply(mine, _blocks(high, width), share)
            _multiply(theirs, wide, share)
        for j in range(family + length * wide, family + (length + entry[12]) * wide):
            scores[j] = 0


@_inline
def _places(entry: Any, head: int, heads: int, groups: int) -> Any:
    """Where a segment's scores begin: with its own tokens and with its family's, and the width of those."""
    kept, group = head // groups, head % groups
    start = heads * entry[7] + ((kept * entry[6] + entry[5]) * groups + group) * entry[2] * entry[3]
    return start, heads * entry[8] + (head * entry[10] + entry[9]) * entry[11], entry[11]


@_inline
def _powers(scores: Any, begin: int, end: int, highest: Any, factor: Any, zero: Any) -> Any:
    """exp of scores begin to end, in place, and 0 for the rest of the row; returns their sum."""
    total = zero
    reach = _blocks(end, len(scores))
    for j in range(reach):
        power = _exp((_load(scores[j]) - highest) * factor)
        if j < begin or j >= end:
            power = zero
        total += power
        scores[j] = _store(power, scores[j])
    for j in range(reach, len(scores)):
        scores[j] = 0
    return total


@_inline
def _blocks(end: int, width: int) -> int:
    """How much of a row of scores the whole blocks up to `end` are."""
    return min(-(-end // BLOCK) * BLOCK, width)


@_inline
def _multiply(row: Any, reach: int, factor: Any) -> None:
    for j in range(reach):
        row[j] = _store(_load(row[j]) * factor, row[j])


@_parallel
def weigh_backward(weights: Any, slopes: Any, table: Any, heads: int, groups: int, scale: float, exact: Any) -> None:
    """Gradient of `weigh` with respect to the scores, in place of `slopes`, that of the weights; arguments as there."""
    kind = exact.dtype.type
    factor, zero = kind(scale), kind(0)
    segments = len(table)
    for job in prange(segments * heads):
        entry = table[job % segments]
        width = entry[3]
        start, family, wide = _places(entry, job // segments, heads, groups)
        for i in range(entry[2]):
            own = slice(start + i * width, start + (i + 1) * width)
            total = _product(weights[own], slopes[own], zero)
            if i < entry[0] and wide > 0:
                other = slice(family + i * wide, family + (i + 1) * wide)
                total += _product(weights[other], slopes[other], zero)
                _pull(weights[other], slopes[other], total, factor)
            _pull(weights[own], slopes[own], total, factor)
        for j in range(family + entry[0] * wide, family + (entry[0] + entry[12]) * wide):
            slopes[j] = 0


@_parallel
def collect(parts: Any, starts: Any, places: Any, out: Any, exact: Any) -> None:
    """out[n] is the sum of parts[places[starts[n]:starts[n + 1]]]: parts [R, D], out [N, D]."""
    zero = exact.dtype.type(0)
    for row in prange(len(out)):
        target = out[row]
        first, last = starts[row], starts[row + 1]
        if last - first == 1:
            target[:] = parts[places[first]]
        elif last - first == 2:
            one, other = parts[places[first]], parts[places[first + 1]]
            for i in range(len(target)):
                target[i] = _store(_load(one[i]) + _load(other[i]), target[i])
        else:
            for i in range(len(target)):
                total = zero
                for place in range(first, last):
                    total += _load(parts[places[place], i])
                target[i] = _store(total, target[i])


@_inline
def _product(weights: Any, slopes: Any, zero: Any) -> Any:
    total = zero
    for j in range(len(weights)):
        total += _load(weights[j]) * _load(slopes[j])
    return total


@_inline
def _pull(weights: Any, slopes: Any, total: Any, factor: Any) -> None:
    for j in range(len(weights)):
        slopes[j] = _store(_load(weights[j]) * (_load(slopes[j]) - total) * factor, slopes[j])


@_parallel
def cross_entropy(logits: Any, targets: Any, losses: Any, shares: Any) -> None:
    """Cross-entropy in nats of each row of logits [N, V] for its target; the logits become exp(logits - their highest).

    shares [N] is one over a row's sum, so that softmax is share * row. Rows with a target below zero are filling: all 0.
    """
    for row in prange(logits.shape[0]):
        line, target = logits[row], targets[row]
        losses[row] = shares[row] = 0
        if target < 0:
            line[:] = 0
            continue
        highest = _highest(line)
        wanted = _load(line[target]) - highest
        # In float64, since compilers add in an order of their own: the same run must end with the same weights.
        total = np.float64(0)
        for i in range(len(line)):
            power = _exp(_load(line[i]) - highest)
            total += np.float64(power)
            line[i] = _store(power, line[i])
        losses[row] = math.log(total) - wanted
        shares[row] = 1 / total


@_parallel
def divergence(logits: Any, wanted: Any, losses: Any) -> None:
    """Kullback-Leibler divergence in nats of rows `wanted` [N, V] from `logits`, which become softmax - wanted softmax."""
    kind = losses.dtype.type
    for row in prange(len(losses)):
        own, guide = logits[row], wanted[row]
        high, top = _highest(own), _highest(guide)
        total, whole, apart = np.float64(0), np.float64(0), np.float64(0)  # as in cross_entropy
        for i in range(len(own)):
            total += np.float64(_exp(_load(own[i]) - high))
            whole += np.float64(_exp(_load(guide[i]) - top))
        share, part, ahead = kind(1 / total), kind(1 / whole), kind(math.log(total) - math.log(whole)) + high - top
        for i in range(len(own)):
            likely = _exp(_load(guide[i]) - top) * part
            apart += np.float64(likely * (_load(guide[i]) - _load(own[i]) + ahead))
            own[i] = _store(_exp(_load(own[i]) - high) * share - likely, own[i])
        losses[row] = apart


@_parallel
def rotate(x: Any, stride: int, cos: Any, sin: Any, back: bool, out: Any, exact: Any) -> None:
    """Rotary position embedding (arXiv 2104.09864) into out [T, H, D] of x, flat with tokens `stride` numbers apart.

    cos and sin [T, D]; `back` is its gradient.
    """
    sign = exact.dtype.type(-1 if back else 1)
    tokens, heads, size = out.shape
    half = size // 2
    for row in prange(tokens):
        cos_one, cos_two, sin_one, sin_two = cos[row, :half], cos[row, half:], sin[row, :half], sin[row, half:]
        for head in range(heads):
            source = x[row * stride + head * size : row * stride + (head + 1) * size]
            first, second, target, other = source[:half], source[half:], out[row, head, :half], out[row, head, half:]
            for i in range(half):
                a, b = _load(first[i]), _load(second[i])
                target[i] = _store(a * _load(cos_one[i]) - sign * b * _load(sin_one[i]), target[i])
                other[i] = _store(b * _load(cos_two[i]) + sign * a * _load(sin_two[i]), other[i])
