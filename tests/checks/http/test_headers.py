"""Security headers as browsers read them: every malformed value has a case, and none of them passes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks.errors import ParseError
from checks.parse.cookies import parse_cookie, parse_cookies
from checks.parse.csp import frame_ancestors, is_inert, meta_policy, parse_csp, parse_meta, weaknesses
from checks.parse.headers import (
    Framing,
    is_nosniff,
    list_of,
    parse_frame_options,
    parse_referrer_policy,
    single_token,
    xss_filter,
)
from checks.parse.hsts import Hsts, parse_hsts
from checks.parse.security_txt import parse_security_txt

YEAR = 31_536_000


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("max-age=31536000", Hsts(YEAR, False, False)),
        ("MAX-AGE=31536000", Hsts(YEAR, False, False)),
        ('max-age="31536000"', Hsts(YEAR, False, False)),
        ('max-age="300"', Hsts(300, False, False)),
        ("max-age = 31536000 ; includeSubDomains", Hsts(YEAR, True, False)),
        ("max-age=63072000; includeSubDomains; preload", Hsts(63_072_000, True, True)),
        ("includeSubDomains; max-age=31536000;", Hsts(YEAR, True, False)),
        (" ; ;max-age=0", Hsts(0, False, False)),
        ("max-age=15552000; preload", Hsts(15_552_000, False, True)),
        ("max-age=31536000; unknown=1; other", Hsts(YEAR, False, False)),
        ("max-age=" + "9" * 5000, Hsts(int("9" * 20), False, False)),
    ],
)
def test_an_hsts_value_is_read(value: str, wanted: Hsts) -> None:
    assert parse_hsts(value) == wanted


@pytest.mark.parametrize(
    "value",
    [
        "", "includeSubDomains", "max-age", "max-age=", "max-age=abc", "max-age=-1", "max-age=1.5",
        "max-age=31536000 days", "max-age=0; max-age=63072000", "max-age=63072000; max-age=63072000",
        'max-age="31536000', "max-age='31536000'", "max-age=0x1000000", "max-age=٣١٥٣٦٠٠٠", "max-age:31536000",
        "max-age=31536000, includeSubDomains", "max age=31536000", "=31536000", '"max-age"=31536000',
        "max-age=31536000; includeSubDomains; includesubdomains",
    ],
)  # fmt: skip
def test_what_browsers_ignore_is_malformed_hsts(value: str) -> None:
    with pytest.raises(ParseError):
        parse_hsts(value)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((), Framing.ABSENT),
        (("",), Framing.ABSENT),
        (("DENY",), Framing.DENY),
        (("deny", "DENY"), Framing.DENY),
        (("SAMEORIGIN, SAMEORIGIN",), Framing.SAMEORIGIN),
        (("DENY", "SAMEORIGIN"), Framing.CONFLICT),
        (("SAMEORIGIN, ALLOW-FROM https://a.test",), Framing.CONFLICT),
        (("ALLOW-FROM https://a.test",), Framing.INVALID),
        (("ALLOWALL",), Framing.INVALID),
        (("*",), Framing.INVALID),
        (("DENY;",), Framing.INVALID),
    ],
)
def test_frame_options_are_read_as_browsers_do(values: tuple[str, ...], wanted: Framing) -> None:
    assert parse_frame_options(values) is wanted


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (("nosniff",), True), (("NoSniff",), True), (("nosniff", "nosniff"), True), (("nosniff, other",), True),
        ((), False), (("",), False), (("no-sniff",), False), (("other, nosniff",), False), (("'nosniff'",), False),
    ],
)  # fmt: skip
def test_nosniff_is_the_first_member_or_nothing(values: tuple[str, ...], wanted: bool) -> None:
    assert is_nosniff(values) is wanted


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((), None),
        (("same-origin",), "same-origin"),
        (("SAME-ORIGIN",), "same-origin"),
        (("no-referrer, strict-origin-when-cross-origin",), "strict-origin-when-cross-origin"),
        (("same-origin", "unsafe-url"), "unsafe-url"),
        (("same-origin, future-policy",), "same-origin"),
        (("never",), ""),
        (("",), ""),
    ],
)
def test_the_last_known_referrer_policy_counts(values: tuple[str, ...], wanted: str | None) -> None:
    assert parse_referrer_policy(values) == wanted


def test_small_headers_are_read() -> None:
    assert single_token(("none", "None")) == "none"
    assert single_token(("none", "all")) == "conflict"
    assert single_token(()) is None
    assert xss_filter(("1; mode=block",)) == "1"
    assert xss_filter((" 0 ",)) == "0"
    assert xss_filter(()) is None
    assert list_of(("a, b", ",c,,")) == ["a", "b", "c"]


STRICT = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'self'"


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((), {"no_policy"}),
        (("",), {"no_policy"}),
        ((" ; ; , ;",), {"no_policy"}),
        ((STRICT,), set()),
        (("script-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'",), {"script_inline"}),
        (("SCRIPT-SRC 'SELF' 'UNSAFE-INLINE'; object-src 'none'; base-uri 'self'; form-action 'self'",), {"script_inline"}),
        (("script-src 'nonce-abc' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'",), set()),
        (("script-src 'sha256-abc=' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'",), set()),
        (("script-src 'strict-dynamic' 'nonce-abc' https: 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'",), set()),
        (("script-src 'nonce-abc' https:; object-src 'none'; base-uri 'self'; form-action 'self'",), {"script_wide"}),
        (("script-src *; object-src 'none'; base-uri 'self'; form-action 'self'",), {"script_wide"}),
        (("script-src http:; object-src 'none'; base-uri 'self'; form-action 'self'",), {"script_wide"}),
        (("script-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'",), {"script_data"}),
        (("script-src 'self' 'unsafe-eval'; object-src 'none'; base-uri 'self'; form-action 'self'",), {"script_eval"}),
        (("script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'self'; form-action 'self'",), set()),
        (("upgrade-insecure-requests",), {"no_script_rule", "object_missing", "base_uri_missing", "form_action_missing"}),
        (("script-src 'self'; base-uri 'self'; form-action 'self'",), {"object_missing"}),
        (("script-src 'self'; object-src *; base-uri 'self'; form-action 'self'",), {"object_wide"}),
        (("default-src 'self'; base-uri 'self'; form-action 'self'; style-src 'unsafe-inline'; img-src https:",), set()),
        (("default-src 'self'; script-src 'unsafe-inline'; script-src 'self'; base-uri 'self'; form-action 'self'",), {"script_inline"}),
        (("script-src 'unsafe-inline'", STRICT), set()),
        (("script-src 'unsafe-inline', " + STRICT,), set()),
        ((STRICT + "; script-src-elem 'unsafe-inline'",), {"script_inline"}),
        (("default-src 'none' 'nonce-'; script-src 'nonce-' 'unsafe-inline'; base-uri 'self'; form-action 'self'",), {"script_inline"}),
    ],
)  # fmt: skip
def test_weak_points_of_a_policy_are_those_a_script_could_use(
    values: tuple[str, ...], wanted: set[str]
) -> None:
    assert weaknesses(parse_csp(values)) == wanted


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (("default-src 'none'",), None),
        (("frame-ancestors 'none'",), ("'none'",)),
        (("frame-ancestors *",), ("*",)),
        (("frame-ancestors *", "frame-ancestors 'self'"), ("'self'",)),
        (("frame-ancestors",), ()),
    ],
)
def test_the_strictest_frame_ancestors_count(values: tuple[str, ...], wanted: tuple[str, ...] | None) -> None:
    assert frame_ancestors(parse_csp(values)) == wanted


def test_a_policy_in_the_page_itself_is_found() -> None:
    page = '<head><meta http-equiv="Content-Security-Policy" content="script-src \'self\'"></head>'
    assert meta_policy(page) == ("script-src 'self'",)
    assert meta_policy("<meta name=x content=y>") == ()


def test_a_cookie_is_read_without_its_value() -> None:
    cookie = parse_cookie("__Host-pleroma_key=secret; path=/; secure; HTTPOnly; SameSite=Lax")
    assert (cookie.name, cookie.secure, cookie.http_only, cookie.same_site) == (
        "__Host-pleroma_key",
        True,
        True,
        "lax",
    )
    assert cookie.host_prefixed and cookie.is_session
    assert "secret" not in repr(cookie)


@pytest.mark.parametrize(
    ("line", "prefixed"),
    [
        ("__Host-a=1; Secure; Path=/", True), ("__Host-a=1; Path=/", False), ("__Host-a=1; Secure", False),
        ("__Host-a=1; Secure; Path=/; Domain=a.test", False), ("a=1; Secure; Path=/", False),
    ],
)  # fmt: skip
def test_the_host_prefix_holds_only_with_its_conditions(line: str, prefixed: bool) -> None:
    assert parse_cookie(line).host_prefixed is prefixed


@pytest.mark.parametrize(
    ("name", "session"),
    [
        ("_mastodon_session", True), ("_session_id", True), ("pxfs", True), ("PHPSESSID", True), ("gotosocial-a", True),
        ("XSRF-TOKEN", False), ("csrftoken", False), ("locale", False), ("theme", False),
    ],
)  # fmt: skip
def test_session_cookies_are_told_by_their_names(name: str, session: bool) -> None:
    assert parse_cookie(f"{name}=1").is_session is session


def test_cookies_of_shields_and_unreadable_ones_are_left_out() -> None:
    lines = ("__cf_bm=1; path=/", "_cfuvid=2", "AWSALB=3", "nothing", "=4", "; Secure", "a=5")
    assert [c.name for c in parse_cookies(lines)] == ["a"]


SECURITY = "# hi\r\nContact: mailto:a@b.test\r\nExpires: 2027-01-01T00:00:00Z\r\nFuture: x\r\n"


def test_a_security_txt_is_read() -> None:
    note = parse_security_txt(SECURITY)
    assert note.contacts == ("mailto:a@b.test",)
    assert note.expires == datetime(2027, 1, 1, tzinfo=UTC)
    assert parse_security_txt(SECURITY.replace("Z", "+09:00")).expires < note.expires


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "<html>Contact: x</html>", SECURITY.replace("Contact", "Kontakt"), SECURITY.replace("Expires", "Exp"),
        SECURITY + SECURITY, SECURITY.replace("2027-01-01T00:00:00Z", "tomorrow"), SECURITY.replace("00Z", "00"),
        SECURITY.replace("mailto:a@b.test", "a@b.test"),
    ],
)  # fmt: skip
def test_a_broken_security_txt_is_a_parse_error(text: str) -> None:
    with pytest.raises(ParseError):
        parse_security_txt(text)


def test_header_lines_that_no_longer_fit_are_left_out_whole() -> None:
    """A policy that is cut could look stricter than it is; none of what comes after it is read either."""
    long = "img-src " + "a" * (16384 - len("img-src "))
    assert len(parse_csp((long,))) == 1
    assert len(parse_csp((long, STRICT))) == 1
    assert len(parse_csp((STRICT, long, STRICT))) == 1
    assert parse_csp((long + "a",)) == ()


def test_a_page_cannot_say_what_only_a_header_can() -> None:
    only = "frame-ancestors 'none'; report-uri /x; sandbox"
    page = '<head><meta http-equiv="Content-Security-Policy" content="{}"></head>'
    assert parse_meta(page.format(only)) == ()
    (policy,) = parse_meta(page.format(f"{only}; img-src 'self'"))
    assert policy.directives == (("img-src", ("'self'",)),)


@pytest.mark.parametrize(
    "page",
    [
        "<meta http-equiv=content-security-policy content=\"script-src 'self'\"",
        "<title><meta http-equiv=content-security-policy content=\"script-src 'self'\"></title>",
        "<style><meta http-equiv=content-security-policy content=\"script-src 'self'\"></style>",
        "<noscript><meta http-equiv=content-security-policy content=\"script-src 'self'\"></noscript>",
        "<!-- x <meta http-equiv=content-security-policy content=\"script-src 'self'\">",
        "<meta http-equiv=refresh content=\"script-src 'self'\">",
        "<metadata http-equiv=content-security-policy content=\"script-src 'self'\">",
    ],
)
def test_what_is_no_meta_element_holds_no_policy(page: str) -> None:
    assert meta_policy(page) == ()


def test_the_first_attribute_of_a_name_counts() -> None:
    page = (
        "<meta http-equiv=content-security-policy content=\"img-src 'self'\" content=\"script-src 'self'\">"
    )
    assert meta_policy(page) == ("img-src 'self'",)


@pytest.mark.parametrize(
    ("policy", "inert"),
    [
        ("sandbox", True),
        ("sandbox allow-scripts", True),
        ("sandbox allow-same-origin", True),
        ("sandbox allow-scripts allow-same-origin", False),
        ("sandbox allow-scripts allow-same-origin; default-src 'none'", True),
        ("default-src 'none'", True),
        ("default-src", True),
        ("script-src 'none'", True),
        ("script-src 'none'; default-src *", True),
        ("default-src 'none'; img-src 'self'; style-src 'unsafe-inline'", True),
        ("default-src 'none'; script-src 'self'", False),
        ("default-src 'none'; script-src-elem 'self'", False),
        ("default-src 'none'; script-src-attr 'unsafe-inline'", False),
        ("script-src-elem 'none'", False),
        ("default-src 'self'", False),
        ("img-src 'none'", False),
    ],
)
def test_a_file_is_inert_where_no_script_can_run_in_its_origin(policy: str, inert: bool) -> None:
    (parsed,) = parse_csp((policy,))
    assert is_inert(parsed) is inert
