"""The random numbers of a training run: what `attune train` draws for a seed, number by number.

Every value is a function of seed, stream and position alone (Philox4x32-10), so that neither batch size, workers nor a
restart change it.
"""

from __future__ import annotations

import math
from typing import Sequence

import numpy as np
from numpy.typing import NDArray

_MASK = 0xFFFFFFFF
# What a stream is for, in its top byte. 1 is the adapter's start.
PERMUTATION, NOISE, TIMESTEP, WEIGHTED = 2, 3, 4, 5


def philox(seed: int, stream: int, blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Random words of 32 bits, [blocks, 4], as 64-bit numbers."""
    low = np.uint64(_MASK)
    shift = np.uint64(32)
    c0, c1 = blocks & low, blocks >> shift
    c2 = np.full_like(blocks, stream & _MASK)
    c3 = np.full_like(blocks, stream >> 32 & _MASK)
    k0, k1 = seed & _MASK, seed >> 32 & _MASK
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c2 = (b >> shift) ^ c1 ^ np.uint64(k0), (a >> shift) ^ c3 ^ np.uint64(k1)
        c1, c3 = b & low, a & low
        k0, k1 = (k0 + 0x9E3779B9) & _MASK, (k1 + 0xBB67AE85) & _MASK
    return np.stack([c0, c1, c2, c3], axis=-1)


def _stream(purpose: int, index: int) -> int:
    if not 0 <= index < 1 << 56:
        raise ValueError(f"index {index} is not one of a run")
    return purpose << 56 | index


def integers(
    seed: int, purpose: int, index: int, positions: NDArray[np.uint64], bounds: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Numbers in 0..<bound, one for each position."""
    words = philox(seed, _stream(purpose, index), positions)
    high, low = words[:, 0], words[:, 1]
    shift = np.uint64(32)
    return ((high * bounds + (low * bounds >> shift)) >> shift).astype(np.int64)


def permutation(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which `attune train` reads the `count` samples of an epoch: positions in the selection."""
    order = list(range(count))
    if count > 1:
        last = np.arange(count - 1, 0, -1, dtype=np.uint64)
        swaps = integers(seed, PERMUTATION, epoch, last, last + np.uint64(1)).tolist()
        for place, other in zip(range(count - 1, 0, -1), swaps):
            order[place], order[other] = order[other], order[place]
    return np.array(order, dtype=np.int64)


def weighted(weights: NDArray[np.float64], seed: int, epoch: int) -> NDArray[np.int64]:
    """As many positions as there are weights, each drawn with a probability in proportion to its weight."""
    ends = np.cumsum(weights)
    words = philox(seed, _stream(WEIGHTED, epoch), np.arange(len(weights), dtype=np.uint64))
    uniform = ((words[:, 0] << np.uint64(21)) | (words[:, 1] >> np.uint64(11))).astype(np.float64) * 2.0**-53
    found = np.searchsorted(ends, uniform * ends[-1], side="right")
    positions: NDArray[np.int64] = np.minimum(found, np.flatnonzero(weights)[-1]).astype(np.int64)
    return positions


class Draws:
    """The noise and timestep that belong to one entry of a run's stream."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def timestep(self, index: int, count: int) -> int:
        """The timestep of the run's `index`-th sample, uniform in 0..<count."""
        zero, bound = np.zeros(1, np.uint64), np.array([count], np.uint64)
        return int(integers(self.seed, TIMESTEP, index, zero, bound)[0])

    def noise(self, index: int, shape: Sequence[int]) -> NDArray[np.float32]:
        """Its standard normal noise, channels first."""
        count = math.prod(shape)
        words = philox(self.seed, _stream(NOISE, index), np.arange(-(-count // 4), dtype=np.uint64))
        pairs = words.reshape(-1, 2).astype(np.float64)
        radius = np.sqrt(-2 * np.log((pairs[:, 0] + 0.5) * 2.0**-32))
        angle = 2 * math.pi * (pairs[:, 1] + 0.5) * 2.0**-32
        values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
        return values.reshape(-1)[:count].astype(np.float32).reshape(tuple(shape))
