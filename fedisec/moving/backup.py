"""A copy of the database as it is, taken while everything runs, and read back before it counts.

What is sealed stays sealed with the key file of this installation, which no backup holds.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db import connection
from django.utils import timezone

from fedisec.lib import crash, keyfile
from fedisec.lib.models import Backup
from fedisec.moving.container import AS_STORED, NotReadable, Reader
from fedisec.moving.export import CannotExport, export_into
from fedisec.moving.files import drafted, writing

# kind -> how its files end
ENDINGS = {"sqlite": "sqlite3", "pg_dump": "pgdump", "export": "fedisec"}
_OURS = re.compile(r"fedisec-(\d{8}T\d{6}Z)(?:-(\d+))?\.(?:sqlite3|pgdump|fedisec)")
_ROWS_KEPT = 100
_STEP_S = 3600  # a program that hangs is no backup


class CannotBackUp(Exception):
    """One sentence about why."""


@dataclass(frozen=True, slots=True)
class Done:
    path: Path
    kind: str
    seconds: float
    dropped: list[Path]


def backup(target: Path, keep: int, kind: str = "") -> Done:
    """A new file in the folder `target`, or at that path where it is no folder.  `keep` > 0: of the backups
    in the folder the newest so many stay.  `kind`: one of ENDINGS, by default the best there is.
    CannotBackUp; nothing is removed unless the new one was read back."""
    kind = kind or ("sqlite" if connection.vendor == "sqlite" else "pg_dump" if _pg_dump() else "export")
    began, at = time.monotonic(), timezone.now()
    path = _free(target, at, ENDINGS[kind]) if target.is_dir() else target
    try:
        _WRITE[kind](path)
    except FileExistsError:
        raise CannotBackUp(f"{path} is there already; a backup never takes the place of another") from None
    except (OSError, sqlite3.Error) as error:
        raise CannotBackUp(f"cannot write {path}: {error}") from error
    seconds = time.monotonic() - began
    _note(path, kind, at, seconds)
    return Done(path, kind, seconds, _drop_older(path, keep) if target.is_dir() and keep else [])


def _free(folder: Path, at: datetime, ending: str) -> Path:
    stem = f"fedisec-{at:%Y%m%dT%H%M%SZ}"
    names = (f"{stem}{f'-{n}' if n else ''}.{ending}" for n in range(1000))
    return next(folder / name for name in names if not (folder / name).exists())


def _note(path: Path, kind: str, at: datetime, seconds: float) -> None:
    Backup.objects.create(
        at=at, name=path.name[-255:], kind=kind, size=path.stat().st_size, seconds=round(seconds, 3)
    )
    kept = Backup.objects.order_by("-at").values_list("pk", flat=True)[:_ROWS_KEPT]
    Backup.objects.exclude(pk__in=list(kept)).delete()


def _drop_older(path: Path, keep: int) -> list[Path]:
    found = [(_OURS.fullmatch(one.name), one) for one in path.parent.iterdir()]
    ours = sorted((m[1], int(m[2] or 0), one) for m, one in found if m is not None and one != path)
    older = [one for _at, _number, one in ours[: max(0, len(ours) + 1 - keep)]]
    for one in older:
        one.unlink()
    return older


# SQLite


def _sqlite(path: Path) -> None:
    with drafted(path) as draft:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        here = Path(str(connection.settings_dict["NAME"]))
        source = sqlite3.connect(uri(here, "mode=ro"), uri=True, timeout=20)
        with closing(source), closing(sqlite3.connect(draft)) as copy:
            # In one step: with a WAL nobody waits for a reader; in steps each write would begin it anew.
            source.backup(copy, pages=-1)
            crash.point("backup_copied")
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, also when it is opened
        look_into(draft)


def uri(path: Path, how: str) -> str:
    """For `sqlite3.connect`, whatever characters the path has."""
    return f"{path.absolute().as_uri()}?{how}"


def look_into(path: Path) -> None:
    """CannotBackUp unless the file is a whole database of fedisec whose rows belong together."""
    try:
        with closing(sqlite3.connect(uri(path, "immutable=1"), uri=True)) as copy:
            said = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
            lost = copy.execute("PRAGMA foreign_key_check").fetchone()
            copy.execute("SELECT 1 FROM django_migrations, accounts_user LIMIT 1")
    except sqlite3.DatabaseError as error:
        raise CannotBackUp(f"{path} is no whole database of fedisec: {error}") from error
    if said != ["ok"] or lost:
        raise CannotBackUp(f"{path} is damaged: {said[0] if said != ['ok'] else f'a row of {lost[0]} hangs'}")


# PostgreSQL


def _pg_dump() -> str:
    """The program, where it is there and can speak with this server; "" otherwise."""
    program = shutil.which("pg_dump")
    if not program or not shutil.which("pg_restore"):
        return ""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    version = re.search(r"(\d+)(?:\.\d+)*\s*(?:\(|$)", said.stdout.strip())
    server: int = connection.cursor().connection.info.server_version // 10_000
    return program if version and int(version.group(1)) >= server else ""


def _postgresql(path: Path) -> None:
    with drafted(path) as draft:
        argv = [_pg_dump(), "--format=custom", "--no-password", "--no-owner", "--no-acl", f"--file={draft}"]
        _run(argv, "pg_dump")
        crash.point("backup_dumped")
        # Unpacks all of it; a list of its contents would be read from its head.
        _run(["pg_restore", "--file=/dev/null", str(draft)], "pg_restore")


def postgres_environment() -> dict[str, str]:
    """How the programs of PostgreSQL reach the database; its password is on no command line."""
    given: dict[str, Any] = connection.get_connection_params()
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    names |= {key: f"PG{key.upper()}" for key in ("sslmode", "sslrootcert", "sslcert", "sslkey")}
    found = {names[key]: str(value) for key, value in given.items() if key in names and value}
    return {"PATH": os.environ.get("PATH", ""), "PGCONNECT_TIMEOUT": "20", **found}


def _run(argv: list[str], name: str) -> None:
    try:
        done = subprocess.run(
            argv, env=postgres_environment(), capture_output=True, text=True, timeout=_STEP_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotBackUp(f"{name} did not end within {_STEP_S // 60} minutes") from None
    if done.returncode:
        raise CannotBackUp(f"{name} failed: {' '.join(done.stderr.split())[:300]}")


def _export(path: Path) -> None:
    try:
        with drafted(path) as draft:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                export_into(file, AS_STORED, "", lambda table, done, of: None)
            crash.point("backup_exported")
            with draft.open("rb") as file:
                read_through(file)
    except CannotExport as error:
        raise CannotBackUp(str(error)) from error
    except NotReadable as error:
        raise CannotBackUp(f"what was written does not read back: {error}") from error


def read_through(file: IO[bytes]) -> None:
    """NotReadable unless every line of an export without a passphrase is there."""
    reader = Reader(file, str)
    for table in reader.head.tables:
        for _row in reader.rows(table):
            pass
    reader.end()


_WRITE = {"sqlite": _sqlite, "pg_dump": _postgresql, "export": _export}


def copy_keys(folder: Path) -> Path:
    """A copy of the key file in `folder`, named by its newest key, so that it is found for a backup.
    CannotBackUp."""
    try:
        keys = keyfile.read()
        name = f"fedisec-keys-{hashlib.sha256(keys[0].encode()).hexdigest()[:12]}-{len(keys)}"
        path = folder / name
        if not path.exists():
            with writing(path) as file:
                file.write("".join(f"{key}\n" for key in keys).encode())
    except (keyfile.NoKeys, OSError) as error:
        raise CannotBackUp(f"cannot copy the key file into {folder}: {error}") from error
    return path
