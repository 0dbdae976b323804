"""Whether the server behind a CDN can be reached past it."""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts import Fact, Missing


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """What an address said to a request for the instance's name, past the CDN."""

    address: str
    named_by: str  # the DNS record that names it ("MX mail.example"), or "admin"
    status: int | Missing | None  # HTTP status; None: it refused the connection or the name
    serves_site: bool = False  # the answer is the instance's own, not a stranger's


@dataclass(frozen=True, slots=True)
class OriginExposure(Fact):
    """Addresses that may be the origin, asked for the site.  `cdn` "": no CDN in front, nothing was asked."""

    cdn: str
    answers: tuple[DirectAnswer, ...] = ()
