"""Hostile bytes in every place that a walk reads: nothing but a result may come out."""

from __future__ import annotations

import contextlib

import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.ANY.RRSIG import RRSIG
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.errors import ParseError
from checks.facts.dns import Chain
from checks.parse.dnssec import Effort, Flaw, SignedSet, check_keys, check_set, parse_anchors, zone_keys
from checks.parse.dnssec_chain import Question, Walker
from checks.parse.dnssec_denial import denial_of_closer, denial_of_ds, proofs_of
from tests.checks.dns.signing import NOW, Key, Made, answer, name, records

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ZONE = name("a.test.")
WWW = records("www.a.test.", "A", "192.0.2.1")
ALGORITHMS = st.sampled_from([1, 3, 5, 7, 8, 10, 12, 13, 14, 15, 16, 200, 253, 254])


@pytest.fixture(scope="module")
def made() -> Made:
    return Made()


def rdata(kind: str, wire: bytes) -> dns.rdata.Rdata | None:
    rdtype = dns.rdatatype.from_text(kind)
    try:
        return dns.rdata.from_wire(dns.rdataclass.IN, rdtype, wire, 0, len(wire))
    except (dns.exception.DNSException, ValueError):
        return None  # dnspython refuses it; such an answer is Malformed before anybody walks


def key_of(algorithm: int, key: bytes, flags: int = 257) -> DNSKEY:
    made = rdata("DNSKEY", flags.to_bytes(2, "big") + bytes([3, algorithm]) + key)
    assert isinstance(made, DNSKEY)
    return made


def signature_of(key: DNSKEY, covers: int, labels: int, signature: bytes) -> RRSIG:
    now = int(NOW.timestamp())
    fixed = covers.to_bytes(2, "big") + bytes([key.algorithm, labels])
    times = b"".join(n.to_bytes(4, "big") for n in (300, now + 9, now - 9))
    wire = fixed + times + key.key_id().to_bytes(2, "big") + (ZONE.to_wire() or b"") + signature
    made = rdata("RRSIG", wire)
    assert isinstance(made, RRSIG)
    return made


@FUZZ
@given(
    ALGORITHMS,
    st.binary(max_size=300) | st.integers(0, 1200).map(lambda n: b"\x03\x01\x00\x01" + b"\xff" * n),
    st.integers(0, 255),
    st.binary(min_size=1, max_size=600),
)
def test_any_key_and_any_signature_give_a_flaw(
    algorithm: int, key: bytes, labels: int, signature: bytes
) -> None:
    made = key_of(algorithm, key)
    signed = SignedSet(WWW, (signature_of(made, WWW.rdtype, labels, signature),))
    assert isinstance(check_set(signed, ZONE, (made,), NOW, Effort()), Flaw)
    keys = dns.rrset.from_rdata(ZONE, 300, made)
    whole = SignedSet(keys, (signature_of(made, keys.rdtype, 2, signature),))
    ds = rdata("DS", made.key_id().to_bytes(2, "big") + bytes([algorithm, 2]) + b"x" * 32)
    assert isinstance(ds, DS)
    assert isinstance(check_keys(whole, (ds,), NOW, Effort()), Flaw)
    assert len(zone_keys(keys)) <= 1


@FUZZ
@given(st.lists(st.tuples(st.sampled_from(["NSEC", "NSEC3"]), st.binary(max_size=60)), max_size=20))
def test_any_denial_gives_a_result(found: list[tuple[str, bytes]]) -> None:
    made = [(kind, r) for kind, wire in found if (r := rdata(kind, wire)) is not None]
    owners = {"NSEC": "b.a.test.", "NSEC3": "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.a.test."}
    sets = [dns.rrset.from_rdata(name(owners[kind]), 300, r) for kind, r in made]
    proofs = proofs_of(ZONE, sets)
    denial_of_ds(name("x.y.a.test."), proofs)
    denial_of_closer(name("x.y.a.test."), 2, proofs)


