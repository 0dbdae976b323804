"""The steps of a dialogue with a relay, and what to do when one fails, in plain words."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fedisec.alerts.dialogue import MaybeArrived, NoStartTls, Server, Step
from fedisec.alerts.relay import Unusable

STEPS: dict[Step, Promise] = {
    Step.CONNECT: gettext_lazy("Connect"),
    Step.TLS: gettext_lazy("TLS"),
    Step.LOGIN: gettext_lazy("Log in"),
    Step.SENDER: gettext_lazy("Sender"),
    Step.RECIPIENT: gettext_lazy("Recipient"),
    Step.CONTENT: gettext_lazy("Content"),
}


class Advice(NamedTuple):
    """What went wrong, and what helps."""

    cause: str
    cure: str


def advice(error: OSError, step: Step, server: Server | None) -> Advice:
    """For the error that `step` ended with."""
    if isinstance(error, Unusable):
        return Advice(
            _("The stored password cannot be opened."),
            _("Put back the key file that it was sealed with, or enter the password again."),
        )
    if isinstance(error, NoStartTls):
        return Advice(
            _("The server offers no STARTTLS, and nothing is sent unencrypted instead."),
            _("Choose TLS from the start (port 465), or another port; 587 usually offers STARTTLS."),
        )
    if isinstance(error, MaybeArrived):
        return Advice(
            _("The server took the content and did not say whether it keeps the mail."),
            _("Look into the mailbox, and into the log of the server."),
        )
    if isinstance(error, TimeoutError):
        return Advice(
            _("The server did not answer in time."),
            _("Check host and port. Many hosters block outgoing port 25; use 587 or 465."),
        )
    if isinstance(error, ssl.SSLError):
        return _about_tls(error, server)
    if isinstance(error, smtplib.SMTPException):
        return _about_answer(error, step)
    return _about_connection(error)


def _about_connection(error: OSError) -> Advice:
    if isinstance(error, socket.gaierror):
        return Advice(_("The host has no address."), _("Check the spelling of the host, and the DNS."))
    if isinstance(error, ConnectionRefusedError):
        return Advice(
            _("Nothing listens on this port, or a firewall refuses."),
            _("Check host and port: 587 for STARTTLS, 465 for TLS from the start."),
        )
    return Advice(
        _("The connection failed."),
        _("Check host and port, and whether this machine reaches the network."),
    )


def _about_tls(error: ssl.SSLError, server: Server | None) -> Advice:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return Advice(
            _("TLS failed."),
            _("Is it the right kind of encryption for this port? 587 speaks STARTTLS, 465 TLS at once."),
        )
    if "not valid for" in error.verify_message or "mismatch" in error.verify_message:
        values = {"host": server.host if server is not None else ""}
        return Advice(
            _("The certificate is not good for the name %(host)s.") % values,
            _("Enter the name that stands in the certificate of the server."),
        )
    if "expired" in error.verify_message:
        return Advice(_("The certificate has expired."), _("Renew it on the mail server."))
    return Advice(
        _("The certificate comes from nobody this machine trusts."),
        _("Give the server a certificate of a public authority, or name your own one in FEDISEC_TRUST_CA."),
    )


def _about_answer(error: smtplib.SMTPException, step: Step) -> Advice:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Advice(
            _("The server refuses user name or password."),
            _("Check both. Services with a second factor want a password made for applications."),
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Advice(
            _("The server offers no log-in with a password here."),
            _("Use the port for submission (587 or 465), or leave user name and password empty."),
        )
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Advice(
            _("The server refuses the sender."),
            _("Use an address that this user may send from; some servers want a log-in first."),
        )
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return Advice(
            _("The server refuses the recipient."),
            _("Does the mailbox exist? “Relay denied” means that the server wants a log-in."),
        )
    if isinstance(error, smtplib.SMTPDataError):
        return Advice(
            _("The server refuses the mail."),
            _("Its answer says why: often a limit, a filter, or a missing SPF or DKIM record of the sender."),
        )
    if isinstance(error, smtplib.SMTPServerDisconnected) and step is Step.CONNECT:
        return Advice(
            _("The server hung up at once."),
            _("Is it the right kind of encryption for this port? 587 speaks STARTTLS, 465 TLS at once."),
        )
    return Advice(
        _("The server broke off."),
        _("Try again in a moment; if it stays so, look into the log of the mail server."),
    )
