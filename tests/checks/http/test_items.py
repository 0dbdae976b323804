"""Every item on web headers: pass, warn, fail, unknown and not applicable, on hand-made facts."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Fact, Facts, Missing
from checks.facts.http import (
    FOREIGN_ORIGIN,
    ApiPage,
    AssetPage,
    FrontPage,
    MediaSample,
    NoSuchPage,
    Page,
    PlainHttp,
    SecurityTxt,
    SignInPage,
)
from checks.items import all_items
from checks.model import Status
from tests.checks.http.pages import GOOD, HOST, NOW, SESSION, facts, front, html, redirect, software
from tests.checks.http.test_header_table import CASES as HEADER_CASES
from tests.checks.tls.made import certificate, web

PASS, WARN, FAIL, UNKNOWN, NA = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
HTTP = "http://site.test/"
HSTS, CSP = "strict_transport_security", "content_security_policy"
BARE_API = ApiPage(Page(f"{HOST}/api/v2/instance", 200, (), ""))
RULES = "base-uri 'self'; form-action 'self'; object-src 'none'"


def hsts(*values: str) -> FrontPage:
    return front(strict_transport_security=values)


def csp(*values: str) -> FrontPage:
    return front(content_security_policy=values)


def chain(*pages: Page, deep: Page | Missing | None = None) -> PlainHttp:
    return PlainHttp(False, pages, deep)


def note(text: str, media_type: str = "text/plain", **more: bool) -> SecurityTxt:
    page = Page(f"{HOST}/.well-known/security.txt", 200, (("content-type", media_type),), text)
    return SecurityTxt(page, NOW, **more)


def expires(moment: str) -> SecurityTxt:
    return note(f"Contact: mailto:a@b.test\nExpires: {moment}\n")


def media(host: str, **headers: str) -> MediaSample:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return MediaSample(host, Page(f"https://{host}/a.png", 200, lines, ""))


def echo(origin: str = FOREIGN_ORIGIN, credentials: str = "true", status: int = 200) -> ApiPage:
    lines = (("access-control-allow-origin", origin), ("access-control-allow-credentials", credentials))
    return ApiPage(Page(f"{HOST}/api/v2/instance", status, (*GOOD.items(), *lines), ""))


CASES: list[tuple[str, tuple[Fact, ...], Status, str]] = [
    ("https_redirect", (), PASS, "redirects"),
    ("https_redirect", (PlainHttp(True),), PASS, "closed"),
    ("https_redirect", (chain(redirect(HTTP, f"{HOST}/", 308)),), PASS, "redirects"),
    ("https_redirect", (chain(redirect(HTTP, f"{HOST}/", 302)),), WARN, "temporary"),
    ("https_redirect", (chain(redirect(HTTP, "https://other.test/")),), WARN, "other_host"),
    ("https_redirect", (chain(redirect(HTTP, "http://www.site.test/"), redirect("http://www.site.test/", f"{HOST}/")),), WARN, "detour"),
    ("https_redirect", (chain(redirect(HTTP, f"{HOST}/"), deep=Page(HTTP + "about", 200, (), "")),), FAIL, "deep_not"),
    ("https_redirect", (chain(Page(HTTP, 200, (), "hi")),), FAIL, "served"),
    ("https_redirect", (chain(Page(HTTP, 404, (), "")),), FAIL, "served"),
    ("https_redirect", (chain(redirect(HTTP, HTTP)),), FAIL, "not_https"),
    ("https_redirect", (chain(redirect(HTTP, "https://[::1")),), FAIL, "not_https"),
    ("https_redirect", (chain(redirect(HTTP, "HTTPS://Site.Test/")),), PASS, "redirects"),
    ("https_redirect", (FrontPage(redirect(f"{HOST}/", HTTP)),), FAIL, "back"),
    ("https_redirect", (FrontPage(redirect(f"{HOST}/", "http://[")),), PASS, "redirects"),
    ("https_redirect", (FrontPage(redirect(f"{HOST}/", "/about")),), PASS, "redirects"),
    ("https_redirect", (chain(Page(HTTP, 403, (), "")),), UNKNOWN, ""),
    ("https_redirect", (chain(Page(HTTP, 405, (), "")),), UNKNOWN, ""),
    ("https_redirect", (PlainHttp(False, Missing(Reason.TIMEOUT)),), UNKNOWN, ""),
    ("hsts", (), PASS, "long_enough"),
    ("hsts", (hsts("max-age=15552000"),), PASS, "long_enough"),
    ("hsts", (hsts("max-age=63072000", "max-age=63072000"),), WARN, "repeated"),
    ("hsts", (front(), web(certificate(left=-1))), NA, "certificate"),
    ("hsts", (hsts("max-age=15551999"),), WARN, "short"),
    ("hsts", (hsts("max-age=86399"),), FAIL, "too_short"),
    ("hsts", (hsts('max-age="300"'),), FAIL, "too_short"),
    ("hsts", (hsts("max-age=0"),), FAIL, "zero"),
    ("hsts", (hsts("max-age=0", "max-age=63072000"),), FAIL, "zero"),
    ("hsts", (hsts("max-age=63072000", "max-age=0"),), WARN, "several"),
    ("hsts", (hsts("max-age=abc"),), FAIL, "malformed"),
    ("hsts", (hsts("max-age=0; max-age=63072000"),), FAIL, "malformed"),
    ("hsts", (hsts("bogus", "max-age=63072000"),), FAIL, "malformed"),
    ("hsts", (hsts(),), FAIL, "absent"),
    ("hsts", (BARE_API,), WARN, "not_everywhere"),
    ("hsts", (hsts("max-age=63072000"), media("media.site.test")), WARN, "subdomain_open"),
    ("hsts", (media("media.site.test"),), PASS, "long_enough"),
    ("hsts", (media("site.test"),), WARN, "not_everywhere"),
    ("hsts", (chain(redirect(HTTP, f"{HOST}/", strict_transport_security="max-age=1")),), WARN, "on_http"),
    ("hsts", (front(status=503),), UNKNOWN, ""),
    ("hsts", (front(status=403, strict_transport_security=()),), UNKNOWN, ""),
    ("hsts_preload", (), NA, "not_wanted"),
    ("hsts_preload", (hsts("max-age=abc; preload"),), WARN, "unreadable"),
    ("hsts_preload", (hsts("max-age=63072000; includeSubDomains; preload"),), PASS, "eligible"),
    ("hsts_preload", (hsts("max-age=15552000; preload"),), WARN, "no_subdomains"),
    ("hsts_preload", (hsts("max-age=15552000; includeSubDomains; preload"),), WARN, "short"),
    ("hsts_preload", (hsts("max-age=63072000; includeSubDomains; preload"), chain(Page(HTTP, 200, (), ""))), WARN, "no_redirect"),
    ("csp", (), PASS, "strict"),
    ("csp", (csp("default-src 'none'; base-uri 'none'; frame-ancestors 'none'; img-src 'self' data: blob: https:; media-src 'self' https:; style-src 'self' 'unsafe-inline'; font-src 'self'; script-src 'self'; connect-src 'self' wss://site.test; manifest-src 'self'; upgrade-insecure-requests"), software("akkoma", "3.21.0")), PASS, "as_shipped"),
    ("csp", (csp("base-uri 'none'; default-src 'none'; frame-ancestors 'none'; font-src 'self' https://site.test; form-action 'none'; script-src 'self' https://site.test 'wasm-unsafe-eval'; frame-src 'self' https:; style-src 'self' 'nonce-x'"),), PASS, "strict"),
    ("csp", (csp("default-src 'self'; connect-src 'self'; object-src 'none'; img-src 'self' blob:"), software("gotosocial")), PASS, "as_shipped"),
    ("csp", (csp("default-src 'self'; connect-src 'self'; object-src 'none'"),), WARN, "gaps"),
    ("csp", (csp(f"script-src 'self' 'unsafe-eval'; {RULES}"),), WARN, "gaps"),
    ("csp", (csp(), software("misskey", "2026.9.1")), WARN, "upstream"),
    ("csp", (csp(), software("pixelfed", "0.12.12")), WARN, "upstream"),
    ("csp", (front(content_security_policy=(), content_security_policy_report_only="script-src 'self'"),), WARN, "report_only"),
    ("csp", (csp(),), FAIL, "absent"),
    ("csp", (csp("upgrade-insecure-requests"),), FAIL, "weak"),
    ("csp", (csp(f"script-src 'self' 'unsafe-inline'; {RULES}"),), FAIL, "weak"),
    ("csp", (csp(f"script-src *; {RULES}"),), FAIL, "weak"),
    ("csp", (csp(f"script-src 'unsafe-inline'; {RULES}"), software("misskey", "2026.9.1")), WARN, "upstream_weak"),
    ("csp", (csp(), software("friendica", "2026.05")), WARN, "upstream"),
    ("hsts", (AssetPage(Page(f"{HOST}/a.css", 200, (), "")),), WARN, "not_everywhere"),
    ("hsts", (SignInPage(Page(f"{HOST}/auth/sign_in", 200, (), "")),), WARN, "not_everywhere"),
    ("hsts", (SignInPage(Page(f"{HOST}/auth/sign_in", 403, (), "")),), PASS, "long_enough"),
    ("hsts", (ApiPage(Page("https://elsewhere.test/api/v2/instance", 200, (), "")),), PASS, "long_enough"),
    ("csp", (front(content_security_policy=(), body=f'<meta http-equiv="Content-Security-Policy" content="script-src \'self\'; {RULES}">'),), PASS, "strict"),
    ("csp", (FrontPage(Page(f"{HOST}/", 200, (("content-type", "application/json"),), "{}")),), UNKNOWN, ""),
    ("csp", (front(status=401),), UNKNOWN, ""),
    ("csp", (front(body="<script>window._cf_chl_opt={}</script>"),), UNKNOWN, ""),
    ("csp", (front(body="<script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'>"),), PASS, "strict"),
    ("csp", (FrontPage(redirect(f"{HOST}/", "/about", 302), html("/about")),), PASS, "strict"),
    ("csp", (FrontPage(redirect(f"{HOST}/", "/about", 302), Missing(Reason.TIMEOUT)),), UNKNOWN, ""),
    ("frame_options", (), PASS, "denied"),
    ("frame_options", (front(x_frame_options=("DENY", "DENY"), content_security_policy="script-src 'self'"),), PASS, "denied"),
    ("frame_options", (front(content_security_policy=None),), WARN, "header_only"),
    ("frame_options", (csp("frame-ancestors *"),), FAIL, "wide"),
    ("frame_options", (csp("frame-ancestors https:"),), FAIL, "wide"),
    ("frame_options", (front(x_frame_options="ALLOW-FROM https://a.test", content_security_policy=None),), FAIL, "invalid"),
    ("frame_options", (front(x_frame_options=("DENY", "SAMEORIGIN"), content_security_policy=None),), FAIL, "conflict"),
    ("frame_options", (front(x_frame_options=None, content_security_policy="script-src 'self'"),), FAIL, "absent"),
    ("frame_options", (front(status=429),), UNKNOWN, ""),
    ("content_type_options", (), PASS, "nosniff"),
    ("content_type_options", (front(x_content_type_options=("nosniff", "nosniff")),), PASS, "nosniff"),
    ("content_type_options", (front(x_content_type_options="sniff"),), FAIL, "absent"),
    ("content_type_options", (front(x_content_type_options=None),), FAIL, "absent"),
    ("content_type_options", (media("files.test"),), FAIL, "media_absent"),
    ("content_type_options", (front(status=500),), UNKNOWN, ""),
    ("permitted_cross_domain", (), PASS, "none"),
    ("permitted_cross_domain", (front(x_permitted_cross_domain_policies="master-only"),), WARN, "master_only"),
    ("permitted_cross_domain", (front(x_permitted_cross_domain_policies="all"),), FAIL, "open"),
    ("permitted_cross_domain", (front(x_permitted_cross_domain_policies=("none", "all")),), FAIL, "open"),
    ("permitted_cross_domain", (front(x_permitted_cross_domain_policies=None),), WARN, "absent"),
    ("permitted_cross_domain", (front(x_permitted_cross_domain_policies=None), software("akkoma")), FAIL, "absent_here"),
    ("permitted_cross_domain", (front(status=403),), UNKNOWN, ""),
    ("xss_protection_off", (), PASS, "off"),
    ("xss_protection_off", (front(x_xss_protection=None),), PASS, "absent"),
    ("xss_protection_off", (front(x_xss_protection="1; mode=block"),), WARN, "on"),
    ("xss_protection_off", (front(x_xss_protection="garbage"),), WARN, "on"),
    ("xss_protection_off", (front(status=503),), UNKNOWN, ""),
    ("referrer_policy", (), PASS, "strict"),
    ("referrer_policy", (front(referrer_policy="no-referrer, strict-origin-when-cross-origin"),), PASS, "strict"),
    ("referrer_policy", (front(referrer_policy=None),), WARN, "absent"),
    ("referrer_policy", (front(referrer_policy="none"),), WARN, "unreadable"),
    ("referrer_policy", (front(referrer_policy="unsafe-url"),), FAIL, "loose"),
    ("referrer_policy", (front(referrer_policy="no-referrer-when-downgrade"),), FAIL, "loose"),
    ("referrer_policy", (front(status=401),), UNKNOWN, ""),
    ("cookies", (), PASS, "good"),
    ("cookies", (SignInPage(html("/auth/sign_in")),), PASS, "none_set"),
    ("cookies", (SignInPage(html("/auth/sign_in", set_cookie="__cf_bm=…; path=/")),), PASS, "none_set"),
    ("cookies", (front(set_cookie="_mastodon_session=…; HttpOnly"), SignInPage(html("/auth/sign_in"))), FAIL, "exposed"),
    ("cookies", (SignInPage(html("/auth/sign_in", set_cookie="_mastodon_session=…; Secure")),), FAIL, "exposed"),
    ("cookies", (SignInPage(html("/auth/sign_in", set_cookie="_mastodon_session=…; Secure; HttpOnly")),), WARN, "no_same_site"),
    ("cookies", (SignInPage(html("/auth/sign_in", set_cookie=(SESSION, "XSRF-TOKEN=…; Secure; SameSite=lax"))),), PASS, "good"),
    ("cookies", (SignInPage(html("/auth/sign_in", set_cookie=(SESSION, "theme=…"))),), WARN, "not_secure"),
    ("cookies", (SignInPage(html("/auth/sign_in", 403, set_cookie="_mastodon_session=…")),), PASS, "none_set"),
    ("cookies", (front(status=403),), UNKNOWN, ""),
    ("cors", (), PASS, "closed"),
    ("cors", (echo(),), FAIL, "echoed"),
    ("cors", (echo(credentials="false"),), PASS, "closed"),
    ("cors", (echo(origin="*"),), PASS, "closed"),
    ("cors", (echo(credentials=""),), PASS, "closed"),
    ("cors", (echo(status=401),), FAIL, "echoed"),
    ("cors", (ApiPage(Page(f"{HOST}/api", 403, (), "")), SignInPage(html(status=403)), NoSuchPage(html(status=429))), UNKNOWN, ""),
    ("security_txt", (), PASS, "valid"),
    ("security_txt", (SecurityTxt(None, NOW),), NA, "absent"),
    ("security_txt", (note("<html>", "text/html"), NoSuchPage(html("/nothing", 200))), NA, "absent"),
    ("security_txt", (note("<html>", "text/html"),), FAIL, "invalid"),
    ("security_txt", (SecurityTxt(html("/about"), NOW),), NA, "absent"),
    ("security_txt", (note("Contact: x"),), FAIL, "invalid"),
    ("security_txt", (note("Contact: mailto:a@b.test\nExpires: 2027-01-01T00:00:00Z", "application/octet-stream"),), FAIL, "invalid"),
    ("security_txt", (expires("2026-11-20T00:00:00Z"),), FAIL, "expired"),
    ("security_txt", (expires("2026-12-01T00:00:00Z"),), WARN, "soon"),
    ("security_txt", (expires("2030-12-01T00:00:00Z"),), WARN, "far"),
    ("security_txt", (note("Contact: mailto:a@b.test\nExpires: 2027-03-01T00:00:00Z", legacy=True),), WARN, "legacy"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("slug", "changed", "status", "code"),
    CASES,
    ids=[f"{n}-{c[0]}-{c[3] or c[2]}" for n, c in enumerate(CASES)],
)
def test_verdicts(slug: str, changed: tuple[Fact, ...], status: Status, code: str) -> None:
    verdict = judge(all_items()[f"http.{slug}"], facts(*changed))
    assert (verdict.status, verdict.code) == (status, code), verdict
    if status in {PASS, WARN, FAIL}:
        assert verdict.evidence


def test_every_code_of_every_item_has_a_case() -> None:
    used = {(slug, code) for slug, _, _, code in CASES if code}
    used |= {(c.item[5:], c.code) for c in HEADER_CASES if c.code and c.item.startswith("http.")}
    declared = {(i.id[5:], code) for i in all_items().values() if i.topic == "http" for code in i.codes}
    assert declared == used


def test_no_evidence_holds_the_value_of_a_cookie() -> None:
    assert "=…" in str(judge(all_items()["http.cookies"], facts()).evidence)


def test_a_server_that_refuses_us_everywhere_is_not_praised_for_port_80() -> None:
    refused = Facts({PlainHttp: PlainHttp(True)}, {FrontPage: Missing(Reason.REFUSED)})
    verdict = judge(all_items()["http.https_redirect"], refused)
    assert (verdict.status, verdict.reason) == (UNKNOWN, Reason.REFUSED)


def test_nothing_is_judged_without_facts() -> None:
    for item in all_items().values():
        if item.topic == "http":
            assert judge(item, Facts()).status is UNKNOWN
