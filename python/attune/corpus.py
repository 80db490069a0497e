"""A corpus, opened to read."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .catalogue import SCORES, Catalogue, Rows
from .dataset import Dataset, Sample
from .errors import BadQuery, Damaged, ModelMismatch, NewerFormat, NotACorpus
from .pairs import Pair, make_pairs
from .selections import HistoryEntry, Selection, Selections
from .shard import Shards

if TYPE_CHECKING:
    from .torch import Stream

#: The newest corpus that this package reads.
VERSION = 1


class Corpus:
    """A corpus, read and never written. It holds no open file, so it can be pickled and used after a fork."""

    def __init__(self, folder: Path, stale: str = "raise") -> None:
        self.folder = folder
        _check(folder)
        self.catalogue = Catalogue(folder, stale)
        self.shards = Shards(folder, self.catalogue.stamp)
        self._selections = Selections(folder)

    def __repr__(self) -> str:
        return f"<corpus {self.folder}>"

    # --- what is there

    def columns(self) -> list[str]:
        """The columns of queries: those of `attune query`, and each scorer of `attune annotations`."""
        return self.catalogue.columns()

    def scorers(self) -> list[str]:
        """The names of the scorers that have annotated samples."""
        return self.catalogue.scorers()

    def score_names(self) -> list[str]:
        """The columns that are scores."""
        return [name for name in self.columns() if name in SCORES] + self.scorers()

    def query(
        self, sql: str | None = None, parameters: Sequence[Any] | Mapping[str, Any] = (), *,
        columns: Sequence[str] | None = None, by: str | None = None, top: int | None = None, per_prompt: bool = False,
    ) -> Rows:  # fmt: skip
        """Samples by a condition as `attune query` takes it, or by a whole SELECT over the table `samples`.

            corpus.query("mi > ? AND prompt LIKE ?", (20, "%star%"), by="mi", top=5).to_pandas()
            corpus.query("SELECT prompt, max(mi) AS best FROM samples GROUP BY prompt").to_arrow()

        `by` ranks, largest first; `top` keeps so many, of each prompt with `per_prompt`. The connection cannot write.
        """
        values: Any = dict(parameters) if isinstance(parameters, Mapping) else tuple(parameters)
        return self.catalogue.query(sql, values, columns=columns, by=by, top=top, per_prompt=per_prompt)

    def selections(self) -> list[str]:
        """The names that stand for selections."""
        return self._selections.names()

    def history(self, name: str) -> list[HistoryEntry]:
        """All selections that a name has stood for, oldest first."""
        return self._selections.history(name)

    def selection(self, name: str) -> Selection:
        """A selection: by its name, `name~1` for the one before the present one, or the digits of its digest."""
        return self._selections.find(name)

    def _meant(self, selection: Selection | str) -> Selection:
        return self.selection(selection) if isinstance(selection, str) else selection

    def choose(
        self, sql: str | None = None, parameters: Sequence[Any] | Mapping[str, Any] = (), *, by: str | None = None,
        top: int | None = None, per_prompt: bool = False,
    ) -> Selection:  # fmt: skip
        """A selection that no name stands for, out of a query: for `dataset`, not for others to find."""
        rows = self.query(sql, parameters, columns=["id"], by=by, top=top, per_prompt=per_prompt)
        return listed(rows.column("id"), sql or "all")

    # --- samples

    def dataset(
        self, selection: Selection | str, columns: Sequence[str] = ("latent", "prompt"), *,
        scores: Sequence[str] | None = None, weight_by: str | None = None,
        transform: Callable[[Sample], Any] | None = None,
    ) -> Dataset:  # fmt: skip
        """The samples of a selection, map-style: `columns` of id, image, png, latent, prompt, scores, trace, manifest.

        `scores` says which (default: all); `weight_by` adds `weight`, what `attune train --weight-by` multiplies losses
        by; `transform` is applied to each sample's dict.
        """
        return Dataset(
            self, self._meant(selection), columns, scores=scores, weight_by=weight_by, transform=transform)

    def stream(
        self, selection: Selection | str, columns: Sequence[str] = ("latent", "prompt"), *, seed: int = 42,
        batch_size: int = 8, epochs: int | None = None, **options: Any,
    ) -> Stream:  # fmt: skip
        """The same as an iterable data set of whole batches, in the order of `attune train`; needs torch."""
        from .torch import Stream

        return Stream(self.dataset(selection, columns, **options), seed=seed, batch_size=batch_size, epochs=epochs)

    def pairs(
        self, selection: Selection | str, by: str = "mi", margin: float = 0.0, *, limit: int | None = None
    ) -> list[Pair]:
        """Pairs of one prompt whose scores differ by `margin` or more, for preference learning.

        Of each prompt all pairs, those that differ most first; `limit` keeps so many of each prompt.
        """
        chosen = self._meant(selection)
        return make_pairs(self, chosen, by, margin, limit)

    def weights(self, selection: Selection | str, name: str) -> NDArray[np.float32]:
        """What `attune train --weight-by NAME` multiplies each sample's loss by."""
        chosen = self._meant(selection)
        ids = [bytes.fromhex(sample) for sample in chosen.ids]
        values = self.catalogue.scores(ids, [name])[name]
        for sample in ids:
            value = values.get(sample)
            if value is None:
                raise BadQuery(
                    name, f"sample {sample.hex()[:12]} of {chosen.name} has none: score it, or select where {name} IS "
                    "NOT NULL")  # fmt: skip
            if not (value >= 0 and np.isfinite(value)):
                raise BadQuery(
                    name, f"of sample {sample.hex()[:12]} is {value}, and a weight is at least 0: select where {name} "
                    ">= 0")  # fmt: skip
        return np.array([values[sample] for sample in ids], np.float32)

    def check_model(self, selection: Selection | str, model: str | os.PathLike[str]) -> str:
        """Raises ModelMismatch where samples were made with another model; returns the model's digest."""
        from .model import model_digest

        chosen = self._meant(selection)
        digest = model_digest(model)
        for place in self.catalogue.places([bytes.fromhex(sample) for sample in chosen.ids]).values():
            if place.model != digest:
                raise ModelMismatch(
                    str(model), f"is {digest[:19]}, sample {place.id.hex()[:12]} of {chosen.name} was made with "
                    f"{place.model[:19]}: use the model that made it, or select by model")  # fmt: skip
        return digest

    # --- runs and scores

    def run_settings(self, name: str) -> dict[str, Any]:
        """What a training run is bound to: the first line of its log."""
        path = self.folder / "runs" / name / "log.jsonl"
        try:
            with open(path, encoding="utf-8") as file:
                settings = json.loads(file.readline())
        except (OSError, ValueError) as error:
            raise Damaged(str(path), f"cannot be read ({error}): is there a run of this name?") from None
        if not isinstance(settings, dict) or settings.get("event") != "run":
            raise Damaged(str(path), "does not begin with the run's settings: run `attune verify`")
        return settings

    def annotate(
        self, scorer: str, values: Mapping[str, float], *, command: str | os.PathLike[str] = "attune"
    ) -> str:
        """Writes scores by sample id back into the corpus, through the attune command; returns what it said."""
        from .scores import annotate_corpus

        return annotate_corpus(self, scorer, values, command)

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)


