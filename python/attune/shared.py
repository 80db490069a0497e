"""Memory that a worker of a loader fills and the process that it works for reads, again and again.

Fresh pages cost the system more than unpacking a latent does, and so does mapping memory again for each batch. So a worker
keeps a few pieces of shared memory, and fills one again once the tensor that was made of it is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import mmap
import multiprocessing.util
import os
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FOLDER = Path("/dev/shm")
#: Before the data: whether they are in use.
_HEAD = 4096
#: Pieces that a worker keeps at most; more batches than that are being held on to, and take memory of their own.
_MOST = 32
#: Mappings that a reading process keeps at most.
_MAPPED = 256


class Piece:
    """One piece of shared memory, in the worker that fills it."""

    def __init__(self, size: int) -> None:
        self.name = f"attune-{os.getpid()}-{uuid.uuid4().hex}"
        self.size = size
        # Under another name until it is locked, or it would look like what a killed worker has left.
        path = _FOLDER / f".{self.name}"
        # Open and locked as long as this process lives: that is how others know.
        self.handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # All of it now: a full file system would otherwise show as a SIGBUS.
            os.posix_fallocate(self.handle, 0, _HEAD + size)
            self.map = mmap.mmap(self.handle, _HEAD + size)
            path.rename(_FOLDER / self.name)
        except OSError:
            path.unlink()
            os.close(self.handle)
            raise

    @property
    def is_free(self) -> bool:
        return self.map[0] == 0


class SharedArray:
    """An array in a piece of shared memory. Pickled, it arrives as a tensor of the same memory."""

    def __init__(self, piece: Piece, shape: tuple[int, ...], dtype: str) -> None:
        self._piece, self.shape, self.dtype, self._is_sent = piece, shape, dtype, False
        piece.map[0] = 1
        self.array: NDArray[Any] = np.frombuffer(piece.map, dtype, math.prod(shape), _HEAD).reshape(shape)

    def __getitem__(self, index: int) -> NDArray[Any]:
        return self.array[index]  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return self.shape[0]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        self._is_sent = True
        return _receive, (self._piece.name, self._piece.size, self.shape, self.dtype)

    def __del__(self) -> None:
        if not self._is_sent:
            self._piece.map[0] = 0


class Pieces:
    """The pieces of this process."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._pieces: list[Piece] = []

    def _begin(self) -> None:
        """Removes what killed workers have left, and sees to what this one will leave."""
        for path in _FOLDER.glob("attune-*"):
            with contextlib.suppress(OSError), open(path, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        # Runs at the end of a worker, which an atexit handler does not.
        multiprocessing.util.Finalize(self, _remove, (self._pieces,), exitpriority=10)

    def take(self, shape: tuple[int, ...], dtype: str) -> SharedArray | None:
        """A free piece for an array; None where there is none to have."""
        if self._process != os.getpid():
            self.__init__()  # type: ignore[misc]
        size = -(-math.prod(shape) * np.dtype(dtype).itemsize // 4096) * 4096
        for piece in self._pieces:
            if size <= piece.size <= 2 * size and piece.is_free:
                return SharedArray(piece, shape, dtype)
        if len(self._pieces) >= _MOST or not _FOLDER.is_dir():
            return None
        try:
            if not self._pieces:
                self._begin()
            piece = Piece(size)
        except OSError:
            return None
        self._pieces.append(piece)
        return SharedArray(piece, shape, dtype)


def _remove(pieces: list[Piece]) -> None:
    for piece in pieces:
        (_FOLDER / piece.name).unlink(missing_ok=True)


_mapped: OrderedDict[str, mmap.mmap] = OrderedDict()


def _receive(name: str, size: int, shape: tuple[int, ...], dtype: str) -> Any:
    """The tensor of a piece that a worker has filled."""
    import torch

    found = _mapped.get(name)
    if found is None:
        path = _FOLDER / name
        with open(path, "r+b") as file:
            found = mmap.mmap(file.fileno(), _HEAD + size)
        # Nobody else will look for it; so nothing stays behind, whoever is killed.
        path.unlink()
        _mapped[name] = found
        while len(_mapped) > _MAPPED:
            _mapped.popitem(last=False)
    else:
        _mapped.move_to_end(name)
    array = np.frombuffer(found, dtype, math.prod(shape), _HEAD)
    weakref.finalize(array, _release, found)
    return torch.from_numpy(array.reshape(shape))


def _release(memory: mmap.mmap) -> None:
    memory[0] = 0


pieces = Pieces()
