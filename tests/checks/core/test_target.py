"""What people paste, and what becomes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.target import TargetError, parse_domain


@pytest.mark.parametrize(
    ("pasted", "domain"),
    [
        ("mastodon.example", "mastodon.example"),
        ("  Mastodon.Example.  ", "mastodon.example"),
        ("https://social.example/about?x=1", "social.example"),
        ("http://social.example:8443/", "social.example"),
        ("social.example/@alice", "social.example"),
        ("@alice@social.example", "social.example"),
        ("alice@social.example", "social.example"),
        ("social.example:443", "social.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("xn--r8jz45g.example", "xn--r8jz45g.example"),
        ("social。example", "social.example"),
    ],
)
def test_a_domain_is_found_in_what_people_paste(pasted: str, domain: str) -> None:
    assert parse_domain(pasted) == domain


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a\0b.example", "control"),
        ("a\nb.example", "control"),
        ("127.0.0.1", "address"),
        ("http://[::1]/", "address"),
        ("[2001:db8::1]:443", "address"),
        ("2001:db8::1", "address"),
        ("1.2.3.4:80", "address"),
        ("0x7f.1", "address"),
        ("1.2.3", "address"),
        ("localhost", "local"),
        ("server.localhost", "local"),
        ("printer.local", "local"),
        ("host.internal", "local"),
        ("router.home.arpa", "local"),
        ("abcdef.onion", "local"),
        ("social", "single_label"),
        ("-bad-.example", "bad_name"),
        ("under_score.example", "bad_name"),
        ("a..example", "bad_name"),
        ("a b.example", "bad_name"),
        ("x" * 300, "too_long"),
        ("x" * 64 + ".example", "bad_name"),
        (".".join(["abcdefgh"] * 33) + ".example", "too_long"),
        ("x" * 5000, "too_long"),
        ("https://", "empty"),
        ("http://[broken", "bad_name"),
    ],
)
def test_what_is_no_domain_is_refused_with_a_reason(pasted: str, code: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_domain(pasted)
    assert caught.value.code == code


@given(st.text(max_size=400))
def test_any_text_gives_a_domain_or_a_reason(text: str) -> None:
    try:
        domain = parse_domain(text)
    except TargetError as error:
        assert error.code
    else:
        assert domain == domain.lower() and domain.isascii() and "." in domain and len(domain) <= 253
        assert parse_domain(domain) == domain
