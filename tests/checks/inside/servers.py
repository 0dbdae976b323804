"""Servers to log in to: a real sshd with fedisec's key on it, and some that mean harm once they are trusted."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside
from checks.probes import Gathered, gather, inside
from checks.target import Access, Limits, Target
from tests.checks.ssh.servers import LOOPBACK, VANTAGE, speaker, sshd

ME = getpass.getuser()
REPORT = "@fedisec 1\n@sec meta\n uid 0\n =rc 0\n@end meta ms=1\n@done 0\n"


@dataclass(frozen=True)
class Pair:
    """A key pair as enrolment makes one."""

    private: str = field(repr=False)
    public: str

    @classmethod
    def new(cls) -> Pair:
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
        public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
        return cls(private.decode(), public.decode())

    @property
    def body(self) -> str:
        """The secret part of the text, as one of its lines."""
        return self.private.splitlines()[2]


KEY = Pair.new()


@dataclass(frozen=True)
class Enrolled:
    """A server that fedisec may log in to."""

    port: int
    host_key: str
    folder: Path

    def access(
        self, *, user: str = ME, key: Pair = KEY, host_key: str | None = None, forced: bool = False
    ) -> Access:
        known = self.host_key if host_key is None else host_key
        return Access(LOOPBACK, self.port, user, key.private, known, forced)

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text()


@contextmanager
def enrolled(*options: str, before_key: str = "", key: Pair = KEY) -> Iterator[Enrolled]:
    """OpenSSH that lets `key` in as any user; `before_key` are the options of its line in authorized_keys."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # another user's keys are read as that user
        keys = folder / "authorized_keys"
        keys.write_text(f"{before_key} {key.public} fedisec\n".lstrip())
        lines = (f"AuthorizedKeysFile {keys}", "StrictModes no", "PermitRootLogin yes", *options)
        with sshd(folder, *lines) as port:
            kind, blob, *_ = (folder / "host_key.pub").read_text().split()
            yield Enrolled(port, f"{kind} {blob}", folder)


def program(folder: Path, text: str) -> Path:
    """A shell script that stands in for the installed collector."""
    path = folder / "fedisec-collect"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def look_inside(access: Access | None, limits: Limits | None = None) -> Facts:
    return look_counting(access, limits).facts


def look_counting(access: Access | None, limits: Limits | None = None) -> Gathered:
    target = Target("instance.example", access=access)
    return asyncio.run(gather(target, VANTAGE, limits or Limits(), probes=inside.PROBES))


def gap_of(access: Access | None) -> Missing:
    """Why nothing was seen of the inside; fails where something was."""
    try:
        found = look_inside(access).get(Inside)
    except MissingFact as missing:
        return missing.missing
    raise AssertionError(f"a report came: {found}")


Behaviour = Callable[["Host", paramiko.Channel], None]


@dataclass
class Host(paramiko.ServerInterface):
    """A server of paramiko's that lets everybody in; what it was asked for is kept."""

    behave: Behaviour = lambda host, channel: None  # noqa: E731
    login: int = AUTH_SUCCESSFUL
    may_open: int = OPEN_SUCCEEDED
    runs: bool = True
    offers: str = "publickey"
    asked: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    at_login: Callable[[Host], None] | None = None
    at_open: Callable[[Host], None] | None = None
    at_exec: Callable[[Host], None] | None = None
    _transport: paramiko.Transport | None = None

    @property
    def transport(self) -> paramiko.Transport:
        assert self._transport is not None
        return self._transport

    def send(self, message: paramiko.Message) -> None:
        """Past all that holds paramiko to the protocol."""
        self.transport._send_message(message)  # type: ignore[attr-defined]

    def get_allowed_auths(self, username: str) -> str:
        return self.offers

    def check_auth_none(self, username: str) -> int:
        self.asked.append("none")
        return AUTH_SUCCESSFUL

    def check_auth_password(self, username: str, password: str) -> int:
        self.asked.append("password")
        return AUTH_SUCCESSFUL

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.asked.append("publickey")
        self._meet(self.at_login)
        return self.login

    def check_auth_interactive(self, username: str, submethods: str) -> int:
        self.asked.append("interactive")
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.asked.append(kind)
        self._meet(self.at_open)
        return self.may_open

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.asked.append(command.decode())
        self._meet(self.at_exec)
        if self.runs:
            thread = threading.Thread(target=self._run, args=(channel,))
            thread.start()
            self.threads.append(thread)  # not before: whoever ends the server joins what stands here
        return self.runs

    def check_channel_env_request(self, channel: paramiko.Channel, name: bytes, value: bytes) -> bool:
        self.asked.append("env")
        return True

    def check_channel_pty_request(self, channel: paramiko.Channel, *_: object) -> bool:
        self.asked.append("pty")
        return True

    def check_channel_forward_agent_request(self, channel: paramiko.Channel) -> bool:
        self.asked.append("agent")
        return True

    def _meet(self, trap: Callable[[Host], None] | None) -> None:
        if trap is not None:
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                trap(self)

    def _run(self, channel: paramiko.Channel) -> None:
        time.sleep(0.1)  # a server says that the command runs before the command says anything
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self.behave(self, channel)


@contextmanager
def hosted(
    host: Host,
    *more_keys: paramiko.PKey,
    before: Callable[[paramiko.Transport], None] | None = None,
    where: tuple[str, int] = (LOOPBACK, 0),
) -> Iterator[Enrolled]:
    """The host on a free port, or at an address.  With several keys each connection shows the next one; the first is enrolled."""
    keys = [paramiko.ECDSAKey.generate(), *more_keys]
    seen: list[paramiko.PKey] = []

    def serve(connection: socket.socket, ended: threading.Event) -> None:
        transport = paramiko.Transport(connection)
        host._transport = transport
        key = keys[min(len(seen), len(keys) - 1)]
        seen.append(key)
        transport.add_server_key(key)
        if before is not None:
            before(transport)
        transport.start_server(event=threading.Event(), server=host)
        while not ended.wait(0.05) and transport.is_alive():
            pass
        host.ended.set()
        transport.close()
        transport.packetizer.complete_handshake()
        for thread in [*host.threads, transport]:
            thread.join(5)

    with speaker(serve, where) as port:
        first = keys[0]
        yield Enrolled(port, f"{first.get_name()} {first.get_base64()}", Path())