def listed(ids: Sequence[str], name: str) -> Selection:
    """A selection out of ids, as `attune select --from` would make it."""
    from .canonical import canonical, sha256

    policy = {"from": "list"}
    document = {"format": "attune-selection", "version": 1, "policy": policy, "ids": list(ids)}
    return Selection(sha256(canonical(document)), tuple(ids), policy, name)


def _check(folder: Path) -> None:
    path = folder / "attune.json"
    try:
        settings = json.loads(path.read_bytes())
        version = int(settings["version"])
        if settings["format"] != "attune-corpus":
            raise ValueError
    except (FileNotFoundError, NotADirectoryError):
        raise NotACorpus(str(folder), "is not a corpus: make one with `attune init`") from None
    except OSError as error:
        raise Damaged(str(path), f"cannot be read ({error.strerror}): check its permissions") from None
    except (ValueError, KeyError, TypeError):
        raise Damaged(str(path), "is damaged: restore it from a copy") from None
    if version > VERSION:
        raise NewerFormat(
            str(path), f"the corpus has format {version}, this package knows up to {VERSION}: update the attune package")


@functools.wraps(Corpus)
def open_corpus(path: str | os.PathLike[str] | None = None, *, stale: str = "raise") -> Corpus:
    """Opens a corpus to read. Without a path it is that of the environment variable ATTUNE_CORPUS.

    `stale` says what to do where the catalogue lacks shards: "raise" (default), "warn" or "ignore".
    """
    named = path if path is not None else os.environ.get("ATTUNE_CORPUS")
    if not named:
        raise BadQuery("path", "is missing: give the corpus's folder, or set ATTUNE_CORPUS")
    return Corpus(Path(named).absolute(), stale)
