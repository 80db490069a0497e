"""What can go wrong: each error says what, where, and what to do about it, in one line."""

from __future__ import annotations


class AttuneError(Exception):
    """The base of all errors of this package.

    ``subject`` is the file, name or object that the trouble is in; ``message`` says what is wrong and what to do.
    """

    def __init__(self, subject: str, message: str = "") -> None:
        # A DataLoader raises a worker's error again with one text for everything.
        super().__init__(*((subject, message) if message else (subject,)))
        self.subject = subject
        self.message = message

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}" if self.message else self.subject


class NotACorpus(AttuneError):
    """The folder holds no corpus."""


class NewerFormat(AttuneError):
    """A corpus, shard, selection or catalogue of a version that this package does not know."""


class Damaged(AttuneError):
    """A file is not what was written."""


class NotFound(AttuneError, LookupError):
    """A selection, sample, shard or file is not there."""


class CatalogueError(AttuneError):
    """The catalogue cannot be used as it is."""


class CatalogueMissing(CatalogueError):
    """The corpus has no catalogue yet."""


class CatalogueBehind(CatalogueError):
    """The corpus has shards that the catalogue does not list."""


class CatalogueBusy(CatalogueError):
    """The catalogue is being rebuilt."""


class BadQuery(AttuneError, ValueError):
    """A query, column or argument that cannot be understood."""


class StateMismatch(AttuneError, ValueError):
    """A saved state belongs to other data than it is loaded for."""


class ModelMismatch(AttuneError, ValueError):
    """Samples were made with another model."""


class WorkerDied(AttuneError):
    """A worker process of a loader ended before its work."""


class ToolError(AttuneError):
    """The attune command is missing, or refused what it was given."""


class Unsupported(AttuneError):
    """Something that this package cannot do, or that needs a package which is not installed."""


def need(package: str, purpose: str, extra: str) -> Unsupported:
    """The error for a package that is only needed for some things."""
    return Unsupported(package, f"is needed {purpose}: pip install {package}, or attune[{extra}]")
