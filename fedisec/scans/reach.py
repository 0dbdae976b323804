"""Does the server answer, as a whole or its web server at least?  Judged apart from its items, which say
nothing while all of it is silent.
"""

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
_WEB_ALONE = "web_"
_NAME_FAILS = {Reason.NO_SUCH_NAME: "no_name", Reason.RESOLVER_FAILED: "dns_fails"}


@dataclass(frozen=True, slots=True)
class Reached:
    """`status`: pass (its web answers), fail (it does not) or unknown.  `code` of a fail: no_name (the DNS
    knows no address), dns_fails (it gives an error instead), refused (every connection is reset), silent;
    web_refused and web_silent where other services of the machine do answer."""

    status: Status
    code: str = ""
    data: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}))
    evidence: tuple[Evidence, ...] = ()

    @property
    def silences_items(self) -> bool:
        """Nothing can be said of any item.  A machine whose web server alone is down still shows others."""
        return self.status is Status.FAIL and not self.code.startswith(_WEB_ALONE)


UNSEEN = Reached(Status.UNKNOWN)
ANSWERS = Reached(Status.PASS, "answers")


def reach(facts: Facts) -> Reached:
    """Fail only where ports 80 and 443 of every address were tried and did not answer, or where the DNS leads
    nowhere though fedisec's own resolver works."""
    addresses = facts.maybe(Addresses)
    if addresses is None:
        return _nameless(facts)
    if _web_answers(facts):
        return ANSWERS
    others = _others_answer(facts)
    if not _resolver_works(facts) or not (others or _ssh_is_silent(facts)):
        return UNSEEN
    gaps = _silent_addresses(facts, addresses)
    if gaps is None or not _is_silent_on_80(facts):
        return UNSEEN
    refused = all(gap.reason is Reason.REFUSED for gap in gaps.values())
    evidence = tuple(Evidence(f"{address} port 443", gap.reason.value) for address, gap in gaps.items())
    code = (_WEB_ALONE if others else "") + ("refused" if refused else "silent")
    return Reached(Status.FAIL, code, {"count": len(gaps)}, evidence)


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


def _web_answers(facts: Facts) -> bool:
    web, tls = facts.maybe(PlainHttp), facts.maybe(TlsOffer)
    gaps = [facts.missing.get(kind) for kind in (FrontPage, PlainHttp, TlsOffer)]
    gaps += [e.gap for e in tls.endpoints if not isinstance(e, TlsEndpoint)] if tls is not None else []
    return (
        facts.maybe(FrontPage) is not None
        or (web is not None and not web.closed)
        or (tls is not None and any(isinstance(e, TlsEndpoint) for e in tls.endpoints))
        or any(gap is not None and gap.reason in _ANSWER for gap in gaps)
    )


def _others_answer(facts: Facts) -> bool:
    """Something of the machine beside its web server: SSH, any port that is open, our own login."""
    ssh, ports = facts.maybe(SshService), facts.maybe(OpenPorts)
    states = [e.state for e in ssh.endpoints] if ssh is not None else []
    if ports is not None:
        states += [port.state for one in ports.addresses for port in one.ports]
    inside = facts.missing.get(Inside)
    return (
        facts.maybe(Inside) is not None
        or PortState.OPEN in states
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
