"""What a look brings of a server that is gone, with one thing or another otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from checks.errors import Reason
from checks.facts import Fact, Facts, Missing
from checks.facts.dns import Addresses, ResolverHealth
from checks.facts.http import FrontPage, Page, PlainHttp
from checks.facts.inside import Inside
from checks.facts.ports import AddressPorts, OpenPorts, PortSeen, PortState
from checks.facts.ssh import SshEndpoint, SshService
from checks.facts.tls import TlsOffer, UnseenEndpoint

HOST, V4, SECOND, V6 = "social.test", "192.0.2.1", "192.0.2.2", "2001:db8::1"
SILENT, RESET = Missing(Reason.TIMEOUT), Missing(Reason.REFUSED)
PAGE = Page(f"https://{HOST}/", 200, (), "")

Given = Fact | Missing
HEALTH = ResolverHealth("127.0.0.53", validates=True)
PLACES = Addresses(HOST, (V4,), (), ipv6_usable=False)


def offer(*gaps: tuple[str, Missing]) -> TlsOffer:
    return TlsOffer(HOST, tuple(UnseenEndpoint(address, gap) for address, gap in gaps))


def ssh(state: PortState | Missing, banner: str = "") -> SshService:
    return SshService("root", 22, (SshEndpoint(V4, 22, state, banner),))


def ports(*states: PortState | Missing) -> OpenPorts:
    return OpenPorts((AddressPorts(V4, tuple(PortSeen(n, state) for n, state in enumerate(states, 1))),))


GONE: Mapping[type[Fact], Given] = {
    ResolverHealth: HEALTH,
    Addresses: PLACES,
    TlsOffer: offer((V4, SILENT)),
    FrontPage: SILENT,
    PlainHttp: SILENT,
    SshService: ssh(PortState.FILTERED),
    OpenPorts: ports(PortState.FILTERED, PortState.CLOSED, SILENT),
    Inside: Missing(Reason.NOT_CONNECTED),
}


def facts(changed: Mapping[type[Fact], Given] | None = None) -> Facts:
    """A server that is gone, with these things otherwise."""
    given = {**GONE, **(changed or {})}
    return Facts(
        {kind: one for kind, one in given.items() if not isinstance(one, Missing)},
        {kind: one for kind, one in given.items() if isinstance(one, Missing)},
    )
