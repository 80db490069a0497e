"""The order in which a run meets its samples, exactly that of `attune train`, and where it stands in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import draws
from .errors import BadQuery, StateMismatch

if TYPE_CHECKING:
    from .dataset import Dataset


class Entry(int):
    """A position in the dataset that knows its place in the run: `index`, counted over all epochs.

    Noise and timestep of the sample are those of its index: `attune.Draws(seed).noise(entry.index, shape)`.
    """

    index: int

    def __new__(cls, position: int, index: int) -> Entry:
        entry = super().__new__(cls, position)
        entry.index = index
        return entry

    def __reduce__(self) -> tuple[Any, ...]:
        return Entry, (int(self), self.index)


class Sampler:
    """Positions in a dataset, in the order of `attune train` for the same selection and seed.

    Each pass gives `epochs` epochs (None: it never ends, as `attune train` reads across epochs), and the next pass goes
    on behind it. `state_dict()` is exact at any sample, and loads into a sampler of any batch size and number of workers.
    Behind a plain DataLoader with workers, which read ahead, use `attune.Loader` or torchdata's StatefulDataLoader.

    With `weights` (one number for each sample, or the name of a score) each epoch draws as many samples as there are,
    with replacement, in proportion to their weights. `attune train --weight-by` does not do that: it keeps the order
    and multiplies losses, which is `corpus.dataset(..., weight_by=...)`.

    `rank` and `world` share the samples out between processes: each takes every `world`-th.
    """

    def __init__(
        self, dataset: Dataset, seed: int = 42, weights: Sequence[float] | NDArray[Any] | str | None = None, *,
        epochs: int | None = 1, rank: int = 0, world: int = 1,
    ) -> None:  # fmt: skip
        if not 0 <= seed < 1 << 64:
            raise BadQuery("seed", f"is {seed}; it must be 0 to 2^64 - 1")
        if epochs is not None and epochs < 1:
            raise BadQuery("epochs", f"is {epochs}; it must be at least 1, or None for a pass that never ends")
        if world < 1 or not 0 <= rank < world:
            raise BadQuery("rank", f"is {rank} of {world}; it must be 0 to world - 1")
        self.seed, self.epochs, self.rank, self.world = seed, epochs, rank, world
        self._count = len(dataset)
        self._selection = dataset.selection.digest
        self._name = dataset.selection.name
        if self._count == 0:
            raise BadQuery(self._name, "has no samples to draw from")
        if isinstance(weights, str):
            weights = dataset.corpus.weights(dataset.selection, weights)
        self._weights = None if weights is None else np.asarray(weights, np.float64)
        if self._weights is not None:
            self._check(self._weights)
        self._order: tuple[int, NDArray[np.int64]] | None = None
        self.epoch = self.offset = self.consumed = 0

    def _check(self, weights: NDArray[np.float64]) -> None:
        if weights.shape != (self._count,):
            raise BadQuery("weights", f"are {weights.size} for {self._count} samples: give one for each")
        if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
            raise BadQuery("weights", "must be finite, at least 0, and not all 0")

    def __len__(self) -> int:
        """Samples of a whole pass."""
        if self.epochs is None:
            raise TypeError("a sampler with epochs=None never ends")
        whole = self._count * self.epochs
        return whole // self.world + (self.rank < whole % self.world)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The positions of an epoch in reading order."""
        if self._order is None or self._order[0] != epoch:
            made = (
                draws.permutation(self._count, self.seed, epoch) if self._weights is None
                else draws.weighted(self._weights, self.seed, epoch))  # fmt: skip
            self._order = (epoch, made)
        return self._order[1]

    def __iter__(self) -> Iterator[Entry]:
        return _Pass(self)

    def _next(self, last: int | None) -> Entry | None:
        while True:
            if self.offset == self._count:
                self.epoch, self.offset = self.epoch + 1, 0
            if last is not None and self.epoch >= last:
                return None
            position, index = int(self.order(self.epoch)[self.offset]), self.consumed
            self.offset += 1
            self.consumed += 1
            if index % self.world == self.rank:
                return Entry(position, index)

    def state_dict(self) -> dict[str, Any]:
        """Where the sampler stands: what it has handed out so far."""
        return self.state_at(self.consumed)

    def state_at(self, consumed: int) -> dict[str, Any]:
        """The state behind so many samples of the run: `batch["index"].max() + 1` behind a batch."""
        return {
            "version": 1, "seed": self.seed, "selection": self._selection, "samples": self._count,
            "weights": self._weights_digest(), "consumed": int(consumed),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes behind the last sample of a saved state.

        The state may also be that of torchdata's StatefulDataLoader around such a sampler: its own load_state_dict wants
        the same number of workers, this one does not. Raises StateMismatch where the state belongs to another selection,
        seed or weights.
        """
        if isinstance(state, dict) and "consumed" not in state:
            state = _within(state) or state
        try:
            version, consumed = int(state["version"]), int(state["consumed"])
            saved = (state["selection"], state["samples"])
            seed, weights = state["seed"], state["weights"]
        except (KeyError, TypeError, ValueError) as error:
            raise StateMismatch("state", f"is not a sampler's ({error} is missing)") from None
        if version > 1:
            raise StateMismatch("state", f"has version {version}, this package knows 1: update the attune package")
        if saved != (self._selection, self._count):
            raise StateMismatch(
                self._name, f"is {self._selection[:12]} with {self._count} samples, the state was saved with "
                f"{saved[0][:12]} of {saved[1]}: open that one, corpus.selection({saved[0][:12]!r}), or start over")  # fmt: skip
        if seed != self.seed:
            raise StateMismatch("seed", f"is {self.seed}, the state was saved with {seed}: use that seed")
        if weights != self._weights_digest():
            raise StateMismatch("weights", "differ from those that the state was saved with: use those, or start over")
        if consumed < 0:
            raise StateMismatch("state", f"has read {consumed} samples")
        self.consumed = consumed
        self.epoch, self.offset = divmod(consumed, self._count)

    def _weights_digest(self) -> str | None:
        return None if self._weights is None else hashlib.sha256(self._weights.astype("<f8").tobytes()).hexdigest()


def _within(state: dict[str, Any]) -> dict[str, Any] | None:
    """The sampler's state in that of a StatefulDataLoader."""
    if state.get("_steps_since_snapshot"):
        raise StateMismatch("state", "is of an earlier batch than the last one: use snapshot_every_n_steps=1")
    if {"consumed", "selection", "seed"} <= state.keys():
        return state
    for value in state.values():
        found = _within(value) if isinstance(value, dict) else None
        if found is not None:
            return found
    return None


class _Pass(Iterator[Entry]):
    """One pass over a sampler. It has the sampler's state, so that stateful loaders find it."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._last: int | None = None
        self._began = False

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        sampler = self._sampler
        if not self._began:
            self._began = True
            if sampler.epochs is not None:
                if sampler.offset == sampler._count:
                    sampler.epoch, sampler.offset = sampler.epoch + 1, 0
                # Passes begin at multiples of `epochs`; one that was resumed ends where it would have ended.
                self._last = (sampler.epoch // sampler.epochs + 1) * sampler.epochs
        entry = sampler._next(self._last)
        if entry is None:
            raise StopIteration
        return entry

    def state_dict(self) -> dict[str, Any]:
        return self._sampler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sampler.load_state_dict(state)
        self._began = False
