"""The chain of trust from the root's anchor down to a record set: RFC 4035 section 5, told step by step.

Pure: a `Walker` judges answers that others fetched, and names the questions it still needs.  A signed set is
followed upwards, from its signer to the signer of that zone's DS; an unsigned one downwards from the root to
the delegation that proves it insecure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.DNAME import DNAME
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.ANY.RRSIG import RRSIG

from checks.facts.dns import Chain, ChainStatus, ChainStep, Signature, StepKind
from checks.parse.dnssec import (
    Effort,
    Flaw,
    SignedSet,
    check_keys,
    check_set,
    find_set,
    shown,
    signed_sets,
)
from checks.parse.dnssec_denial import Denied, denial_of_closer, denial_of_ds, proofs_of

MAX_LINKS = 8  # aliases followed in one answer
_MAX_LABELS = 12  # depth of a name that is followed
_MAX_SETS = 12  # of an authority section that are looked at

Question = tuple[dns.name.Name, str]
"""Name and type, "DS" or "DNSKEY"."""

INSECURE_KINDS = frozenset(
    {StepKind.NO_DS, StepKind.ISLAND, StepKind.OPT_OUT, StepKind.UNSUPPORTED, StepKind.ITERATIONS}
)
UNCLEAR_KINDS = frozenset({StepKind.ANCHOR, StepKind.UNANSWERED, StepKind.LIMIT})


@dataclass(frozen=True, slots=True)
class _Zone:
    """A zone and what its parents vouch for; `step` is set where they do not."""

    name: dns.name.Name
    above: tuple[str, ...]
    keys: tuple[DNSKEY, ...] = ()
    step: ChainStep | None = None
    signatures: tuple[Signature, ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        return (*self.above, show(self.name)) if self.keys else self.above


class _Needs(Exception):
    """Raised inside a Walker when an answer has not been fetched yet."""


class Walker:
    """All walks of one scan: zones and their keys are judged once.  Not to be shared between scans."""

    def __init__(self, anchors: tuple[DS, ...], now: datetime, effort: Effort | None = None) -> None:
        self._anchors = anchors
        self._now = now
        self._effort = effort or Effort()
        self._answers: dict[Question, dns.message.Message | None] = {}
        self._zones: dict[dns.name.Name, _Zone] = {}
        self._cuts: dict[dns.name.Name, _Zone] = {}
        self._judged: dict[tuple[dns.name.Name, int], tuple[_Zone, ChainStep | None]] = {}
        self.needs: dict[Question, None] = {}  # in the order in which they came up

    def learn(self, question: Question, answer: dns.message.Message | None) -> None:
        """The answer to a question of `needs`; None = it could not be had."""
        self._answers[question] = answer
        self.needs.pop(question, None)

    def knows(self, question: Question) -> bool:
        return question in self._answers

    def walk(self, name: dns.name.Name, rdtype: str, answer: dns.message.Message) -> Chain | None:
        """The chain to what `answer` says of `name`, or None after adding to `needs`."""
        alias, end, zone = "", False, None
        try:
            for link in _links(name, rdtype, answer):
                zone, step = self._of_set(link, answer)
                if step is not None:
                    return _chain(zone, step, alias)
                end = link.records.rdtype == dns.rdatatype.from_text(rdtype)
                alias = alias if end else _target(link)
            absence = None if end else self._of_absence(answer, alias)
            return absence or (_chain(zone, None, "") if zone is not None else None)
        except _Needs:
            return None

    # One record set.

    def _of_set(self, link: SignedSet, answer: dns.message.Message) -> tuple[_Zone, ChainStep | None]:
        key = (link.name, int(link.records.rdtype))
        if key not in self._judged:
            self._judged[key] = self._judge_set(link, answer)
        return self._judged[key]

    def _judge_set(self, link: SignedSet, answer: dns.message.Message) -> tuple[_Zone, ChainStep | None]:
        signer = link.signer
        if signer is None:
            zone = self._zone_over(link.name)
            return zone, zone.step or _step(Flaw(StepKind.UNSIGNED), link, zone)
        zone = self._zone(signer)
        if zone.step is not None:
            return zone, _as_island(zone, signer)
        if zone.name != signer:  # proved to be no zone at all
            return zone, _step(Flaw(StepKind.UNKNOWN_KEY), link, zone)
        proof = self._check(link, zone)
        flaw = proof if isinstance(proof, Flaw) else self._of_wildcard(link, proof.labels, zone, answer)
        return zone, None if flaw is None else _step(flaw, link, zone)

    def _check(self, signed: SignedSet, zone: _Zone) -> RRSIG | Flaw:
        return check_set(signed, zone.name, zone.keys, self._now, self._effort)

    def _of_wildcard(
        self, link: SignedSet, labels: int, zone: _Zone, answer: dns.message.Message
    ) -> Flaw | None:
        """A signature with fewer labels than the name was made over a wildcard (RFC 4035 5.3.2)."""
        if labels >= len(link.name) - 1 - link.name.is_wild():
            return None
        proofs = proofs_of(zone.name, self._vouched(answer, zone))
        denied = denial_of_closer(link.name, labels, proofs)
        return None if denied is Denied.NO_NAME else Flaw(_OPEN.get(denied, StepKind.NO_PROOF))

    def _of_absence(self, answer: dns.message.Message, alias: str) -> Chain | None:
        """An answer without records: whether what denies them is vouched for."""
        zone = None
        for denial in signed_sets(answer.authority)[:_MAX_SETS]:
            if denial.records.rdtype in _DENIALS:
                zone, step = self._of_set(denial, answer)
                if step is not None:
                    return _chain(zone, step, alias)
        return _chain(zone, None, "") if zone is not None else None

    # Zones.

    def _answer(self, name: dns.name.Name, rdtype: str, *more: Question) -> dns.message.Message | None:
        """The answer, or _Needs; `more` is what will be needed next, so that it comes in the same round."""
        wanted = [q for q in ((name, rdtype), *more) if q not in self._answers]
        for question in wanted:
            self.needs[question] = None
        if (name, rdtype) in wanted:
            raise _Needs
        return self._answers[name, rdtype]

    def _zone(self, name: dns.name.Name) -> _Zone:
        """The zone that begins at `name`, by the DS that its parent holds."""
        found = self._zones.get(name)
        if found is None:
            found = self._zones[name] = self._root() if name == dns.name.root else self._below(name)
        return found

    def _root(self) -> _Zone:
        root = dns.name.root
        answer = self._answer(root, "DNSKEY")
        keys = find_set(answer.answer, root, dns.rdatatype.DNSKEY) if answer else None
        if keys is None:
            return _Zone(root, (), step=ChainStep(StepKind.UNANSWERED, ".", "DNSKEY", "."))
        found = check_keys(keys, self._anchors, self._now, self._effort)
        if isinstance(found, Flaw):
            # The root is never broken for long: what does not fit is our anchor or our clock.
            return _Zone(root, (), step=ChainStep(StepKind.ANCHOR, ".", "DNSKEY", ".", found.keys, found.at))
        return _Zone(root, (), found, signatures=shown(keys))

    def _below(self, name: dns.name.Name) -> _Zone:
        top = _top(name)
        answer = self._answer(
            name, "DS", (dns.name.root, "DNSKEY"), (top, "DS"), (top, "DNSKEY"), (name, "DNSKEY")
        )
        if answer is None:
            return _Zone(name, (), step=_unanswered(name, "DS"))
        ds = find_set(answer.answer, name, dns.rdatatype.DS)
        if ds is None:
            return self._zone_over(name)
        parent = self._zone(ds.signer) if ds.signer not in (None, name) else self._zone_over(name.parent())
        if parent.step is not None:
            return parent
        proof = self._check(ds, parent)
        return (
            _ended(parent, _step(proof, ds, parent)) if isinstance(proof, Flaw) else self._child(ds, parent)
        )

    def _child(self, ds: SignedSet, parent: _Zone) -> _Zone:
        """The zone below a verified DS."""
        name, records = ds.name, tuple(r for r in ds.records if isinstance(r, DS))
        answer = self._answer(name, "DNSKEY")
        if answer is None:
            return _Zone(name, parent.path, step=_unanswered(name, "DNSKEY"))
        keys = find_set(answer.answer, name, dns.rdatatype.DNSKEY)
        if keys is None:
            tags = tuple(sorted({r.key_tag for r in records}))
            return _ended(parent, ChainStep(StepKind.NO_KEYS, show(name), "DNSKEY", show(name), tags))
        found = check_keys(keys, records, self._now, self._effort)
        if isinstance(found, Flaw):
            child = _Zone(name, parent.path)
            return _ended(child, _step(found, keys, child))
        return _Zone(name, parent.path, found, signatures=shown(keys))

    def _zone_over(self, name: dns.name.Name) -> _Zone:
        """The zone that `name` stands in, looked for from the root down."""
        zone = self._root_first(name)
        for cut in _downwards(name):
            if zone.step is not None:
                break
            zone = self._cut(cut, zone)
        return zone

    def _root_first(self, name: dns.name.Name) -> _Zone:
        if name != dns.name.root:
            top = _top(name)
            self._answer(dns.name.root, "DNSKEY", (top, "DS"), (top, "DNSKEY"))
        return self._zone(dns.name.root)

    def _cut(self, cut: dns.name.Name, zone: _Zone) -> _Zone:
        """The zone below `zone` that begins at `cut`, or `zone` again where none does."""
        found = self._cuts.get(cut)
        if found is None:
            found = self._cuts[cut] = self._look_for_cut(cut, zone)
        return found

    def _look_for_cut(self, cut: dns.name.Name, zone: _Zone) -> _Zone:
        answer = self._answer(cut, "DS")
        if answer is None:
            return _ended(zone, _unanswered(cut, "DS"))
        if find_set(answer.answer, cut, dns.rdatatype.DS) is not None:
            return self._zone(cut)
        alias = find_set(answer.answer, cut, dns.rdatatype.CNAME)
        if alias is not None and not isinstance(self._check(alias, zone), Flaw):
            return zone  # where an alias stands there is no delegation
        denied = denial_of_ds(cut, proofs_of(zone.name, self._vouched(answer, zone)))
        if denied in (Denied.NO_CUT, Denied.NO_NAME):
            return zone
        kind = _OPEN.get(denied)
        flaw = Flaw(kind) if kind is not None else self._why_unproven(answer, zone)
        step = ChainStep(flaw.kind, show(cut), "DS", show(zone.name), flaw.keys, flaw.at, flaw.ttl_s)
        return _ended(zone, step)

    def _vouched(self, answer: dns.message.Message, zone: _Zone) -> Iterator[dns.rrset.RRset]:
        """The NSEC and NSEC3 sets of the answer that the zone has signed."""
        for denial in signed_sets(answer.authority)[:_MAX_SETS]:
            if denial.records.rdtype in _PROOFS and not isinstance(self._check(denial, zone), Flaw):
                yield denial.records

    def _why_unproven(self, answer: dns.message.Message, zone: _Zone) -> Flaw:
        """A denial that is there but not signed well says more than a missing one."""
        for denial in signed_sets(answer.authority)[:_MAX_SETS]:
            if denial.records.rdtype in _PROOFS:
                proof = self._check(denial, zone)
                if isinstance(proof, Flaw) and proof.kind is not StepKind.UNSIGNED:
                    return proof
        return Flaw(StepKind.NO_PROOF)


_PROOFS = (dns.rdatatype.NSEC, dns.rdatatype.NSEC3)
_DENIALS = (dns.rdatatype.SOA, *_PROOFS)
_OPEN = {
    Denied.NO_DS: StepKind.NO_DS,
    Denied.OPT_OUT: StepKind.OPT_OUT,
    Denied.ITERATIONS: StepKind.ITERATIONS,
}


def show(name: dns.name.Name) -> str:
    """Lower case, without the final dot; the root stays "."."""
    return name.to_text(omit_final_dot=True).lower()


def _top(name: dns.name.Name) -> dns.name.Name:
    return dns.name.Name(name.labels[-2:])


def _downwards(name: dns.name.Name) -> Iterator[dns.name.Name]:
    """The name and its parents without the root, the shortest first."""
    for labels in range(2, min(len(name.labels), _MAX_LABELS) + 1):
        yield dns.name.Name(name.labels[-labels:])


def _links(name: dns.name.Name, rdtype: str, answer: dns.message.Message) -> Iterator[SignedSet]:
    """The record sets that lead from the name to the answer: aliases, then the records themselves.  An alias
    that a DNAME makes is not signed, the DNAME is (RFC 6672 5.3.1)."""
    wanted = dns.rdatatype.from_text(rdtype)
    for _ in range(MAX_LINKS):
        alias = find_set(answer.answer, name, dns.rdatatype.CNAME)
        if alias is None or wanted == dns.rdatatype.CNAME:
            break
        record = next(iter(alias.records))
        assert isinstance(record, CNAME)
        yield _dname_behind(alias, record, answer) or alias
        name = record.target
    found = find_set(answer.answer, name, wanted)
    if found is not None:
        yield found


def _dname_behind(alias: SignedSet, record: CNAME, answer: dns.message.Message) -> SignedSet | None:
    if alias.signatures:
        return None
    for signed in signed_sets(answer.answer):
        made = next(iter(signed.records))
        if isinstance(made, DNAME) and alias.name.is_subdomain(signed.name) and alias.name != signed.name:
            made_name = (*alias.name.labels[: -len(signed.name)], *made.target.labels)
            if tuple(map(bytes.lower, made_name)) == tuple(map(bytes.lower, record.target.labels)):
                return signed
    return None


def _target(link: SignedSet) -> str:
    record = next(iter(link.records))
    assert isinstance(record, (CNAME, DNAME))
    return show(record.target)


def _step(flaw: Flaw, signed: SignedSet, zone: _Zone) -> ChainStep:
    rdtype = dns.rdatatype.to_text(signed.records.rdtype)
    return ChainStep(flaw.kind, show(signed.name), rdtype, show(zone.name), flaw.keys, flaw.at, flaw.ttl_s)


def _unanswered(name: dns.name.Name, rdtype: str) -> ChainStep:
    return ChainStep(StepKind.UNANSWERED, show(name), rdtype, show(name))


def _ended(zone: _Zone, step: ChainStep) -> _Zone:
    return _Zone(zone.name, zone.path, step=step)


def _as_island(zone: _Zone, signer: dns.name.Name) -> ChainStep | None:
    """A zone that signs although the delegation to it holds no DS."""
    step = zone.step
    without = (StepKind.NO_DS, StepKind.OPT_OUT)
    if step is not None and step.kind in without and step.name == show(signer):
        return ChainStep(StepKind.ISLAND, step.name, step.rdtype, step.zone)
    return step


def _status(step: ChainStep | None) -> ChainStatus:
    if step is None:
        return ChainStatus.SECURE
    if step.kind in INSECURE_KINDS:
        return ChainStatus.INSECURE
    return ChainStatus.INDETERMINATE if step.kind in UNCLEAR_KINDS else ChainStatus.BOGUS


def _chain(zone: _Zone, step: ChainStep | None, alias: str) -> Chain:
    return Chain(_status(step), zone.path, step, alias, zone.signatures)
