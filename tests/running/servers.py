"""Real Redis and PostgreSQL for the jobs, on free ports of loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from itertools import count
from pathlib import Path

import psycopg

from tests.lab.processes import MissingProgram, Server, answers, find_program
from tests.smtp import free_port

_POSTGRES_USER = "postgres"
_START_S = 30.0


class Redis:
    """Keeps its data in an append-only file, as docker-compose.yml has it, or not at all; may be stopped,
    killed and started."""

    def __init__(self, folder: Path, *, keeps: bool = True) -> None:
        self.port, self._folder, self._keeps = free_port(), folder, keeps
        folder.mkdir(parents=True, exist_ok=True)
        self._databases = count()
        self.start()

    def start(self) -> None:
        argv = [find_program("redis-server", "redis-server"), "--bind", "127.0.0.1", "--port", str(self.port)]
        argv += ["--save", "", "--appendonly", "yes" if self._keeps else "no", "--dir", str(self._folder)]
        argv += ["--maxmemory-policy", "noeviction", "--databases", "200"]
        self._server = Server("Redis", argv, self._folder / "redis.log")
        self._server.wait_ready(lambda: answers("127.0.0.1", self.port))

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        """kill -9."""
        self._server.process.kill()
        self._server.process.wait()

    def new_url(self) -> str:
        """A database that nobody has used yet."""
        return f"redis://127.0.0.1:{self.port}/{next(self._databases)}"


class Postgres:
    """A fresh cluster, as the user postgres when we are root (PostgreSQL refuses root)."""

    def __init__(self) -> None:
        self.port = free_port()
        self._user = _POSTGRES_USER if os.geteuid() == 0 else ""
        self._folder = Path(tempfile.mkdtemp(prefix="fedisec-postgres-"))
        try:
            self._give_away()
            self._make()
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _give_away(self) -> None:
        if not self._user:
            return
        try:
            account = pwd.getpwnam(self._user)
        except KeyError:
            raise MissingProgram(f"there is no user {self._user} (Debian package postgresql)") from None
        os.chown(self._folder, account.pw_uid, account.pw_gid)

    def _make(self) -> None:
        data, log = self._folder / "data", self._folder.with_suffix(".log")
        initdb = find_program("initdb", "postgresql", "usr/lib/postgresql/*/bin/initdb")
        argv = [initdb, "-D", str(data), "-U", _POSTGRES_USER, "--auth=trust", "-E", "UTF8", "--locale=C"]
        making = Server("initdb", [*argv, "--no-sync"], log, as_user=self._user)
        if making.process.wait(timeout=60):
            raise RuntimeError(f"initdb failed:\n{making.last_words()}")

    def start(self) -> None:
        data, log = self._folder / "data", self._folder.with_suffix(".log")
        program = find_program("postgres", "postgresql", "usr/lib/postgresql/*/bin/postgres")
        options = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
            "fsync": "off", "shared_buffers": "32MB", "dynamic_shared_memory_type": "mmap",
        }  # fmt: skip
        argv = [program, "-D", str(data)]
        for key, value in options.items():
            argv += ["-c", f"{key}={value}"]
        self._server = Server("PostgreSQL", argv, log, stop_signal="INT", as_user=self._user)
        self._server.wait_ready(self._takes_queries, _START_S)

    def _takes_queries(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgresql://{_POSTGRES_USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str, template: str = "") -> str:
        """The URL of an empty database, or of a copy of `template`, which nobody uses."""
        like = f'TEMPLATE "{template}"' if template else ""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" {like}')
        return self.url(name)

    def pause(self) -> None:
        """Ends its server at once ("fast": transactions are rolled back); its data stay for `start`."""
        self._server.stop(20)

    def stop(self) -> None:
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.with_suffix(".log").unlink(missing_ok=True)
