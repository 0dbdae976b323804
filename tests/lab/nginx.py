"""nginx as an ordinary process: the frame of a configuration, start, and a reload that is over when it returns."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

from tests.lab.ca import Leaf
from tests.lab.processes import LabError, Server, find_program, run, wait_until

MODERN_TLS = (
    "ssl_protocols TLSv1.2 TLSv1.3;",
    "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384;",
    "ssl_prefer_server_ciphers off;",
    "ssl_session_tickets off;",
)


def headers(values: Mapping[str, str]) -> list[str]:
    """`add_header` lines; a location repeats them all, as nginx inherits none beside an own one."""
    return [f'add_header {name} "{_quoted(value)}" always;' for name, value in values.items() if value]


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def location(match: str, *lines: str) -> list[str]:
    return [f"location {match} {{", *(f"    {line}" for line in lines), "}"]


def file_location(
    match: str, file: Path, media_type: str, values: Mapping[str, str], *more: str
) -> list[str]:
    """One file under a path, with exactly this type and these headers."""
    # Not alias: a path that ends in / would be taken for a folder.
    place = [f'root "{file.parent}";', f"try_files /{file.name} =404;"]
    wanted = [f'default_type "{media_type}";', "types { }", *place, *more]
    return location(match, *wanted, *headers(values))


def tls(leaf: Leaf, settings: tuple[str, ...] = MODERN_TLS) -> list[str]:
    return [f'ssl_certificate "{leaf.chain}";', f'ssl_certificate_key "{leaf.key}";', *settings]


def server(listen: tuple[str, ...], name: str, *lines: str) -> list[str]:
    """A server block.  Each host has addresses of its own: nginx takes ssl_protocols from a socket's first."""
    return ["server {", *(f"    listen {x};" for x in listen), f"    server_name {name};",
            *(f"    {line}" for line in lines), "}"]  # fmt: skip


class Nginx:
    """One nginx with its files in `folder`."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.program = find_program("nginx", "nginx-light")
        self._config = folder / "nginx.conf"
        self.server: Server | None = None
        for part in ("tmp", "www"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        # The host's OpenSSL policy must not decide what the lab speaks.
        (folder / "openssl.cnf").write_text("openssl_conf = lab\n[lab]\n")

    def http2(self) -> tuple[str, str]:
        """(addition to listen, line of the server block): nginx 1.25.1 moved the switch."""
        found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", self._run("-v"))
        new = found is not None and tuple(map(int, found.groups())) >= (1, 25, 1)
        return ("", "http2 on;") if new else (" http2", "")

    def start(self, blocks: list[str]) -> Server:
        self._write(blocks)
        argv = [self.program, "-c", str(self._config), "-e", str(self.folder / "error.log")]
        environment = {"OPENSSL_CONF": str(self.folder / "openssl.cnf")}
        # nginx lets its children finish on QUIT; TERM ends all at once.
        self.server = Server(self.name, argv, self.folder / "error.log", env=environment)
        return self.server

    def reload(self, blocks: list[str]) -> None:
        """Returns when the last worker of the old configuration is gone, so nobody can meet it any more."""
        if self.server is None:
            raise LabError(f"{self.name} is not running")
        self._write(blocks)
        old = _children(self.server.pid)
        os.kill(self.server.pid, signal.SIGHUP)
        if not wait_until(lambda: not (old & _children(self.server.pid)) if self.server else True, 8.0):
            raise LabError(f"{self.name} did not take the new configuration:\n{self.server.last_words()}")

    def _write(self, blocks: list[str]) -> None:
        temporary = (f"{kind}_temp_path {self.folder}/tmp/{kind};" for kind in _TEMPORARY)
        user = "user root;" if os.geteuid() == 0 else ""  # the folder is closed to www-data
        lines = [
            user, "daemon off;", "worker_processes 1;", "worker_shutdown_timeout 1s;",
            f'pid "{self.folder}/nginx.pid";', f'error_log "{self.folder}/error.log" notice;',
            "events { worker_connections 512; }", "http {", f'access_log "{self.folder}/access.log";',
            'default_type "text/html; charset=utf-8";', *temporary,
            "ssl_session_timeout 1d;", *blocks, "}",
        ]  # fmt: skip
        self._config.write_text("\n".join(line for line in lines if line) + "\n")
        self._run("-t", "-c", str(self._config))

    def _run(self, *arguments: str) -> str:
        """nginx speaks on standard error, also when all is well."""
        words = self.folder / "command.log"
        run(["/bin/sh", "-c", 'out=$1; shift; exec "$@" 2>"$out" || { cat "$out"; exit 1; }', "sh",
             str(words), self.program, "-e", str(self.folder / "error.log"), *arguments])  # fmt: skip
        return words.read_text()


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _children(parent: int) -> frozenset[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        if int(fields[1]) == parent:
            found.add(int(stat.parent.name))
    return frozenset(found)
