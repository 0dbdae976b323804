"""A whole installation to attack: real processes, furnished data, and the lab's nginx with TLS in front.

`plain` is reached as http://127.0.0.1:PORT, as after `make run`; `secure` is https://good.fedi.test, behind the
nginx of docs/security.md, in the lab's signed zone.  Both serve the same database.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab import places as at
from tests.lab.lab import Lab
from tests.lab.nginx import MODERN_TLS, Nginx, headers, location, server, tls
from tests.lab.processes import Server, answers
from tests.lab.rdap import rdap_blocks
from tests.lab.web_good import good_blocks
from tests.running.world import World

ROOT = Path(__file__).resolve().parents[2]


class ProxyLab(Lab):
    """The lab in which the good domain is fedisec itself: same zone, mail server and certificates."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(directory)
        self._port = port

    def _start_web(self) -> list[tuple[Server, Callable[[], bool]]]:
        nginx = Nginx("nginx (fedisec)", self.directory / "nginx-good")
        in_listen, in_server = nginx.http2()
        pages = nginx.folder / "www"
        theirs = good_blocks(pages, self.ca, nginx.http2())
        blocks = [
            *_without_site(theirs),
            *proxy_blocks(self.ca.issue(at.GOOD), self._port, in_listen, in_server),
        ]
        first = self._keep(nginx.start([*blocks, *rdap_blocks(pages, self.ca)]))
        return [(first, lambda: answers(at.GOOD_IP6, 443))]


def _without_site(lines: list[str]) -> list[str]:
    """The server blocks of other names than the good domain's."""
    kept: list[str] = []
    block: list[str] = []
    for line in lines:
        if line == "server {" or block:
            block.append(line)
            if line == "}":
                kept += [] if f"    server_name {at.GOOD};" in block else block
                block = []
        else:
            kept.append(line)
    return kept


def proxy_blocks(leaf: object, port: int, in_listen: str, in_server: str) -> list[str]:
    """What deploy/nginx.conf.example says, on the lab's addresses."""
    from tests.lab.ca import Leaf

    assert isinstance(leaf, Leaf)
    plain = (f"{at.GOOD_IP}:80", f"[{at.GOOD_IP6}]:80")
    secure = (f"{at.GOOD_IP}:443 ssl{in_listen}", f"[{at.GOOD_IP6}]:443 ssl{in_listen}")
    forward = [
        f"proxy_pass http://127.0.0.1:{port};",
        "proxy_set_header Host $host;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto https;",
    ]
    to_https = location("/", "return 301 https://$host$request_uri;")
    site = [in_server, *tls(leaf, MODERN_TLS), *headers({}), *location("/", *forward)]
    return [*server(plain, at.GOOD, *to_https), *server(secure, at.GOOD, *site)]


class Site:
    """Starts with `with`; afterwards everything that it started is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = World(
            "embedded", folder, {}, DJANGO_SETTINGS_MODULE="fedisec.settings", FEDISEC_FEEDS="False"
        )
        self.secure_port = _free_port()
        self.lab = ProxyLab(folder / "lab", self.secure_port)
        self.sessions: list[str] = []

    @property
    def url(self) -> str:
        return self.world.url

    @property
    def secure_env(self) -> dict[str, str]:
        return {
            "FEDISEC_URL": f"https://{at.GOOD}",
            "FEDISEC_BEHIND_PROXY": "True",
            "PORT": str(self.secure_port),
            "FEDISEC_STATIC": str(self.world.data / "static"),
        }

    def __enter__(self) -> Self:
        try:
            self.lab.start()
            self.world.env |= self.lab.env | {"EMAIL_URL": ""}
            self.world.manage("prepare")
            self.sessions = json.loads(self.world.module("tests.security.furnish").splitlines()[-1])
            self.world.start("manage.py", "web", log="web")
            self.world.start("manage.py", "web", log="secure", **self.secure_env)
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self) -> None:
        from tests.running.world import wait_for

        wait_for(self.world.answers, 60, f"an answer\n{self.world.log('web')}")
        wait_for(lambda: answers("127.0.0.1", self.secure_port), 60, self.world.log("secure"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self.world.stop()
        self.lab.stop()

    def logs(self) -> str:
        return self.world.log("web") + self.world.log("secure")


def _free_port() -> int:
    from tests.smtp import free_port

    return free_port()


def run(argv: list[str], timeout_s: float, **env: str) -> subprocess.CompletedProcess[str]:
    """A tool, with no terminal and no settings of ours."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FEDISEC_S")}
    return subprocess.run(
        argv, cwd=ROOT, env={**clean, **env}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, errors="replace", timeout=timeout_s, check=False,
    )  # fmt: skip


PYTHON = sys.executable
