"""A message by one of Apprise's services, sent by a process that ends with it and can do nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import certifi
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from checks.errors import Reason
from checks.probes import addresses
from checks.probes.dns import parse_server, system_server
from checks.reasons import REASONS
from fedisec.alerts.channels.hiding import answered
from fedisec.alerts.channels.services import host_of, is_there, service_of
from fedisec.alerts.channels.trouble import NotTaken
from fedisec.alerts.channels.webhook import TRIES_OF_4XX, pause_of
from fedisec.lib.vantage import vantage

WALL_S = 30.0
TEXT_MAX = 3500  # characters; most services take no more in one message
_CHILD = Path(__file__).with_name("apprise_child.py")
_REASONS = {
    "forbidden": Reason.FORBIDDEN_ADDRESS,
    "timeout": Reason.TIMEOUT,
    "refused": Reason.REFUSED,
    "connection_lost": Reason.CONNECTION_LOST,
    "no_such_name": Reason.NO_SUCH_NAME,
}


def check(address: str) -> str:
    """Why the address cannot be used, in the active language; "" where it can.  Sends nothing."""
    try:
        _asked(address, {"title": "", "body": "", "only_check": True})
    except NotTaken as trouble:
        return trouble.answer
    return ""


def send(address: str, title: str, body: str, now: datetime, attempts: int) -> str:
    """What the service answered, one clean line; NotTaken where it did not take the message in 30 seconds."""
    came = _asked(address, {"title": title, "body": body, "only_check": False})
    return _judged(came, address, now, attempts)


def short(text: str, link: str) -> str:
    """Whole lines of `text` up to what services take; the link stands at the end of what was cut."""
    if len(text) <= TEXT_MAX:
        return text
    kept = text[: TEXT_MAX - len(link) - 10]
    return f"{kept[: kept.rfind(chr(10))].rstrip()}\n\n… {link}"


def _asked(address: str, task: dict[str, Any]) -> dict[str, Any]:
    """What the child says; NotTaken where it cannot be asked."""
    service = service_of(address)
    if service is None:
        raise NotTaken(_("This kind of address is not allowed here."), final=True)
    if not is_there():
        raise NotTaken(_("Apprise is not installed beside fedisec."))
    place = vantage()
    server = parse_server(place.resolver) if place.resolver else system_server()
    with _bundle(place.trust_pem) as bundle:
        task |= {
            "address": address,
            "module": f"apprise.plugins.{service.module}",
            "service": service.kind,
            "allowed": list(place.allow_networks),
            "denied": list(place.deny_networks),
            "own": list(place.own_networks),
            "resolver": (server.address, server.port) if server is not None else ("", 53),
            "bundle": bundle,
        }
        came = _run(task, bundle)
    if came.get("trouble") == "address":
        raise NotTaken(_("Apprise does not understand this address."), final=True)
    if came.get("trouble") == "verify":
        raise NotTaken(_("The address asks not to verify certificates."), final=True)
    return came


def _run(task: dict[str, Any], bundle: str) -> dict[str, Any]:
    # -I: neither the environment nor the folder that fedisec runs in decides what is imported; -B: nothing is
    # written.  The environment holds the secrets of the installation: the child gets none of it.
    command = [sys.executable, "-I", "-B", str(_CHILD), str(addresses.__file__)]
    environment = {"LANG": "C.UTF-8", "PATH": "/nonexistent", "REQUESTS_CA_BUNDLE": bundle}
    try:
        done = subprocess.run(
            command,
            input=json.dumps(task).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may quote the address
            timeout=WALL_S,
            env=environment,
            check=False,
        )
        came = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise NotTaken(_reason(Reason.TIMEOUT), maybe_arrived=True) from None
    except ValueError:
        raise NotTaken(_("Apprise ended without a word."), maybe_arrived=True) from None
    return dict(came)


@contextmanager
def _bundle(trust_pem: str) -> Iterator[str]:
    """A file of the roots that count: certifi's, and the operator's."""
    if not trust_pem:
        yield certifi.where()
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as file:
        file.write(f"{Path(certifi.where()).read_text('ascii', 'ignore')}\n{trust_pem}")
        file.flush()
        yield file.name


def _judged(came: dict[str, Any], address: str, now: datetime, attempts: int) -> str:
    status = came.get("status")
    said = ""
    if isinstance(status, int):
        said = answered(status, came["said"], address, host_of(address))
    if came["taken"]:
        return said or _("taken")
    trouble = str(came["trouble"])
    if trouble in _REASONS:
        raise NotTaken(_reason(_REASONS[trouble]), maybe_arrived=trouble in {"timeout", "connection_lost"})
    if trouble in {"certificate", "tls"}:
        raise NotTaken(_("The certificate of the service does not hold."))
    if not isinstance(status, int):
        raise NotTaken(_("Apprise sent nothing (%(why)s).") % {"why": trouble[:60] or "?"})
    limited = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    raise NotTaken(
        said,
        final=400 <= status < 500 and not limited and attempts >= TRIES_OF_4XX,
        pause=pause_of(came["pause"], now) if limited else None,
        maybe_arrived=status >= 500 and not limited,
    )


def _reason(reason: Reason) -> str:
    return REASONS[reason].in_language(get_language() or "en")
