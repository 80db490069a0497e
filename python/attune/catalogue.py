"""The SQLite catalogue of a corpus, read and never written.

It is derived from the shards by the attune command, which brings it up to date whenever it opens the corpus.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import (
    AttuneError,
    BadQuery,
    CatalogueBehind,
    CatalogueBusy,
    CatalogueError,
    CatalogueMissing,
    Damaged,
    NewerFormat,
    need,
)

if TYPE_CHECKING:
    import pandas
    import pyarrow

#: The columns of a query, in their order; each scorer of `attune annotations` is one more.
COLUMNS = (
    "id", "recipe", "prompt", "seed", "model", "adapter", "sampler", "steps", "guidance", "width", "height", "tag",
    "mi", "mi_se", "mi_reference", "mi_source", "mc", "mc_se", "mc_reference", "mc_draws",
    "contrast", "contrast_se", "contrast_hard", "pointwise", "near_misses", "rf", "rf_cfg", "latent_shape", "shard", "row",
)  # fmt: skip
#: Those of them that are scores.
SCORES = (
    "mi", "mi_se", "mi_reference", "mc", "mc_se", "mc_reference", "contrast", "contrast_se", "contrast_hard", "pointwise",
    "rf", "rf_cfg",
)  # fmt: skip
#: Catalogues whose tables this package reads.
VERSIONS = range(7, 14)

_SHARED = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "ceph", "beegfs", "9p", "afs", "gfs2", "ocfs2", "panfs",
    "wekafs", "virtiofs", "vboxsf",
}  # fmt: skip
_KINDS = {"id": "hex", "recipe": "hex", "shard": "hex"}


@dataclass(frozen=True)
class Place:
    """Where a sample lies, and what it looks like."""

    id: bytes
    shard: str
    row: int
    latent_shape: tuple[int, ...]
    model: str


class Rows(Sequence[dict[str, Any]]):
    """What a query gave: a list of dicts, and as a pandas or Arrow table on request."""

    def __init__(self, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        self.columns = columns
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Rows(self.columns, self.rows[index])
        return dict(zip(self.columns, self.rows[index]))

    def column(self, name: str) -> list[Any]:
        """One column as a list."""
        if name not in self.columns:
            raise BadQuery(name, f"is not a column of this query; there are {', '.join(self.columns)}")
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def to_list(self) -> list[dict[str, Any]]:
        """A list of dicts."""
        return list(self)

    def _typed(self, name: str) -> list[Any]:
        values = self.column(name)
        # A number that has a fraction in one row is one in all: 5.0 comes back from SQLite as it went in.
        if any(isinstance(value, float) for value in values):
            return [float(v) if isinstance(v, int) else v for v in values]
        return values

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas table; missing scores are NaN."""
        try:
            import pandas
        except ImportError:
            raise need("pandas", "for to_pandas()", "pandas") from None
        return pandas.DataFrame({name: self._typed(name) for name in self.columns}, columns=self.columns)

    def to_arrow(self) -> pyarrow.Table:
        """An Arrow table; missing scores are null."""
        try:
            import pyarrow
        except ImportError:
            raise need("pyarrow", "for to_arrow()", "arrow") from None
        arrays = {}
        for name in self.columns:
            values = self._typed(name)
            kind = pyarrow.uint64() if any(isinstance(v, int) and v >= 1 << 63 for v in values) else None
            arrays[name] = pyarrow.array(values, type=kind)
        return pyarrow.table(arrays)

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {', '.join(self.columns)}>"


def is_shared(folder: Path) -> bool:
    """Whether other hosts may be using a folder: hosts that share one have a catalogue each."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    path = os.path.realpath(folder)
    best = ("", "")
    for line in mounts.split("\n"):
        fields, _, rest = line.partition(" - ")
        parts = fields.split(" ")
        if len(parts) < 5 or not rest:
            continue
        point = parts[4].replace("\\040", " ")
        if (point == "/" or path == point or path.startswith(point + "/")) and len(point) >= len(best[0]):
            best = (point, rest.split(" ")[0])
    return best[1] in _SHARED or best[1].startswith("fuse")


def own_name(folder: Path) -> str:
    """The name that this host's catalogue has."""
    if not is_shared(folder):
        return "catalog.sqlite"
    host = "".join(c if c.isalpha() or c.isnumeric() else "_" for c in os.environ.get("ATTUNE_HOST") or socket.gethostname())
    return f"catalog-{host}.sqlite"


