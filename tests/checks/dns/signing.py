"""Zones signed in memory, for what no honest signer makes: the walk's answers come from a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ed25519
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS

from checks.facts.dns import Chain
from checks.parse.dnssec_chain import Question, Walker

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_BEGINS, _ENDS = int(NOW.timestamp()) - 3600, int(NOW.timestamp()) + 86400
Sets = list[dns.rrset.RRset]


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


def records(owner: str, rdtype: str, *texts: str) -> dns.rrset.RRset:
    return dns.rrset.from_text(name(owner), 300, "IN", rdtype, *texts)


class Key:
    """An Ed25519 key of a zone; `flags` 257 signs keys, 256 data: both do here."""

    def __init__(self, flags: int = 257) -> None:
        self.private = ed25519.Ed25519PrivateKey.generate()
        public = dns.dnssec.make_dnskey(self.private.public_key(), "ED25519", flags)
        assert isinstance(public, DNSKEY)
        self.public = public

    def ds(self, zone: str, digest: str = "SHA256") -> DS:
        return dns.dnssec.make_ds(name(zone), self.public, digest, policy=dns.dnssec.allow_all_policy)

    def signature(
        self, zone: str, rrset: dns.rrset.RRset, begins: int = _BEGINS, ends: int = _ENDS
    ) -> dns.rrset.RRset:
        made = dns.dnssec.sign(
            rrset, self.private, name(zone), self.public, inception=begins, expiration=ends
        )
        return dns.rrset.from_rdata(rrset.name, rrset.ttl, made)

    def signed(self, zone: str, rrset: dns.rrset.RRset, **times: int) -> Sets:
        return [rrset, self.signature(zone, rrset, **times)]

    def expanded(self, zone: str, wildcard: str, owner: str, rdtype: str, text: str) -> Sets:
        """What a wildcard makes of a question for `owner`."""
        _, signature = self.signed(zone, records(wildcard, rdtype, text))
        return [records(owner, rdtype, text), dns.rrset.from_rdata(name(owner), 300, *signature)]


def answer(answers: Sets, authority: Sets | None = None) -> dns.message.Message:
    """A message with these sections, as it comes off the wire."""
    made = dns.message.make_response(dns.message.make_query("x.", "A"))
    made.answer, made.authority = answers, authority or []
    return dns.message.from_wire(made.to_wire(max_size=65535))


@dataclass
class Made:
    """A root, `test` and `a.test`, all signed; tests replace single answers."""

    root: Key = field(default_factory=Key)
    top: Key = field(default_factory=Key)
    zone: Key = field(default_factory=Key)
    answers: dict[Question, dns.message.Message | None] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def __post_init__(self) -> None:
        for zone, key in ((".", self.root), ("test.", self.top), ("a.test.", self.zone)):
            self.keys(zone, key)
        self.ds("test.", self.root, ".", self.top.ds("test."))
        self.ds("a.test.", self.top, "test.", self.zone.ds("a.test."))

    def keys(self, zone: str, signer: Key, *published: DNSKEY) -> None:
        keys = dns.rrset.from_rdata_list(name(zone), 300, list(published or (signer.public,)))
        self.answers[name(zone), "DNSKEY"] = answer(signer.signed(zone, keys))

    def ds(self, zone: str, signer: Key, parent: str, *ds: DS) -> None:
        held = dns.rrset.from_rdata_list(name(zone), 300, list(ds))
        self.answers[name(zone), "DS"] = answer(signer.signed(parent, held))

    def deny(self, owner: str, *authority: dns.rrset.RRset) -> None:
        self.answers[name(owner), "DS"] = answer([], list(authority))

    def walk(self, owner: str, rdtype: str, found: dns.message.Message) -> Chain | None:
        walker = Walker((self.root.ds("."),), NOW)
        for _ in range(20):
            chain = walker.walk(name(owner), rdtype, found)
            if chain is not None or not walker.needs:
                return chain
            for question in list(walker.needs):
                self.asked.append(question)
                walker.learn(question, self.answers.get(question))
        raise AssertionError("a walk without end")

    def told(self, owner: str, found: dns.message.Message, rdtype: str = "A") -> str:
        """ "secure", or status and step: "bogus:unsigned"."""
        chain = self.walk(owner, rdtype, found)
        assert chain is not None
        return chain.status.value + (f":{chain.step.kind.value}" if chain.step else "")
