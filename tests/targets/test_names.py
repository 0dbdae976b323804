"""The field that takes a domain: whatever is typed, there is a page, and nothing is looked at that was not vetted."""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from checks.lookalike import shown
from checks.target import Target, TargetError, parse_domain
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan

WIDE = os.environ.get("FEDISEC_WIDE") == "all"
LDH = re.compile(r"(?=.{3,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")

pieces = st.sampled_from(
    "a b9 xn-- xn--80ak6aa92e . .. 。 ． : :80 :99999 @ / // \\ ? # % %00 [ ] [::1] - _ 127 0x7f 0 1 com example "
    "http:// https:// HTTPS:// ftp:// localhost local test ß ſ ﬀ \u200d \u200c \u00ad \u202e \u2028 \ufeff \0 \n \t а "
    "ｃｏｍ ١٢٧ 例え テスト 😀 é e\u0301 \ud800 ~ ; , ' \" < > & = ( ) { } | ^ ` $ ! *".split(" ")
)
typed = st.one_of(
    st.text(max_size=80),
    st.lists(pieces, max_size=12).map("".join),
    st.lists(st.text("abcxyz019-.", max_size=70), max_size=6).map(".".join),
    st.ip_addresses().map(str),
    st.ip_addresses(v=4).map(lambda ip: ".".join(hex(b) for b in ip.packed)),
    st.ip_addresses().map(lambda ip: f"http://user:x@{ip}:80/"),
)


def assert_is_a_name(domain: str) -> None:
    """By other means than those of the form."""
    assert LDH.match(domain), domain
    with suppress(OSError):  # the C library takes 127.1 and 0x7f000001 for addresses
        assert not socket.inet_aton(domain), domain
    assert parse_domain(domain) == domain, "once read, it is the same for ever"


@settings(max_examples=10_000 if WIDE else 300)
@given(typed)
@example("a.0x7f")
@example("a.example\n")
@example("xn--\udcff.example")
def test_what_is_typed_is_a_name_or_an_error_with_a_code(text: str) -> None:
    try:
        assert_is_a_name(parse_domain(text))
    except TargetError as error:
        assert error.code in "empty too_long control address local single_label bad_name".split()


@pytest.mark.django_db
def test_no_text_breaks_the_page_or_gets_past_the_look_at_its_address(
    as_alice: Client, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    vetted: list[str] = []

    def refusal(domain: str) -> str:
        vetted.append(domain)
        return "private" if len(vetted) % 2 else ""

    monkeypatch.setattr("fedisec.scans.keeping.refusal", refusal)
    settings_of_team = {"suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}

    @settings(max_examples=2_000 if WIDE else 60, **settings_of_team)  # type: ignore[arg-type]
    @given(typed)
    @example("mastodon.example")
    @example("https://other.example:8443/")
    def ask(text: str) -> None:
        Instance.objects.all().delete()
        seen = len(vetted)
        body = f"domain={quote(text, errors='surrogatepass')}"
        answer = as_alice.post("/instances/add/", body, "application/x-www-form-urlencoded")
        assert answer.status_code in (302, 400, 422), (text, answer.status_code)
        for stored in Instance.objects.all():
            assert answer.status_code == 302 and vetted[seen:] == [stored.domain]
            assert_is_a_name(stored.domain)
        assert answer.status_code == 302 or not Scan.objects.exists()

    ask()
    assert len(vetted) > 1


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("mastodon.example", "mastodon.example"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("xn--r8jz45g.xn--zckzah", "例え.テスト"),
        ("xn--e1afmkfd.xn--80akhbyknj4f", "пример.испытание"),
        ("xn--80ak6aa92e.com", "xn--80ak6aa92e.com"),  # apple in Cyrillic letters
        ("xn--ypal-43d9g.com", "xn--ypal-43d9g.com"),  # Cyrillic and Latin in one label
        ("xn--mxajb0c.example", "xn--mxajb0c.example"),
        ("xn--wrong--.example", "xn--wrong--.example"),
    ],
)
def test_a_name_that_looks_like_another_is_shown_as_it_is_written_in_the_dns(domain: str, name: str) -> None:
    assert shown(domain) == name == Target(domain).unicode_domain


@given(st.text(max_size=70))
def test_showing_a_name_never_fails(text: str) -> None:
    shown("xn--" + text + ".example")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a.example:0", "bad_name"), ("a.example:65536", "bad_name"), ("https://a.example:99999/", "bad_name"),
        ("a.example:-1", "bad_name"), ("a.0x7f", "address"), ("a.0x", "address"), ("1.2.3.0x4", "address"),
        ("host.localdomain", "local"), ("aррӏе.com", ""), ("１２７.0.0.1", "address"), ("①②⑦.0.0.1", "address"),
        ("a\u200db.example", "bad_name"), ("😀.example", "bad_name"), ("faß.example", ""), ("a.example..", ""),
        ("b\u0301a.example\ud800", "bad_name"), ("a" * 63 + ".example", ""), ("a" * 64 + ".example", "bad_name"),
    ],
)  # fmt: skip
def test_what_is_refused_and_what_is_taken(text: str, code: str) -> None:
    try:
        assert_is_a_name(parse_domain(text))
        said = ""
    except TargetError as error:
        said = error.code
    assert said == code