class Catalogue:
    """Questions to a corpus's catalogue. It holds no connection, so it can be pickled and used after a fork.

    ``stale`` says what to do about a catalogue that lacks shards: "raise", "warn" or "ignore".
    """

    #: Seconds to wait for a shard that has just appeared to be entered by who sealed it.
    patience = 2.0

    def __init__(self, folder: Path, stale: str = "raise") -> None:
        if stale not in ("raise", "warn", "ignore"):
            raise BadQuery("stale", f"is {stale!r}; it must be 'raise', 'warn' or 'ignore'")
        self.folder = folder
        self.stale = stale

    # --- connections

    def path(self) -> tuple[Path, bool]:
        """The file to read, and whether it is this host's."""
        own = self.folder / own_name(self.folder)
        if own.exists():
            return own, True
        others = sorted(self.folder.glob("catalog*.sqlite"), key=lambda p: p.stat().st_mtime, reverse=True)
        if others:
            return others[0], False
        raise CatalogueMissing(
            str(self.folder), f"has no catalogue: make one with `attune info --corpus {self.folder}`")

    @contextlib.contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """A connection that cannot write, for one question."""
        path, is_own = self.path()
        with contextlib.ExitStack() as stack:
            try:
                connection = self._open(path, is_own, stack)
                self._prepare(connection, path)
                yield connection
            except sqlite3.OperationalError as error:
                if "locked" in str(error) or "busy" in str(error):
                    raise CatalogueBusy(str(path), "is being rebuilt: wait for `attune reindex` to end, then ask again")
                raise CatalogueError(
                    str(path), f"cannot be read ({error}): run `attune reindex --corpus {self.folder}`") from error
            except sqlite3.DatabaseError as error:
                raise CatalogueError(
                    str(path), f"is damaged ({error}): delete it and run `attune reindex --corpus {self.folder}`"
                ) from error

    def _open(self, path: Path, is_own: bool, stack: contextlib.ExitStack) -> sqlite3.Connection:
        log = Path(f"{path}-wal")
        has_log = log.exists() and log.stat().st_size > 0
        if is_own and os.access(self.folder, os.W_OK):
            # Writers may be at work: SQLite then needs the memory that they share, beside the catalogue.
            options = "mode=ro"
        elif not has_log:
            options = "mode=ro&immutable=1"
        elif is_own and Path(f"{path}-shm").exists():
            options = "mode=ro"
        else:
            return stack.enter_context(self._copy(path))
        connection = sqlite3.connect(f"file:{quote(str(path))}?{options}", uri=True, timeout=60)
        stack.callback(connection.close)
        try:
            connection.execute("PRAGMA schema_version").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise
            return stack.enter_context(self._copy(path))
        return connection

    @contextlib.contextmanager
    def _copy(self, path: Path) -> Iterator[sqlite3.Connection]:
        """A private copy with its log, where the folder can neither be written to nor has a writer's shared memory."""
        with tempfile.TemporaryDirectory(prefix="attune-") as folder:
            copy = Path(folder) / path.name
            for suffix in ("", "-wal"):
                if Path(f"{path}{suffix}").exists():
                    shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
            connection = sqlite3.connect(str(copy), timeout=60)
            try:
                yield connection
            finally:
                connection.close()

    def _prepare(self, connection: sqlite3.Connection, path: Path) -> None:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version == 0:
            raise CatalogueBusy(
                str(path), f"is empty or still being made: run `attune info --corpus {self.folder}`, then ask again")
        if version >= VERSIONS.stop:
            raise NewerFormat(
                str(path), f"is a catalogue of version {version}, this package knows up to {VERSIONS.stop - 1}: "
                "update the attune package")  # fmt: skip
        if version < VERSIONS.start:
            raise CatalogueBehind(
                str(path), f"was made by an older attune: run `attune info --corpus {self.folder}`")

    # --- freshness

    def check(self) -> None:
        """Raises (or warns, as ``stale`` says) where shards are missing from the catalogue."""
        if self.stale == "ignore":
            return
        end = time.monotonic() + self.patience
        while True:
            missing = self.missing_shards()
            if not missing:
                return
            if time.monotonic() >= end:
                break
            time.sleep(0.1)
        count = len(missing)
        error = CatalogueBehind(
            str(self.folder),
            f"{count} {'shard is' if count == 1 else 'shards are'} not in the catalogue, such as {missing[0][:12]}: run "
            f"`attune info --corpus {self.folder}` to index them, or open the corpus with stale='ignore'")
        if self.stale == "raise":
            raise error
        warnings.warn(str(error), stacklevel=3)

    def missing_shards(self) -> list[str]:
        """Shards that lie in the corpus and are not in its catalogue."""
        folders = _folders(self.folder / "shards")
        with self.connect() as connection:
            known = dict(connection.execute("SELECT prefix, changed FROM folder"))
            missing = []
            for prefix, changed in folders.items():
                if known.get(prefix) == changed:
                    continue
                for digest in _shards(self.folder / "shards" / prefix):
                    found = connection.execute("SELECT 1 FROM shard WHERE digest = ?", (bytes.fromhex(digest),))
                    if found.fetchone() is None:
                        missing.append(digest)
        return sorted(missing)

    # --- questions

    def scorers(self) -> list[str]:
        """The names of the scorers that have annotated samples, sorted: columns of queries."""
        with self.connect() as connection:
            return _scorers(connection)

    def columns(self) -> list[str]:
        """All columns that a query can name."""
        with self.connect() as connection:
            return _columns(connection) + _scorers(connection)

    def query(
        self, sql: str | None, parameters: Sequence[Any] | dict[str, Any] = (), *, columns: Sequence[str] | None = None,
        by: str | None = None, top: int | None = None, per_prompt: bool = False,
    ) -> Rows:  # fmt: skip
        """The rows that fit; see ``Corpus.query``."""
        self.check()
        with self.connect() as connection:
            known = _columns(connection) + _scorers(connection)
            text = _statement(sql, columns, by, top, per_prompt, known)
            if "\0" in text:
                raise BadQuery(sql or "query", "has a NUL character: pass such values as parameters")
            _make_view(connection)
            connection.set_authorizer(_authorize)
            try:
                cursor = connection.execute(text, parameters)
                names = [column[0] for column in cursor.description or []]
                rows = cursor.fetchall()
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
                if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                    raise
                raise BadQuery(
                    sql or by or "query", f"{error}; the table is samples, its columns: {', '.join(known)}") from None
        if "seed" in names:
            # Seeds from 2^63 on are texts in SQLite, which has no such numbers.
            place = names.index("seed")
            rows = [r[:place] + (_seed(r[place]),) + r[place + 1 :] for r in rows]
        return Rows(names, rows)

    def places(self, ids: Sequence[bytes]) -> dict[bytes, Place]:
        """Where samples lie; those that the catalogue does not have are left out."""
        found: dict[bytes, Place] = {}
        with self.connect() as connection:
            for start in range(0, len(ids), 500):
                part = ids[start : start + 500]
                rows = connection.execute(
                    "SELECT s.id, h.digest, s.row, o.latent_shape, o.model FROM sample s JOIN shard h ON h.key = s.shard "
                    f"JOIN origin o ON o.key = s.origin WHERE s.id IN ({','.join('?' * len(part))})", part)  # fmt: skip
                for sample, shard, row, shape, model in rows:
                    numbers = tuple(int(n) for n in shape.split("x")) if shape else ()
                    found[bytes(sample)] = Place(bytes(sample), bytes(shard).hex(), row, numbers, model)
        return found

    def scores(self, ids: Sequence[bytes], names: Sequence[str]) -> dict[str, dict[bytes, float]]:
        """The values of some columns by sample id."""
        found: dict[str, dict[bytes, float]] = {name: {} for name in names}
        with self.connect() as connection:
            scorers = _scorers(connection)
            known = [c for c in _columns(connection) if c in SCORES]
            for name in names:
                if name not in known and name not in scorers:
                    raise BadQuery(name, f"is not a score; there are {', '.join(known + scorers)}")
            plain = [name for name in names if name in known]
            for start in range(0, len(ids), 500):
                part = list(ids[start : start + 500])
                marks = ",".join("?" * len(part))
                if plain:
                    rows = connection.execute(f"SELECT id, {', '.join(plain)} FROM sample WHERE id IN ({marks})", part)
                    for sample, *values in rows:
                        for name, value in zip(plain, values):
                            if value is not None:
                                found[name][bytes(sample)] = value
                for name in names:
                    if name in scorers:
                        rows = connection.execute(
                            "SELECT sample, value FROM annotation WHERE scorer = (SELECT key FROM scorer WHERE name = ?)"
                            f" AND sample IN ({marks})", [name, *part])  # fmt: skip
                        for sample, value in rows:
                            found[name][bytes(sample)] = value
        return found

    def existing(self, recipes: Sequence[bytes]) -> set[bytes]:
        """Which of these recipes the corpus has a sample of."""
        found: set[bytes] = set()
        with self.connect() as connection:
            for start in range(0, len(recipes), 500):
                part = recipes[start : start + 500]
                rows = connection.execute(
                    f"SELECT recipe FROM sample WHERE recipe IN ({','.join('?' * len(part))})", part)  # fmt: skip
                found.update(bytes(row[0]) for row in rows)
        return found

    def stamp(self, shard: str) -> tuple[int, int, int] | None:
        """Size, inode and change time that a shard had when its bytes were last hashed."""
        try:
            with self.connect() as connection:
                row = connection.execute(
                    "SELECT size, inode, changed FROM shard WHERE digest = ?", (bytes.fromhex(shard),)).fetchone()
        except CatalogueError:
            return None
        return (int(row[0]), int(row[1]), int(row[2])) if row else None


