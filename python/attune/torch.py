"""Loaders for PyTorch that know exactly where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .dataset import Dataset, collate
from .errors import BadQuery, StateMismatch, WorkerDied, need
from .handover import context
from .sampler import Sampler

try:
    import torch.utils.data as data
except ImportError:
    raise need("torch", "for loaders", "torch") from None


def _explained(error: RuntimeError) -> Exception:
    if "exited unexpectedly" in str(error) or "is killed by signal" in str(error):
        return WorkerDied(
            "a worker of the loader", f"died ({str(error).splitlines()[0]}): load the last state_dict() into a new loader "
            "to resume behind the last batch; if memory is short, take fewer workers or a smaller batch")  # fmt: skip
    return error


class Loader:
    """A DataLoader whose `state_dict()` is exact: it stands behind the batch that you had last, whatever workers have
    read ahead. The state loads into a loader of any number of workers.

        loader = attune.Loader(dataset, attune.Sampler(dataset, seed=42), batch_size=8, num_workers=2)
        for batch in loader: ...
            torch.save(loader.state_dict(), "loader.pt")

    Further options are DataLoader's.
    """

    def __init__(
        self, dataset: Dataset, sampler: Sampler | None = None, *, batch_size: int = 8, num_workers: int = 0,
        drop_last: bool = False, **options: Any,
    ) -> None:  # fmt: skip
        if batch_size < 1:
            raise BadQuery("batch_size", f"is {batch_size}; it must be at least 1")
        self.dataset = dataset
        self.sampler = sampler if sampler is not None else Sampler(dataset)
        self.batch_size, self.drop_last = batch_size, drop_last
        self._consumed = self.sampler.consumed
        options.setdefault("collate_fn", collate)
        if num_workers > 0 and isinstance(options.get("multiprocessing_context"), (str, type(None))):
            options["multiprocessing_context"] = context(options.get("multiprocessing_context"))
        # Batches are drawn here, so that how far each one reaches is known.
        self._pending: dict[int, int] = {}
        self._loader = data.DataLoader(
            dataset, batch_sampler=_Batches(self), num_workers=num_workers, **options)  # fmt: skip

    def __len__(self) -> int:
        """Batches of a whole pass."""
        samples = len(self.sampler)
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        # What an abandoned pass has read ahead is read again.
        self.sampler.load_state_dict(self.sampler.state_at(self._consumed))
        ends: list[int] = []
        self._ends = ends
        try:
            for number, batch in enumerate(self._loader):
                self._consumed = ends[number]
                yield batch
            # With drop_last, what is left of the pass is behind us too.
            self._consumed = self.sampler.consumed
        except RuntimeError as error:
            raise _explained(error) from error

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: behind the last batch that it gave."""
        return self.sampler.state_at(self._consumed)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes behind a saved state; StateMismatch where it belongs to other data."""
        self.sampler.load_state_dict(state)
        self._consumed = self.sampler.consumed


class _Batches:
    """The batches of a loader's sampler; it notes where each one ends."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[list[int]]:
        loader = self._loader
        ends = loader._ends
        batch: list[int] = []
        for entry in loader.sampler:
            batch.append(entry)
            if len(batch) == loader.batch_size:
                ends.append(loader.sampler.consumed)
                yield batch
                batch = []
        if batch and not loader.drop_last:
            ends.append(loader.sampler.consumed)
            yield batch


class Stream(data.IterableDataset):  # type: ignore[misc]
    """Whole batches in the order of `attune train`, as an iterable data set: for DataLoader with `batch_size=None`.

    With workers each makes every n-th batch, and DataLoader takes them in turn, so the order is the same for any number.
    `state_dict()` counts what this process has given out; in a DataLoader with workers use torchdata's StatefulDataLoader.
    """

    def __init__(self, dataset: Dataset, *, seed: int = 42, batch_size: int = 8, epochs: int | None = None) -> None:
        super().__init__()
        if batch_size < 1:
            raise BadQuery("batch_size", f"is {batch_size}; it must be at least 1")
        self.dataset, self.batch_size, self.epochs = dataset, batch_size, epochs
        self.sampler = Sampler(dataset, seed, epochs=epochs)
        self._given = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = data.get_worker_info()
        number, count = (worker.id, worker.num_workers) if worker is not None else (0, 1)
        total = None if self.epochs is None else self.epochs * len(self.dataset)
        while True:
            # Of the batches of the run this is the `place`-th that this worker makes.
            start = (self._given * count + number) * self.batch_size
            if total is not None and start >= total:
                self._given = 0
                return
            self.sampler.load_state_dict(self.sampler.state_at(start))
            length = self.batch_size if total is None else min(self.batch_size, total - start)
            keys = []
            for _ in range(length):
                entry = self.sampler._next(None)
                if entry is not None:
                    keys.append(entry)
            batch: dict[str, Any] = collate(self.dataset.__getitems__(keys))
            self._given += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """How many batches this process has given out."""
        worker = data.get_worker_info()
        return dict(
            self.sampler.state_at(0), batches=self._given, batch_size=self.batch_size,
            workers=worker.num_workers if worker is not None else 1)  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes behind a saved state, with as many workers and batches of the same size."""
        self.sampler.load_state_dict(dict(state, consumed=0))
        worker = data.get_worker_info()
        workers = worker.num_workers if worker is not None else 1
        if state.get("batch_size") != self.batch_size or state.get("workers") != workers:
            raise StateMismatch(
                "state", f"was saved with batches of {state.get('batch_size')} and {state.get('workers')} workers, this is "
                f"{self.batch_size} and {workers}: use the same, or attune.Loader, whose state fits any number")  # fmt: skip
        self._given = int(state["batches"])
