"""Takes the filters of latents back: zstd over HDF5's shuffle (schemas/shard.md).

Reading through libhdf5 costs several times what unpacking does. The libraries that hdf5plugin brings have the two
functions that are needed, zstd's and c-blosc2's; where they cannot be loaded, libhdf5 reads instead.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Native:
    """The functions of the two libraries."""

    def __init__(self, folder: Path) -> None:
        zstd = ctypes.CDLL(str(folder / "libh5zstd.so"))
        self._create = zstd.ZSTD_createDCtx
        self._create.restype = ctypes.c_void_p
        self._free = zstd.ZSTD_freeDCtx
        self._free.argtypes = [ctypes.c_void_p]
        self.decompress = zstd.ZSTD_decompressDCtx
        self.decompress.restype = ctypes.c_size_t
        self.decompress.argtypes = [
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]  # fmt: skip
        self.unshuffle: Any = None
        try:
            blosc = ctypes.CDLL(str(folder / "libh5blosc2.so"))
            self.unshuffle = blosc.blosc2_unshuffle
            self.unshuffle.argtypes = [ctypes.c_int32, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p]
            self.unshuffle.restype = ctypes.c_int32
        except (OSError, AttributeError):
            pass
        self._local = threading.local()

    def context(self) -> int:
        """This thread's zstd context."""
        known = getattr(self._local, "context", None)
        if known is None:
            known = self._local.context = self._create()
        return int(known)

    def scratch(self, size: int) -> NDArray[np.uint8]:
        """This thread's scratch buffer."""
        known: NDArray[np.uint8] | None = getattr(self._local, "scratch", None)
        if known is None or known.size < size:
            known = self._local.scratch = np.empty(max(size, 1 << 16), np.uint8)
        return known


@functools.lru_cache(maxsize=None)
def native() -> Native | None:
    """The native functions; None where hdf5plugin does not bring them."""
    try:
        import hdf5plugin

        return Native(Path(hdf5plugin.PLUGIN_PATH))
    except (ImportError, OSError, AttributeError):
        return None


def join(planes: NDArray[np.uint8], out: NDArray[np.uint32]) -> None:
    """Puts numbers together from their bytes, all first ones before all second ones: planes [4, n], out [n]."""
    np.copyto(out, planes[3])
    for plane in (planes[2], planes[1], planes[0]):
        np.left_shift(out, 8, out=out)
        np.bitwise_or(out, plane, out=out)


class Unpacker:
    """Unpacks chunks of one size from a mapped file into memory that the caller provides."""

    def __init__(self, functions: Native, size: int) -> None:
        self._native = functions
        self._size = size

    def unpack(self, source: int, stored: int, compressed: bool, shuffled: bool, target: int) -> bool:
        """Unpacks `stored` bytes at address `source` to address `target`; False for a damaged chunk."""
        size, functions = self._size, self._native
        if not compressed:
            if stored != size:
                return False
            if not shuffled:
                ctypes.memmove(target, source, size)
                return True
            self._join(source, target)
            return True
        if not shuffled:
            return bool(functions.decompress(functions.context(), target, size, source, stored) == size)
        scratch = functions.scratch(size).ctypes.data
        if functions.decompress(functions.context(), scratch, size, source, stored) != size:
            return False
        self._join(scratch, target)
        return True

    def _join(self, source: int, target: int) -> None:
        if self._native.unshuffle is not None:
            self._native.unshuffle(4, self._size, source, target)
            return
        planes = np.ctypeslib.as_array((ctypes.c_uint8 * self._size).from_address(source)).reshape(4, -1)
        numbers = np.ctypeslib.as_array((ctypes.c_uint32 * (self._size // 4)).from_address(target))
        join(planes, numbers)

    def unpack_many(
        self, sources: list[int], sizes: list[int], target: int, places: list[int]
    ) -> int:  # fmt: skip
        """Unpacks shuffled and compressed chunks to `target` + place · size; -1, or the index of a damaged one."""
        size, functions = self._size, self._native
        unshuffle, decompress, context = functions.unshuffle, functions.decompress, functions.context()
        scratch = functions.scratch(size).ctypes.data
        if unshuffle is None:
            for index, (source, stored, place) in enumerate(zip(sources, sizes, places)):
                if not self.unpack(source, stored, True, True, target + place * size):
                    return index
            return -1
        for index, (source, stored, place) in enumerate(zip(sources, sizes, places)):
            if decompress(context, scratch, size, source, stored) != size:
                return index
            unshuffle(4, size, scratch, target + place * size)
        return -1
