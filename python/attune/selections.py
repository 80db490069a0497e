"""Selections: immutable lists of sample ids, and the names that stand for them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import BadQuery, Damaged, NewerFormat, NotFound

_VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}\Z")


@dataclass(frozen=True)
class Selection:
    """An immutable, ordered list of sample ids with the policy that chose them."""

    #: SHA-256 of the selection's document: the same choice has the same digest everywhere.
    digest: str
    #: Hexadecimal, in the order in which training reads them.
    ids: tuple[str, ...]
    policy: dict[str, Any] = field(hash=False)
    #: What it was asked for by.
    name: str = field(compare=False)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"<selection {self.name}: {len(self.ids)} samples, {self.digest[:12]}>"


@dataclass(frozen=True)
class HistoryEntry:
    """One selection that a name has stood for."""

    digest: str
    #: Seconds since 1970.
    time: int


class Selections:
    """The selections of a corpus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """The names that stand for selections, sorted."""
        try:
            return sorted(p.name[:-5] for p in (self.folder / "refs").iterdir() if p.name.endswith(".json"))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Damaged(str(self.folder / "refs"), f"cannot be listed: {error.strerror}") from None

    def history(self, name: str) -> list[HistoryEntry]:
        """All selections that a name has stood for, oldest first; empty for an unknown name."""
        if not _NAME.match(name):
            raise BadQuery(name, "a selection's name has letters, digits, '.', '_' and '-' only")
        path = self.folder / "refs" / f"{name}.json"
        try:
            entries = json.loads(path.read_bytes())
            return [HistoryEntry(str(e["digest"]), int(e["time"])) for e in entries]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Damaged(str(path), f"cannot be read ({error.strerror}): check its permissions") from None
        except (ValueError, TypeError, KeyError):
            raise Damaged(str(path), "is not a history of selections: restore it from a copy") from None

    def find(self, text: str) -> Selection:
        """A name, `name~1` for the selection before the present one, or a digest's first six digits or more."""
        name, mark, back = text.rpartition("~")
        if mark and back.isdigit():
            history = self.history(name)
            if not history:
                raise self._unknown(name)
            if int(back) >= len(history):
                raise NotFound(text, f"the history of {name} begins with {name}~{len(history) - 1}")
            return self.read(history[-1 - int(back)].digest, text)
        history = self.history(text)
        if history:
            return self.read(history[-1].digest, text)
        if not re.fullmatch(r"[0-9a-fA-F]{6,64}", text):
            raise self._unknown(text)
        fitting = sorted(
            p.name[:-5] for p in (self.folder / "selections").glob(f"{text.lower()}*.json") if len(p.name) == 69)
        if len(fitting) > 1:
            raise BadQuery(text, f"{len(fitting)} selections begin with these digits: give more of them")
        if not fitting:
            raise self._unknown(text)
        return self.read(fitting[0], text)

    def read(self, digest: str, name: str) -> Selection:
        """A selection by its whole digest, checked against it."""
        path = self.folder / "selections" / f"{digest}.json"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise NotFound(str(path), "the selection's document is missing: run `attune verify`") from None
        except OSError as error:
            raise Damaged(str(path), f"cannot be read: {error.strerror}") from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise Damaged(str(path), "the selection's bytes do not match its name: run `attune verify`")
        document = json.loads(data)
        if document.get("format") != "attune-selection":
            raise Damaged(str(path), "is not a selection")
        if document.get("version", 0) > _VERSION:
            raise NewerFormat(str(path), f"is a selection of version {document['version']}: update the attune package")
        return Selection(digest, tuple(document["ids"]), document["policy"], name)

    def _unknown(self, name: str) -> NotFound:
        known = self.names()
        if not known:
            return NotFound(name, "no such selection: make one with `attune select`")
        return NotFound(name, f"no such selection; there are {', '.join(known)}")
