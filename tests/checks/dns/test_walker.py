"""The walk on answers that no honest signer gives."""

from __future__ import annotations

from dataclasses import replace

import dns.rrset
import pytest
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from checks.errors import ParseError
from checks.parse.dnssec import Effort, find_set, parse_anchors, signed_sets
from checks.parse.dnssec_chain import Walker
from tests.checks.dns.signing import NOW, Key, Made, answer, name, records

WWW = records("www.a.test.", "A", "192.0.2.1")
_FUTURE = 2**31


@pytest.fixture(scope="module")
def honest() -> Made:
    return Made()


@pytest.fixture
def made(honest: Made) -> Made:
    return replace(honest, answers=dict(honest.answers), asked=[])


def test_the_honest_world_is_secure_in_two_rounds(made: Made) -> None:
    assert made.told("www.a.test.", answer(made.zone.signed("a.test.", WWW))) == "secure"
    assert len(made.asked) == len(set(made.asked)) == 5


def test_one_good_signature_is_enough(made: Made) -> None:
    bad = Key().signature("a.test.", WWW)
    late = made.zone.signature("a.test.", WWW, begins=1, ends=2)
    good = made.zone.signature("a.test.", WWW)
    assert made.told("www.a.test.", answer([WWW, bad, late, good])) == "secure"


@pytest.mark.parametrize(
    ("times", "wanted"),
    [({"begins": 1, "ends": 2}, "bogus:expired"), ({"begins": 2**31, "ends": 2**31 + 9}, "bogus:not_yet")],
)
def test_a_right_signature_out_of_time_says_so(made: Made, times: dict[str, int], wanted: str) -> None:
    other = Key().signature("a.test.", WWW)
    late = made.zone.signature("a.test.", WWW, **times)
    assert made.told("www.a.test.", answer([WWW, other, late])) == wanted


def test_a_wrong_signature_that_is_also_late_is_wrong(made: Made) -> None:
    late = made.zone.signature("a.test.", records("www.a.test.", "A", "192.0.2.9"), begins=1, ends=2)
    assert made.told("www.a.test.", answer([WWW, late])) == "bogus:bad_signature"


def test_a_key_that_is_not_published_vouches_for_nothing(made: Made) -> None:
    assert made.told("www.a.test.", answer(Key().signed("a.test.", WWW))) == "bogus:unknown_key"


def test_a_zone_cannot_sign_for_names_outside(made: Made) -> None:
    elsewhere = records("www.b.test.", "A", "192.0.2.1")
    made.deny("b.test.")
    assert made.told("www.b.test.", answer(made.zone.signed("a.test.", elsewhere))) == "bogus:no_proof"


def test_the_parent_cannot_sign_in_the_childs_place(made: Made) -> None:
    assert made.told("www.a.test.", answer(made.top.signed("a.test.", WWW))) == "bogus:unknown_key"


def test_a_signer_that_is_no_zone_is_not_believed(made: Made) -> None:
    """The parent proves that x.a.test is no delegation; a key that claims to be its zone signs all the same."""
    nsec = records("x.a.test.", "NSEC", "y.a.test. A RRSIG NSEC")
    made.deny("x.a.test.", *made.zone.signed("a.test.", nsec))
    here = records("x.a.test.", "A", "192.0.2.1")
    assert made.told("x.a.test.", answer(Key().signed("x.a.test.", here))) == "bogus:unknown_key"
    assert made.told("x.a.test.", answer(made.zone.signed("x.a.test.", here))) == "bogus:unknown_key"


@pytest.mark.parametrize("flags", [1, 257 | 128], ids=["no zone key", "revoked"])
def test_a_key_without_the_right_flags_signs_nothing(made: Made, flags: int) -> None:
    key = Key(flags)
    made.ds("a.test.", made.top, "test.", key.ds("a.test."))
    made.keys("a.test.", key)
    assert made.told("www.a.test.", answer(key.signed("a.test.", WWW))) == "bogus:wrong_ds"


def test_a_revoked_key_signs_no_data(made: Made) -> None:
    revoked = Key(257 | 128)
    made.keys("a.test.", made.zone, made.zone.public, revoked.public)
    assert made.told("www.a.test.", answer(revoked.signed("a.test.", WWW))) == "bogus:unknown_key"


def test_keys_that_the_named_key_does_not_sign_are_not_believed(made: Made) -> None:
    thief = Key()
    made.keys("a.test.", thief, made.zone.public, thief.public)
    assert made.told("www.a.test.", answer(thief.signed("a.test.", WWW))) == "bogus:unknown_key"


def test_sha1_counts_only_where_the_parent_holds_nothing_better(made: Made) -> None:
    good = answer(made.zone.signed("a.test.", WWW))
    made.ds("a.test.", made.top, "test.", made.zone.ds("a.test.", "SHA1"))
    assert made.told("www.a.test.", good) == "secure"
    made.ds("a.test.", made.top, "test.", made.zone.ds("a.test.", "SHA1"), Key().ds("a.test."))
    assert made.told("www.a.test.", good) == "bogus:wrong_ds"


