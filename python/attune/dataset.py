"""The samples of a selection, for any loader: map-style, without torch."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadQuery, Damaged, NotFound, need
from .sampler import Entry
from .selections import Selection
from .shared import SharedArray, pieces

if TYPE_CHECKING:
    from .corpus import Corpus

#: What a sample can be asked for.
COLUMNS = ("id", "image", "png", "latent", "prompt", "scores", "trace", "manifest")

Sample = dict[str, Any]


class Batch(Sequence[Sample]):
    """Samples that were read together: a sequence of dicts, and their columns stacked."""

    def __init__(self, count: int, stacked: dict[str, Any]) -> None:
        self._count = count
        self.stacked = stacked

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return {name: _element(values, index % self._count) for name, values in self.stacked.items()}


def decode_image(png: bytes | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels of a PNG file: uint8 [height, width, 3]."""
    try:
        from PIL import Image
    except ImportError:
        raise need("pillow", "to decode images", "images") from None
    data: Any = png.data if isinstance(png, np.ndarray) else png
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


class Dataset:
    """The samples of a selection, in its order. `dataset[i]` is a dict of the columns that were asked for.

    It can be pickled, and used in workers that were forked: files are opened by the process that reads, when it does.
    A DataLoader asks it for a batch at a time; with `collate_fn=attune.collate` nothing is copied on the way.
    """

    def __init__(
        self, corpus: Corpus, selection: Selection, columns: Sequence[str], *, scores: Sequence[str] | None = None,
        weight_by: str | None = None, transform: Callable[[Sample], Any] | None = None,
    ) -> None:  # fmt: skip
        if isinstance(columns, str):
            raise BadQuery("columns", f"is the text {columns!r}; it must be a list, as in [{columns!r}]")
        for name in columns:
            if name not in COLUMNS:
                raise BadQuery(name, f"is not a column of a dataset; there are {', '.join(COLUMNS)}")
        self.corpus = corpus
        self.selection = selection
        self.columns = tuple(columns)
        self.transform = transform
        self._ids = [bytes.fromhex(sample) for sample in selection.ids]
        self._load_places()
        names = list(scores) if scores is not None else corpus.score_names() if "scores" in columns else []
        values = corpus.catalogue.scores(self._ids, names) if names else {}
        self._scores: dict[str, NDArray[np.float64]] = {
            name: np.array([values[name].get(sample, np.nan) for sample in self._ids]) for name in names}
        if "scores" not in columns and scores is not None:
            raise BadQuery("scores", "names scores, and columns does not ask for 'scores'")
        self.weight_by = weight_by
        self._weights = corpus.weights(selection, weight_by) if weight_by else None

    def _load_places(self, ids: Sequence[bytes] | None = None) -> None:
        places = self.corpus.catalogue.places(self._ids)
        lost = [sample for sample in self._ids if sample not in places]
        if lost:
            raise NotFound(
                self.selection.name, f"{len(lost)} of its {len(self)} samples are not in the corpus, such as "
                f"{lost[0].hex()[:12]}: run `attune verify`, and `attune info` if the catalogue is behind")  # fmt: skip
        ordered = [places[sample] for sample in self._ids]
        shards = {place.shard: None for place in ordered}
        self._shards = list(shards)
        index = {shard: i for i, shard in enumerate(self._shards)}
        self._shard = np.array([index[place.shard] for place in ordered], np.int32)
        self._row = np.array([place.row for place in ordered], np.int64)
        shapes = {place.latent_shape: None for place in ordered}
        self._shapes = list(shapes)
        numbers = {shape: i for i, shape in enumerate(self._shapes)}
        self._shape = np.array([numbers[place.latent_shape] for place in ordered], np.int32)
        if "latent" in self.columns and () in numbers:
            sample = next(place for place in ordered if not place.latent_shape)
            raise BadQuery(
                self.selection.name, f"sample {sample.id.hex()[:12]} has no latent: import it with --model, or select "
                "where latent_shape <> ''")  # fmt: skip
        self.models = sorted({place.model for place in ordered})

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<dataset of {self.selection!r}: {', '.join(self.columns)}>"

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples' ids, in order."""
        return self.selection.ids

    @property
    def weights(self) -> NDArray[np.float32] | None:
        """What `attune train --weight-by` multiplies each sample's loss by; None without `weight_by`."""
        return self._weights

    def __getitem__(self, key: int) -> Any:
        return self.__getitems__([key])[0]

    def __getitems__(self, keys: Sequence[int]) -> Sequence[Any]:
        """The samples of a batch; what DataLoader calls where it can."""
        positions = self._positions(keys)
        if not positions:
            return Batch(0, {})
        for patience in range(3):
            try:
                batch = self._read(positions)
                break
            except NotFound:
                # `attune pack` may have put the samples into other shards since.
                before = [self._shards[self._shard[p]] for p in positions]
                self._load_places()
                if patience == 2 or before == [self._shards[self._shard[p]] for p in positions]:
                    raise
        if any(isinstance(key, Entry) for key in keys):
            batch.stacked["index"] = np.array(
                [key.index if isinstance(key, Entry) else -1 for key in keys], np.int64)
        if self.transform is not None:
            return [self.transform(sample) for sample in batch]
        return batch

    def _positions(self, keys: Sequence[int]) -> list[int]:
        count = len(self)
        positions = []
        for key in keys:
            position = int(key)
            if not -count <= position < count:
                raise IndexError(f"sample {position} of a selection of {count}")
            positions.append(position % count)
        return positions

    def _read(self, positions: Sequence[int]) -> Batch:
        stacked: dict[str, Any] = {}
        if "id" in self.columns:
            stacked["id"] = [self.selection.ids[p] for p in positions]
        if "latent" in self.columns:
            stacked["latent"] = self._latents(positions)
        places = [(self.corpus.shards[self._shards[self._shard[p]]], int(self._row[p])) for p in positions] if (
            {"image", "png", "prompt", "trace", "manifest"} & set(self.columns)) else []
        for column, read in _READERS.items():
            if column in self.columns:
                found = (read(shard, row) for shard, row in places)
                stacked[column] = _stack(found, len(places)) if column == "image" else list(found)
        if "scores" in self.columns:
            chosen = np.asarray(positions)
            stacked["scores"] = {name: values[chosen] for name, values in self._scores.items()}
        if self._weights is not None:
            stacked["weight"] = self._weights[np.asarray(positions)]
        return Batch(len(positions), stacked)

    def _latents(self, positions: Sequence[int]) -> Any:
        which = np.asarray(positions)
        numbers = self._shape[which]
        if (numbers == numbers[0]).all():
            shape = self._shapes[numbers[0]]
            out, array = _allocate((len(positions), *shape))
            self._unpack(which, shape, array)
            return out
        parts: list[NDArray[np.float32]] = []
        for position in positions:
            array = np.empty((1, *self._shapes[self._shape[position]]), np.float32)
            self._unpack(np.array([position]), array.shape[1:], array)
            parts.append(array[0])
        return parts

    def _unpack(self, positions: NDArray[np.int64], shape: tuple[int, ...], out: NDArray[np.float32]) -> None:
        """Runs of neighbors in one shard at a time."""
        shards, rows = self._shard[positions], self._row[positions]
        cuts = [0, *(np.flatnonzero(np.diff(shards)) + 1).tolist(), len(positions)]
        for start, end in zip(cuts, cuts[1:]):
            if end > start:
                shard = self.corpus.shards[self._shards[shards[start]]]
                shard.latents(rows[start:end], shape, out[start:end])  # type: ignore[arg-type]


