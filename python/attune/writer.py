"""Writes batches of samples for `attune import --format shard` (schemas/shard.md)."""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .canonical import canonical, sha256
from .corpus import Corpus
from .errors import AttuneError, BadQuery, ModelMismatch, NewerFormat, need
from .files import write_atomically
from .shard import VERSION

#: Schedules that turn a trace into MI.
SCHEDULE = ("beta_start", "beta_end", "beta_schedule", "num_train_timesteps")


def recipe(
    *, prompt: str, seed: int, model: str, sampler: str, steps: int, guidance: float, width: int, height: int,
    adapter: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What is known of a sample before it is made; its digest tells whether the work has been done."""
    members: dict[str, Any] = {
        "prompt": prompt, "seed": str(seed), "model": model, "sampler": sampler, "steps": steps,
        "guidance": float(guidance), "width": width, "height": height,
    }  # fmt: skip
    if adapter:
        members["adapter"] = adapter
    return members


def recipe_digest(members: Mapping[str, Any]) -> str:
    """SHA-256 of a recipe's canonical JSON."""
    return sha256(canonical(dict(members)))


@dataclass
class _Record:
    manifest: bytes
    prompt: str
    png: bytes
    latent: NDArray[np.float32] | None
    trace: dict[str, NDArray[Any]]


class Writer:
    """Batches of samples in a folder, written as they come, for `attune import --format shard FOLDER`.

        with attune.Writer("batches", corpus="C", schedule=...) as writer:
            if not writer.has(prompt=..., seed=..., ...):
                writer.add(prompt=..., seed=..., image=..., latent=..., timesteps=..., delta_sq=...)

    A batch is one file of `batch_size` samples that appears whole or not at all. Opened again on the same folder it goes
    on: `has` knows what the folder holds, and what `corpus` holds. `add` leaves such samples out and returns False.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, corpus: Corpus | str | os.PathLike[str] | None = None,
        schedule: Mapping[str, Any] | None = None, batch_size: int = 256, tag: str | None = None,
        model: str | None = None,
    ) -> None:  # fmt: skip
        if batch_size < 1:
            raise BadQuery("batch_size", f"is {batch_size}; it must be at least 1")
        if schedule is not None and set(schedule) != set(SCHEDULE):
            raise BadQuery("schedule", f"has {', '.join(sorted(schedule))}; it needs {', '.join(SCHEDULE)}")
        self.folder = Path(folder)
        self.corpus = Corpus(Path(corpus).absolute()) if isinstance(corpus, (str, os.PathLike)) else corpus
        self.schedule = dict(schedule) if schedule is not None else None
        self.batch_size, self.tag, self.model = batch_size, tag, model
        self._pending: list[_Record] = []
        self._known: set[str] = set()
        #: Files written by this writer.
        self.files: list[Path] = []
        self.added = self.skipped = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AttuneError(str(self.folder), f"cannot be made: {error.strerror}") from error
        for path in sorted(self.folder.glob("*.h5")):
            self._take_up(path)

    # --- what is there

    def _take_up(self, path: Path) -> None:
        import json

        import h5py

        try:
            with h5py.File(path, "r") as file:
                kind, version = file.attrs["format"], int(file.attrs["version"])
                if kind != b"attune-shard":
                    raise KeyError(f"format {kind!r}")
                if version > VERSION:
                    raise NewerFormat(str(path), f"has shard format {version}: update the attune package")
                data = file["samples/manifest"][()].tobytes()
                starts = file["samples/manifest_offset"][()].tolist()
            manifests = [json.loads(data[a:b]) for a, b in zip(starts, starts[1:])]
        except (OSError, KeyError, ValueError) as error:
            raise AttuneError(
                str(path), f"is not a batch that can be taken up ({error}): remove it, or write to another folder") from None
        for manifest in manifests:
            if self.model is not None and manifest["model"] != self.model:
                raise ModelMismatch(
                    str(path), f"holds samples of model {manifest['model'][:19]}, not {self.model[:19]}: write to another "
                    "folder, or use that model")  # fmt: skip
            self._known.add(manifest["recipe_sha256"])

    def missing(self, recipes: Sequence[Mapping[str, Any]]) -> list[int]:
        """The places of those recipes (see ``attune.writer.recipe``) that neither the folder nor the corpus has."""
        digests = [recipe_digest(members) for members in recipes]
        absent = [i for i, digest in enumerate(digests) if digest not in self._known]
        if self.corpus is not None and absent:
            there = self.corpus.catalogue.existing([bytes.fromhex(digests[i]) for i in absent])
            absent = [i for i in absent if bytes.fromhex(digests[i]) not in there]
        return absent

    def has(self, **members: Any) -> bool:
        """Whether a sample of this recipe is there: prompt, seed, model, sampler, steps, guidance, width, height, adapter."""
        return not self.missing([recipe(**members)])

    # --- writing

    def add(
        self, *, prompt: str, seed: int, model: str, sampler: str, steps: int, guidance: float, image: ArrayLike,
        latent: ArrayLike | None = None, timesteps: Sequence[int] = (), delta_sq: Iterable[float] = (),
        sigma: Iterable[float] | None = None, velocity_delta: Iterable[float] | None = None,
        adapter: str | None = None, tag: str | None = None,
    ) -> bool:  # fmt: skip
        """Takes a sample; False where it is already present.

        image: uint8 [height, width, 3]; latent: float32 [C, h, w], scaled as the denoiser takes it;
        timesteps: training timesteps from noisy to clean; delta_sq: at each, the sum over C*h*w of the squared difference
        of the predictions with and without the prompt, NaN where a step was not guided. Of a flow-matching model that is
        (v_c - v_0)^2, and `sigma` and `velocity_delta`, the sum of v_c * (v_c - v_0), belong to it.
        """
        pixels = np.ascontiguousarray(image)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise BadQuery("image", f"is {pixels.dtype} {list(pixels.shape)}; it must be uint8 [height, width, 3]")
        if not 0 <= seed < 1 << 64:
            raise BadQuery("seed", f"is {seed}; it must be 0 to 2^64 - 1")
        if not math.isfinite(guidance) or steps < 0:
            raise BadQuery("guidance, steps", f"are {guidance} and {steps}; they must be finite and at least 0")
        if self.model is not None and model != self.model:
            raise ModelMismatch(model, f"is not the model of this writer, {self.model}")
        height, width = pixels.shape[:2]
        members = recipe(
            prompt=prompt, seed=seed, model=model, sampler=sampler, steps=steps, guidance=guidance, width=width,
            height=height, adapter=adapter)  # fmt: skip
        if not self.missing([members]):
            self.skipped += 1
            return False
        values = None if latent is None else np.ascontiguousarray(latent, "<f4")
        if values is not None and (values.ndim != 3 or not np.isfinite(values).all()):
            raise BadQuery("latent", f"is {list(values.shape)} or has values that are not finite; it must be [C, h, w]")
        trace = _trace(timesteps, delta_sq, sigma, velocity_delta)
        digest = recipe_digest(members)
        whole = dict(
            members, recipe_sha256=digest, pixels_sha256=sha256(pixels.tobytes()),
            latent_sha256=sha256(b"" if values is None else values.tobytes()),
            latent_shape=[] if values is None else list(values.shape))  # fmt: skip
        if tag or self.tag:
            whole["tag"] = tag or self.tag
        if len(trace["timestep"]) and "sigma" not in trace:
            if self.schedule is None:
                raise BadQuery("schedule", f"is missing: a trace needs {', '.join(SCHEDULE)} of the model's scheduler")
            whole["schedule"] = self.schedule
        self._pending.append(_Record(canonical(whole), prompt, _png(pixels), values, trace))
        self._known.add(digest)
        self.added += 1
        if len(self._pending) >= self.batch_size:
            self.flush()
        return True

    def flush(self) -> Path | None:
        """Writes what has been added since the last batch; None where that is nothing."""
        if not self._pending:
            return None
        whole = hashlib.sha256(b"".join(hashlib.sha256(r.manifest).digest() for r in self._pending)).hexdigest()
        path = self.folder / f"batch-{whole[:32]}.h5"
        records = self._pending
        write_atomically(path, lambda temporary: write_shard(temporary, records))
        self._pending = []
        self.files.append(path)
        return path

    def close(self) -> None:
        """Writes the last batch."""
        self.flush()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        # What was added whole is worth keeping, whatever stopped the work.
        self.flush()


def _trace(
    timesteps: Sequence[int], delta_sq: Iterable[float], sigma: Iterable[float] | None,
    velocity_delta: Iterable[float] | None,
) -> dict[str, NDArray[Any]]:  # fmt: skip
    trace: dict[str, NDArray[Any]] = {
        "timestep": np.asarray(list(timesteps), "<i4"), "delta_sq": np.asarray(list(delta_sq), "<f4")}
    if (sigma is None) != (velocity_delta is None):
        raise BadQuery("trace", "of a flow-matching model needs both sigma and velocity_delta")
    if sigma is not None and velocity_delta is not None:
        trace["sigma"] = np.asarray(list(sigma), "<f4")
        trace["velocity_delta"] = np.asarray(list(velocity_delta), "<f4")
    if len({len(values) for values in trace.values()}) > 1:
        raise BadQuery("trace", "has " + ", ".join(f"{len(v)} of {n}" for n, v in trace.items()) + ": give as many of each")
    t = trace["timestep"]
    if (t < 0).any() or (np.diff(t) >= 0).any():
        raise BadQuery("timesteps", "must fall, from noisy to clean, and be at least 0")
    if (trace["delta_sq"] < 0).any() or np.isinf(trace["delta_sq"]).any():
        raise BadQuery("delta_sq", "has values below zero or not finite; NaN stands for a step that was not guided")
    if "sigma" in trace and not ((trace["sigma"] >= 0) & (trace["sigma"] <= 1)).all():
        raise BadQuery("sigma", "must be 0 to 1")
    return trace


def _png(pixels: NDArray[np.uint8]) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise need("pillow", "to write images", "images") from None
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _joined(pieces: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pieces end to end, and where each begins and the last ends."""
    return np.frombuffer(b"".join(pieces), "u1"), np.cumsum([0] + [len(p) for p in pieces], dtype="<i8")


def write_shard(path: Path, records: Sequence[_Record]) -> None:
    """Writes records as one file."""
    import h5py
    import hdf5plugin

    latents: dict[str, list[NDArray[np.float32]]] = {}
    latent_rows: list[int] = []
    prompts: dict[str, int] = {}
    for record in records:
        prompts.setdefault(record.prompt, len(prompts))
        if record.latent is None:
            latent_rows.append(-1)
            continue
        rows = latents.setdefault("x".join(map(str, record.latent.shape)), [])
        latent_rows.append(len(rows))
        rows.append(record.latent)
    longest = max(len(record.trace["timestep"]) for record in records)
    names = ["timestep", "delta_sq"]
    is_flow = any("sigma" in record.trace for record in records)
    if is_flow:
        names += ["sigma", "velocity_delta"]

    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file.attrs["format"] = np.bytes_("attune-shard")
        # The oldest version that says all: what has no flow-matching trace stays readable by every attune.
        file.attrs["version"] = np.bytes_("3" if is_flow else "1")

        def put(name: str, values: NDArray[Any]) -> None:
            file.create_dataset(name, data=values, track_times=False)

        put("samples/id", np.array([list(hashlib.sha256(r.manifest).digest()) for r in records], "u1"))
        put("samples/prompt", np.array([prompts[r.prompt] for r in records], "<i8"))
        put("samples/latent_row", np.array(latent_rows, "<i8"))
        for name, offsets, pieces in (
            ("samples/manifest", "samples/manifest_offset", [r.manifest for r in records]),
            ("prompts/text", "prompts/text_offset", [p.encode() for p in prompts]),
            ("images/png", "images/offset", [r.png for r in records]),
        ):
            data, starts = _joined(pieces)
            put(name, data)
            put(offsets, starts)
        file.create_group("latents")
        for name, rows in latents.items():
            file.create_dataset(
                f"latents/{name}", data=np.stack(rows), chunks=(1, *rows[0].shape), track_times=False,
                **hdf5plugin.Zstd(clevel=3))  # fmt: skip
        for name in names:
            kind, fill = ("<i4", -1) if name == "timestep" else ("<f4", np.nan)
            table = np.full((len(records), longest), fill, kind)
            for row, record in enumerate(records):
                if name in record.trace:
                    table[row, : len(record.trace[name])] = record.trace[name]
            put(f"traces/{name}", table)
