"""Does the server answer at all?  Judged apart from its items, which say nothing while it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.dns import Addresses, ResolverHealth
from checks.facts.http import FrontPage, PlainHttp
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts, PortState
from checks.facts.ssh import SshService
from checks.facts.tls import TlsEndpoint, TlsOffer
from checks.model import Evidence, Scalar, Status

# What a connection without any answer comes to.  A reset is one: it tells of a machine, not of a server.
_SILENCE = frozenset({Reason.TIMEOUT, Reason.REFUSED, Reason.UNREACHABLE})
# What only comes after an answer.
_ANSWER = frozenset(
    {Reason.CONNECTION_LOST, Reason.MALFORMED, Reason.TOO_LARGE, Reason.WITHHELD, Reason.BANNED}
)
_SSH_ANSWER = frozenset({Reason.KEY_REFUSED, Reason.HOST_KEY_CHANGED, Reason.DENIED, Reason.NO_SHELL})
_SSH_UNTRIED = frozenset({Reason.NOT_CONNECTED, Reason.NOT_ASKED})
_NAME_FAILS = {Reason.NO_SUCH_NAME: "no_name", Reason.RESOLVER_FAILED: "dns_fails"}


@dataclass(frozen=True, slots=True)
class Reached:
    """`status`: pass (it answers), fail (nothing does) or unknown.  `code` of a fail: no_name (the DNS knows
    no address), dns_fails (it gives an error instead), refused (every connection is reset), silent."""

    status: Status
    code: str = ""
    data: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}))
    evidence: tuple[Evidence, ...] = ()


UNSEEN = Reached(Status.UNKNOWN)
ANSWERS = Reached(Status.PASS, "answers")


def reach(facts: Facts) -> Reached:
    """Fail only where every address of the web name was tried and nothing answered, SSH from inside included;
    or where the DNS leads nowhere though fedisec's own resolver works."""
    addresses = facts.maybe(Addresses)
    if addresses is None:
        return _nameless(facts)
    if _answers(facts):
        return ANSWERS
    if not _resolver_works(facts) or not _ssh_is_silent(facts):
        return UNSEEN
    gaps = _silent_addresses(facts, addresses)
    if gaps is None or not _is_silent_on_80(facts):
        return UNSEEN
    refused = all(gap.reason is Reason.REFUSED for gap in gaps.values())
    evidence = tuple(Evidence(f"{address} port 443", gap.reason.value) for address, gap in gaps.items())
    return Reached(Status.FAIL, "refused" if refused else "silent", {"count": len(gaps)}, evidence)


def _nameless(facts: Facts) -> Reached:
    """An own login over SSH by address changes nothing: nobody else finds the server."""
    gap = facts.missing.get(Addresses, Missing(Reason.NOT_ASKED))
    code = _NAME_FAILS.get(gap.reason)
    if code is None or not _resolver_works(facts):
        return UNSEEN
    return Reached(Status.FAIL, code, {}, (Evidence("DNS", gap.detail or gap.reason.value),))


def _resolver_works(facts: Facts) -> bool:
    """Our own resolver answers what it has to: with it, we know that we have a network."""
    health = facts.maybe(ResolverHealth)
    return health is not None and isinstance(health.validates, bool)


def _answers(facts: Facts) -> bool:
    web, ssh, ports = facts.maybe(PlainHttp), facts.maybe(SshService), facts.maybe(OpenPorts)
    tls = facts.maybe(TlsOffer)
    states = [e.state for e in ssh.endpoints] if ssh is not None else []
    if ports is not None:
        states += [port.state for one in ports.addresses for port in one.ports]
    gaps = [facts.missing.get(kind) for kind in (FrontPage, PlainHttp, TlsOffer)]
    gaps += [e.gap for e in tls.endpoints if not isinstance(e, TlsEndpoint)] if tls is not None else []
    inside = facts.missing.get(Inside)
    return (
        facts.maybe(Inside) is not None
        or facts.maybe(FrontPage) is not None
        or (web is not None and not web.closed)
        or (tls is not None and any(isinstance(e, TlsEndpoint) for e in tls.endpoints))
        or PortState.OPEN in states
        or any(gap is not None and gap.reason in _ANSWER for gap in gaps)
        or (inside is not None and inside.reason in _SSH_ANSWER)
    )


def _silent_addresses(facts: Facts, addresses: Addresses) -> dict[str, Missing] | None:
    """Each address and how it was silent; None unless all of them were tried and were."""
    tls = facts.maybe(TlsOffer)
    if tls is None:
        return None
    gaps = {e.address: e.gap for e in tls.endpoints if not isinstance(e, TlsEndpoint)}
    wanted = {*addresses.v4, *addresses.v6}
    if set(gaps) != wanted or any(gap.reason not in _SILENCE for gap in gaps.values()):
        return None
    return gaps


def _is_silent_on_80(facts: Facts) -> bool:
    web, gap = facts.maybe(PlainHttp), facts.missing.get(PlainHttp)
    return (web is not None and web.closed) or (gap is not None and gap.reason in _SILENCE)


def _ssh_is_silent(facts: Facts) -> bool:
    gap = facts.missing.get(Inside, Missing(Reason.NOT_ASKED))
    return gap.reason in _SILENCE | _SSH_UNTRIED