def _read_image(shard: Any, row: int) -> NDArray[np.uint8]:
    try:
        return decode_image(shard.png(row))
    except (OSError, SyntaxError, ValueError) as error:
        raise Damaged(shard.path, f"the image of sample {shard.id(row).hex()[:12]} cannot be decoded: {error}") from None


_READERS: dict[str, Callable[[Any, int], Any]] = {
    "image": _read_image,
    "png": lambda shard, row: shard.png(row).tobytes(),
    "prompt": lambda shard, row: shard.prompt(row),
    "trace": lambda shard, row: shard.trace(row),
    "manifest": lambda shard, row: shard.manifest(row),
}


def _stack(images: Iterator[NDArray[np.uint8]], count: int) -> Any:
    """Images as one array where they are of one size, each put where it belongs as it is decoded; else a list."""
    first = next(images)
    out, array = _allocate((count, *first.shape), "uint8")
    array[0] = first
    for place, image in enumerate(images, 1):
        if image.shape != first.shape:
            return [*(array[i].copy() for i in range(place)), image, *images]
        array[place] = image
    return out


def _element(values: Any, index: int) -> Any:
    if isinstance(values, dict):
        return {name: float(column[index]) for name, column in values.items()}
    value = values[index]
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return value.item() if values.dtype.kind == "i" else float(value)
    return value


