"""check_host() of RFC 7208: what a receiver concludes about one mail, over any source of DNS answers.

Logic only: no clock and no socket are used here.  One run asks each question once, and MAX_QUESTIONS at most.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from checks.clean import LINE_MAX
from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup, Outcome
from checks.parse.spf import MAX_RECORD, SpfRecord, Term, is_spf, parse_spf
from checks.parse.spf_macro import can_be_asked, fill, fill_explanation, letters, shorten

MAX_TERMS = 10
MAX_VOIDS = 2
MAX_HOSTS = 10  # of one mx, and names of one address
# Records and the explanation; ten terms `mx` and the addresses of their hosts; the names of the client.
MAX_QUESTIONS = (1 + 1) + MAX_TERMS * (1 + MAX_HOSTS) + (1 + MAX_HOSTS)

# (name, type) -> answer.  The name is lower case, keeps the lengths of the DNS, may hold any visible ASCII.
Ask = Callable[[str, str], Awaitable[Lookup | Missing]]
_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class Result(StrEnum):
    """RFC 7208 2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Mail:
    """What a receiver knows before the mail itself.  `sender` is the MAIL FROM, "" for a bounce."""

    address: str  # of the client
    helo: str
    sender: str = ""
    receiver: str = "unknown"
    received_s: int = 0  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Checked:
    """`cause`: the term that decided, or what is wrong.  `missing`: the answer whose lack is a temperror."""

    result: Result
    explanation: str = ""  # of the domain, for a fail; "" = it gives none that can be used
    cause: str = ""
    lookups: int = 0
    voids: int = 0
    missing: Missing | None = None


_RESULTS = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}


def check_stored(mail: Mail, answers: Mapping[tuple[str, str], Lookup | Missing]) -> Checked:
    """check_host() over answers that are already there; one that is not there is a temperror."""

    async def ask(name: str, rdtype: str) -> Lookup | Missing:
        return answers.get((name, rdtype), Missing(Reason.NOT_ASKED, f"{rdtype} {name}"))

    running = check_host(mail, ask)
    try:
        running.send(None)
    except StopIteration as done:
        assert isinstance(done.value, Checked)
        return done.value
    raise AssertionError("nothing is waited for")


async def check_host(mail: Mail, ask: Ask) -> Checked:
    """The result for `mail`.  Raises ParseError when its address is none."""
    run = _Run(mail, ask, _client(mail.address))
    try:
        outcome = await run.domain(run.sender_domain)
        text = await run.explanation(outcome) if outcome.result is Result.FAIL else ""
        return Checked(outcome.result, text, outcome.cause, run.lookups, run.voids)
    except ParseError as error:
        return Checked(Result.PERMERROR, "", str(error), run.lookups, run.voids)
    except _NotAnswered as error:
        return Checked(Result.TEMPERROR, "", str(error), run.lookups, run.voids, error.missing)