def test_a_key_roll_is_secure_at_each_of_its_steps(made: Made) -> None:
    """RFC 7583: the DS of the next or of the last key may stand beside the right one, and both keys may sign."""
    good, other = answer(made.zone.signed("a.test.", WWW)), Key()
    made.ds("a.test.", made.top, "test.", other.ds("a.test."), made.zone.ds("a.test."))
    assert made.told("www.a.test.", good) == "secure"
    made.keys("a.test.", made.zone, other.public, made.zone.public)
    assert made.told("www.a.test.", good) == "secure"
    assert made.told("www.a.test.", answer(other.signed("a.test.", WWW))) == "secure"


def test_a_ds_without_signature_in_a_signed_parent_is_bogus(made: Made) -> None:
    held = dns.rrset.from_rdata_list(name("a.test."), 300, [made.zone.ds("a.test.")])
    made.answers[name("a.test."), "DS"] = answer([held])
    assert made.told("www.a.test.", answer(made.zone.signed("a.test.", WWW))) == "bogus:unsigned"


def test_a_ds_signed_by_the_child_itself_is_worth_nothing(made: Made) -> None:
    made.ds("a.test.", made.zone, "a.test.", made.zone.ds("a.test."))
    assert made.told("www.a.test.", answer(made.zone.signed("a.test.", WWW))) == "bogus:unsigned"


def delegation(made: Made, types: str) -> str:
    """What an unsigned www.a.test is, when `test` denies the DS of a.test with these types."""
    nsec = records("a.test.", "NSEC", f"b.test. {types}")
    made.deny("a.test.", *made.top.signed("test.", nsec))
    return made.told("www.a.test.", answer([WWW]))


def test_a_delegation_without_ds_is_insecure(made: Made) -> None:
    assert delegation(made, "NS RRSIG NSEC") == "insecure:no_ds"


@pytest.mark.parametrize("types", ["NS SOA RRSIG NSEC", "NS DS RRSIG NSEC"], ids=["the child", "a ds"])
def test_a_denial_by_the_wrong_side_proves_nothing(made: Made, types: str) -> None:
    assert delegation(made, types) == "bogus:no_proof"


def test_a_denial_with_a_broken_signature_says_so(made: Made) -> None:
    nsec = records("a.test.", "NSEC", "b.test. NS RRSIG NSEC")
    made.deny("a.test.", *made.top.signed("test.", nsec, begins=1, ends=2))
    assert made.told("www.a.test.", answer([WWW])) == "bogus:expired"


def test_a_stripped_denial_is_a_gap(made: Made) -> None:
    made.deny("a.test.")
    assert made.told("www.a.test.", answer([WWW])) == "bogus:no_proof"


def test_a_question_without_answer_leaves_it_open(made: Made) -> None:
    made.answers[name("a.test."), "DS"] = None
    signed = answer(made.zone.signed("a.test.", WWW))
    assert made.told("www.a.test.", signed) == "indeterminate:unanswered"
    assert made.told("www.a.test.", answer([WWW])) == "indeterminate:unanswered"


def test_another_root_leaves_it_open(made: Made) -> None:
    made.keys(".", Key())
    assert made.told("www.a.test.", answer(made.zone.signed("a.test.", WWW))) == "indeterminate:anchor"


@pytest.mark.parametrize(
    ("proof", "wanted"),
    [
        ("m.a.test. A RRSIG NSEC > z.a.test.", "secure"),
        ("m.a.test. A RRSIG NSEC > o.a.test.", "bogus:no_proof"),
        ("", "bogus:no_proof"),
        ("www.a.test. TXT RRSIG NSEC > z.a.test.", "bogus:no_proof"),
        ("m.a.test. A RRSIG NSEC > x.www.a.test.", "bogus:no_proof"),
    ],
    ids=["nothing closer", "another span", "no proof", "the name is there", "something is below it"],
)
def test_a_wildcard_needs_the_proof_that_nothing_is_closer(made: Made, proof: str, wanted: str) -> None:
    authority = []
    if proof:
        left, after = proof.split(" > ")
        owner, types = left.split(" ", 1)
        authority = made.zone.signed("a.test.", records(owner, "NSEC", f"{after} {types}"))
    sets = made.zone.expanded("a.test.", "*.a.test.", "www.a.test.", "A", "192.0.2.1")
    assert made.told("www.a.test.", answer(sets, authority)) == wanted


def test_aliases_are_each_walked(made: Made) -> None:
    alias = records("www.a.test.", "CNAME", "a.test.")
    apex = records("a.test.", "A", "192.0.2.1")
    good = [*made.zone.signed("a.test.", alias), *made.zone.signed("a.test.", apex)]
    assert made.told("www.a.test.", answer(good)) == "secure"
    chain = made.walk("www.a.test.", "A", answer([*made.zone.signed("a.test.", alias), apex]))
    assert chain is not None
    assert chain.step is not None
    assert (chain.step.kind.value, chain.alias) == ("unsigned", "a.test")