def _folders(shards: Path) -> dict[str, int]:
    try:
        with os.scandir(shards) as entries:
            return {e.name: e.stat().st_ctime_ns for e in entries if e.is_dir()}
    except OSError as error:
        raise Damaged(str(shards), f"cannot be listed ({error.strerror}): run `attune verify`") from None


def _shards(folder: Path) -> list[str]:
    try:
        return [n[:-3] for n in os.listdir(folder) if n.endswith(".h5") and len(n) == 67]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Damaged(str(folder), f"cannot be listed ({error.strerror}): run `attune verify`") from None


def _scorers(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM scorer ORDER BY name")]


def _columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info(samples)")]


def _make_view(connection: sqlite3.Connection) -> None:
    """Lets the table `samples` have a column for each scorer."""
    columns = "".join(
        f", (SELECT value FROM main.annotation WHERE sample = unhexed.id AND scorer = {int(key)}) AS \"{name}\""
        for key, name in connection.execute("SELECT key, name FROM scorer ORDER BY name").fetchall())
    if not columns:
        return
    connection.create_function("_attune_unhex", 1, bytes.fromhex, deterministic=True)
    connection.execute(
        "CREATE TEMP VIEW samples AS SELECT s.*"
        + columns.replace("unhexed.id", "_attune_unhex(s.id)") + " FROM main.samples s")  # fmt: skip


_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, 33}  # 33: SQLITE_RECURSIVE


