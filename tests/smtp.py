"""A relay that answers as the test tells it, and keeps what it took."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Relay:
    """`answers` are used up one per mail, at RCPT ("rcpt 550 …") or at the end of DATA ("data 451 …"); ""
    and an empty list take the mail."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.taken: list[EmailMessage] = []
        self.recipients: list[str] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers and self.answers[0].startswith("rcpt "):
            return self.answers.pop(0).removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.answers.pop(0) if self.answers else ""
        if answer:
            return answer.removeprefix("data ")
        content = envelope.original_content or b""
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients += envelope.rcpt_tos
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
