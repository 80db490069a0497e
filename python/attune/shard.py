"""Reads sealed shards (schemas/shard.md).

libhdf5 is asked where a shard's datasets lie, once, and let go; data come from a mapping of the file. So no HDF5 handle is
ever open across a fork, and unpacking is all that a latent costs.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import chunks
from .errors import Damaged, NewerFormat, NotFound

#: The newest shard that this package reads.
VERSION = 3
_ZSTD, _SHUFFLE = 32015, 2


class Latents:
    """Where the latents of one shape lie in a shard."""

    def __init__(self, dataset: Any, path: str) -> None:
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.name: str = dataset.name
        self.path = path
        self.size = int(np.prod(self.shape[1:])) * 4
        properties = dataset.id.get_create_plist()
        self.filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
        count = self.shape[0]
        self.address = np.zeros(count, np.int64)
        self.stored = np.zeros(count, np.int64)
        self.skipped = np.zeros(count, np.int64)
        self.is_plain = (
            dataset.dtype == np.dtype("<f4")
            and dataset.chunks == (1, *self.shape[1:])
            and self.filters in ([], [_ZSTD], [_SHUFFLE, _ZSTD]))
        if not self.is_plain:
            return

        def note(chunk: Any) -> None:
            row = chunk.chunk_offset[0]
            self.address[row], self.stored[row], self.skipped[row] = chunk.byte_offset, chunk.size, chunk.filter_mask

        dataset.id.chunk_iter(note)

    def read(self, rows: NDArray[np.int64], base: int, length: int, out: NDArray[np.float32]) -> None:
        """Unpacks some rows to `out`, one after the other; `base` is where the file is mapped."""
        if len(rows) and (rows.min() < 0 or rows.max() >= self.shape[0]):
            raise Damaged(self.path, f"{self.name} has no row {int(rows.max())}: run `attune verify`")
        functions = chunks.native()
        if functions is None or not self.is_plain:
            self._read_by_hdf5(rows, out)
            return
        address, stored, skipped = self.address[rows], self.stored[rows], self.skipped[rows]
        if len(rows) and ((address <= 0).any() or (stored <= 0).any() or (address + stored > length).any()):
            raise self._damage(int(rows[0]))
        unpacker = chunks.Unpacker(functions, self.size)
        target = out.ctypes.data
        if self.filters == [_SHUFFLE, _ZSTD] and not skipped.any():
            bad = unpacker.unpack_many(
                (address + base).tolist(), stored.tolist(), target, list(range(len(rows))))
            if bad >= 0:
                raise self._damage(int(rows[bad]))
            return
        shuffle, zstd = _SHUFFLE in self.filters, _ZSTD in self.filters
        for place in range(len(rows)):
            mask = int(skipped[place])
            done = unpacker.unpack(
                base + int(address[place]), int(stored[place]), zstd and not mask & (2 if shuffle else 1),
                shuffle and not mask & 1, target + place * self.size)  # fmt: skip
            if not done:
                raise self._damage(int(rows[place]))

    def _read_by_hdf5(self, rows: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        import h5py
        import hdf5plugin  # noqa: F401  registers the filter

        try:
            with h5py.File(self.path, "r") as file:
                for place, row in enumerate(rows.tolist()):
                    out[place] = file[self.name][row]
        except (OSError, KeyError) as error:
            raise Damaged(self.path, f"{self.name} cannot be read ({error}): run `attune verify`") from None

    def _damage(self, row: int) -> Damaged:
        return Damaged(
            self.path, f"row {row} of {self.name} is damaged: restore the shard with `attune verify --repair --from` a copy")


class Shard:
    """One open shard."""

    def __init__(self, path: Path, digest: str, stamp: tuple[int, int, int] | None) -> None:
        self.path = str(path)
        self.digest = digest
        try:
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise NotFound(
                self.path, "the shard is missing: restore it with `attune verify --repair --from` a copy") from None
        except (OSError, ValueError) as error:
            raise Damaged(self.path, f"cannot be read ({error}): run `attune verify`") from None
        self._bytes: NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        if stamp != (status.st_size, status.st_ino, status.st_ctime_ns):
            if hashlib.sha256(self._bytes.data).hexdigest() != digest:
                raise Damaged(
                    self.path,
                    "the shard's bytes do not match its name: restore it with `attune verify --repair --from` a copy")
        self._arrays: dict[str, NDArray[Any]] = {}
        self._latents: dict[str, Latents] = {}
        try:
            self._read_structure()
        except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
            raise Damaged(self.path, f"is not a shard that can be read ({error}): run `attune verify`") from None

    def _read_structure(self) -> None:
        import h5py

        with h5py.File(self.path, "r") as file:
            kind, version = _text(file.attrs["format"]), _text(file.attrs["version"])
            if int(version) > VERSION:
                raise NewerFormat(
                    self.path,
                    f"has shard format {version}, this package knows up to {VERSION}: update the attune package")
            if kind != "attune-shard":
                raise ValueError(f"its format is {kind!r}")
            for name in (
                "samples/id", "samples/manifest", "samples/manifest_offset", "samples/prompt", "samples/latent_row",
                "prompts/text", "prompts/text_offset", "images/png", "images/offset", "traces/timestep",
                "traces/delta_sq", "traces/sigma", "traces/velocity_delta",
            ):  # fmt: skip
                if name in file:
                    self._arrays[name] = self._array(file[name])
            for name, dataset in file["latents"].items():
                self._latents[name] = Latents(dataset, self.path)
        self.count = len(self._arrays["samples/id"])
        for name in ("samples/manifest", "prompts/text"):
            self._check_offsets(f"{name}_offset", len(self._arrays[name]))
        self._check_offsets("images/offset", len(self._arrays["images/png"]))

    def _array(self, dataset: Any) -> NDArray[Any]:
        """A dataset where it lies in the mapping."""
        offset = dataset.id.get_offset()
        if dataset.size == 0:
            return np.zeros(dataset.shape, dataset.dtype)
        if offset is None:
            return np.asarray(dataset[()])
        end = offset + dataset.size * dataset.dtype.itemsize
        if end > len(self._bytes):
            raise ValueError(f"{dataset.name} ends behind the file")
        values: NDArray[Any] = self._bytes[offset:end].view(dataset.dtype).reshape(dataset.shape)
        return values

    def _check_offsets(self, name: str, end: int) -> None:
        starts = self._arrays[name]
        if len(starts) == 0 or starts[0] != 0 or starts[-1] != end or (np.diff(starts) < 0).any():
            raise ValueError(f"{name} does not fit its data")

    def _row(self, row: int) -> int:
        if not 0 <= row < self.count:
            raise Damaged(self.path, f"the shard lacks row {row}: run `attune reindex`")
        return row

    def id(self, row: int) -> bytes:
        """The sample's id."""
        return bytes(self._arrays["samples/id"][self._row(row)])

    def manifest(self, row: int) -> dict[str, Any]:
        """What the sample is, and how it was made."""
        starts = self._arrays["samples/manifest_offset"]
        data = bytes(self._arrays["samples/manifest"][starts[self._row(row)] : starts[row + 1]])
        if hashlib.sha256(data).digest() != self.id(row):
            raise Damaged(self.path, f"sample {self.id(row).hex()} does not match its manifest: run `attune verify`")
        manifest: dict[str, Any] = json.loads(data)
        return manifest

    def prompt(self, row: int) -> str:
        """The sample's prompt."""
        index = int(self._arrays["samples/prompt"][self._row(row)])
        starts = self._arrays["prompts/text_offset"]
        if not 0 <= index < len(starts) - 1:
            raise Damaged(self.path, f"has no prompt {index}: run `attune verify`")
        return bytes(self._arrays["prompts/text"][starts[index] : starts[index + 1]]).decode("utf-8", "replace")

    def png(self, row: int) -> NDArray[np.uint8]:
        """The bytes of the PNG file, where they lie."""
        starts = self._arrays["images/offset"]
        return self._arrays["images/png"][starts[self._row(row)] : starts[row + 1]]

    def trace(self, row: int) -> dict[str, NDArray[Any]]:
        """`timestep` and `delta_sq`; of a flow-matching model `sigma` and `velocity_delta` too."""
        timestep = self._arrays["traces/timestep"][self._row(row)]
        ends = np.flatnonzero(timestep < 0)
        count = int(ends[0]) if len(ends) else len(timestep)
        found = {"timestep": timestep[:count].copy()}
        for name in ("delta_sq", "sigma", "velocity_delta"):
            if f"traces/{name}" in self._arrays:
                found[name] = self._arrays[f"traces/{name}"][row, :count].copy()
        return found

    def latents(self, rows: Sequence[int], shape: tuple[int, ...], out: NDArray[np.float32]) -> None:
        """Unpacks the latents of some rows that share one shape, to `out` [rows, C, h, w]."""
        latents = self._latents.get("x".join(map(str, shape)))
        if latents is None or latents.shape[1:] != shape:
            raise Damaged(self.path, f"has no latents of shape {shape}: run `attune verify`")
        which = np.asarray(rows, np.int64)
        if len(which) and (which.min() < 0 or which.max() >= self.count):
            raise Damaged(self.path, f"the shard lacks row {int(which.max())}: run `attune reindex`")
        places = self._arrays["samples/latent_row"][which]
        latents.read(places, self._bytes.ctypes.data, len(self._bytes), out)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class Shards:
    """The open shards of a process: opened when first asked for, the ones not used for the longest closed.

    Nothing of it crosses a process: after a fork, or pickled, it starts over.
    """

    most = 128

    def __init__(self, folder: Path, stamp: Callable[[str], tuple[int, int, int] | None]) -> None:
        self.folder = folder
        self._stamp = stamp
        self._reset()

    def _reset(self) -> None:
        self._open: OrderedDict[str, Shard] = OrderedDict()
        self._lock = threading.Lock()
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_stamp": self._stamp}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def __getitem__(self, digest: str) -> Shard:
        if self._process != os.getpid():
            self._reset()
        with self._lock:
            known = self._open.get(digest)
            if known is not None:
                self._open.move_to_end(digest)
                return known
        path = self.folder / "shards" / digest[:2] / f"{digest}.h5"
        opened = Shard(path, digest, self._stamp(digest))
        with self._lock:
            self._open[digest] = opened
            while len(self._open) > self.most:
                self._open.popitem(last=False)
        return opened
