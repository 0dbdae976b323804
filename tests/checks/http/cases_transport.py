"""Strict-Transport-Security and the preload list."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.http import PlainHttp
from checks.facts.tls import TrustProblem
from tests.checks.http.header_case import FAIL, NA, PASS, UNKNOWN, WARN, HeaderCase, Row, rows_of
from tests.checks.http.pages import redirect
from tests.checks.tls.made import certificate, web

OLD_HTTP = PlainHttp(
    False, (redirect("http://site.example/", "https://site.example/", strict_transport_security="max-age=9"),)
)
HSTS: list[Row] = [
    ("a year", ("max-age=31536000",), PASS, "long_enough", "RFC 6797 6.1.1", ""),
    ("six months to the second", ("max-age=15552000",), PASS, "long_enough", "RFC 6797 6.1.1", "internet.nl asks for a year"),
    ("one second less", ("max-age=15551999",), WARN, "short", "RFC 6797 6.1.1", ""),
    ("a day to the second", ("max-age=86400",), WARN, "short", "RFC 6797 6.1.1", ""),
    ("less than a day", ("max-age=86399",), FAIL, "too_short", "RFC 6797 6.1.1", ""),
    ("zero", ("max-age=0",), FAIL, "zero", "RFC 6797 6.1.1: zero ends it", ""),
    ("zero in quotes", ('max-age="0"',), FAIL, "zero", "RFC 6797 6.1.1", ""),
    ("quoted number, long", ('max-age="31536000"',), PASS, "long_enough", "RFC 6797 6.2: a value may be quoted", ""),
    ("quoted number, 300 s", ('max-age="300"',), FAIL, "too_short", "RFC 6797 6.2", "mdn takes it for six months"),
    ("no number", ("max-age=abc",), FAIL, "malformed", "RFC 6797 6.1.1: delta-seconds", "mdn takes it for six months"),
    ("zero, then a long one", ("max-age=0; max-age=63072000",), FAIL, "malformed", "RFC 6797 6.1 rule 2: no directive twice", "mdn takes it for six months"),
    ("the same twice inside", ("max-age=63072000; max-age=63072000",), FAIL, "malformed", "RFC 6797 6.1 rule 2", ""),
    ("no header", (), FAIL, "absent", "RFC 6797 7.1", ""),
    ("empty header", ("",), FAIL, "malformed", "RFC 6797 6.1.1: max-age is required", ""),
    ("includeSubDomains alone", ("includeSubDomains",), FAIL, "malformed", "RFC 6797 6.1.1: max-age is required", ""),
    ("max-age without a value", ("max-age",), FAIL, "malformed", "RFC 6797 6.1.1", ""),
    ("max-age with an empty value", ("max-age=",), FAIL, "malformed", "RFC 6797 6.1.1", ""),
    ("negative", ("max-age=-1",), FAIL, "malformed", "RFC 6797 6.1.1: digits only", ""),
    ("a sum", ("max-age=31536000+1",), FAIL, "malformed", "RFC 6797 6.1.1: digits only", ""),
    ("hexadecimal", ("max-age=0xFFFFFFF",), FAIL, "malformed", "RFC 6797 6.1.1: digits only", ""),
    ("a fraction", ("max-age=31536000.0",), FAIL, "malformed", "RFC 6797 6.1.1: digits only", ""),
    ("with a unit", ("max-age=365 days",), FAIL, "malformed", "RFC 6797 6.1.1: digits only", ""),
    ("single quotes", ("max-age='31536000'",), FAIL, "malformed", "RFC 6797 6.2: quoted-string has double quotes", ""),
    ("quote left open", ('max-age="31536000',), FAIL, "malformed", "RFC 6797 6.2", ""),
    ("colon in place of =", ("max-age:31536000",), FAIL, "malformed", "RFC 6797 6.1", ""),
    ("comma in place of ;", ("max-age=31536000, includeSubDomains",), FAIL, "malformed", "RFC 6797 6.1; not a list field (RFC 9110 5.3)", ""),
    ("capitals", ("MAX-AGE=31536000; INCLUDESUBDOMAINS",), PASS, "long_enough", "RFC 6797 6.1 rule 3: names in any case", ""),
    ("blanks and tabs", ("  max-age \t= 31536000\t;  includeSubDomains ",), PASS, "long_enough", "RFC 6797 6.1: implied *LWS (RFC 2616 2.1)", ""),
    ("empty directives", ("; ;max-age=31536000;;",), PASS, "long_enough", "RFC 6797 6.1: a directive may be empty", ""),
    ("unknown directives", ("max-age=31536000; max-stale=1; foo",), PASS, "long_enough", "RFC 6797 6.1 rule 5: unknown ones are passed over", ""),
    ("semicolon in an unknown quoted value", ('foo="a;b"; max-age=31536000',), PASS, "long_enough", "RFC 6797 6.1, 6.2", ""),
    ("includeSubDomains with a value", ("max-age=31536000; includeSubDomains=true",), FAIL, "malformed", "RFC 6797 6.1.2: without a value; 6.1 rule 4", ""),
    ("includeSubDomains twice", ("max-age=31536000; includeSubDomains; includesubdomains",), FAIL, "malformed", "RFC 6797 6.1 rule 2", ""),
    ("for thousands of years", ("max-age=" + "9" * 400,), PASS, "long_enough", "RFC 6797 6.1.1: no upper bound", ""),
    ("the same header twice", ("max-age=31536000", "max-age=31536000"), WARN, "repeated", "RFC 6797 7.1: one only; 8.1: the first counts", "mdn fails it"),
    ("long, then zero", ("max-age=31536000", "max-age=0"), WARN, "several", "RFC 6797 8.1: the first counts", ""),
    ("zero, then long, two headers", ("max-age=0", "max-age=31536000"), FAIL, "zero", "RFC 6797 8.1: the first counts", ""),
    ("garbage, then long, two headers", ("bogus", "max-age=31536000"), FAIL, "malformed", "RFC 6797 8.1: the first counts", ""),
    ("no-break space", ("max-age=31536000\u00a0",), FAIL, "malformed", "RFC 6797 6.1: a token is ASCII", ""),
]  # fmt: skip


def hsts() -> Iterator[HeaderCase]:
    item, name = "http.hsts", "Strict-Transport-Security"
    yield from rows_of(item, name, HSTS)
    year: tuple[str, ...] = ("max-age=31536000",)
    rows: list[Row] = [("on http as well", year, WARN, "on_http", "RFC 6797 7.2: never over plain http", "")]
    yield from rows_of(item, name, rows, beside=(OLD_HTTP,))
    for fault, bad in {
        "expired": certificate(left=-1),
        "not valid yet": certificate(left=100, life=90),
        "for another name": certificate(name_matches=False),
        "self-signed": certificate(trusted=False, problem=TrustProblem.SELF_SIGNED),
    }.items():
        rule = "RFC 6797 8.1: none over a connection with errors"
        rows = [(f"certificate {fault}", year, NA, "certificate", rule, "")]
        yield from rows_of(item, name, rows, beside=(web(bad),))
    for fault, shown in {
        "incomplete": (certificate(trusted=False, problem=TrustProblem.INCOMPLETE),),
        "good and a bad one": (certificate(), certificate(left=-1)),
    }.items():
        rows = [(f"certificate {fault}", year, PASS, "long_enough", "RFC 6797 8.1: browsers accept it", "")]
        yield from rows_of(item, name, rows, beside=(web(*shown),))
    rows = [("certificate expired, no header", (), NA, "certificate", "RFC 6797 8.1", "")]
    yield from rows_of(item, name, rows, beside=(web(certificate(left=-1)),))
    rows = [("certificate good", year, PASS, "long_enough", "RFC 6797 8.1", "")]
    yield from rows_of(item, name, rows, beside=(web(certificate()),))
    rows = [("on an error page", year, UNKNOWN, "", "a 503 is not the site's own word", "")]
    yield from rows_of(item, name, rows, http_status=503)
    rows = [("missing on a 404", (), FAIL, "absent", "RFC 6797 7.1: any status", "")]
    yield from rows_of(item, name, rows, http_status=404)


ELIGIBLE = "max-age=63072000; includeSubDomains; preload"
HOME = PlainHttp(False, (redirect("http://site.example/", "https://site.example/"),))
AWAY = PlainHttp(False, (redirect("http://site.example/", "https://www.site.example/"),))


def preload() -> Iterator[HeaderCase]:
    item, name, rule = (
        "http.hsts_preload",
        "Strict-Transport-Security",
        "hstspreload.org, submission requirements",
    )
    rows: list[Row] = [
        ("everything there", (ELIGIBLE,), PASS, "eligible", rule, ""),
        ("not asked for", ("max-age=63072000; includeSubDomains",), NA, "not_wanted", rule, ""),
        ("without sub-domains", ("max-age=15552000; preload",), WARN, "no_subdomains", rule, ""),
        ("half a year", ("max-age=15552000; includeSubDomains; preload",), WARN, "short", rule, ""),
        ("a year less a second", ("max-age=31535999; includeSubDomains; preload",), WARN, "short", rule, ""),
        ("preload with a value", ("max-age=63072000; includeSubDomains; preload=1",), NA, "not_wanted", rule, ""),
        ("in a header nobody obeys", ("max-age=abc; includeSubDomains; preload",), WARN, "unreadable", "RFC 6797 6.1", ""),
        ("in the second header", ("max-age=63072000", ELIGIBLE), NA, "not_wanted", "RFC 6797 8.1: the first counts", ""),
        ("no header", (), NA, "not_wanted", rule, ""),
    ]  # fmt: skip
    yield from rows_of(item, name, rows, beside=(HOME,))
    for host, code in {
        "social.site.example": "subdomain",
        "site.co.jp": "eligible",
        "social.site.co.jp": "subdomain",
        "site.github.io": "eligible",
        "deep.site.github.io": "subdomain",
        "github.io": "public_suffix",
    }.items():
        status = PASS if code == "eligible" else WARN
        yield from rows_of(
            item,
            name,
            [(f"on {host}", (ELIGIBLE,), status, code, "hstspreload.org: only below a public suffix", "")],
            host=host,
            beside=(PlainHttp(True),),
        )
    one: list[Row] = [
        ("port 80 closed", (ELIGIBLE,), PASS, "eligible", "hstspreload.org: if port 80 is open", "")
    ]
    yield from rows_of(item, name, one, beside=(PlainHttp(True),))
    one = [
        (
            "port 80 leads elsewhere first",
            (ELIGIBLE,),
            WARN,
            "no_redirect",
            "hstspreload.org: same host first",
            "",
        )
    ]
    yield from rows_of(item, name, one, beside=(AWAY,))
    one = [
        ("certificate refused", (ELIGIBLE,), WARN, "certificate", "hstspreload.org: a valid certificate", "")
    ]
    yield from rows_of(item, name, one, beside=(HOME, web(certificate(left=-1))))
