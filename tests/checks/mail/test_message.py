"""A pasted mail: what is read, which signatures hold, and what the rest is called."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup, Outcome
from checks.facts.mail import DkimMessage, Proof
from checks.parse.dkim_message import MAX_MESSAGE, MessageError, read_message, selectors_to_watch
from checks.probes.mail_message import prove_all
from tests.checks.mail.mails import BODY, HEAD, key, keys, signed

NOW = datetime.now(UTC)
GOOD = keys(s=key().record)


def proven(raw: bytes, records: Mapping[str, str] = GOOD, now: datetime = NOW) -> DkimMessage:
    async def ask(name: str, rdtype: str) -> Lookup | Missing:
        found = records.get(name)
        if found == "SERVFAIL":
            return Missing(Reason.RESOLVER_FAILED, "SERVFAIL")
        outcome = Outcome.FOUND if found else Outcome.NO_NAME
        return Lookup(name, rdtype, outcome, tuple(found.split("|")) if found else ())

    return asyncio.run(prove_all(read_message(raw), ask, now))


def proof(raw: bytes, records: Mapping[str, str] = GOOD, now: datetime = NOW) -> Proof:
    return proven(raw, records, now).signatures[0].proof


FORMS = [(a, b) for a in (b"simple", b"relaxed") for b in (b"simple", b"relaxed")]


@pytest.mark.parametrize("form", FORMS, ids=lambda f: b"/".join(f).decode())
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_signature_is_verified_in_every_form(kind: str, form: tuple[bytes, bytes]) -> None:
    by = key(kind)
    found = proven(signed(by=by, form=form), keys(s=by.record)).signatures[0]
    assert (found.proof, found.selector, found.domain) == (Proof.VERIFIED, "s", "a.test")
    assert found.bits == (256 if kind == "ed25519" else 2048)


CHANGED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda m: m,
    "with bare line feeds": lambda m: m.replace(b"\r\n", b"\n"),
    "out of an mbox": lambda m: b"From notify@a.test Sat Nov 21 12:00:00 2026\n" + m,
    "with empty lines before": lambda m: b"\r\n\r\n" + m,
    "with a byte order mark": lambda m: b"\xef\xbb\xbf" + m,
    "with more headers on top": lambda m: b"Received: by mx; x\r\nX-Spam: no\r\n" + m,
    "with more empty lines at the end": lambda m: m + b"\r\n\r\n",
    "without the last line end": lambda m: m.rstrip(b"\r\n"),
    "with other blanks in the text": lambda m: m.replace(b"Hello,  ", b"Hello,"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_what_pasting_does_to_a_mail_does_no_harm(change: str) -> None:
    assert proof(CHANGED[change](signed())) is Proof.VERIFIED


def without(tag: str) -> Callable[[bytes], bytes]:
    return lambda m: re.sub(rf"(?m)(^DKIM-Signature:|;)\s*{tag}=[^;]*;".encode(), rb"\1", m, count=1)


def with_tag(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda m: m.replace(old.encode(), new.encode(), 1)


def no_change(mail: bytes) -> bytes:
    return mail


RSA, OTHER, ED = key().record, key(bits=1024), key("ed25519").record
REFUSED: list[tuple[str, Callable[[bytes], bytes], Mapping[str, str], Proof]] = [
    ("another text", with_tag("somebody", "nobody"), GOOD, Proof.BODY_DIFFERS),
    ("a line less", with_tag("Hello,", ""), GOOD, Proof.BODY_DIFFERS),
    ("another subject", with_tag("Subject: Reset", "Subject: Rest"), GOOD, Proof.NO_MATCH),
    ("one more header", lambda m: m.replace(b"To: you", b"Sender: x@y.z\r\nTo: you"), GOOD, Proof.VERIFIED),
    ("the key of somebody else", no_change, keys(s=OTHER.record), Proof.NO_MATCH),
    ("no key", no_change, {}, Proof.NO_KEY),
    ("no answer", no_change, keys(s="SERVFAIL"), Proof.UNSEEN),
    ("a revoked key", no_change, keys(s="v=DKIM1; p="), Proof.REVOKED),
    ("two records", no_change, keys(s=f"{RSA}|{RSA}"), Proof.BAD_KEY),
    ("no key record", no_change, keys(s="hello"), Proof.BAD_KEY),
    ("a key of another kind", no_change, keys(s=ED), Proof.BAD_KEY),
    ("a key for SHA-1", no_change, keys(s=RSA.replace("k=rsa", "k=rsa; h=sha1")), Proof.BAD_KEY),
    ("a key for another service", no_change, keys(s=RSA.replace("k=rsa", "s=tlsrpt")), Proof.BAD_KEY),
    ("a key for every service", no_change, keys(s=RSA.replace("k=rsa", "s=x:email")), Proof.VERIFIED),
    ("a strict key", no_change, keys(s=RSA.replace("k=rsa", "t=s")), Proof.VERIFIED),
    ("a key in test mode", no_change, keys(s=RSA.replace("k=rsa", "t=y")), Proof.VERIFIED),
    ("no body hash", without("bh"), GOOD, Proof.MALFORMED),
    ("no domain", without("d"), GOOD, Proof.MALFORMED),
    ("another version", with_tag("v=1;", "v=2;"), GOOD, Proof.MALFORMED),
    ("an unknown algorithm", with_tag("a=rsa-sha256", "a=rsa-md5"), GOOD, Proof.MALFORMED),
    ("an unknown form", with_tag("c=relaxed/relaxed", "c=loose"), GOOD, Proof.MALFORMED),
    ("an odd selector", with_tag(" s=s;", " s=-;"), GOOD, Proof.MALFORMED),
    ("a domain without a dot", with_tag(" d=a.test;", " d=test;"), GOOD, Proof.MALFORMED),
    ("a foreign identity", with_tag(" d=a.test;", " d=a.test; i=@b.test;"), GOOD, Proof.MALFORMED),
    ("a tag twice", with_tag(" s=s;", " s=s; s=s;"), GOOD, Proof.MALFORMED),
    ("no number", with_tag(" s=s;", " s=s; l=-1;"), GOOD, Proof.MALFORMED),
    ("expired", with_tag(" s=s;", " s=s; x=1700000000;"), GOOD, Proof.MALFORMED),  # before its t=
    ("made tomorrow", lambda m: re.sub(rb" t=\d+", b" t=99999999999", m), GOOD, Proof.MALFORMED),
    ("not over From", lambda m: re.sub(rb"(?i)from : |: from(?= |;)", b"", m), GOOD, Proof.MALFORMED),
]


@pytest.mark.parametrize(
    ("change", "records", "expected"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_each_way_to_fail_has_its_name(
    change: Callable[[bytes], bytes], records: Mapping[str, str], expected: Proof
) -> None:
    before = signed()
    after = change(before)
    assert change is no_change or after != before, "the change did not take"
    assert proof(after, records) is expected


def test_an_expired_signature_says_so() -> None:
    later = NOW + timedelta(days=400)
    mail = signed().replace(b" s=s;", f" s=s; x={int(NOW.timestamp()) + 3600};".encode(), 1)
    assert proof(mail, now=later) is Proof.EXPIRED
    assert proof(mail) is Proof.NO_MATCH, "x= was added after signing"


def test_sha1_never_counts_although_the_arithmetic_holds() -> None:
    assert proof(signed(algorithm=b"rsa-sha1")) is Proof.SHA1


def test_a_short_key_never_counts() -> None:
    weak = key().record.replace(key().record.rpartition("p=")[2], key(bits=1024).record.rpartition("p=")[2])
    assert proof(signed(by=key(bits=1024)), keys(s=weak)) is Proof.VERIFIED
    # A key of 512 bits, which the library here no longer makes.
    small = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALRiMLAHudeSA2ai5nrF5Oa6v3pQw3Nk2FvDtXo1yqY5mC2e0Yq1h0rIhYlD9F0fOQ0m0Hc7Vt6b1vS9wqQbXvMCAwEAAQ=="
    assert proof(signed(), keys(s=f"p={small}")) is Proof.WEAK_KEY


def test_a_strict_key_refuses_an_identity_below_its_domain() -> None:
    mail = signed(identity="x@sub.a.test")
    assert proof(mail) is Proof.VERIFIED
    assert proof(mail, keys(s=RSA.replace("k=rsa", "t=s"))) is Proof.BAD_KEY


def test_a_body_signed_in_part_is_marked() -> None:
    found = proven(signed(length=True) + b"added by a list\r\n").signatures[0]
    assert (found.proof, found.partial) == (Proof.VERIFIED, True)


def test_headers_alone_name_the_selectors() -> None:
    headers = signed().partition(b"\r\n\r\n")[0]
    for raw in (headers, headers + b"\r\n", headers + b"\r\n\r\n"):
        found = proven(raw)
        assert [(s.selector, s.proof) for s in found.signatures] == [("s", Proof.HEADER_ONLY)]
    assert proof(headers, {}) is Proof.NO_KEY


def test_every_signature_is_looked_at_on_its_own() -> None:
    ed = key("ed25519")
    mail = signed(signed(signed(selector="old"), by=ed, selector="e"), domain="sub.a.test", selector="t")
    found = proven(mail, keys(e=ed.record, old=RSA)).signatures
    assert [(s.selector, s.proof) for s in found] == [
        ("t", Proof.NO_KEY),
        ("e", Proof.VERIFIED),
        ("old", Proof.VERIFIED),
    ]


def test_what_others_say_about_the_mail_counts_for_nothing() -> None:
    boast = b"Authentication-Results: mx.example; dkim=pass header.d=a.test\r\nARC-Seal: i=1; cv=pass\r\n"
    assert proof(boast + signed(), {}) is Proof.NO_KEY
    with pytest.raises(MessageError, match="no_signature"):
        read_message(boast + HEAD + b"\r\n" + BODY)


def test_only_selectors_of_the_own_domain_are_watched() -> None:
    mail = signed(signed(), domain="mailer.test", selector="theirs")
    mail = signed(mail, domain="sub.a.test", selector="below")
    assert selectors_to_watch(read_message(mail), "a.test") == ("below._domainkey.sub.a.test", "s")


FROM = {
    "x@a.test": "a.test",
    "<x@A.Test>": "a.test",
    '"me@evil.test" <x@a.test>': "a.test",
    "me@evil.test <x@a.test>": "a.test",
    "x@a.test (me@evil.test)": "a.test",
    "Server <x@a.test.>": "a.test",
    "サーバ <x@例え.test>": "xn--r8jz45g.test",
}
NO_FROM = ["", "nobody", "x@", "<>", "x@localhost", "x@-a.test", "x@" + "a" * 300 + ".test", "x" * 3000]


@pytest.mark.parametrize(("text", "domain"), FROM.items())
def test_the_domain_is_that_of_the_address_not_of_the_name(text: str, domain: str) -> None:
    mail = signed().replace(b"=?utf-8?B?44K144O844OQ?= <notify@a.test>", text.encode())
    assert read_message(mail).from_domain == domain


@pytest.mark.parametrize("text", NO_FROM)
def test_a_from_without_a_domain_is_refused(text: str) -> None:
    with pytest.raises(MessageError, match="no_from"):
        read_message(signed().replace(b"=?utf-8?B?44K144O844OQ?= <notify@a.test>", text.encode()))


NO_MAIL: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "blanks": (b" \r\n \r\n", "empty"),
    "one byte too many": (b"x" * (MAX_MESSAGE + 1), "too_large"),
    "prose": (b"Hello,\r\nplease check my mail", "no_headers"),
    "a screenshot": (b"\x89PNG\r\n\x1a\n\0\0", "no_headers"),
    "a blank before the colon": (b"To : x@a.test\r\n", "no_headers"),
    "a mail without a signature": (HEAD + b"\r\n" + BODY, "no_signature"),
    "two From headers": (b"From: x@b.test\r\n" + signed(), "several_from"),
    "no From header": (signed().replace(b"\r\nFrom:", b"\r\nSender:"), "no_from"),
    "a flood of headers": (b"a: b\r\n" * 600 + signed(), "too_many"),
    "a flood of signatures": (b"DKIM-Signature: v=1\r\n" * 9 + signed(), "too_many"),
    "a giant head": (b"X: " + b"y" * 200_000 + b"\r\n" + signed(), "too_many"),
    "a giant line": (b"X: " + b"y" * 200_000, "no_headers"),
}


@pytest.mark.parametrize(("raw", "code"), NO_MAIL.values(), ids=NO_MAIL)
def test_what_is_no_mail_is_refused_by_a_code(raw: bytes, code: str) -> None:
    with pytest.raises(MessageError) as caught:
        read_message(raw)
    assert caught.value.code == code


@given(st.binary(max_size=400))
def test_any_bytes_are_a_mail_or_an_error(raw: bytes) -> None:
    for text in (raw, b"From: x@a.test\nDKIM-Signature: " + raw, HEAD + b"DKIM-Signature: v=1;" + raw):
        try:
            mail = read_message(text)
        except ParseError:
            continue
        assert len(mail.signatures) >= 1


_TAGS = st.lists(
    st.tuples(
        st.sampled_from("v a b bh d s h c l t x i q z".split()), st.text("az09=/+:.@ \t-;", max_size=12)
    ),
    max_size=12,
)


@given(_TAGS, st.binary(max_size=100))
def test_any_signature_ends_in_a_proof(tags: list[tuple[str, str]], body: bytes) -> None:
    base = {"v": "1", "a": "rsa-sha256", "b": "AAAA", "bh": "AAAA", "d": "a.test", "s": "s", "h": "from"}
    head = "; ".join(f"{k}={v}" for k, v in (base | dict(tags)).items())
    raw = f"DKIM-Signature: {head}\r\n".encode() + HEAD + b"\r\nx" + body
    assert proof(raw) in Proof and proof(raw) is not Proof.VERIFIED
