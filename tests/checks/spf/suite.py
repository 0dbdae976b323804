"""The RFC 7208 test suite: its cases, and its zones as a name server would put them on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
import yaml
from dns.rdtypes.ANY.TXT import TXT

from checks.errors import ProbeError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup
from checks.probes.dns_wire import parse_name, read_answer

PATH = Path(__file__).parents[2] / ".cache" / "rfc7208-tests.yml"
needed = pytest.mark.skipif(
    not PATH.exists(), reason="the RFC 7208 suite is not here: `make suites` fetches it"
)
_SOA = "ns.test. root.test. 1 3600 600 86400 60"


@dataclass(frozen=True)
class Case:
    """One test.  `explanation` is None where the suite does not look at it."""

    section: str
    key: str
    address: str
    helo: str
    sender: str
    results: tuple[str, ...]
    explanation: str | None
    zone: Zone

    @property
    def domain(self) -> str:
        return (self.sender.rpartition("@")[2] or self.helo).lower()


@dataclass(frozen=True)
class Zone:
    """Names and their records in order, as (type, value); a bare TIMEOUT silences the types not yet seen."""

    names: dict[str, list[tuple[str, Any]]]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def ask(self, name: str, rdtype: str, *, cd: bool = False) -> Lookup | Missing:
        """The answer by way of the wire and of the reader that the scan uses."""
        self.asked.append((name, rdtype))
        try:
            asked = parse_name(name)
            answer = self._answer(asked, rdtype)
            if answer is None:
                return Missing(Reason.TIMEOUT, f"{rdtype} {name}")
            return read_answer(asked, rdtype, dns.message.from_wire(answer.to_wire(max_size=65535)))
        except ProbeError as error:
            return Missing.of(error)

    def _answer(self, name: dns.name.Name, rdtype: str) -> dns.message.Message | None:
        answer = dns.message.make_response(dns.message.make_query(name, rdtype), recursion_available=True)
        for _ in range(18):
            entries = self.names.get(_plain(name))
            if entries is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
                break
            found = [value for kind, value in entries if kind == rdtype]
            if found:
                answer.answer.append(_rrset(name, rdtype, found))
                return answer
            if ("TIMEOUT", None) in entries:
                return None
            alias = next((value for kind, value in entries if kind == "CNAME"), None)
            if alias is None:
                break
            target = dns.name.from_text(alias)
            if all(rrset.name != name for rrset in answer.answer):
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", target.to_text()))
            name = target
        answer.authority.append(dns.rrset.from_text(".", 60, "IN", "SOA", _SOA))
        return answer


def load() -> tuple[Case, ...]:
    """All cases; none where the suite has not been fetched."""
    if not PATH.exists():
        return ()
    documents = yaml.safe_load_all(PATH.read_text(encoding="utf-8"))
    return tuple(case for document in documents if document for case in _cases(document))


def _cases(document: dict[str, Any]) -> Iterator[Case]:
    zone = {name.lower(): _entries(entries) for name, entries in document["zonedata"].items()}
    for key, test in document["tests"].items():
        results = (test["result"],) if isinstance(test["result"], str) else tuple(test["result"])
        address, helo, sender = test["host"], test["helo"], test["mailfrom"]
        yield Case(
            document["description"], key, address, helo, sender, results, test.get("explanation"), Zone(zone)
        )


def _entries(entries: list[Any]) -> list[tuple[str, Any]]:
    """The type SPF is history: its records stand for TXT records where the zone names none (see the head of
    the suite); "TXT: NONE" says that there is none."""
    pairs = [("TIMEOUT", None) if e == "TIMEOUT" else next(iter(e.items())) for e in entries]
    if not any(kind == "TXT" for kind, _ in pairs):
        pairs = [("TXT" if kind == "SPF" else kind, value) for kind, value in pairs]
    return [(kind, value) for kind, value in pairs if value != "NONE"]


def _rrset(name: dns.name.Name, rdtype: str, values: list[Any]) -> dns.rrset.RRset:
    made = dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.from_text(rdtype))
    for value in values:
        made.add(_rdata(rdtype, value), ttl=300)
    return made


def _rdata(rdtype: str, value: Any) -> dns.rdata.Rdata:
    if rdtype == "TXT":
        strings = [value] if isinstance(value, str) else value
        # A record without any string cannot be on the wire; the empty string is the nearest.
        return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, [s.encode("latin-1") for s in strings] or [b""])
    if rdtype == "MX":
        value = f"{value[0]} {dns.name.from_text(value[1]).to_text()}"
    elif rdtype in ("PTR", "CNAME"):
        value = dns.name.from_text(value).to_text()
    return dns.rdata.from_text("IN", rdtype, value)


def _plain(name: dns.name.Name) -> str:
    return b".".join(name.labels[:-1]).decode("latin-1").lower()
