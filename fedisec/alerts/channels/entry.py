"""The address of a channel as somebody types it: whether it may be used, and what may be shown of it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from checks.errors import Malformed
from checks.probes.addresses import is_within, parse_networks
from checks.probes.http_client import host_of
from fedisec.alerts.channels import apprise_way, services
from fedisec.alerts.models import ChannelKind
from fedisec.lib.vantage import may_visit

ADDRESS_MAX = 2000
_PORT_MIN = 1024  # below it, but for the web's own, other services listen


def objection(kind: str, address: str) -> str:
    """Why the address cannot be used, in the active language; "" where it can.  Sends nothing."""
    if len(address) > ADDRESS_MAX or any(c <= " " or c == "\x7f" for c in address):
        return _("This is no address.")
    if kind == ChannelKind.APPRISE:
        return _of_service(address)
    return _of_webhook(address)


def shown(kind: str, address: str) -> str:
    """What of an address that was not objected to stands on pages: scheme and host, or service and host."""
    if kind == ChannelKind.APPRISE:
        return services.shown_of(address)[:253]
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port not in (None, 443 if parts.scheme == "https" else 80) else ""
    host = host_of(address)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"[:253]


def _of_service(address: str) -> str:
    if not services.schema_of(address) or services.service_of(address) is None:
        return _("fedisec does not use this kind of address. Those that work are listed below the field.")
    return apprise_way.check(address)


def _of_webhook(address: str) -> str:
    try:
        parts = urlsplit(address)
        if "@" in parts.netloc:
            return _("Leave name and password out: the signature says who calls.")
        host, port = host_of(address), parts.port
    except (Malformed, ValueError):
        return _("This is no address. It begins with https://.")
    networks = parse_networks(settings.ALLOW_NETWORKS)
    literal = _is_address(host)
    if parts.scheme == "http" and (not networks or (literal and not is_within(host, networks))):
        return _("It has to begin with https://: what a call tells is for nobody on the way.")
    if literal and not may_visit(host):
        return _("fedisec does not visit this address (private or reserved).")
    if port is not None and port not in (80, 443) and port < _PORT_MIN:
        return _("fedisec does not call port %(port)s.") % {"port": port}
    return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
