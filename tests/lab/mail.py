"""Mail of the lab: the MX of both instances, and the receiver that takes fedisec's own mail.

Run as a child process: `python -m tests.lab.mail FOLDER CHAIN KEY`.  Accepted messages become files.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import sys
import threading
import uuid
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.lab import places as at
from tests.lab.ca import Leaf
from tests.lab.processes import Server

RECEIVER_PORT, MX_PORT = 2525, 25
_MAX_BYTES = 10_485_760
_SPOOL = "received"


@dataclass(frozen=True, slots=True)
class Received:
    """One accepted message and the envelope it came in."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    file: Path

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text part, decoded; empty when there is none."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()).replace("\r\n", "\n") if isinstance(part, EmailMessage) else ""


class Mailbox:
    """What the receiver has taken so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / _SPOOL

    def messages(self) -> list[Received]:
        """In order of arrival."""
        return [_read(file) for file in sorted(self.folder.glob("*.json"))]

    def clear(self) -> None:
        for file in self.folder.glob("*.json"):
            file.unlink()


def _read(file: Path) -> Received:
    stored = json.loads(file.read_text())
    message = message_from_bytes(stored["content"].encode("latin-1"), policy=policy.default)
    return Received(stored["sender"], tuple(stored["recipients"]), message, file)


def start_mail(folder: Path, leaf: Leaf) -> Server:
    """Starts all three listeners in one child; they may not answer yet (see `mail_ready`)."""
    (folder / _SPOOL).mkdir(parents=True, exist_ok=True)
    repository = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, [str(repository), os.environ.get("PYTHONPATH", "")]))
    argv = [sys.executable, "-m", "tests.lab.mail", str(folder), str(leaf.chain), str(leaf.key)]
    return Server("mail", argv, folder / "mail.log", env={"PYTHONPATH": path})


def mail_ready() -> bool:
    """True once each listener greets."""
    return all(_greets(*place) for place in ((at.RECEIVER_IP, RECEIVER_PORT), (at.MX_IP, MX_PORT),
                                             (at.BAD_MAIL_IP, MX_PORT)))  # fmt: skip


def _greets(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1) as connection:
            greeting = connection.recv(4) == b"220 "
            connection.sendall(b"QUIT\r\n")
            return greeting
    except OSError:
        return False


class _Handler:
    """Accepts mail for `domain` ("" = for everybody) into `folder`."""

    def __init__(self, folder: Path, domain: str = "") -> None:
        self._folder, self._domain = folder, domain
        self._lock, self._count = threading.Lock(), 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._domain and address.rpartition("@")[2].lower() != self._domain:
            return "554 5.7.1 Relay access denied"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        with self._lock:
            self._count += 1
            name = f"{self._count:06d}-{uuid.uuid4().hex}"
        content = envelope.original_content or b""
        stored = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "content": content.decode("latin-1"),
        }
        written = self._folder / f"{name}.part"
        written.write_text(json.dumps(stored))
        written.rename(written.with_suffix(".json"))  # a reader sees all of it or nothing
        return "250 2.0.0 Ok: queued"


def _controllers(folder: Path, chain: str, key: str) -> list[Controller]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(chain, key)
    spool, mx = folder / _SPOOL, folder / "mx"
    mx.mkdir(exist_ok=True)
    return [
        _listener(_Handler(spool), at.RECEIVER_IP, RECEIVER_PORT, "smtp.fedi.test"),
        _listener(_Handler(mx, at.GOOD), at.MX_IP, MX_PORT, at.MX, tls),
        _listener(_Handler(mx, at.GOOD), at.MX_IP6, MX_PORT, at.MX, tls),
        _listener(_Handler(mx, at.BAD), at.BAD_MAIL_IP, MX_PORT, at.BAD_MAIL),
    ]


def _listener(
    handler: _Handler, address: str, port: int, name: str, tls: ssl.SSLContext | None = None
) -> Controller:
    return Controller(
        handler, address, port,
        server_hostname=name, ident="ESMTP", tls_context=tls, data_size_limit=_MAX_BYTES,
    )  # fmt: skip


def main(folder: str, chain: str, key: str) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    os.umask(0o077)
    running = _controllers(Path(folder), chain, key)
    for controller in running:
        controller.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    for controller in running:
        controller.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
