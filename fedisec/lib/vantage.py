"""From where this installation looks: the operator's settings as the checks want them."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from checks.data.dns import root_anchors
from checks.data.rdap import bootstrap
from checks.probes.addresses import may_dial, parse_networks
from checks.probes.net import Net
from checks.target import Limits, Vantage


def may_visit(address: str) -> bool:
    """Whether the address rule, with what the operator allows and denies, lets fedisec dial the address."""
    return Net(vantage(), Limits()).may_dial(address)


def is_denied(address: str) -> bool:
    """Whether the operator denies the address: for what reaches private networks by its nature."""
    return not may_dial(
        address, parse_networks(("0.0.0.0/0", "::/0")), parse_networks(settings.DENY_NETWORKS)
    )


def vantage() -> Vantage:
    """The Vantage of the settings; ImproperlyConfigured when a file that they name cannot be read."""
    return Vantage(
        resolver=settings.RESOLVER,
        trust_pem=_pem(settings.TRUST_CA) if settings.TRUST_CA else "",
        allow_networks=tuple(settings.ALLOW_NETWORKS),
        deny_networks=tuple(settings.DENY_NETWORKS),
        own_networks=tuple(settings.OUTGOING_ADDRESSES),
        spares_itself=True,
        contact_url=settings.CONTACT_URL,
        secure_name=settings.DNSSEC_SECURE_NAME,
        bogus_name=settings.DNSSEC_BOGUS_NAME,
        anchors=_anchors(settings.DNSSEC_ANCHOR),
        rdap_bootstrap=_rdap_bootstrap(settings.RDAP_BOOTSTRAP),
    )


def _anchors(path: str) -> tuple[str, ...]:
    try:
        return root_anchors(path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ImproperlyConfigured(f"FEDISEC_DNSSEC_ANCHOR: cannot read {path} ({why})") from error


def _rdap_bootstrap(path: str) -> str:
    try:
        bootstrap(path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ImproperlyConfigured(f"FEDISEC_RDAP_BOOTSTRAP: cannot read {path} ({why})") from error
    return path


@cache
def _pem(path: str) -> str:
    try:
        pem = Path(path).read_text("ascii", "ignore")  # comments may be in any language
    except OSError as error:
        raise ImproperlyConfigured(f"FEDISEC_TRUST_CA: cannot read {path} ({error.strerror})") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise ImproperlyConfigured(f"FEDISEC_TRUST_CA: {path} holds no certificate in PEM form") from None
    return pem
