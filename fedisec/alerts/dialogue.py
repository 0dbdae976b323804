"""One mail over one connection to a relay: verified TLS unless it was switched off, a time limit for the
whole, and what the relay said at each step."""

from __future__ import annotations

import base64
import io
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import certifi
from django.conf import settings

from checks.clean import clean
from fedisec.lib import crash
from fedisec.lib.vantage import is_denied, vantage

SAID_MAX = 500
_ADDRESSES_MAX = 4
_QUIT_S = 2.0
_PIECE = 16 * 1024
_HEARD_MAX = 256 * 1024  # bytes of all answers
_LINE_STARTS_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)


class Security(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Server:
    """A relay, and how to speak to it."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""  # "": the installation's own

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Step(StrEnum):
    """Of a dialogue, in their order."""

    CONNECT = "connect"
    TLS = "tls"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


@dataclass(slots=True)
class Talk:
    """What was heard: one line for each step that ended well, and the step that is being done."""

    lines: list[tuple[Step, str]] = field(default_factory=list)
    step: Step = Step.CONNECT

    def heard(self, said: str | bytes) -> None:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        self.lines.append((self.step, clean(text, SAID_MAX, newlines=False)))


class NoStartTls(smtplib.SMTPException):
    """The relay does not offer STARTTLS; the mail and the password are not sent in the open instead."""


class MaybeArrived(smtplib.SMTPException):
    """The content was handed over and no answer came; `__cause__` says what came instead."""


def hand_over(
    server: Server,
    sender: str,
    recipients: Sequence[str],
    content: bytes,
    talk: Talk | None = None,
    within_s: float | None = None,
) -> str:
    """Gives one mail to the relay; returns what it said to the content.  Ends within `within_s` seconds (or
    `EMAIL_TIMEOUT`), whatever the relay does.  `sender` and `recipients` are bare addresses, `content` has
    CRLF lines.

    Raises smtplib's exceptions and OSError: MaybeArrived where only the relay knows if it has the mail."""
    talk = talk or Talk()
    session = _Session(within_s or settings.EMAIL_TIMEOUT)
    try:
        _greet(session, server, talk)
        if server.username:
            talk.step = Step.LOGIN
            talk.heard(session.log_in(server.username, server.password))
        _name(session, sender, recipients, talk)
        talk.step = Step.CONTENT
        said = _content(session, content)
        talk.heard(said)
        session.say_goodbye()
        return talk.lines[-1][1]
    finally:
        session.close()


def _greet(session: _Session, server: Server, talk: Talk) -> None:
    talk.step = Step.CONNECT
    session.dial(server.host, server.port)
    if server.security is Security.TLS:
        talk.heard(f"{server}")
        talk.step = Step.TLS
        talk.heard(session.wrap(server.host))
        talk.step = Step.CONNECT
    talk.heard(session.greeting())
    session.ehlo_or_helo_if_needed()
    if server.security is Security.STARTTLS:
        talk.step = Step.TLS
        talk.heard(session.upgrade(server.host))
        session.ehlo_or_helo_if_needed()


def _name(session: _Session, sender: str, recipients: Sequence[str], talk: Talk) -> None:
    """Who sends and who receives.  One recipient that is taken is enough."""
    talk.step = Step.SENDER
    options = ["BODY=8BITMIME"] if session.has_extn("8bitmime") else []
    code, said = session.mail(sender, options)
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, said, sender)
    talk.heard(b"%d %s" % (code, said))
    talk.step = Step.RECIPIENT
    answers = {one: session.rcpt(one) for one in recipients}
    refused = {one: answer for one, answer in answers.items() if answer[0] not in (250, 251)}
    if len(refused) == len(answers):
        raise smtplib.SMTPRecipientsRefused(refused)
    code, said = next(answer for one, answer in answers.items() if one not in refused)
    talk.heard(b"%d %s" % (code, said))


def _content(session: _Session, content: bytes) -> bytes:
    try:
        code, said = session.data(content)
    except OSError as error:
        if session.handed_over and not isinstance(error, smtplib.SMTPDataError):
            raise MaybeArrived(str(error)) from error
        raise
    if code != 250:
        raise smtplib.SMTPDataError(code, said)
    return b"%d %s" % (code, said)


