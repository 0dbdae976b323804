"""Cookies, CORS and the small headers."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.http import MediaSample, Page
from tests.checks.http.header_case import FAIL, HTML, PASS, WARN, HeaderCase, Row, rows_of
from tests.checks.http.pages import software
from tests.checks.tls.made import certificate, web

GOOD_COOKIE = "_mastodon_session=aaa; path=/; secure; HttpOnly; SameSite=Lax"
LONG_HSTS = b"Strict-Transport-Security: max-age=63072000; includeSubDomains; preload"


def cookies() -> Iterator[HeaderCase]:
    attributes = "RFC 6265 5.2"
    rows: list[Row] = [
        ("none", (), PASS, "none_set", "nothing to guard", ""),
        ("all marks", (GOOD_COOKIE,), PASS, "good", attributes, ""),
        ("marks in any case", ("sid=1; SECURE; httponly; SAMESITE=STRICT",), PASS, "good", attributes + ": names in any case", ""),
        ("Secure with a value", ("sid=1; Secure=yes; HttpOnly; SameSite=Lax",), PASS, "good", "RFC 6265 5.2.5: whatever its value", ""),
        ("blanks around", ("sid=1 ;  Secure ; HttpOnly ;SameSite = Lax",), PASS, "good", attributes + ": white space is cut", ""),
        ("no Secure", ("_mastodon_session=1; HttpOnly; SameSite=Lax",), FAIL, "exposed", "RFC 6265 4.1.2.5", ""),
        ("no HttpOnly", ("_mastodon_session=1; Secure; SameSite=Lax",), FAIL, "exposed", "RFC 6265 4.1.2.6", ""),
        ("Secure only in the value", ("sid=Secure HttpOnly; SameSite=Lax",), FAIL, "exposed", attributes, ""),
        ("no SameSite", ("_mastodon_session=1; Secure; HttpOnly",), WARN, "no_same_site", "RFC 6265bis 4.1.2.7", ""),
        ("SameSite nonsense", ("_mastodon_session=1; Secure; HttpOnly; SameSite=Yes",), WARN, "no_same_site", "RFC 6265bis 5.6.7: as if absent", ""),
        ("SameSite=None", ("_mastodon_session=1; Secure; HttpOnly; SameSite=None",), WARN, "same_site_none", "RFC 6265bis 4.1.2.7", ""),
        ("SameSite twice", ("sid=1; Secure; HttpOnly; SameSite=None; SameSite=Lax",), PASS, "good", "RFC 6265 5.3: the last of a name counts", ""),
        ("CSRF token for scripts", ("XSRF-TOKEN=1; Secure; SameSite=Lax",), PASS, "good", "read by scripts by design", ""),
        ("another cookie without Secure", ("theme=dark; SameSite=Lax",), WARN, "not_secure", "RFC 6265 4.1.2.5", ""),
        ("Cloudflare's", ("__cf_bm=1; path=/; HttpOnly", "_cfuvid=1; path=/", "__cflb=1"), PASS, "none_set", "not the admin's", ""),
        ("Cloudflare's and the session", ("__cf_bm=1", "_mastodon_session=1; Secure; HttpOnly"), WARN, "no_same_site", "RFC 6265bis 4.1.2.7", ""),
        ("__Host- as it has to be", ("__Host-pleroma_key=1; Path=/; Secure; HttpOnly; SameSite=Lax",), PASS, "good", "RFC 6265bis 4.1.3.2", ""),
        ("__Host- without Secure", ("__Host-pleroma_key=1; Path=/; HttpOnly; SameSite=Lax",), FAIL, "exposed", "RFC 6265bis 4.1.3.2: browsers refuse it", ""),
        ("set badly, then well", ("sid=1; path=/", "sid=2; path=/; Secure; HttpOnly; SameSite=Lax"), PASS, "good", "RFC 6265 5.3: the later one stays", ""),
        ("set well, then badly", ("sid=1; path=/; Secure; HttpOnly; SameSite=Lax", "sid=2; path=/"), FAIL, "exposed", "RFC 6265 5.3: the later one stays", ""),
        ("the same name on another path", ("sid=1; path=/a", "sid=2; path=/; Secure; HttpOnly; SameSite=Lax"), FAIL, "exposed", "RFC 6265 5.3: two cookies", ""),
        ("taken away by Max-Age", ("remember_token=; path=/; Max-Age=0",), PASS, "none_set", "RFC 6265 5.2.2", ""),
        ("taken away by Expires", ("remember_token=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT",), PASS, "none_set", "RFC 6265 5.3", ""),
        ("Max-Age outweighs Expires", ("sid=1; Max-Age=600; expires=Thu, 01 Jan 1970 00:00:00 GMT",), FAIL, "exposed", "RFC 6265 5.3 step 3", ""),
        ("a value longer than is read", ("sid=" + "a" * 9000 + "; Secure; HttpOnly; SameSite=Lax",), PASS, "good", "RFC 6265 5.2: attributes stand behind it", ""),
        ("no name", ("=1; path=/",), PASS, "none_set", "RFC 6265 5.2: left out", ""),
    ]  # fmt: skip
    yield from rows_of("http.cookies", "Set-Cookie", rows)
    lines = (HTML, LONG_HSTS, b"Set-Cookie: _mastodon_session=1; HttpOnly; SameSite=Lax")
    yield HeaderCase(
        "no Secure behind HSTS", "http.cookies", lines, FAIL, "exposed",
        "RFC 6265 4.1.2.5: HSTS is no substitute", "mdn lets HSTS excuse it",
    )  # fmt: skip
    bad = (HTML, b"Set-Cookie: _mastodon_session=1; Secure; SameSite=Lax")
    yield HeaderCase(
        "on the sign-in page", "http.cookies", bad, FAIL, "exposed", "RFC 6265 4.1.2.6", at="sign_in"
    )
    for family, cookie, status, code in (
        ("akkoma", "__Host-pleroma_key=1; Path=/; Secure; HttpOnly; SameSite=Lax", PASS, "secure"),
        ("akkoma", "__Host-pleroma_key=1; Path=/x; Secure; HttpOnly; SameSite=Lax", WARN, "no_prefix"),
        ("pleroma", "pleroma_key=1; Path=/; Secure; HttpOnly; SameSite=Lax", WARN, "no_prefix"),
        ("akkoma", "pleroma_key=1; Path=/; HttpOnly; SameSite=Lax", FAIL, "not_secure"),
        ("mastodon", "_mastodon_session=1; Path=/; Secure", PASS, "secure"),
    ):
        rows = [(f"{family}: {cookie}", (cookie,), status, code, "RFC 6265bis 4.1.3.2", "")]
        yield from rows_of("app.secure_cookie", "Set-Cookie", rows, beside=(software(family),), at="sign_in")


def cors() -> Iterator[HeaderCase]:
    origin, cookies_too = b"Access-Control-Allow-Origin: ", b"Access-Control-Allow-Credentials: "
    echo, check = origin + b"https://origin.invalid", "Fetch 4.10, CORS check"
    for title, lines, status, code, rule in (
        ("nothing", (), PASS, "closed", check),
        ("star", (origin + b"*",), PASS, "closed", "what a public API has to say"),
        ("star and credentials", (origin + b"*", cookies_too + b"true"), PASS, "closed", check + ": a star never holds with credentials"),
        ("echo alone", (echo,), PASS, "closed", check),
        ("echo and credentials", (echo, cookies_too + b"true"), FAIL, "echoed", check),
        ("echo and True", (echo, cookies_too + b"True"), PASS, "closed", check + ": `true` byte for byte"),
        ("echo and false", (echo, cookies_too + b"false"), PASS, "closed", check),
        ("echo twice", (echo, echo, cookies_too + b"true"), PASS, "closed", check + ": both values joined match nothing"),
        ("star and echo", (origin + b"*", echo, cookies_too + b"true"), PASS, "closed", check + ": joined"),
        ("another origin", (origin + b"https://app.example", cookies_too + b"true"), PASS, "closed", check),
        ("echo with a slash", (echo + b"/", cookies_too + b"true"), PASS, "closed", check + ": an origin has no path"),
    ):  # fmt: skip
        yield HeaderCase(title, "http.cors", (HTML, *lines), status, code, rule, at="api")
    lines = (HTML, echo, cookies_too + b"true")
    yield HeaderCase("echo on the sign-in page", "http.cors", lines, FAIL, "echoed", check, at="sign_in")
    yield HeaderCase(
        "echo on a 401", "http.cors", lines, FAIL, "echoed", check + ": any status", at="api", http_status=401
    )


def small() -> Iterator[HeaderCase]:
    nosniff, referrer = "Fetch 3.6, determine nosniff", "Referrer Policy 8.1"
    yield from rows_of("http.content_type_options", "X-Content-Type-Options", [
        ("nosniff", ("nosniff",), PASS, "nosniff", nosniff, ""),
        ("capitals", ("NoSniff",), PASS, "nosniff", nosniff, ""),
        ("twice", ("nosniff", "nosniff"), PASS, "nosniff", nosniff + ": the first member", "mdn fails it"),
        ("first of a list", ("nosniff, foo",), PASS, "nosniff", nosniff, ""),
        ("second of a list", ("foo, nosniff",), FAIL, "absent", nosniff, ""),
        ("after an empty member", (", nosniff",), FAIL, "absent", nosniff + ": the first member is empty", ""),
        ("in quotes", ('"nosniff"',), FAIL, "absent", nosniff, ""),
        ("misspelt", ("no-sniff",), FAIL, "absent", nosniff, ""),
        ("empty", ("",), FAIL, "absent", nosniff, ""),
        ("none", (), FAIL, "absent", nosniff, ""),
    ])  # fmt: skip
    bare = MediaSample("files.example", Page("https://files.example/a.png", 200, (), ""))
    one: list[Row] = [("not on uploads", ("nosniff",), FAIL, "media_absent", nosniff, "")]
    yield from rows_of("http.content_type_options", "X-Content-Type-Options", one, beside=(bare,))
    yield from rows_of("http.referrer_policy", "Referrer-Policy", [
        ("same-origin", ("same-origin",), PASS, "strict", referrer, ""),
        ("no-referrer", ("no-referrer",), PASS, "strict", referrer, ""),
        ("the browsers' own", ("strict-origin-when-cross-origin",), PASS, "strict", referrer, "internet.nl warns"),
        ("capitals", ("Same-Origin",), PASS, "strict", referrer, ""),
        ("the last known counts", ("no-referrer, same-origin",), PASS, "strict", referrer, ""),
        ("the last line counts", ("same-origin", "unsafe-url"), FAIL, "loose", referrer, ""),
        ("an unknown one last", ("same-origin, some-future-policy",), PASS, "strict", referrer + ": unknown ones are passed over", ""),
        ("only unknown ones", ("none",), WARN, "unreadable", referrer, ""),
        ("none", (), WARN, "absent", referrer + ", the browser's default holds", ""),
        ("unsafe-url", ("unsafe-url",), FAIL, "loose", referrer, ""),
        ("origin", ("origin",), FAIL, "loose", referrer, ""),
        ("origin-when-cross-origin", ("origin-when-cross-origin",), FAIL, "loose", referrer, ""),
        ("no-referrer-when-downgrade", ("no-referrer-when-downgrade",), FAIL, "loose", referrer, ""),
    ])  # fmt: skip
    old = "no standard; browsers have taken the filter out"
    yield from rows_of("http.xss_protection_off", "X-XSS-Protection", [
        ("off", ("0",), PASS, "off", old, ""),
        ("none", (), PASS, "absent", old, ""),
        ("on, blocking", ("1; mode=block",), WARN, "on", old, ""),
        ("on", ("1",), WARN, "on", old, ""),
        ("nonsense", ("yes",), WARN, "on", old, ""),
    ])  # fmt: skip
    files = "Cross-domain policy file specification 1.0, 3"
    name = "X-Permitted-Cross-Domain-Policies"
    yield from rows_of("http.permitted_cross_domain", name, [
        ("none", ("none",), PASS, "none", files, ""),
        ("none twice", ("none", "none"), PASS, "none", files, ""),
        ("master-only", ("master-only",), WARN, "master_only", files, ""),
        ("all", ("all",), FAIL, "open", files, ""),
        ("two different", ("none", "all"), FAIL, "open", files, ""),
        ("by type", ("by-content-type",), FAIL, "open", files, ""),
        ("unknown", ("nothing",), WARN, "unreadable", files, ""),
        ("empty", ("",), WARN, "absent", files, ""),
        ("no header", (), WARN, "absent", files, ""),
    ])  # fmt: skip
    for family in ("akkoma", "pleroma"):
        one = [(f"no header on {family}", (), FAIL, "absent_here", "what the software sends", "")]
        yield from rows_of("http.permitted_cross_domain", name, one, beside=(software(family),))
    pins = 'pin-sha256="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; pin-sha256="BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB="'
    yield from rows_of("tls.no_key_pinning", "Public-Key-Pins", [
        ("no pins", (), PASS, "absent", "RFC 7469, given up by browsers", ""),
        ("two pins", (f"{pins}; max-age=5184000",), WARN, "present", "RFC 7469 4.3: a backup pin", ""),
        ("one pin", (f"{pins.split(';')[0]}; max-age=5184000",), FAIL, "one_pin", "RFC 7469 4.3: a backup pin", ""),
        ("the same pin twice", (f"{pins.split(';')[0]}; {pins.split(';')[0]}; max-age=1",), FAIL, "one_pin", "RFC 7469 4.3", ""),
    ])  # fmt: skip
    one = [
        ("longer than the certificate", (f"{pins}; max-age=315360000",), FAIL, "outlives", "RFC 7469 4.1", "")
    ]
    yield from rows_of("tls.no_key_pinning", "Public-Key-Pins", one, beside=(web(certificate()),))