class _NotAnswered(Exception):
    def __init__(self, question: str, missing: Missing) -> None:
        super().__init__(question)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Of one record; `exp` belongs to the record of `domain`."""

    result: Result
    cause: str = ""
    domain: str = ""
    exp: Term | None = None


@dataclass
class _Run:
    mail: Mail
    ask: Ask
    client: _Ip
    lookups: int = 0
    voids: int = 0
    term_void: bool = False
    values: dict[str, str] = field(default_factory=dict)
    answers: dict[tuple[str, str], Lookup | Missing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        local, _, domain = self.mail.sender.rpartition("@")
        self.sender_domain = (domain or self.mail.helo).removesuffix(".")
        local = local or "postmaster"
        nibbles = ".".join(self.client.exploded.replace(":", "").upper())
        v4 = self.client.version == 4
        self.values = {
            "s": f"{local}@{self.sender_domain}",
            "l": local,
            "o": self.sender_domain,
            "i": str(self.client) if v4 else nibbles,
            "v": "in-addr" if v4 else "ip6",
            "h": self.mail.helo,
            "c": str(self.client),
            "r": self.mail.receiver,
            "t": str(self.mail.received_s),
        }

    async def domain(self, name: str) -> _Outcome:
        """Sections 4.3 to 4.7 for one domain: that of the sender, of an include or of a redirect."""
        record = await self.record(name)
        if record is None:
            return _Outcome(Result.NONE)
        for term in record.terms:
            if term.kind not in {"exp", "redirect", "other"} and await self.matches(term, name):
                return _Outcome(_RESULTS[term.qualifier], term.text, name, record.explanation)
        if record.redirect is None:
            return _Outcome(Result.NEUTRAL)
        self.count(record.redirect)
        outcome = await self.domain(await self.target(record.redirect, name))
        if outcome.result is Result.NONE:
            raise ParseError(f"no record behind {record.redirect.text:.60}")
        return outcome

    async def record(self, name: str) -> SpfRecord | None:
        if "." not in name or not can_be_asked(name):
            return None
        found = await self.question(name, "TXT")
        texts = [text for text in found.records if is_spf(text)]
        if len(texts) > 1:
            raise ParseError(f"{len(texts)} records at {name:.60}")
        if texts and len(texts[0]) > MAX_RECORD:
            raise _NotAnswered(f"TXT {name}", Missing(Reason.TOO_LARGE, f"TXT {name}"))
        return parse_spf(texts[0]) if texts else None

    async def matches(self, term: Term, domain: str) -> bool:
        if term.kind == "all":
            return True
        if term.network:
            return self.client in ipaddress.ip_network(term.network, strict=False)
        self.count(term)
        target = await self.target(term, domain)
        if term.kind == "include":
            return await self.included(term, target)
        if not can_be_asked(target):
            return False  # 4.8 leaves the result open; no such name can have an address
        if term.kind == "ptr":
            return await self.named(target)
        if term.kind == "exists":
            return bool((await self.look(target, "A")).records)
        hosts = await self.exchanges(term, target) if term.kind == "mx" else (target,)
        for host in hosts:
            if await self.lives_at(host, term):
                return True
        return False

    async def included(self, term: Term, target: str) -> bool:
        outcome = await self.domain(target)
        if outcome.result is Result.NONE:
            raise ParseError(f"no record behind {term.text:.60}")
        return outcome.result is Result.PASS

    async def exchanges(self, term: Term, target: str) -> tuple[str, ...]:
        records = (await self.look(target, "MX")).records
        if len(records) > MAX_HOSTS:
            raise ParseError(f"{len(records)} mail hosts behind {term.text:.60}")
        hosts = (record.partition(" ")[2].rstrip(".") for record in records)
        return tuple(host for host in hosts if can_be_asked(host))

    async def lives_at(self, host: str, term: Term) -> bool:
        v4 = self.client.version == 4
        bits = term.v4_bits if v4 else term.v6_bits
        found = await self.look(host, "A" if v4 else "AAAA")
        networks = (ipaddress.ip_network((a, bits), strict=False) for a in found.records if _address(a))
        return any(self.client in network for network in networks)

    async def named(self, target: str) -> bool:
        """`ptr`: a name of the client lies in the target and leads back (5.5)."""
        end = target.lower()
        for name in await self.names(count_void=True):
            if (name == end or name.endswith(f".{end}")) and await self.leads_back(name):
                return True
        return False

    async def names(self, *, count_void: bool = False) -> tuple[str, ...]:
        """The first ten names of the client.  A failure means none: it is the client's, not the domain's."""
        found = await self.get(self.client.reverse_pointer, "PTR")
        if isinstance(found, Missing):
            return ()
        if count_void:
            self.void_if_absent(found)
        return tuple(name.rstrip(".").lower() for name in found.records[:MAX_HOSTS])

    async def leads_back(self, name: str) -> bool:
        if not can_be_asked(name):
            return False
        found = await self.get(name, "A" if self.client.version == 4 else "AAAA")
        return isinstance(found, Lookup) and any(self.client == _address(a) for a in found.records)

    async def target(self, term: Term, domain: str) -> str:
        """The name that a term speaks of in the record of `domain`."""
        if not term.domain:
            return domain
        filled = fill(term.domain, await self.known(term.domain, domain))
        return shorten((filled or "").rstrip("."))

    async def known(self, text: str, domain: str) -> dict[str, str]:
        """The values of all macros in a text; `p` is looked up only where it is used."""
        values = self.values | {"d": domain}
        if "p" in letters(text):
            values["p"] = await self.validated_name(domain)
        return values

    async def validated_name(self, domain: str) -> str:
        """The domain itself, else a name in it, else any name of the client that leads back (7.3)."""
        end = domain.lower()
        names = await self.names()
        for name in sorted(names, key=lambda n: (n != end, not n.endswith(f".{end}"))):
            if await self.leads_back(name):
                return name
        return "unknown"

    async def explanation(self, outcome: _Outcome) -> str:
        """The text behind `exp`; whatever is wrong with it, there is none (6.2).  Counts nowhere."""
        if outcome.exp is None:
            return ""
        name = await self.target(outcome.exp, outcome.domain)
        found = await self.get(name, "TXT") if can_be_asked(name) else None
        if not isinstance(found, Lookup) or len(found.records) != 1 or len(found.records[0]) > LINE_MAX:
            return ""
        text = found.records[0]
        try:
            filled = fill_explanation(text, await self.known(text, outcome.domain))
        except ParseError:
            return ""
        return (filled or "")[:LINE_MAX]

    def count(self, term: Term) -> None:
        self.term_void = False
        self.lookups += 1
        if self.lookups > MAX_TERMS:
            raise ParseError(f"more than {MAX_TERMS} look-ups at {term.text:.60}")

    async def look(self, name: str, rdtype: str) -> Lookup:
        found = await self.question(name, rdtype)
        self.void_if_absent(found)
        return found

    async def question(self, name: str, rdtype: str) -> Lookup:
        found = await self.get(name, rdtype)
        if isinstance(found, Missing):
            raise _NotAnswered(f"{rdtype} {name}", found)
        return found

    async def get(self, name: str, rdtype: str) -> Lookup | Missing:
        key = name.lower(), rdtype
        if key not in self.answers:
            self.answers[key] = await self.ask(*key)
        return self.answers[key]

    def void_if_absent(self, found: Lookup) -> None:
        """What is limited is the number of terms with a void look-up (4.6.4): once for each."""
        if found.outcome is Outcome.FOUND or self.term_void:
            return
        self.term_void = True
        self.voids += 1
        if self.voids > MAX_VOIDS:
            raise ParseError(f"more than {MAX_VOIDS} void look-ups at {found.rdtype} {found.name:.60}")


def _client(text: str) -> _Ip:
    """An IPv4 address in IPv6 clothes is an IPv4 address (5)."""
    address = _address(text)
    if address is None:
        raise ParseError(f"no address: {text:.60}")
    return (address.ipv4_mapped if address.version == 6 else None) or address


def _address(text: str) -> _Ip | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