class _Session(smtplib.SMTP):
    """smtplib's dialogue under one deadline.  smtplib counts its time anew for each piece that arrives, so a
    relay that sends a byte a minute would hold a sender for ever; and it verifies no certificate."""

    sock: socket.socket | None

    def __init__(self, within_s: float) -> None:
        super().__init__(local_hostname=_own_name())
        self.handed_over = False  # the relay may have the whole content
        self._within_s = within_s
        self._until = time.monotonic() + within_s

    def left(self) -> float:
        """Seconds, never 0: that would mean "do not wait" to a socket."""
        return max(self._until - time.monotonic(), 0.001)

    def dial(self, host: str, port: int) -> None:
        """Connects to the first address that answers."""
        places = _addresses(host, port, self.left())[:_ADDRESSES_MAX]
        trouble: OSError | None = None
        for number, (family, kind, protocol, _, address) in enumerate(places):
            if is_denied(address[0]):
                raise OSError(f"{host} leads to an address that FEDISEC_DENY_NETWORKS closes")
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(self.left() / (len(places) - number))
            try:
                sock.connect(address)
            except OSError as error:
                sock.close()
                trouble = error
            else:
                self.sock = sock
                return
        raise trouble or OSError(f"{host} has no address")

    def wrap(self, host: str) -> str:
        """TLS from here on; returns what was agreed on.  ssl.SSLCertVerificationError (an OSError) for a
        certificate that is not good for `host`."""
        assert self.sock is not None
        self.sock.settimeout(self.left())
        secure = _trust().wrap_socket(self.sock, server_hostname=host)
        self.sock, self.file = secure, None  # what came before TLS is forgotten
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        return f"{secure.version()}, {host}"

    def upgrade(self, host: str) -> str:
        if not self.has_extn("starttls"):
            raise NoStartTls("the relay offers no STARTTLS")
        code, said = self.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, said)
        return self.wrap(host)

    def greeting(self) -> bytes:
        code, said = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        return b"%d %s" % (code, said)

    def log_in(self, user: str, password: str) -> bytes:
        """PLAIN or LOGIN, which TLS protects.  smtplib's own login knows no password outside ASCII."""
        offered = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            code, said = self.docmd("AUTH", "PLAIN " + _base64(f"\0{user}\0{password}"))
        elif "LOGIN" in offered:
            code, said = self.docmd("AUTH", "LOGIN " + _base64(user))
            if code == 334:
                code, said = self.docmd(_base64(password))
        else:
            raise smtplib.SMTPNotSupportedError("the relay offers neither AUTH PLAIN nor AUTH LOGIN")
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, said)
        return b"%d %s" % (code, said)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """`msg`: bytes with CRLF lines."""
        code, said = self.docmd("DATA")
        if code != 354:
            raise smtplib.SMTPDataError(code, said)
        end = b".\r\n" if msg.endswith(b"\r\n") else b"\r\n.\r\n"
        self.handed_over = True
        self.send(_LINE_STARTS_WITH_DOT.sub(b"..", msg) + end)
        crash.point("after_data")
        return self.getreply()

    def say_goodbye(self) -> None:
        """The relay has the mail: what goes wrong from here on is of no account."""
        self._until = min(self._until, time.monotonic() + _QUIT_S)
        with suppress(OSError):
            self.docmd("QUIT")

    def send(self, s: Any) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        rest = memoryview(s.encode("ascii") if isinstance(s, str) else s)
        while rest:
            self.sock.settimeout(self.left())
            try:
                rest = rest[self.sock.send(rest[:_PIECE]) :]
            except TimeoutError:
                raise self._too_late() from None

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None and self.file is None:
            self.file = io.BufferedReader(_Bounded(self.sock, self))
        try:
            return super().getreply()
        except smtplib.SMTPServerDisconnected as error:
            if time.monotonic() >= self._until:
                raise self._too_late() from error
            raise

    def _too_late(self) -> TimeoutError:
        return TimeoutError(f"the relay did not finish within {self._within_s:g} seconds")


class _Bounded(io.RawIOBase):
    """Reads a socket for as long as the session has time left."""

    def __init__(self, sock: socket.socket, session: _Session) -> None:
        self._sock, self._session, self._room = sock, session, _HEARD_MAX

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._session.left())
        read = self._sock.recv_into(buffer)
        self._room -= read
        if self._room < 0:  # smtplib bounds a line, not the number of lines of an answer
            raise OSError("the relay talks without end")
        return read


def _addresses(host: str, port: int, within_s: float) -> list[Any]:
    """What the system's resolver says, which may take longer than we wait and cannot be interrupted."""
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(within_s)
    if not found:
        raise TimeoutError(f"no answer about the address of {host}")
    if isinstance(found[0], OSError):
        raise found[0]
    if isinstance(found[0], UnicodeError):
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from found[0]
    return list(found[0])


def _trust() -> ssl.SSLContext:
    """The roots of the system and of certifi, and the operator's own."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    own = vantage().trust_pem
    if own:
        context.load_verify_locations(cadata=own)
    return context


def _own_name() -> str:
    """For EHLO: the host of our address; smtplib would ask the DNS for one, without a limit."""
    host = str(urlsplit(settings.PUBLIC_URL).hostname)
    if ":" in host:
        return f"[IPv6:{host}]"
    is_name = "." in host and not host.replace(".", "").isdigit()
    return host if is_name else "[127.0.0.1]"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
