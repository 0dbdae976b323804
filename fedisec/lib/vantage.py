"""From where this installation looks: the operator's settings as the checks want them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from checks.target import Vantage


def vantage() -> Vantage:
    """The Vantage of the settings; ImproperlyConfigured when the file of trusted roots cannot be read."""
    return Vantage(
        resolver=settings.RESOLVER,
        trust_pem=_pem(settings.TRUST_CA) if settings.TRUST_CA else "",
        allow_networks=tuple(settings.ALLOW_NETWORKS),
        contact_url=settings.CONTACT_URL,
        secure_name=settings.DNSSEC_SECURE_NAME,
        bogus_name=settings.DNSSEC_BOGUS_NAME,
    )


@cache
def _pem(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"FEDISEC_TRUST_CA: cannot read {path} ({error.strerror})") from error
