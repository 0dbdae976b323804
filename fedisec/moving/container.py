"""The file of an export: lines of JSON, zipped, and under a passphrase where it holds secrets in clear.

fedisec-export 1 plain|sealed      in clear, so that `file` and `head` can tell
gzip of:                           after `fedisec.moving.sealing`, where it is sealed
  {"format": 1, "tables": [{"name", "columns", "rows"}, …], …}      see `Head`
  [value, …]                       every row of every table, in that order
  {"rows": N, "sha256": "…"}       of all lines before
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from fedisec.moving.sealing import Damaged, OpeningReader, SealingWriter, WrongPassphrase

FORMAT = 1
LINE_MAX = 32 * 1024 * 1024  # the facts of a scan, with a report of 1 MiB, have some 3
HEAD_MAX = 1024 * 1024
TABLES_MAX, COLUMNS_MAX = 500, 200
_MAGIC = b"fedisec-export"
_LEVEL = 5

NO_SECRETS, OPENED, AS_STORED = "none", "opened", "as_stored"


class NotReadable(ValueError):
    """The file is none of ours, is damaged, or is of a version that is not known; one sentence."""


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: list[str]
    rows: int


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself.  `secrets`: NO_SECRETS, OPENED (in clear, so the file is sealed) or
    AS_STORED (sealed with the key file of that database, to which `canary` belongs).  `migrations`: app ->
    names."""

    fedisec: str
    checks: str
    made_at: str
    secrets: str
    canary: str
    migrations: dict[str, list[str]]
    tables: list[Table]
    format: int = FORMAT

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


@dataclass(slots=True)
class Writer:
    """Writes lines; `end` makes it whole."""

    _out: IO[bytes]
    _hash: Any = field(default_factory=hashlib.sha256)
    _rows: int = 0

    def row(self, values: Sequence[Any]) -> None:
        self._line(_dumped(values))
        self._rows += 1

    def head(self, head: Head) -> None:
        self._line(_dumped(asdict(head)))

    def end(self) -> str:
        """Returns the SHA-256 of what was said."""
        digest: str = self._hash.hexdigest()
        self._out.write(_dumped({"rows": self._rows, "sha256": digest}))
        return digest

    def _line(self, line: bytes) -> None:
        self._hash.update(line)
        self._out.write(line)


def _dumped(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode() + b"\n"


@contextmanager
def writer(file: IO[bytes], passphrase: str = "") -> Iterator[Writer]:
    """Lines into `file`, sealed where there is a passphrase.  The file is whole when the block has ended."""
    first = b"%s %d %s\n" % (_MAGIC, FORMAT, b"sealed" if passphrase else b"plain")
    file.write(first)
    out: Any = SealingWriter(file, passphrase, first) if passphrase else file
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=_LEVEL, mtime=0) as zipped:
        buffered = io.BufferedWriter(zipped, 1024 * 1024)
        yield Writer(buffered)
        buffered.flush()
    if passphrase:
        out.close()


class Reader:
    """Reads what `writer` wrote, made by anybody: never more than a line in memory.  NotReadable from all."""

    def __init__(self, file: IO[bytes], passphrase: Callable[[], str]) -> None:
        self._lines = _lines_of(file, passphrase)
        self._hash = hashlib.sha256()
        self.head = _head(self._line(HEAD_MAX))

    def rows(self, table: Table) -> Iterator[list[Any]]:
        """Of that table, which must be the next one of the file."""
        for number in range(table.rows):
            row = _loaded(self._line(LINE_MAX))
            if not isinstance(row, list) or len(row) != len(table.columns):
                raise NotReadable(f"row {number + 1} of {table.name} has not its columns")
            yield row

    def end(self) -> None:
        """After all rows: whether they are those that were written."""
        wanted = {"rows": self.head.rows, "sha256": self._hash.hexdigest()}
        with _unzipping():
            found = _loaded(self._lines.readline(HEAD_MAX))
            more = self._lines.read(1)
        if found != wanted or more:
            raise NotReadable("the file is damaged: what it says of its contents does not fit them")

    def _line(self, longest: int) -> bytes:
        with _unzipping():
            line = self._lines.readline(longest + 1)
        if not line.endswith(b"\n"):
            raise NotReadable("a line of the file is too long" if len(line) > longest else _CUT)
        self._hash.update(line)
        return line


_CUT = "the file ends in the middle: it was cut, or never written to its end"


@contextmanager
def _unzipping() -> Iterator[None]:
    try:
        yield
    except EOFError:
        raise NotReadable(_CUT) from None
    except (Damaged, zlib.error, gzip.BadGzipFile):
        raise NotReadable("the file is damaged: it was changed or cut after it was written") from None


def is_ours(file: IO[bytes]) -> bool:
    """Whether it begins as an export; afterwards it is where it was."""
    began = file.read(len(_MAGIC))
    file.seek(0)
    return began == _MAGIC


def _lines_of(file: IO[bytes], passphrase: Callable[[], str]) -> IO[bytes]:
    first = file.readline(100)
    words = first.split()
    if not first.endswith(b"\n") or len(words) != 3 or words[0] != _MAGIC:
        raise NotReadable("this is no export of fedisec")
    if words[1] != b"%d" % FORMAT:
        version = words[1].decode("ascii", "replace")
        raise NotReadable(f"this export has format {version}, and this fedisec reads format {FORMAT}")
    inner: Any = file
    if words[2] == b"sealed":
        try:
            inner = io.BufferedReader(OpeningReader(file, passphrase, first), 128 * 1024)
        except WrongPassphrase:
            raise NotReadable("the passphrase is not the one of this file, or the file is damaged") from None
        except Damaged:
            raise NotReadable(_CUT) from None
    elif words[2] != b"plain":
        raise NotReadable("this is no export of fedisec")
    return io.BufferedReader(gzip.GzipFile(fileobj=inner, mode="rb"), 256 * 1024)


def _loaded(line: bytes) -> Any:
    try:
        return json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotReadable("a line of the file is no JSON") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _head(line: bytes) -> Head:
    found = _loaded(line)
    try:
        tables = [_table(**one) for one in found.pop("tables")]
        head = Head(**found, tables=tables)
    except (TypeError, AttributeError, KeyError, NotReadable):
        raise NotReadable("the first line of the file is not that of an export") from None
    names = [table.name for table in tables]
    right = (
        head.format == FORMAT
        and head.secrets in {NO_SECRETS, OPENED, AS_STORED}
        and all(isinstance(text, str) for text in (head.fedisec, head.checks, head.made_at, head.canary))
        and _are_migrations(head.migrations)
        and len(set(names)) == len(names) <= TABLES_MAX
    )
    if not right:
        raise NotReadable("the first line of the file is not that of an export")
    return head


def _are_migrations(found: Any) -> bool:
    return isinstance(found, dict) and all(_are_names(names, 1000) for names in found.values())


def _table(name: Any, columns: Any, rows: Any) -> Table:
    if not isinstance(name, str) or not _are_names(columns, COLUMNS_MAX) or type(rows) is not int or rows < 0:
        raise NotReadable("no table")
    return Table(name, columns, rows)


def _are_names(found: Any, most: int) -> bool:
    if not isinstance(found, list) or len(found) > most:
        return False
    return all(isinstance(name, str) and len(name) < 200 for name in found) and len(set(found)) == len(found)
