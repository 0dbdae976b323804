"""DMARC, DKIM, MTA-STS, TLSA and tag lists: tables, and whatever else hypothesis thinks of."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup, Outcome
from checks.parse.caa import parse_caa
from checks.parse.dkim import parse_dkim
from checks.parse.dmarc import discover, parse_dmarc, walk_names
from checks.parse.mta_sts import parse_sts_policy, parse_sts_record
from checks.parse.spf import expand, parse_spf
from checks.parse.spf_walk import walk
from checks.parse.tags import parse_tags
from checks.parse.tlsa import parse_tlsa


def read_spf(text: str) -> None:
    for term in parse_spf(text).terms:
        expand(term.domain, "a.test", "b.test")


def walk_spf(text: str) -> None:
    walk("a.test", {("a.test", "TXT"): Lookup("a.test", "TXT", Outcome.FOUND, (f"v=spf1 {text}",))})


def read_dmarc(text: str) -> None:
    record = parse_dmarc(text)
    record.policy()
    _ = record.rua
    discover("a.test", {n: Lookup(n, "TXT", Outcome.FOUND, (text,)) for n in walk_names("a.test")})


def covers(text: str) -> None:
    parse_sts_policy(text).covers("mx.a.test")


PARSERS: dict[str, tuple[Callable[[str], object], str, str]] = {
    "spf": (read_spf, "v=spf1 ", "a%{d}:/.=-~?+ 1in4p6xe"),
    "spf tree": (walk_spf, "", "amx:%{d}/.=- 1"),
    "dmarc": (read_dmarc, "v=DMARC1; ", "p=;ru:a@ ,!%2"),
    "dkim": (parse_dkim, "v=DKIM1; p=", "MIGf=+/;kt: A"),
    "caa": (parse_caa, '0 issue "', 'a.;=" -\\0'),
    "tags": (lambda text: parse_tags(text, strict=True), "", "a=; \t_1"),
    "sts record": (parse_sts_record, "v=STSv1; id=", "a1;= "),
    "sts policy": (covers, "version: STSv1\n", "mx: *.a-\r\ndoe_g1"),
    "tlsa": (parse_tlsa, "3 1 1 ", "0aF 12"),
}
EACH = pytest.mark.parametrize("name", PARSERS)


@EACH
@settings(max_examples=120, deadline=None)
@given(text=st.text(max_size=300))
def test_a_parser_raises_nothing_but_parse_errors(name: str, text: str) -> None:
    parse, head, _ = PARSERS[name]
    for candidate in (text, head + text):
        try:
            parse(candidate)
        except ParseError:
            continue


@EACH
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_parser_is_quick_on_eight_kibibytes_of_its_own_signs(name: str, data: st.DataObject) -> None:
    parse, head, signs = PARSERS[name]
    piece = data.draw(st.text(alphabet=signs, min_size=1, max_size=12))
    text = (head + piece * (8192 // len(piece)))[:8192] + data.draw(
        st.text(alphabet=signs + "\n!", max_size=2)
    )
    begun = time.process_time()
    try:
        parse(text)
    except ParseError:
        pass
    finally:
        assert time.process_time() - begun < 0.05


# DMARC


@pytest.mark.parametrize(
    "text",
    ["v=DMARC1", "v=DMARC1;", "v = DMARC1 ; p=none", "V=DMARC1;p=reject;;", "v=DMARC1; x; p=none; =; y=%"],
)
def test_a_dmarc_record_begins_with_its_version_and_the_rest_is_forgiven(text: str) -> None:
    parse_dmarc(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p=none; v=DMARC1",
        "v=DMARC2; p=none",
        "v=dmarc1; p=none",
        "v=DMARC1 p=none",
        "v=DMARC10",
        "v=spf1 -all",
    ],
)
def test_what_does_not_is_no_dmarc_record(text: str) -> None:
    with pytest.raises(ParseError):
        parse_dmarc(text)


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("mailto:a@b.test", ("a@b.test",)),
        ("MAILTO:a@B.test!10m , mailto:c@d.test", ("a@b.test", "c@d.test")),
        ("https://b.test/report", ()),
        ("mailto:", ()),
        ("a@b.test", ()),
        ("", ()),
    ],
)
def test_report_addresses_are_mail_addresses(uri: str, wanted: tuple[str, ...]) -> None:
    assert parse_dmarc(f"v=DMARC1; p=none; rua={uri}").rua == wanted


@pytest.mark.parametrize(
    ("domain", "count", "last"),
    [
        ("a.test", 2, "test"),
        ("b.a.test", 3, "test"),
        ("x.7.6.5.4.3.2.1", 8, "1"),
        ("z.y.x.7.6.5.4.3.2.1", 8, "1"),
    ],
)
def test_the_tree_walk_asks_eight_names_at_most(domain: str, count: int, last: str) -> None:
    names = walk_names(domain)
    assert (len(names), names[0], names[-1]) == (count, domain, last)


def dmarc_answers(
    domain: str, records: dict[str, str | tuple[str, ...] | Reason]
) -> dict[str, Lookup | Missing]:
    answers: dict[str, Lookup | Missing] = {}
    for name in walk_names(domain):
        given_ = records.get(name, ())
        if isinstance(given_, Reason):
            answers[name] = Missing(given_)
            continue
        texts = (given_,) if isinstance(given_, str) else given_
        answers[name] = Lookup(name, "TXT", Outcome.FOUND if texts else Outcome.NO_NAME, texts)
    return answers


R = "v=DMARC1; rua=mailto:r@a.test; "


@pytest.mark.parametrize(
    ("domain", "records", "found_at", "effective"),
    [
        ("a.test", {"a.test": R + "p=reject"}, "a.test", "reject"),
        ("a.test", {"a.test": R + "p=REJECT"}, "a.test", "reject"),
        ("a.test", {"a.test": R + "p=none"}, "a.test", "none"),
        ("a.test", {"a.test": R}, "a.test", "none"),
        ("a.test", {"a.test": R + "p=quaratine"}, "a.test", "none"),
        ("a.test", {"a.test": "v=DMARC1; p=bad"}, "a.test", None),
        ("a.test", {"a.test": R + "p=reject; t=y"}, "a.test", "quarantine"),
        ("a.test", {"a.test": R + "p=quarantine; t=y"}, "a.test", "none"),
        ("a.test", {"a.test": R + "p=reject; t=n"}, "a.test", "reject"),
        ("a.test", {}, "", None),
        ("a.test", {"a.test": ("v=spf1 -all", R + "p=reject")}, "a.test", "reject"),
        ("a.test", {"a.test": (R + "p=reject", R + "p=none")}, "", None),
        ("s.a.test", {"a.test": R + "p=reject"}, "a.test", "reject"),
        ("s.a.test", {"a.test": R + "p=reject; sp=none"}, "a.test", "none"),
        ("s.a.test", {"a.test": R + "p=none; sp=reject"}, "a.test", "reject"),
        ("s.a.test", {"s.a.test": R + "p=none", "a.test": R + "p=reject"}, "s.a.test", "none"),
        ("x.s.a.test", {"s.a.test": R + "p=none", "a.test": R + "p=reject"}, "a.test", "reject"),
        ("x.s.a.test", {"s.a.test": R + "p=none; psd=n", "a.test": R + "p=reject"}, "s.a.test", "none"),
        ("x.a.test", {"a.test": R + "p=none", "test": R + "p=reject; psd=y"}, "a.test", "none"),
        ("a.test", {"test": R + "p=reject; psd=y"}, "test", "reject"),
        ("a.test", {"a.test": R + "p=reject", "test": Reason.TIMEOUT}, "a.test", "reject"),
    ],
)  # fmt: skip
def test_the_policy_in_effect_is_found_as_rfc_9989_says(
    domain: str, records: dict[str, str | tuple[str, ...] | Reason], found_at: str, effective: str | None
) -> None:
    policy = discover(domain, dmarc_answers(domain, records))
    assert policy.unseen is None
    assert (policy.found_at, policy.effective) == (found_at, effective)


def test_a_name_that_was_not_seen_leaves_the_policy_unknown() -> None:
    policy = discover("a.test", dmarc_answers("a.test", {"a.test": Reason.TIMEOUT, "test": R + "p=reject"}))
    assert policy.unseen is not None
    assert policy.record is None


# DKIM


def key_text(bits: int, pkcs1: bool = False) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    shape = PublicFormat.PKCS1 if pkcs1 else PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_bytes(Encoding.DER, shape)).decode()


RSA_KEY = key_text(2048)
ED_KEY = base64.b64encode(
    ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode()


@pytest.mark.parametrize(
    ("text", "kind", "bits"),
    [
        (f"v=DKIM1; k=rsa; p={RSA_KEY}", "rsa", 2048),
        (f"p={RSA_KEY}", "rsa", 2048),
        (f"v=DKIM1; p={RSA_KEY[:100]} {RSA_KEY[100:]};", "rsa", 2048),
        (f"v=DKIM1; p={key_text(1024, pkcs1=True)}", "rsa", 1024),
        (f"v=DKIM1; k=ed25519; p={ED_KEY}", "ed25519", 256),
        (f"v=DKIM1; n=note; x=y; p={RSA_KEY}", "rsa", 2048),
    ],
)
def test_a_dkim_key_is_measured(text: str, kind: str, bits: int) -> None:
    key = parse_dkim(text)
    assert (key.kind, key.bits, key.revoked, key.testing) == (kind, bits, False, False)


def test_an_empty_key_is_revoked_and_flags_are_read() -> None:
    assert parse_dkim("v=DKIM1; p=").revoked
    key = parse_dkim(f"v=DKIM1; t=s:y; h=sha1; s=email; p={RSA_KEY}")
    assert (key.testing, key.hashes, key.for_mail) == (True, ("sha1",), True)


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 -all",
        "v=DKIM1",
        f"p={RSA_KEY}; v=DKIM1",
        f"v=DKIM2; p={RSA_KEY}",
        f"v=DKIM1; k=dsa; p={RSA_KEY}",
        f"v=DKIM1; k=ed25519; p={RSA_KEY}",
        f"v=DKIM1; p={RSA_KEY[:60]}",
        f"v=DKIM1; p={RSA_KEY}; p={RSA_KEY}",
        "v=DKIM1; p=!!!",
        "v=DKIM1; p=AAAA",
        f"v=DKIM1; p={ED_KEY}",
        "",
    ],
)
def test_what_is_no_dkim_key_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_dkim(text)


# MTA-STS and TLSA

POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.a.test\r\nmx: *.b.test\r\nmax_age: 604800\r\n"


def test_a_policy_is_read_and_covers_by_exact_name_or_one_label() -> None:
    policy = parse_sts_policy(POLICY)
    assert (policy.mode, policy.max_age_s) == ("enforce", 604800)
    assert [policy.covers(h) for h in ("MX.a.test.", "x.b.test", "b.test", "x.y.b.test", "other.test")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!DOCTYPE html><html></html>",
        POLICY.replace("STSv1", "STSv2"),
        POLICY.replace("enforce", "on"),
        POLICY.replace("604800", "-1"),
        POLICY.replace("604800", "99999999"),
        POLICY.replace("604800", "1e5"),
        POLICY.replace("max_age: 604800", ""),
        "version: STSv1\nmode: enforce\nmax_age: 86400",
        POLICY.replace("mx.a.test", "mx a test"),
        POLICY.replace("mx.a.test", "*"),
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_sts_policy(text)


@pytest.mark.parametrize(("text", "good"), [("v=STSv1; id=2026", True), ("v=STSv1; id=2026;", True), ("v=STSv1; id=", False), ("v=STSv1;", False), ("v=STSv1; id=a-b", False), ("v=STSv2; id=1", False)])  # fmt: skip
def test_an_sts_record_needs_an_id(text: str, good: bool) -> None:
    if good:
        assert parse_sts_record(text) == "2026"
        return
    with pytest.raises(ParseError):
        parse_sts_record(text)


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (f"3 1 1 {hashlib.sha256(b'key').hexdigest()}", True),
        (f"3 0 1 {hashlib.sha256(b'cert').hexdigest().upper()}", True),
        (f"3 1 2 {hashlib.sha512(b'key').hexdigest()}", True),
        (f"3 0 0 {b'cert'.hex()}", True),
        (f"3 1 1 {hashlib.sha256(b'cert').hexdigest()}", False),
        (f"3 7 1 {hashlib.sha256(b'key').hexdigest()}", False),
        (f"3 1 9 {b'key'.hex()}", False),
    ],
)
def test_a_tlsa_record_names_a_certificate_or_its_key(record: str, wanted: bool) -> None:
    assert parse_tlsa(record).names(b"cert", b"key") is wanted


@pytest.mark.parametrize("text", ["", "3 1 1", "3 1 1 abc", "3 1 1 xyz", "a 1 1 ab"])
def test_what_is_no_tlsa_record_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_tlsa(text)


@pytest.mark.parametrize(
    ("text", "issuer", "well_formed"),
    [
        ('0 issue "letsencrypt.org"', "letsencrypt.org", True),
        ('0 issue "LetsEncrypt.org; validationmethods=dns-01"', "letsencrypt.org", True),
        ('0 issue ";"', "", True),
        ('0 issue ""', "", True),
        ('0 issue "; account=1"', "", True),
        ('0 issue "not a name"', "", False),
        ('0 issue "a.org; policy"', "", False),
        ('0 issue "https://letsencrypt.org"', "", False),
        ('128 issue "letsencrypt.org"', "letsencrypt.org", True),
        ('0 iodef "mailto:a@b.test"', "", True),
    ],
)
def test_a_caa_value_names_its_issuer(text: str, issuer: str, well_formed: bool) -> None:
    record = parse_caa(text)
    assert (record.issuer, record.well_formed) == (issuer, well_formed)
