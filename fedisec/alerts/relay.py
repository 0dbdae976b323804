"""The way out for mails: the relay of the environment, else the one that was set by form, else a folder."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.filebased import EmailBackend as Folder
from django.core.mail.message import sanitize_address

from fedisec.alerts.dialogue import Security, Server, Talk, hand_over
from fedisec.alerts.models import MailServer
from fedisec.lib import env
from fedisec.lib.sealed import opened
from fedisec.lib.secrets import CannotOpen


class Unusable(OSError):
    """What was set cannot be used; the message says why."""


def send(letter: EmailMessage) -> str:
    """Hands one mail over; returns what the relay said ("" for a folder).  Raises smtplib.SMTPException and
    OSError, see `dialogue.hand_over`."""
    letter.connection = connection()
    letter.send()
    return letter.connection.said if isinstance(letter.connection, Backend) else ""


def connection() -> BaseEmailBackend:
    """What Django sends mails with: a `Backend`."""
    found: BaseEmailBackend = get_connection()
    return found


def is_set() -> bool:
    """Whether mails leave this machine; at most one query."""
    return settings.HAS_RELAY or bool(settings.EMAIL_URL) or MailServer.objects.exists()


def current() -> Server | None:
    """The relay that counts; None where mails go to the folder.  Unusable without its key file."""
    return by_environment() or by_form()


def by_environment() -> Server | None:
    if not settings.EMAIL_URL:
        return None
    found = env.mail(settings.EMAIL_URL)
    return Server(
        found.host,
        found.port,
        Security(found.security),
        found.username,
        found.password,
        settings.DEFAULT_FROM_EMAIL,
    )


def by_form() -> Server | None:
    stored = MailServer.objects.order_by("pk").first()
    return None if stored is None else server_of(stored)


def server_of(stored: MailServer) -> Server:
    """With its password, opened."""
    try:
        password = opened(stored, "sealed_password")
    except CannotOpen as error:
        raise Unusable(f"the password of the mail server cannot be read: {error}") from error
    return Server(
        stored.host, stored.port, Security(stored.security), stored.username, password, stored.sender
    )


def deliver(
    server: Server, message: EmailMessage, talk: Talk | None = None, within_s: float | None = None
) -> str:
    """One mail, one connection; returns what the relay said.  The sender of the relay stands in for the
    installation's own."""
    if server.sender and message.from_email == settings.DEFAULT_FROM_EMAIL:
        message.from_email = server.sender
    return hand_over(
        server,
        _bare(message.from_email),
        [_bare(one) for one in message.recipients()],
        message.message().as_bytes(linesep="\r\n"),  # type: ignore[call-arg]  # Django's class has it
        talk,
        within_s,
    )


def _bare(address: str) -> str:
    return parseaddr(sanitize_address(address, "utf-8"))[1]


class Backend(BaseEmailBackend):
    """Django's way out, for every mail of fedisec and of allauth.  `said`: the relay's last answer."""

    said = ""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        server = current()
        if server is None:
            return int(Folder(file_path=str(settings.EMAIL_FILE_PATH)).send_messages(email_messages) or 0)
        for message in email_messages:
            self.said = deliver(server, message)
        return len(email_messages)