@pytest.mark.parametrize(
    ("algorithm", "key", "kept"),
    [
        (8, b"\x03\x01\x00\x01" + b"\xff" * 256, True),
        (8, b"\x03\x01\x00\x01" + b"\xff" * 512, True),
        (8, b"\x03\x01\x00\x01" + b"\xff" * 1100, False),
        (8, b"\x06" + b"\x01" * 6 + b"\xff" * 256, False),
        (8, b"\x00\x01\x00" + b"\x01" * 256 + b"\xff" * 256, False),
        (8, b"", False),
        (13, b"\x06" * 64, True),
    ],
)
def test_keys_that_only_make_checking_slow_are_passed_over(algorithm: int, key: bytes, kept: bool) -> None:
    assert bool(zone_keys(dns.rrset.from_rdata(ZONE, 300, key_of(algorithm, key)))) is kept


def questions(made: Made) -> dict[Question, bytes]:
    """The answers of the honest world as they come off the wire."""
    nsec = made.top.signed("test.", records("b.test.", "NSEC", "c.test. NS RRSIG NSEC"))
    made.deny("b.test.", *nsec)
    return {q: a.to_wire(max_size=65535) for q, a in made.answers.items() if a is not None}


def first_answers(made: Made) -> list[tuple[str, bytes]]:
    alias = made.zone.signed("a.test.", records("www.a.test.", "CNAME", "www.b.test."))
    dname = made.zone.signed("a.test.", records("a.test.", "DNAME", "b.test."))
    closer = made.zone.signed("a.test.", records("m.a.test.", "NSEC", "z.a.test. A RRSIG NSEC"))
    wild = made.zone.expanded("a.test.", "*.a.test.", "www.a.test.", "A", "192.0.2.1")
    there = records("www.b.test.", "A", "192.0.2.1")
    sets = [
        answer(made.zone.signed("a.test.", WWW)),
        answer([*alias, there]),
        answer([*dname, records("www.a.test.", "CNAME", "www.b.test."), there]),
        answer(wild, closer),
        answer([], closer),
    ]
    return [("www.a.test.", message.to_wire(max_size=65535)) for message in sets]


def broken(wire: bytes, changes: list[tuple[int, int]]) -> dns.message.Message | None:
    found = bytearray(wire)
    for where, value in changes:
        found[12 + where % (len(found) - 12)] = value  # the header stays: another message is not our answer
    with contextlib.suppress(dns.exception.DNSException, ValueError):
        return dns.message.from_wire(bytes(found))
    return None


CHANGES = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4)


@FUZZ
@given(st.data())
def test_any_bytes_in_any_answer_give_a_chain(made: Made, data: st.DataObject) -> None:
    asked, wire = data.draw(st.sampled_from(first_answers(made)))
    found = broken(wire, data.draw(CHANGES))
    if found is None:
        return
    known = questions(made)
    walker = Walker((made.root.ds("."),), NOW)
    chain: Chain | None = None
    for _ in range(30):
        chain = walker.walk(name(asked), "A", found)
        if chain is not None or not walker.needs:
            break
        for question in list(walker.needs):
            reply = known.get(question)
            walker.learn(question, broken(reply, data.draw(CHANGES)) if reply else None)
    else:
        raise AssertionError("a walk without end")
    assert chain is None or chain.status


@FUZZ
@given(st.text(max_size=300) | st.text("DSNKEY.IN 0123456789abcf;\n\t", max_size=300))
def test_any_text_is_anchors_or_a_parse_error(text: str) -> None:
    with contextlib.suppress(ParseError):
        assert parse_anchors(text)


@FUZZ
@given(st.sampled_from(["DS", "DNSKEY"]), st.text(max_size=120))
def test_any_data_of_an_anchor_is_one_or_a_parse_error(kind: str, data: str) -> None:
    with contextlib.suppress(ParseError):
        parse_anchors(f". IN {kind} {data}")


def test_the_honest_world_of_the_fuzzing_is_walked(made: Made) -> None:
    questions(made)
    told = [made.told(asked, dns.message.from_wire(wire)) for asked, wire in first_answers(made)]
    assert told == ["secure", "insecure:no_ds", "insecure:no_ds", "secure", "secure"]
    assert Key().public != made.zone.public
