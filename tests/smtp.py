"""A relay that answers as the test tells it, and keeps what it took."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


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
def a_relay() -> Iterator[tuple[Relay, int]]:
    """A running relay on a free port of loopback."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    relay, port = Relay(), free_port()
    controller = Controller(relay, "127.0.0.1", port)
    controller.start()
    try:
        yield relay, port
    finally:
        controller.stop()


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