@pytest.mark.parametrize(("ends", "wanted"), [(_FUTURE, "secure"), (2, "bogus:expired")])
def test_behind_an_alias_an_absence_is_looked_at_too(made: Made, ends: int, wanted: str) -> None:
    alias = made.zone.signed("a.test.", records("www.a.test.", "CNAME", "m.a.test."))
    nsec = made.zone.signed(
        "a.test.", records("m.a.test.", "NSEC", "z.a.test. A RRSIG NSEC"), begins=1, ends=ends
    )
    assert made.told("www.a.test.", answer(alias, nsec), "AAAA") == wanted


@pytest.mark.parametrize("target", ["www.b.test.", "b.test.", "www.x.b.test."])
def test_a_dname_makes_only_the_alias_it_makes(made: Made, target: str) -> None:
    dname = made.zone.signed("a.test.", records("a.test.", "DNAME", "b.test."))
    alias = records("www.a.test.", "CNAME", target)
    nsec = records("b.test.", "NSEC", "c.test. NS RRSIG NSEC")
    made.deny("b.test.", *made.top.signed("test.", nsec))
    nsec = records("www.a.test.", "NSEC", "x.a.test. CNAME RRSIG NSEC")
    made.deny("www.a.test.", *made.zone.signed("a.test.", nsec))
    told = made.told("www.a.test.", answer([*dname, alias, records(target, "A", "192.0.2.1")]))
    assert told == ("insecure:no_ds" if target == "www.b.test." else "bogus:unsigned")


def test_a_loop_of_aliases_ends(made: Made) -> None:
    loop = [records("a.test.", "CNAME", "b.a.test."), records("b.a.test.", "CNAME", "a.test.")]
    found = answer([s for alias in loop for s in made.zone.signed("a.test.", alias)])
    assert made.told("a.test.", found) == "secure"  # every link is; that it leads nowhere others tell


def twin_of(key: DNSKEY) -> DNSKEY:
    """Another key with the same tag: a tag is a sum of 16-bit words, so swapping two of them keeps it."""
    swapped = key.key[2:4] + key.key[:2] + key.key[4:]
    twin = key.replace(key=swapped)
    assert isinstance(twin, DNSKEY)
    assert (twin.key_id(), twin != key) == (key.key_id(), True)
    return twin


def test_colliding_keys_and_many_signatures_end_with_the_effort(made: Made) -> None:
    """CVE-2023-50387: all pairs of keys and signatures of one tag would take minutes."""
    made.keys("a.test.", made.zone, made.zone.public, twin_of(made.zone.public))
    wrong = records("www.a.test.", "A", "192.0.2.9")
    many = [made.zone.signature("a.test.", wrong, begins=9 + n) for n in range(60)]
    signatures = dns.rrset.from_rdata_list(name("www.a.test."), 300, [s for rrset in many for s in rrset])
    effort = Effort(30)
    walker = Walker((made.root.ds("."),), NOW, effort)
    found = answer([WWW, signatures])
    for _ in range(5):
        walker.walk(name("www.a.test."), "A", found)
        for question in list(walker.needs):
            walker.learn(question, made.answers.get(question))
    assert effort.left == 30 - 5 - 8 * 2  # the chain, then eight signatures with two keys each
    set_ = find_set(found.answer, name("www.a.test."), WWW.rdtype)
    assert set_ is not None
    assert len(set_.signatures) == 8


def test_in_a_large_answer_only_what_leads_to_the_name_is_checked(made: Made) -> None:
    many = [
        s for n in range(300) for s in made.zone.signed("a.test.", records(f"n{n}.a.test.", "A", "192.0.2.1"))
    ]
    found = answer([*many, *made.zone.signed("a.test.", WWW)])
    assert len(signed_sets(found.answer)) == 301
    effort = Effort(10)
    walker = Walker((made.root.ds("."),), NOW, effort)
    while walker.walk(name("www.a.test."), "A", found) is None:
        for question in list(walker.needs):
            walker.learn(question, made.answers[question])
    assert effort.left == 10 - 6  # three key sets, two DS, the record


ROOT = Key()
DS = ROOT.ds(".").to_text()


@pytest.mark.parametrize(
    "text",
    [
        f". IN DS {DS}",
        f". 172800 IN DS {DS} ; a comment",
        f".\t300\tIN\tDNSKEY\t{ROOT.public.to_text()} ;{{id = 1 (ksk)}}",
        f"; head\n\n. IN NS a.root-servers.net.\n. in ds {DS}\ntest. IN DS {DS}",
    ],
)
def test_anchors_are_read_as_tools_write_them(text: str) -> None:
    assert parse_anchors(text) == (ROOT.ds("."),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        f"test. IN DS {DS}",
        ". IN DS x",
        ". IN DS 1 2",
        ". IN DNSKEY 257 3 8 ?",
        ". DS",
        "trusted-keys {",
    ],
)
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_anchors(text)