def _allocate(shape: tuple[int, ...], dtype: str = "float32") -> tuple[Any, NDArray[Any]]:
    """Memory for a column, and a view of it. In a worker of a DataLoader it is shared, so that handing it over copies
    nothing."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.utils.data.get_worker_info() is not None:
        shared = pieces.take(shape, dtype)
        if shared is not None:
            return shared, shared.array
    array = np.empty(shape, dtype)
    return array, array


def collate(samples: Any) -> Any:
    """A batch of samples as tensors: for DataLoader's `collate_fn`.

    Latents and images are stacked where they share one shape, traces padded (timestep -1, NaN) to the longest one;
    prompts, ids and manifests stay lists.
    """
    try:
        import torch
    except ImportError:
        raise need("torch", "to collate batches", "torch") from None
    if not isinstance(samples, Batch):
        if not samples or not isinstance(samples[0], dict):
            return torch.utils.data.default_collate(samples)
        samples = Batch(len(samples), {name: [sample[name] for sample in samples] for name in samples[0]})
    batch: dict[str, Any] = {}
    for name, values in samples.stacked.items():
        batch[name] = _tensors(torch, name, values)
    return batch


def _tensors(torch: Any, name: str, values: Any) -> Any:
    if isinstance(values, SharedArray):
        # It becomes a tensor where it arrives.
        return values
    if isinstance(values, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(values))
    if isinstance(values, dict):
        return {key: torch.from_numpy(column) for key, column in values.items()}
    if name == "trace":
        return _traces(torch, values)
    if isinstance(values, list) and values:
        if isinstance(values[0], np.ndarray) and len({v.shape for v in values}) == 1:
            return torch.from_numpy(np.stack(values))
        if isinstance(values[0], np.ndarray):
            return [torch.from_numpy(np.array(v)) for v in values]
        if torch.is_tensor(values[0]):
            return torch.stack(values) if len({v.shape for v in values}) == 1 else values
        if isinstance(values[0], (int, float)) and not isinstance(values[0], bool):
            return torch.tensor(values)
        if isinstance(values[0], dict) and all(isinstance(v, float) for v in values[0].values()):
            return {key: torch.tensor([v[key] for v in values], dtype=torch.float64) for key in values[0]}
    return values


def _traces(torch: Any, traces: list[dict[str, NDArray[Any]]]) -> dict[str, Any]:
    longest = max(len(t["timestep"]) for t in traces)
    names = {name: None for trace in traces for name in trace}
    padded: dict[str, Any] = {}
    for name in names:
        fill: Any = -1 if name == "timestep" else np.nan
        table = np.full((len(traces), longest), fill, np.int32 if name == "timestep" else np.float32)
        for row, trace in enumerate(traces):
            if name in trace:
                table[row, : len(trace[name])] = trace[name]
        padded[name] = torch.from_numpy(table)
    return padded
