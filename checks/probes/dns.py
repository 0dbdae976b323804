"""The resolver of a scan, and the two probes that everything else waits for: addresses and the self-test."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Iterable
from pathlib import Path

import dns.message
import dns.name
import dns.rcode

from checks.errors import (
    BudgetSpent,
    ForbiddenAddress,
    NoSuchName,
    ProbeError,
    Reason,
    ResolverFailed,
    TimedOut,
)
from checks.facts import Fact, Missing
from checks.facts.dns import Addresses, Lookup, Outcome, ResolverHealth
from checks.probes import dns_zone
from checks.probes.dns_wire import Server, exchange, parse_name, read_answer
from checks.probes.look import Look, Probe
from checks.probes.net import Net, has_route
from checks.target import Vantage, parse_resolver

QUERY_S = 5.0  # the life of one question, the retry included
_TRIES_S = (2.0, 3.0)
_TIMEOUTS_IN_A_ROW = 3
_AT_ONCE = 32
_V6_ELSEWHERE = "2001:7fd::1"  # k.root-servers.net; a route to it is looked up, nothing is sent

REFUSES_ALL = "answered with checking disabled: look at the resolver's root trust anchor and its clock"

_Key = tuple[dns.name.Name, str, bool]


class Resolver:
    """Asks the operator's resolver.  One cache, one budget and one clock per scan; equal questions are asked
    once, also while the first is under way; failures are kept like answers."""

    def __init__(self, vantage: Vantage, net: Net) -> None:
        self._net = net
        self.server = parse_server(vantage.resolver) if vantage.resolver else system_server()
        self._answers: dict[_Key, asyncio.Task[Lookup | ProbeError]] = {}
        self._messages: dict[_Key, dns.message.Message] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._timeouts = 0
        self._asking = 0
        self._busy_since = 0.0
        self._busy_s = 0.0

    async def query(self, name: str, rdtype: str, *, cd: bool = False) -> Lookup:
        """The answer, FOUND or absent.  Raises TimedOut, ResolverFailed, Malformed, TooLarge, BudgetSpent,
        Unreachable: none of them says anything about the record.

        `Lookup.secure` is the AD bit; it means something only where ResolverHealth.validates is true.
        """
        key = (parse_name(name), rdtype, cd)
        task = self._answers.get(key)
        if task is None:
            task = self._answers[key] = asyncio.ensure_future(self._ask(*key))
        result = await asyncio.shield(task)
        if isinstance(result, ProbeError):
            raise type(result)(result.detail, reason=result.reason)
        return result

    async def ask(self, name: str, rdtype: str, *, cd: bool = False) -> Lookup | Missing:
        """`query`, with the failure as a Missing: the form in which facts hold it."""
        try:
            return await self.query(name, rdtype, cd=cd)
        except ProbeError as error:
            return Missing.of(error)

    async def message(self, name: str, rdtype: str) -> dns.message.Message | None:
        """The whole answer with its signatures, to be checked by ourselves: the one that is there already, or
        one asked for with checking disabled.  None where there is no NOERROR and no NXDOMAIN."""
        key = (parse_name(name), rdtype)
        answered = self._whole(*key, cd=False)
        if answered is None:
            await self.ask(name, rdtype, cd=True)
            answered = self._whole(*key, cd=True)
        return answered

    def has(self, name: str, rdtype: str) -> bool:
        """Whether `message` can answer without a further question."""
        key = (parse_name(name), rdtype)
        return self._whole(*key, cd=False) is not None or (*key, True) in self._answers

    def _whole(self, name: dns.name.Name, rdtype: str, *, cd: bool) -> dns.message.Message | None:
        found = self._messages.get((name, rdtype, cd))
        usable = found is not None and found.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
        return found if usable else None

    async def addresses_of(self, name: str) -> tuple[str, ...]:
        """The vetted addresses of a host, IPv4 first; an address literal stands for itself.  Raises
        NoSuchName where there is none, ForbiddenAddress when any of them is not allowed."""
        literal = name.strip("[]")
        if _is_literal(literal):
            self._net.vet(literal)
            return (literal,)
        found = await asyncio.gather(self.ask(name, "A"), self.ask(name, "AAAA"))
        addresses = tuple(r for lookup in found if isinstance(lookup, Lookup) for r in lookup.records)
        refused = [a for a in addresses if not self._net.may_dial(a)]
        if refused:
            raise ForbiddenAddress(f"{name} has {refused[0]}")
        if not addresses:
            for lookup in found:
                if isinstance(lookup, Missing):
                    raise ProbeError(lookup.detail, reason=lookup.reason)
            raise NoSuchName(name)
        return addresses

    async def _ask(self, name: dns.name.Name, rdtype: str, cd: bool) -> Lookup | ProbeError:
        async with self._gate:
            self._start()
            try:
                return await self._try(name, rdtype, cd)
            except ProbeError as error:
                return error
            finally:
                self._stop()

    async def _try(self, name: dns.name.Name, rdtype: str, cd: bool) -> Lookup:
        if self.server is None:
            raise ResolverFailed("no resolver is configured")
        for timeout_s in _TRIES_S:
            if self._timeouts >= _TIMEOUTS_IN_A_ROW:
                raise TimedOut("the resolver stopped answering")
            wait = min(timeout_s, self._left_s())
            self._net.spend("dns")
            try:
                answer = await exchange(self.server, name, rdtype, wait, cd=cd)
            except TimedOut:
                continue
            self._timeouts = 0
            self._messages[name, rdtype, cd] = answer
            return read_answer(name, rdtype, answer)
        self._timeouts += 1
        raise TimedOut(f"{rdtype} {name}")

    # Time counts while at least one question is under way, so that waiting for a slow web server is free.

    def _start(self) -> None:
        if self._asking == 0:
            self._busy_since = time.monotonic()
        self._asking += 1

    def _stop(self) -> None:
        self._asking -= 1
        if self._asking == 0:
            self._busy_s += time.monotonic() - self._busy_since

    def _left_s(self) -> float:
        spent = self._busy_s + time.monotonic() - self._busy_since
        left = min(self._net.limits.dns_s - spent, self._net.remaining_s())
        if left <= 0:
            raise BudgetSpent("time for the DNS")
        return left


def parse_server(text: str) -> Server:
    """ "ADDRESS", "ADDRESS:PORT" or "[V6]:PORT"; ValueError for anything else."""
    return Server(*parse_resolver(text))


def system_server(path: Path = Path("/etc/resolv.conf")) -> Server | None:
    """The first name server that the system asks; None where it names none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and _is_literal(words[1].partition("%")[0]):
            return Server(words[1])
    return None


