"""Attune corpora from Python: read them, train on them, write scores back, and fill them from diffusers.

    import attune
    corpus = attune.open("demo/corpus")
    corpus.query("mi > 10", by="mi", top=5).to_pandas()
    dataset = corpus.dataset("best", ["latent", "prompt"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__
from .catalogue import COLUMNS, Rows
from .corpus import Corpus, listed
from .corpus import open_corpus as open
from .dataset import Batch, Dataset, collate, decode_image
from .draws import Draws
from .errors import (
    AttuneError,
    BadQuery,
    CatalogueBehind,
    CatalogueBusy,
    CatalogueError,
    CatalogueMissing,
    Damaged,
    ModelMismatch,
    NewerFormat,
    NotACorpus,
    NotFound,
    StateMismatch,
    ToolError,
    Unsupported,
    WorkerDied,
)
from .estimators import mean_kappa, rf, rf_cfg
from .handover import context
from .model import model_digest
from .pairs import Pair
from .sampler import Entry, Sampler
from .scores import add_vectors, annotate
from .selections import HistoryEntry, Selection
from .writer import Writer

if TYPE_CHECKING:
    from .generation import generate
    from .torch import Loader, Stream
    from .trace import TraceHook

_LAZY = {"generate": "generation", "Loader": "torch", "Stream": "torch", "TraceHook": "trace"}


def __getattr__(name: str) -> Any:
    # What needs torch is loaded when it is asked for.
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module 'attune' has no attribute {name!r}")


__all__ = [
    "COLUMNS", "AttuneError", "BadQuery", "Batch", "CatalogueBehind", "CatalogueBusy", "CatalogueError",
    "CatalogueMissing", "Corpus", "Damaged", "Dataset", "Draws", "Entry", "HistoryEntry", "Loader", "ModelMismatch",
    "NewerFormat", "NotACorpus", "NotFound", "Pair", "Rows", "Sampler", "Selection", "StateMismatch", "Stream",
    "ToolError", "TraceHook", "Unsupported", "WorkerDied", "Writer", "__version__", "add_vectors", "annotate", "collate",
    "context", "decode_image", "generate", "listed", "mean_kappa", "model_digest", "open", "rf", "rf_cfg",
]  # fmt: skip
