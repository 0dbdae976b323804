"""A relay that answers as the test tells it, and keeps what it took."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.lab.ca import Leaf


class Relay:
    """`answers` are used up one per mail, at RCPT ("rcpt 550 …") or at the end of DATA ("data 451 …"); ""
    and an empty list take the mail.  "drop" takes it and closes the connection without an answer, "hang"
    takes it and stays silent, as a relay does that dies after it has stored the mail."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.taken: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refused: set[str] = set()  # addresses that get 550 at RCPT, always
        self.seen: list[tuple[float, str]] = []  # (monotonic time, "rcpt" or "data") of each step of a mail
        self.on_content: Callable[[], object] = lambda: None  # called with the content in, before any answer

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.seen.append((time.monotonic(), "rcpt"))
        if address in self.refused:
            return "550 no such mailbox"
        if self.answers and self.answers[0].startswith("rcpt "):
            return self.answers.pop(0).removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.seen.append((time.monotonic(), "data"))
        self.on_content()
        answer = self.answers.pop(0) if self.answers else ""
        if answer not in {"", "drop", "hang"}:
            return answer.removeprefix("data ")
        content = envelope.original_content or b""
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients += envelope.rcpt_tos
        if answer == "drop":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if answer == "hang":
            await asyncio.sleep(3600)
        return "250 OK"


@contextmanager
def a_relay(**options: Any) -> Iterator[tuple[Relay, int]]:
    """A running relay on a free port of loopback; `options` are those of aiosmtpd's SMTP."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    relay, port = Relay(), free_port()
    controller = Controller(relay, "127.0.0.1", port, **options)
    controller.start()
    try:
        yield relay, port
    finally:
        controller.stop()


def with_tls(leaf: Leaf) -> dict[str, Any]:
    """Options for a relay that offers STARTTLS, and takes no mail without it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(leaf.chain, leaf.key)
    return {"tls_context": context, "require_starttls": True}


def with_login(user: str, password: str) -> dict[str, Any]:
    """Options for a relay that takes mails from that user alone."""

    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        right = given == LoginPassword(user.encode(), password.encode())
        return AuthResult(success=right, handled=right)

    return {"authenticator": check, "auth_required": True}


@contextmanager
def a_silent_relay(
    *answers: bytes, context: ssl.SSLContext | None = None, drip_s: float = 0
) -> Iterator[int]:
    """Says `answers`, the first at once (or a byte every `drip_s` seconds) and then one to each line it gets,
    then nothing: neither word nor end.  With `context` it speaks TLS from the start."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                held.append(connection)
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                    held.append(connection)
                for number, answer in enumerate(answers):
                    for piece in _bytes_of(answer) if drip_s and number == 0 else [answer]:
                        time.sleep(drip_s)
                        connection.sendall(piece)
                    connection.recv(4096)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.close()
            for connection in held:
                connection.close()
            thread.join(5)


def _bytes_of(text: bytes) -> list[bytes]:
    return [text[place : place + 1] for place in range(len(text))]


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def text_of(message: EmailMessage) -> str:
    """The plain text part."""
    part = message.get_body(("plain",))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")