def _is_literal(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def gather_addresses(look: Look) -> Iterable[Fact]:
    host = look.target.domain
    found = await look.dns.addresses_of(host)
    first = await look.dns.ask(host, "A")
    aliases = first.aliases if isinstance(first, Lookup) else ()
    v6 = tuple(a for a in found if ":" in a)
    usable = has_route(v6[0] if v6 else _V6_ELSEWHERE)
    return (Addresses(host, tuple(a for a in found if ":" not in a), v6, aliases, usable),)


async def gather_health(look: Look) -> Iterable[Fact]:
    server = look.dns.server
    shown = f"{server.address} port {server.port}" if server else ""
    secure, bogus, unchecked = await asyncio.gather(
        look.dns.ask(look.vantage.secure_name, "SOA"),
        look.dns.ask(look.vantage.bogus_name, "A"),
        look.dns.ask(look.vantage.bogus_name, "A", cd=True),
    )
    if isinstance(secure, Missing) and await _refuses_all(look, secure):
        return (ResolverHealth(shown, Missing(Reason.NOT_VALIDATING, f"{secure.detail}; {REFUSES_ALL}")),)
    return (ResolverHealth(shown, _validates(secure, bogus, unchecked)),)


async def _refuses_all(look: Look, refused: Missing) -> bool:
    """True where the known good name is refused with checking and answered without: the resolver has lost
    the root's key (a key roll was missed), or its clock is wrong, and every signed name is bogus to it."""
    if refused.reason is not Reason.RESOLVER_FAILED or "SERVFAIL" not in refused.detail:
        return False
    return isinstance(await look.dns.ask(look.vantage.secure_name, "SOA", cd=True), Lookup)


def _validates(
    secure: Lookup | Missing, bogus: Lookup | Missing, unchecked: Lookup | Missing
) -> bool | Missing:
    """True only when the resolver both vouches for the good name and refuses the bad one."""
    if isinstance(secure, Missing):
        return secure
    if secure.outcome is not Outcome.FOUND:
        return Missing(Reason.NO_SUCH_NAME, secure.name)
    if not secure.secure:
        return False
    if isinstance(unchecked, Missing):
        return unchecked
    if unchecked.outcome is Outcome.NO_NAME:
        return Missing(Reason.NO_SUCH_NAME, unchecked.name)
    if isinstance(bogus, Missing):
        return True if bogus.reason is Reason.RESOLVER_FAILED else bogus
    return False


PROBES: tuple[Probe, ...] = (
    Probe("addresses", "dns", (Addresses,), gather_addresses),
    Probe("resolver", "dns", (ResolverHealth,), gather_health),
    *dns_zone.PROBES,
)
