"""Whom to believe about a request's scheme and client: the proxies that the operator names, nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from checks.probes.addresses import is_within, parse_networks

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# Whatever a proxy may be asked to say about the far side; Django and its libraries read some of these.
_TOLD = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
)


def behind(application: Application, proxies: Iterable[str]) -> Application:
    """The application as seen through `proxies` (networks).  From one of them the last entry of
    X-Forwarded-For is the client, and X-Forwarded-Proto the scheme; all other such headers are dropped, and
    from anybody else all of them: the nearest proxy alone is believed, whatever the client told it."""
    networks = parse_networks(proxies)

    def vetted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        told = {name: environ.pop(name) for name in _TOLD if name in environ}
        if is_from(str(environ.get("REMOTE_ADDR", "")), networks):
            client = _address(told.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2])
            if client:
                environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = client
                environ.pop("REMOTE_PORT", None)
            scheme = told.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"] = scheme
        return application(environ, start_response)

    return vetted


def is_from(peer: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Whether a peer's address, v4-mapped or not, lies in one of the networks."""
    found = _address(peer)
    return bool(found) and is_within(found, networks)


def _address(text: str) -> str:
    """The address in "1.2.3.4", "1.2.3.4:80", "2001:db8::1" or "[2001:db8::1]:80"; "" for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)