def _authorize(action: int, first: str | None, second: str | None, *_: Any) -> int:
    if action == sqlite3.SQLITE_FUNCTION and second == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _statement(
    sql: str | None, columns: Sequence[str] | None, by: str | None, top: int | None, per_prompt: bool,
    known: Sequence[str],
) -> str:  # fmt: skip
    words = (sql or "").split(None, 1)
    if words and words[0].upper() in ("SELECT", "WITH", "VALUES"):
        if columns is not None or by is not None or top is not None or per_prompt:
            raise BadQuery("columns, by, top, per_prompt", "go with a condition; a whole SELECT says them itself")
        return sql or ""
    if isinstance(columns, str):
        raise BadQuery("columns", f"is the text {columns!r}; it must be a list of names")
    for name in columns or ():
        if name not in known:
            raise BadQuery(name, f"is not a column; there are {', '.join(known)}")
    if top is not None and top < 1:
        raise BadQuery("top", f"is {top}; it must be at least 1")
    if per_prompt and top is None:
        raise BadQuery("per_prompt", "needs top: how many of each prompt to keep")
    names = ", ".join(columns or known)
    # Each on a line of its own, so that a comment at its end comments out nothing else.
    where = f"({sql or '1'}\n)"
    order = f"({by}\n) DESC, id" if by else "id"
    if per_prompt:
        return (
            f"SELECT {names} FROM (SELECT *, row_number() OVER (PARTITION BY prompt ORDER BY {order}) AS _place "
            f"FROM samples WHERE {where}) WHERE _place <= {top} ORDER BY prompt, _place")
    return f"SELECT {names} FROM samples WHERE {where} ORDER BY {order}" + (f" LIMIT {top}" if top else "")


def _seed(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value


__all__ = ["COLUMNS", "SCORES", "AttuneError", "Catalogue", "Place", "Rows", "is_shared", "own_name"]
