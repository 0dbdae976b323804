"""The bad instance's databases, open to everybody: Redis without a password, PostgreSQL with trust."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import struct
import tempfile
from pathlib import Path

from tests.lab import places as at
from tests.lab.processes import LabError, MissingProgram, Server, find_program, run

REDIS_PORT, POSTGRES_PORT = 6379, 5432
_USER = "postgres"


def start_redis(folder: Path) -> Server:
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "bind": at.BAD_IP, "port": str(REDIS_PORT), "protected-mode": "no", "daemonize": "no", "save": "''",
        "appendonly": "no", "dir": str(folder),
    }  # fmt: skip
    config = folder / "redis.conf"
    config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    return Server("Redis", [find_program("redis-server", "redis-server"), str(config)], folder / "redis.log")


def redis_answers() -> bool:
    """True if Redis says PONG to a stranger."""
    return _ask(REDIS_PORT, b"PING\r\n", 7) == b"+PONG\r\n"


def postgres_answers() -> bool:
    """True if PostgreSQL lets a stranger in without asking anything (AuthenticationOk)."""
    body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    return _ask(POSTGRES_PORT, struct.pack("!i", len(body) + 4) + body, 9) == b"R\0\0\0\x08\0\0\0\0"


def _ask(port: int, question: bytes, length: int) -> bytes:
    try:
        with socket.create_connection((at.BAD_IP, port), timeout=1) as connection:
            connection.sendall(question)
            answer = b""
            while len(answer) < length and (more := connection.recv(length - len(answer))):
                answer += more
            return answer
    except OSError:
        return b""


class Postgres:
    """A cluster that is made once and may be started and stopped; as the user postgres when we are root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._user = _USER if os.geteuid() == 0 else ""
        self._own: Path | None = None
        self._data = folder / "data"
        if self._user:
            # PostgreSQL refuses root, and its user may not enter the folders of a test run.
            self._own = Path(tempfile.mkdtemp(prefix="fedisec-lab-postgres-"))
            self._data = self._own / "data"
            self._give_away(self._own)

    def start_making(self) -> Server:
        """Begins initdb, which takes longer than all other servers together; `wait_made` ends it."""
        initdb = find_program("initdb", "postgresql", "usr/lib/postgresql/*/bin/initdb")
        argv = [
            initdb,
            "-D",
            str(self._data),
            "-U",
            _USER,
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        return Server("initdb", argv, self._folder / "initdb.log", as_user=self._user)

    def wait_made(self, initdb: Server) -> None:
        if initdb.process.wait(timeout=60):
            raise LabError(f"initdb failed; its last words:\n{initdb.last_words()}")
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {at.NETWORKS[0]} trust\n")

    def start(self) -> Server:
        program = find_program("postgres", "postgresql", "usr/lib/postgresql/*/bin/postgres")
        settings = {
            "listen_addresses": at.BAD_IP, "port": str(POSTGRES_PORT), "unix_socket_directories": "",
            "fsync": "off", "shared_buffers": "16MB", "dynamic_shared_memory_type": "mmap",
        }  # fmt: skip
        argv = [program, "-D", str(self._data)]
        for key, value in settings.items():
            argv += ["-c", f"{key}={value}"]
        # INT is a fast stop; TERM would wait for clients.
        return Server(
            "PostgreSQL", argv, self._folder / "postgres.log", stop_signal="INT", as_user=self._user
        )

    def remove(self) -> None:
        if self._own is not None:
            shutil.rmtree(self._own)

    def _give_away(self, folder: Path) -> None:
        try:
            account = pwd.getpwnam(self._user)
        except KeyError as error:
            raise MissingProgram(f"there is no user {self._user} (Debian package postgresql)") from error
        os.chown(folder, account.pw_uid, account.pw_gid)
        run(["/bin/chmod", "700", str(folder)])
