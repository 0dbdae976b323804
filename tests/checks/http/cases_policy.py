"""Content-Security-Policy, the policies that software ships, and framing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.checks.http.header_case import FAIL, HTML, PASS, UNKNOWN, WARN, HeaderCase, Row, rows_of
from tests.checks.http.pages import software

REST = "object-src 'none'; base-uri 'self'; form-action 'self'"
CSP: list[Row] = [
    ("default 'self' and the rest", (f"default-src 'self'; {REST}",), PASS, "strict", "CSP3 6.1.3: default-src stands for script-src", ""),
    ("capitals", ("DEFAULT-SRC 'SELF'; OBJECT-SRC 'NONE'; BASE-URI 'NONE'; FORM-ACTION 'NONE'",), PASS, "strict", "CSP3 2.2.1, 2.3.1: any case", ""),
    ("tab and many blanks", (f"script-src\t'self'  ;;; {REST} ;",), PASS, "strict", "CSP3 2.2.1: ASCII whitespace", ""),
    ("none", (), FAIL, "absent", "CSP3 3.1", ""),
    ("empty", ("",), FAIL, "absent", "CSP3 2.2.1: no directive, no policy", ""),
    ("upgrade-insecure-requests alone", ("upgrade-insecure-requests",), FAIL, "weak", "says nothing of scripts", ""),
    ("frame-ancestors alone", ("frame-ancestors 'none'",), FAIL, "weak", "says nothing of scripts", ""),
    ("inline", (f"script-src 'self' 'unsafe-inline'; {REST}",), FAIL, "weak", "CSP3 6.7.3.2", ""),
    ("inline by default-src", (f"default-src 'self' 'unsafe-inline'; {REST}",), FAIL, "weak", "CSP3 6.1.3", ""),
    ("inline with a nonce", (f"script-src 'self' 'nonce-r4nd0m' 'unsafe-inline'; {REST}",), PASS, "strict", "CSP3 6.7.3.2: a nonce switches it off", ""),
    ("inline with a hash", (f"script-src 'self' 'sha256-AAAA=' 'unsafe-inline'; {REST}",), PASS, "strict", "CSP3 6.7.3.2: a hash switches it off", ""),
    ("inline with an empty nonce", (f"script-src 'nonce-' 'unsafe-inline'; {REST}",), FAIL, "weak", "CSP3 2.3.1: base64-value has one character or more", ""),
    ("inline with a nonce out of the alphabet", (f"script-src 'nonce-a$b' 'unsafe-inline'; {REST}",), FAIL, "weak", "CSP3 2.3.1: base64-value", ""),
    ("inline with padding in the nonce's middle", (f"script-src 'nonce-a=b' 'unsafe-inline'; {REST}",), FAIL, "weak", "CSP3 2.3.1: base64-value", ""),
    ("inline with strict-dynamic", (f"script-src 'strict-dynamic' 'unsafe-inline' https:; {REST}",), PASS, "strict", "CSP3 6.7.3.2: strict-dynamic switches it off, and schemes (6.7.2.5)", ""),
    ("strict-dynamic with its fall-backs", (f"script-src 'strict-dynamic' 'nonce-r4nd0m' 'unsafe-inline' http: https:; {REST}",), PASS, "strict", "CSP3 8.2", ""),
    ("nonce beside https:", (f"script-src 'nonce-r4nd0m' https:; {REST}",), FAIL, "weak", "CSP3 6.7.2.5: without strict-dynamic schemes count", ""),
    ("unquoted keyword", (f"script-src 'self' unsafe-inline; {REST}",), PASS, "strict", "CSP3 2.3.1: without quotes it is a host", ""),
    ("any host", (f"script-src *; {REST}",), FAIL, "weak", "CSP3 6.7.2.8", ""),
    ("any host with a port", (f"script-src *:443; {REST}",), FAIL, "weak", "CSP3 2.3.1: host-part *", ""),
    ("any host on https", (f"script-src https://*; {REST}",), FAIL, "weak", "CSP3 2.3.1: host-part *", ""),
    ("any https", (f"script-src 'self' https:; {REST}",), FAIL, "weak", "CSP3 2.3.1: scheme-source", ""),
    ("any http", (f"script-src http:; {REST}",), FAIL, "weak", "CSP3 2.3.1: scheme-source", ""),
    ("below one's own name", (f"script-src 'self' *.site.example; {REST}",), PASS, "strict", "CSP3 2.3.1: one domain", ""),
    ("'none' among others", (f"script-src 'none' https:; {REST}",), FAIL, "weak", "CSP3 6.7.2.7: 'none' counts only alone", ""),
    ("no source at all", (f"script-src; {REST}",), PASS, "strict", "CSP3 6.7.2.7: an empty list matches nothing", ""),
    ("data:", (f"script-src 'self' data:; {REST}",), FAIL, "weak", "CSP3 2.3.1: a script in a link", ""),
    ("data: for images", (f"script-src 'self'; img-src 'self' data: blob: https:; {REST}",), PASS, "strict", "an image runs nothing", ""),
    ("inline styles", (f"default-src 'self'; style-src 'self' 'unsafe-inline'; {REST}",), PASS, "strict", "a style runs nothing", ""),
    ("unsafe-eval", (f"script-src 'self' 'unsafe-eval'; {REST}",), WARN, "gaps", "CSP3 6.1.10", ""),
    ("wasm-unsafe-eval", (f"script-src 'self' 'wasm-unsafe-eval'; {REST}",), PASS, "strict", "CSP3 4.4: WebAssembly alone", ""),
    ("no object-src", ("script-src 'self'; base-uri 'self'; form-action 'self'",), WARN, "gaps", "CSP3 6.1.9", ""),
    ("any object", ("script-src 'self'; object-src *; base-uri 'self'; form-action 'self'",), FAIL, "weak", "CSP3 6.1.9", ""),
    ("no base-uri", ("default-src 'self'; form-action 'self'",), WARN, "gaps", "CSP3 6.3.1: default-src does not stand for it", ""),
    ("any base-uri", ("default-src 'self'; base-uri *; form-action 'self'",), WARN, "gaps", "CSP3 6.3.1", ""),
    ("no form-action", ("default-src 'self'; base-uri 'self'",), WARN, "gaps", "CSP3 6.4.1: default-src does not stand for it", ""),
    ("a directive twice, weak first", (f"script-src 'unsafe-inline'; script-src 'self'; {REST}",), FAIL, "weak", "CSP3 2.2.1: the first counts", ""),
    ("a directive twice, strict first", (f"script-src 'self'; script-src 'unsafe-inline'; {REST}",), PASS, "strict", "CSP3 2.2.1: the first counts", ""),
    ("elements looser than script-src", (f"script-src 'self'; script-src-elem 'unsafe-inline'; {REST}",), FAIL, "weak", "CSP3 6.1.11", ""),
    ("attributes looser than script-src", (f"script-src 'self'; script-src-attr 'unsafe-inline'; {REST}",), FAIL, "weak", "CSP3 6.1.12", ""),
    ("elements and attributes tighter", (f"script-src 'unsafe-inline'; script-src-elem 'self'; script-src-attr 'none'; {REST}",), PASS, "strict", "CSP3 6.8.4: the narrowest rule counts", ""),
    ("elements alone", (f"script-src-elem 'self'; {REST}",), FAIL, "weak", "CSP3 6.1.12: nothing for attributes", ""),
    ("two headers, one of them strict", ("upgrade-insecure-requests", f"script-src 'self'; {REST}"), PASS, "strict", "CSP3 2.2.2: all are obeyed", ""),
    ("one header, comma, one strict", (f"script-src 'unsafe-inline', script-src 'self'; {REST}",), PASS, "strict", "CSP3 2.2.2: a comma parts policies", ""),
    ("a comma cuts the rest off", (f"script-src 'self', {REST}",), PASS, "strict", "CSP3 2.2.2: two policies, both obeyed", ""),
    ("each closes what the other leaves", (f"script-src 'self' 'unsafe-inline'; {REST}", f"script-src 'nonce-r4nd0m' https:; {REST}"), PASS, "strict", "CSP3 2.2.2: both are obeyed", ""),
    ("the same hole in both", (f"script-src 'unsafe-inline'; {REST}", f"default-src 'unsafe-inline'; {REST}"), FAIL, "weak", "CSP3 2.2.2", ""),
    ("a directive with foreign letters", (f"script-src 'self' \u00e9; {REST}",), FAIL, "weak", "CSP3 2.2.1: not ASCII, left out", ""),
    ("no-break space", (f"script-src\u00a0'self'; {REST}",), FAIL, "weak", "CSP3 2.2.1: not ASCII, left out", ""),
    ("longer than is read", (f"script-src 'self' {'x' * 9000}.example 'unsafe-inline'; {REST}",), UNKNOWN, "", "what was cut may say anything", ""),
]  # fmt: skip


def csp() -> Iterator[HeaderCase]:
    item, name = "http.csp", "Content-Security-Policy"
    yield from rows_of(item, name, CSP)
    strict = f"script-src 'self'; {REST}"
    report = [("report-only", (strict,), WARN, "report_only", "CSP3 3.2: nothing is blocked", "")]
    yield from rows_of(item, name + "-Report-Only", report)
    for title, page, status, code, rule in (
        ("meta", f'<head><meta http-equiv="Content-Security-Policy" content="{strict}">', PASS, "strict", "CSP3 3.3"),
        ("meta, other order, escaped", f"<head><META CONTENT=\"{strict.replace(chr(39), '&#39;')}\" HTTP-EQUIV=content-security-policy>", PASS, "strict", "HTML: attributes in any order"),
        ("meta in a comment", f'<head><!-- <meta http-equiv="Content-Security-Policy" content="{strict}"> -->', FAIL, "absent", "HTML: a comment is none"),
        ("meta in the body", f'<head></head><body><meta http-equiv="Content-Security-Policy" content="{strict}">', FAIL, "absent", "CSP3 3.3: in the head"),
        ("meta inside a script", f"<head><script>'<meta http-equiv=\"Content-Security-Policy\" content=\"{strict}\">'</script>", FAIL, "absent", "HTML: text of a script"),
        ("meta, report-only", f'<head><meta http-equiv="Content-Security-Policy-Report-Only" content="{strict}">', FAIL, "absent", "CSP3 3.3: not there"),
        ("meta with a comma", "<head><meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self', object-src 'none'; base-uri 'self'; form-action 'self'\">", WARN, "gaps", "CSP3 3.3: one policy, a comma parts nothing"),
    ):  # fmt: skip
        yield HeaderCase(title, item, (HTML,), status, code, rule, body=page.encode())
    meta = f'<head><meta http-equiv="Content-Security-Policy" content="{strict}">'
    loose = (HTML, b"Content-Security-Policy: upgrade-insecure-requests")
    yield HeaderCase(
        "header and meta",
        item,
        loose,
        PASS,
        "strict",
        "CSP3 3.3: obeyed beside the header",
        body=meta.encode(),
    )
    no_page: list[Row] = [("JSON", (strict,), UNKNOWN, "", "a policy guards documents", "")]
    for case in rows_of(item, name, no_page):
        yield HeaderCase(
            case.name, item, (b"Content-Type: application/json", *case.lines[1:]), case.status, "", case.spec
        )
    for away_status in (401, 403, 503):
        away: list[Row] = [(f"{away_status}", (strict,), UNKNOWN, "", "not the site's own page", "")]
        yield from rows_of(item, name, away, http_status=away_status)


MASTODON = "base-uri 'none'; default-src 'none'; frame-ancestors 'none'; font-src 'self' https://site.example; img-src 'self' data: blob: https://site.example https://files.example; media-src 'self' data: https://site.example https://files.example; manifest-src 'self' https://site.example; form-action 'self'; child-src 'self' blob: https://site.example; worker-src 'self' blob: https://site.example; connect-src 'self' data: blob: https://site.example https://files.example wss://site.example; script-src 'self' https://site.example 'wasm-unsafe-eval'; frame-src 'self' https:; style-src 'self' https://site.example 'nonce-AAAAAAAAAAAAAAAAAAAAAA=='"
AKKOMA = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; img-src 'self' data: blob: https:; media-src 'self' https:; style-src 'self' 'unsafe-inline'; font-src 'self'; script-src 'self'; connect-src 'self' wss://site.example; manifest-src 'self'; upgrade-insecure-requests;"
NO_FORMS = MASTODON.replace(" form-action 'self';", "")
EVIL = MASTODON.replace("script-src 'self'", "script-src 'self' 'unsafe-inline' https:")
GTS = "default-src 'self'; connect-src 'self'; object-src 'none'; img-src 'self' blob:; media-src 'self'"
LEMMY = "default-src 'self'; img-src * data:; script-src 'self' 'nonce-AAAA'; style-src 'self' 'unsafe-inline'; form-action 'self'; base-uri 'self'; frame-src *; media-src * data:"
LEMMY_OLD = LEMMY.replace("'nonce-AAAA'", "'unsafe-inline' 'unsafe-eval'")


def baselines() -> Iterator[HeaderCase]:
    rule = "the policy that this version ships"
    for title, family, version, values, status, code, remark in (
        ("Mastodon of today", "mastodon", "4.7.3", (MASTODON,), PASS, "strict", "internet.nl fails it"),
        ("Mastodon before form-action", "mastodon", "4.0.2", (NO_FORMS,), PASS, "as_shipped", "internet.nl fails it"),
        ("Mastodon of today without form-action", "mastodon", "4.7.3", (NO_FORMS,), WARN, "gaps", ""),
        ("Mastodon made looser", "mastodon", "4.7.3", (EVIL,), FAIL, "weak", ""),
        ("Mastodon, policy dropped", "mastodon", "4.7.3", (), FAIL, "absent", ""),
        ("Akkoma's hardening page", "akkoma", "3.21.0", (AKKOMA,), PASS, "as_shipped", "internet.nl fails it"),
        ("Akkoma, policy dropped", "akkoma", "3.21.0", (), FAIL, "absent", ""),
        ("Pleroma", "pleroma", "2.10.2", (AKKOMA.replace("'self';", "'self' 'wasm-unsafe-eval';", 1),), PASS, "as_shipped", ""),
        ("GoToSocial", "gotosocial", "0.22.1", (GTS,), PASS, "as_shipped", ""),
        ("the same on unknown software", "", "", (GTS,), WARN, "gaps", ""),
        ("Lemmy of today", "lemmy", "0.19.20", (LEMMY,), PASS, "strict", ""),
        ("Lemmy before the nonce", "lemmy", "0.18.5", (LEMMY_OLD,), WARN, "upstream_weak", ""),
        ("Lemmy of today, with the old policy", "lemmy", "0.19.20", (LEMMY_OLD,), FAIL, "weak", ""),
        ("Misskey", "misskey", "2026.9.1", (), WARN, "upstream", "mdn fails it"),
        ("Misskey with a weak one", "misskey", "2026.9.1", ("upgrade-insecure-requests",), WARN, "upstream_weak", ""),
        ("Misskey with a good one", "misskey", "2026.9.1", (f"script-src 'self'; {REST}",), PASS, "strict", ""),
        ("Pixelfed", "pixelfed", "0.12.12", (), WARN, "upstream", ""),
        ("PeerTube", "peertube", "8.1.6", (), WARN, "upstream", ""),
        ("Friendica", "friendica", "2026.05", (), WARN, "upstream", ""),
    ):  # fmt: skip
        rows: list[Row] = [(title, values, status, code, rule, remark)]
        known = software(family, version, name=family or "other")
        yield from rows_of("http.csp", "Content-Security-Policy", rows, beside=(known,))


NO_CSP, CSP_BESIDE = (), (b"Content-Security-Policy: script-src 'self'",)
CHECK = "HTML, X-Frame-Options processing model"


def framing() -> Iterator[HeaderCase]:
    xfo, ancestors = b"X-Frame-Options: ", b"Content-Security-Policy: frame-ancestors "
    for title, lines, status, code, rule, remark in (
        ("nothing", (), FAIL, "absent", CHECK, ""),
        ("deny with a policy", (xfo + b"DENY", *CSP_BESIDE), PASS, "denied", CHECK, ""),
        ("deny alone", (xfo + b"DENY",), WARN, "header_only", "CSP3 6.4.2: frame-ancestors takes its place", ""),
        ("small letters", (xfo + b"sameorigin", *CSP_BESIDE), PASS, "denied", CHECK, ""),
        ("the same twice", (xfo + b"DENY", xfo + b"deny", *CSP_BESIDE), PASS, "denied", CHECK + ": a set", ""),
        ("the same twice, one line", (xfo + b"SAMEORIGIN, SAMEORIGIN", *CSP_BESIDE), PASS, "denied", CHECK, ""),
        ("two different", (xfo + b"DENY", xfo + b"SAMEORIGIN"), FAIL, "conflict", "RFC 7034 2.1: one value", ""),
        ("deny and nonsense", (xfo + b"DENY, ALLOWALL"), FAIL, "conflict", "RFC 7034 2.1", ""),
        ("ALLOW-FROM", (xfo + b"ALLOW-FROM https://a.example",), FAIL, "invalid", CHECK + ": unknown, ignored", "mdn passes it"),
        ("ALLOWALL", (xfo + b"ALLOWALL",), FAIL, "invalid", CHECK + ": allows", ""),
        ("in quotes", (xfo + b'"DENY"',), FAIL, "invalid", "Fetch, get, decode and split: quotes stay", ""),
        ("with a semicolon", (xfo + b"DENY;",), FAIL, "invalid", CHECK, ""),
        ("empty", (xfo,), FAIL, "absent", CHECK, ""),
        ("ancestors 'none'", (ancestors + b"'none'",), PASS, "denied", "CSP3 6.4.2", ""),
        ("ancestors 'self'", (ancestors + b"'self'",), PASS, "denied", "CSP3 6.4.2", ""),
        ("ancestors of a list", (ancestors + b"'self' https://a.example",), PASS, "denied", "CSP3 6.4.2", ""),
        ("ancestors, empty list", (ancestors,), PASS, "denied", "CSP3 6.4.2: matches nobody", ""),
        ("ancestors *", (ancestors + b"*",), FAIL, "wide", "CSP3 6.4.2: matches everybody", "mdn counts it as protection"),
        ("ancestors * and deny", (ancestors + b"*", xfo + b"DENY"), FAIL, "wide", "CSP3 6.4.2.2: overrides X-Frame-Options", "mdn counts it as protection"),
        ("ancestors https:", (ancestors + b"https:",), FAIL, "wide", "CSP3 2.3.1: any host", ""),
        ("ancestors https://*", (ancestors + b"https://*",), FAIL, "wide", "CSP3 2.3.1: any host", ""),
        ("ancestors * in one, 'self' in the other", (ancestors + b"*", ancestors + b"'self'"), PASS, "denied", "CSP3 2.2.2: both are obeyed", ""),
        ("ancestors in report-only", (b"Content-Security-Policy-Report-Only: frame-ancestors 'none'",), FAIL, "absent", "CSP3 3.2", ""),
        ("ancestors beside a bad header", (ancestors + b"'none'", xfo + b"ALLOWALL"), PASS, "denied", "CSP3 6.4.2.2", ""),
    ):  # fmt: skip
        given = lines if isinstance(lines, tuple) else (lines,)
        yield HeaderCase(title, "http.frame_options", (HTML, *given), status, code, rule, remark)
    meta = b'<head><meta http-equiv="Content-Security-Policy" content="frame-ancestors \'none\'">'
    yield HeaderCase(
        "ancestors in meta", "http.frame_options", (HTML,), FAIL, "absent", "CSP3 3.3: not in meta", body=meta
    )
