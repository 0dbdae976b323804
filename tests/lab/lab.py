"""`Lab`: starts all servers, says where they are, switches the bad one's faults, stops all."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab import netns
from tests.lab import places as at
from tests.lab.ca import LabCa, spki_sha256
from tests.lab.databases import (
    POSTGRES_PORT,
    REDIS_PORT,
    Postgres,
    postgres_answers,
    redis_answers,
    start_redis,
)
from tests.lab.dns import anchor_file, dns_ready, start_dns
from tests.lab.mail import RECEIVER_PORT, Mailbox, mail_ready, start_mail
from tests.lab.nginx import Nginx
from tests.lab.processes import LabError, Server, answers, wait_until
from tests.lab.rdap import rdap_blocks, write_bootstrap
from tests.lab.ssh import ssh_ready, start_ssh
from tests.lab.web_bad import BadState, bad_blocks
from tests.lab.web_good import good_blocks


class Lab:
    """The lab, with its state in `directory`.  Start it from the main thread, inside `netns`.

    `set_bad` leaves the bad server as it stands; a fixture that lives for a session wants `reset_bad` after use.
    """

    good, bad = at.GOOD, at.BAD
    resolver = at.RESOLVER_IP
    networks = at.NETWORKS
    secure_name, bogus_name = at.SECURE_NAME, at.BOGUS_NAME

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.bad_state = BadState()
        self.mail = Mailbox(directory / "mail")
        self.ca_file = directory / "ca" / "lab-ca.pem"
        self.dnssec_anchor = anchor_file(directory / "dns")
        self.rdap_bootstrap = directory / "rdap.json"
        self.start_seconds = 0.0
        self._servers: list[Server] = []
        self._redis: Server | None = None
        self._postgres_server: Server | None = None
        self._postgres: Postgres | None = None
        self._bad_nginx: Nginx | None = None

    @property
    def env(self) -> dict[str, str]:
        """Settings that let fedisec look into the lab and mail into it."""
        return {
            "FEDISEC_RESOLVER": self.resolver,
            "FEDISEC_TRUST_CA": str(self.ca_file),
            "FEDISEC_ALLOW_NETWORKS": ",".join(self.networks),
            "FEDISEC_RDAP_BOOTSTRAP": str(self.rdap_bootstrap),
            "FEDISEC_DNSSEC_ANCHOR": str(self.dnssec_anchor),
            "FEDISEC_DNSSEC_SECURE_NAME": self.secure_name,
            "FEDISEC_DNSSEC_BOGUS_NAME": self.bogus_name,
            "EMAIL_URL": f"smtp://{at.RECEIVER_IP}:{RECEIVER_PORT}",
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when each server has given its first good answer.  Raises LabError; then nothing runs.

        A second call does nothing.
        """
        if self._servers:
            return
        if not netns.inside():
            raise LabError("the lab runs only in a network namespace: python -m tests.lab.netns COMMAND")
        if answers(at.RESOLVER_IP, 53):
            raise LabError("another lab is already running in this network namespace")
        begun = time.monotonic()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - begun

    def _start(self) -> None:
        folder = self.directory
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = LabCa(folder / "ca")
        write_bootstrap(self.rdap_bootstrap)
        self._postgres = Postgres(folder / "postgres")
        initdb = self._keep(self._postgres.start_making())
        mx = self.ca.issue(at.MX)
        tlsa = (f"3 1 1 {mx.spki_sha256}", f"2 1 1 {spki_sha256(self.ca.intermediate)}")
        waiting: list[tuple[Server, Callable[[], bool]]] = []
        waiting += [(self._keep(server), dns_ready) for server in start_dns(folder / "dns", tlsa)]
        waiting += [(self._keep(server), ssh_ready) for server in start_ssh(folder / "ssh")]
        waiting.append((self._keep(start_mail(folder / "mail", mx)), mail_ready))
        waiting += self._start_web()
        for server, ready in waiting:
            server.wait_ready(ready)
        self._open_redis()
        self._postgres.wait_made(initdb)
        self._servers.remove(initdb)
        self._open_postgres()

    def _keep(self, server: Server) -> Server:
        self._servers.append(server)
        return server

    def _start_web(self) -> list[tuple[Server, Callable[[], bool]]]:
        good = Nginx("nginx (good)", self.directory / "nginx-good")
        self._bad_nginx = Nginx("nginx (bad)", self.directory / "nginx-bad")
        pages = good.folder / "www"
        blocks = [*good_blocks(pages, self.ca, good.http2()), *rdap_blocks(pages, self.ca)]
        first = self._keep(good.start(blocks))
        second = self._keep(self._bad_nginx.start(self._bad_blocks(self._bad_nginx)))
        return [(first, lambda: answers(at.GOOD_IP6, 443)), (second, lambda: answers(at.BAD_IP, 443))]

    def _bad_blocks(self, nginx: Nginx) -> list[str]:
        return bad_blocks(nginx.folder / "www", self.ca, self.bad_state)

    def _open_redis(self) -> None:
        self._redis = self._keep(start_redis(self.directory / "redis"))
        self._redis.wait_ready(redis_answers)

    def _open_postgres(self) -> None:
        if self._postgres is not None:
            self._postgres_server = self._keep(self._postgres.start())
            self._postgres_server.wait_ready(postgres_answers)

    def set_bad(self, **switches: Any) -> None:
        """Changes the bad server; the names are the fields of `BadState`.  Returns when that is what it serves."""
        state = replace(self.bad_state, **switches)
        before, self.bad_state = self.bad_state, state
        same_web = replace(before, redis_open=state.redis_open, postgres_open=state.postgres_open) == state
        if self._bad_nginx is not None and not same_web:
            self._bad_nginx.reload(self._bad_blocks(self._bad_nginx))
        if before.redis_open != state.redis_open:
            self._redis = self._switch(
                self._redis, REDIS_PORT, self._open_redis if state.redis_open else None
            )
        if before.postgres_open != state.postgres_open:
            opened = self._open_postgres if state.postgres_open else None
            self._postgres_server = self._switch(self._postgres_server, POSTGRES_PORT, opened)

    def reset_bad(self) -> None:
        """Everything wrong again, as at the start."""
        fresh = BadState()
        self.set_bad(**{name: getattr(fresh, name) for name in BadState.__slots__})

    def _switch(self, server: Server | None, port: int, opening: Callable[[], None] | None) -> Server | None:
        if opening is not None:
            opening()
            return self._servers[-1]
        if server is not None:
            server.stop()
            self._servers.remove(server)
            if not wait_until(lambda: _refuses(at.BAD_IP, port), 5.0):
                raise LabError(f"{server.name} was stopped, yet its port still answers")
        return None

    def stop(self) -> None:
        """Ends our own servers, newest first.  Safe to call twice."""
        while self._servers:
            self._servers.pop().stop()
        if self._postgres is not None:
            with suppress(FileNotFoundError):
                self._postgres.remove()


def _refuses(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return False
    except ConnectionRefusedError:
        return True
