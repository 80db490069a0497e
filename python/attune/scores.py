"""Scores and vectors on their way into a corpus: files that `attune annotate` imports."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import BadQuery, ToolError
from .files import write_atomically

if TYPE_CHECKING:
    from .corpus import Corpus

_ID = re.compile(r"[0-9a-f]{64}\Z")
_SCORER = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


def annotate(path: str | os.PathLike[str], scorer: str, values: Mapping[str, float]) -> Path:
    """Writes scores by sample id as JSON lines, for `attune annotate PATH --scorer SCORER`."""
    if not _SCORER.match(scorer):
        raise BadQuery(scorer, "a scorer's name has a-z, 0-9 and '_' only, and begins with a letter, as in hps_v2")
    lines = []
    for sample, value in values.items():
        _require_id(sample)
        number = float(value)
        if not np.isfinite(number):
            raise BadQuery(sample, f"has a score of {number}; leave out what has none")
        lines.append(json.dumps({"id": sample, scorer: number}) + "\n")
    if not lines:
        raise BadQuery(scorer, "has no values to write")
    target = Path(path)
    if target.suffix != ".jsonl":
        raise BadQuery(str(target), "must end in .jsonl, by which attune knows JSON lines")
    write_atomically(target, lambda temporary: _write(temporary, "".join(lines)))
    return target


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def annotate_corpus(
    corpus: Corpus, scorer: str, values: Mapping[str, float], command: str | os.PathLike[str]
) -> str:
    """See ``Corpus.annotate``."""
    found = shutil.which(command)
    if found is None:
        raise ToolError(
            str(command), "is not on the path: give command=, or write a file with attune.annotate(path, scorer, values) "
            "and import it with `attune annotate`")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="attune-") as folder:
        path = annotate(Path(folder) / f"{scorer}.jsonl", scorer, values)
        outcome = subprocess.run(
            [found, "annotate", "--corpus", str(corpus.folder), str(path), "--scorer", scorer],
            capture_output=True, text=True, check=False)  # fmt: skip
    if outcome.returncode != 0:
        raise ToolError(f"attune annotate --scorer {scorer}", outcome.stderr.strip() or f"failed ({outcome.returncode})")
    return outcome.stdout.strip()


def add_vectors(
    path: str | os.PathLike[str], name: str, vectors: Mapping[str, Any] | tuple[Sequence[str], Any]
) -> Path:
    """Writes feature vectors by sample id as an .npz file, for `attune annotate PATH --vectors`.

    The file has `id` (uint8 [n, 32], the ids' bytes), `vector` (float32 [n, d]) and `name` (what made them, such as
    dinov2_vitb14). `vectors` is a mapping from ids to vectors, or ids and a matrix.
    """
    if not _SCORER.match(name):
        raise BadQuery(name, "a name has a-z, 0-9 and '_' only, and begins with a letter, as in dinov2_vitb14")
    target = Path(path)
    if target.suffix != ".npz":
        raise BadQuery(str(target), "must end in .npz, which is what it will be")
    ids, rows = (list(vectors), list(vectors.values())) if isinstance(vectors, Mapping) else vectors
    for sample in ids:
        _require_id(sample)
    if len(set(ids)) != len(ids):
        raise BadQuery(str(target), "names a sample twice: give one vector for each")
    try:
        matrix = np.asarray(np.stack([np.asarray(row, np.float32) for row in rows]))
    except ValueError:
        raise BadQuery(str(target), "has vectors of different widths, or none: give one width") from None
    if matrix.ndim != 2 or matrix.shape[0] != len(ids):
        raise BadQuery(str(target), f"has vectors of shape {matrix.shape} for {len(ids)} ids: give [n, d]")
    if not np.isfinite(matrix).all():
        worst = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise BadQuery(ids[worst], "has a vector with values that are not finite")
    raw = np.frombuffer(bytes.fromhex("".join(ids)), np.uint8).reshape(-1, 32)

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez(file, id=raw, vector=matrix, name=np.array(name))

    write_atomically(target, write)
    return target


def _require_id(sample: str) -> None:
    if not isinstance(sample, str) or not _ID.match(sample):
        raise BadQuery(str(sample)[:80], "is not a sample's id: 64 hexadecimal digits, as in query's column id")
