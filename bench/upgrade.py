"""How long does an upgrade of an older database take, and whom does it keep waiting?

python -m bench.upgrade [--servers 100] [--days 365] [--only SCHEMA] [--database-url postgres://…/EMPTY]

For each schema of tests/upgrades/released.py: fills a database of it, then applies every migration since, one
after the other, while other connections read and write a row of the tables that pages and workers need most.
Prints the time of each step that took long, and the longest that a reader and a writer waited.  SQLite unless
an empty database of PostgreSQL is given, which serves one schema.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SHOWN_S = 0.5
TABLES = ("instances_instance", "scans_scan", "scans_itemstate")
PAUSE_S = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--only", default="")
    parser.add_argument("--database-url", default="")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        return measure()
    from tests.upgrades.released import SCHEMAS

    names = [name for name in SCHEMAS if given.only in name]
    return max(one(name, given) for name in names[: 1 if given.database_url else None])


def one(schema: str, given: argparse.Namespace) -> int:
    """Fills and measures in processes of their own: a database belongs to a process."""
    with tempfile.TemporaryDirectory(prefix="fedisec-bench-") as folder:
        env = os.environ | {
            "FEDISEC_DATA": folder, "DJANGO_SETTINGS_MODULE": "fedisec.settings",
            "UPGRADE_SERVERS": str(given.servers), "UPGRADE_DAYS": str(given.days),
        }  # fmt: skip
        env.setdefault("FEDISEC_SECRET_KEY", secrets.token_urlsafe(60))
        if given.database_url:
            with open(os.open(f"{folder}/keys", os.O_WRONLY | os.O_CREAT, 0o400), "w") as file:
                file.write("k" * 64)
            env |= {"DATABASE_URL": given.database_url, "FEDISEC_KEY_FILE": f"{folder}/keys"}
        fill = [sys.executable, "-m", "tests.faults.upgrade", "fill", schema]
        subprocess.run(fill, env=env, check=True)
        print(f"\n{schema}, {given.servers} servers, {given.days} days:", flush=True)
        return subprocess.run(
            [sys.executable, "-m", "bench.upgrade", "--measure"], env=env, check=False
        ).returncode


def measure() -> int:
    import django

    django.setup()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    began, worst = time.monotonic(), {"read": 0.0, "write": 0.0}
    print(f"{'step':58} {'seconds':>8} {'a reader':>9} {'a writer':>9}")
    for migration, _backwards in plan:
        key = (migration.app_label, migration.name)
        with Waiting() as waiting:
            step = time.monotonic()
            MigrationExecutor(connection).migrate([key])
            took = time.monotonic() - step
        worst = {kind: max(worst[kind], waiting.worst[kind]) for kind in worst}
        if took > SHOWN_S or max(waiting.worst.values()) > SHOWN_S:
            print(
                f"{'.'.join(key):58} {took:8.1f} {waiting.worst['read']:9.2f} {waiting.worst['write']:9.2f}"
            )
    took = time.monotonic() - began
    print(f"{f'all {len(plan)} steps':58} {took:8.1f} {worst['read']:9.2f} {worst['write']:9.2f}", flush=True)
    return 0


class Waiting:
    """Reads and writes beside a migration; `worst`: the longest that one took, in seconds."""

    def __init__(self) -> None:
        self.worst = {"read": 0.0, "write": 0.0}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(kind,)) for kind in self.worst]

    def __enter__(self) -> Waiting:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, kind: str) -> None:
        execute, close = _connected()
        while not self._stop.wait(PAUSE_S):
            for table in TABLES:
                began = time.monotonic()
                execute(
                    f"SELECT id FROM {table} ORDER BY id LIMIT 1" if kind == "read"
                    else f"UPDATE {table} SET instance_id = instance_id WHERE id = 1" if table != TABLES[0]
                    else f"UPDATE {table} SET paused = paused WHERE id = 1"
                )  # fmt: skip
                self.worst[kind] = max(self.worst[kind], time.monotonic() - began)
        close()


def _connected() -> tuple[Callable[[str], None], Callable[[], None]]:
    """A connection past Django, in autocommit; what a table does not have yet is no matter."""
    from django.db import connection

    if connection.vendor == "sqlite":
        import sqlite3

        lite = sqlite3.connect(connection.settings_dict["NAME"], timeout=600, isolation_level=None)

        def execute(sql: str) -> None:
            try:
                lite.execute(sql).fetchall()
            except sqlite3.OperationalError as error:
                if "no such" not in str(error):
                    raise

        return execute, lite.close
    import psycopg

    grown = psycopg.connect(autocommit=True, **connection.get_connection_params() | {"cursor_factory": None})

    def run(sql: str) -> None:
        with suppress(psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable):
            grown.execute(sql)

    return run, grown.close


if __name__ == "__main__":
    sys.exit(main())
