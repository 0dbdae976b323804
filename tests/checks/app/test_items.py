"""The software itself: cookies, media, panels, secrets, set-up; and the contact behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.http import (
    FrontPage,
    MediaSample,
    Page,
    PanelPaths,
    PathSeen,
    SecretPaths,
    SignedFetch,
    SignInPage,
)
from checks.facts.inside import Inside
from checks.facts.instance import ContactDomain
from checks.items import all_items
from checks.model import Settles
from tests.checks.http.pages import front, html, software
from tests.checks.inside.host_cases import report
from tests.checks.instance.infos import WITHHELD, info
from tests.checks.instance.verdicts import (
    FAIL,
    NA,
    PASS,
    UNKNOWN,
    WARN,
    Case,
    assert_all_codes,
    assert_verdict,
    names,
)

TIMEOUT = Missing(Reason.TIMEOUT)


def media(host: str, listing: str | Missing | None = None, status: int = 200, **headers: str) -> MediaSample:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return MediaSample(host, Page(f"https://{host}/a.png", status, lines, ""), f"https://{host}/", listing)


def signed(cookie: str) -> SignInPage:
    return SignInPage(html("/auth/sign_in", set_cookie=cookie))


def contact(*mx: str, exists: bool = True, address: bool = False, resolves: bool = False) -> ContactDomain:
    return ContactDomain("site.test", exists, mx, address, resolves)


def config(family: str, *values: str) -> Inside:
    return report(app_config="\n".join((f"== {family} /opt/app/config", "LOCAL_DOMAIN=site.test", *values)))


def on(host: str) -> FrontPage:
    return FrontPage(replace(front().page, url=f"https://{host}/"))


BARE = front()
COOKIE = "Pleroma.Web.Endpoint.secure_cookie_flag"
FRIENDICA = '<html><head><link rel="stylesheet" href="https://site.test/view/install/style.css"></head><h1>セットアップ</h1><input type="password">'
CLOSED = PathSeen("/metrics", 404)
CASES: list[Case] = [
    ("app.secure_cookie", (BARE,), PASS, "none_set"),
    ("app.secure_cookie", (BARE, signed("_mastodon_session=…; Secure")), PASS, "secure"),
    ("app.secure_cookie", (BARE, signed("__Host-pleroma_key=…; path=/; Secure"), software("akkoma")), PASS, "secure"),
    ("app.secure_cookie", (BARE, signed("pleroma_key=…; path=/; Secure"), software("akkoma")), WARN, "no_prefix"),
    ("app.secure_cookie", (BARE, signed("_mastodon_session=…")), FAIL, "not_secure"),
    ("app.secure_cookie", (BARE, signed("__cf_bm=…")), PASS, "none_set"),
    ("app.secure_cookie", (front(status=403),), UNKNOWN, ""),
    # The configuration speaks where outside saw no cookie, and is silent where it saw one.
    ("app.secure_cookie", (BARE, config("akkoma", COOKIE + "=false")), FAIL, "flag_off"),
    ("app.secure_cookie", (BARE, config("akkoma", COOKIE + "=true")), PASS, "flag_on"),
    ("app.secure_cookie", (front(status=403), config("pixelfed", "SESSION_SECURE_COOKIE=true")), PASS, "flag_on"),
    ("app.secure_cookie", (BARE, config("akkoma")), PASS, "none_set"),
    ("app.secure_cookie", (BARE, config("pixelfed", "SESSION_SECURE_COOKIE=false"), software("akkoma")), PASS, "none_set"),
    ("app.secure_cookie", (BARE, signed("_mastodon_session=…"), config("akkoma", COOKIE + "=true")), FAIL, "not_secure"),
    ("app.secure_cookie", (front(status=403), config("akkoma")), UNKNOWN, ""),
    ("app.media_domain", (BARE, config("mastodon", "S3_ENABLED=true", "S3_ALIAS_HOST=files.test")), PASS, "configured"),
    ("app.media_domain", (config("mastodon", "S3_ENABLED=true", "S3_ALIAS_HOST=m.site.test"),), WARN, "configured_near"),
    ("app.media_domain", (BARE, config("akkoma", "Pleroma.Upload.base_url=https://m.site.test/media")), WARN, "configured_near"),
    ("app.media_domain", (BARE, config("mastodon", "S3_ENABLED=false", "S3_ALIAS_HOST=files.test")), UNKNOWN, ""),
    ("app.media_domain", (BARE, config("akkoma", "Pleroma.Upload.base_url=https://site.test/media")), UNKNOWN, ""),
    ("app.media_domain", (BARE, config("akkoma", "Pleroma.Upload.base_url=set")), UNKNOWN, ""),
    ("app.media_domain", (BARE, config("akkoma", "Pleroma.Upload.base_url=https://m.test/", "configurable_from_database=true")), UNKNOWN, ""),
    ("app.media_domain", (BARE, media("site.test"), config("mastodon", "S3_ENABLED=true", "S3_ALIAS_HOST=files.test")), FAIL, "same"),
    ("app.media_domain", (BARE, media("files.test", x_content_type_options="nosniff")), PASS, "separate"),
    ("app.media_domain", (BARE, media("files.test")), WARN, "separate_bare"),
    ("app.media_domain", (BARE, media("media.site.test")), WARN, "subdomain"),
    ("app.media_domain", (BARE, media("media.site.test", x_content_type_options="nosniff")), WARN, "subdomain"),
    ("app.media_domain", (BARE, media("media.site.test", content_security_policy="sandbox")), PASS, "separate"),
    ("app.media_domain", (on("social.site.test"), media("media.site.test")), WARN, "subdomain"),
    ("app.media_domain", (on("social.site.co.jp"), media("files.site.co.jp")), WARN, "subdomain"),
    ("app.media_domain", (on("social.site.co.jp"), media("files.other.co.jp", x_content_type_options="nosniff")), PASS, "separate"),
    ("app.media_domain", (BARE, media("site.test", content_disposition="attachment; filename=a.png")), PASS, "same_inert"),
    ("app.media_domain", (BARE, media("site.test", content_disposition="inline")), FAIL, "same"),
    ("app.media_domain", (BARE, media("site.test", x_content_type_options="nosniff")), FAIL, "same"),
    ("app.media_domain", (BARE, media("site.test", content_security_policy="default-src 'none'; script-src 'self'")), FAIL, "same"),
    ("app.media_domain", (BARE, media("site.test", content_security_policy="default-src 'none'; img-src 'self'")), PASS, "same_inert"),
    ("app.media_domain", (BARE, media("site.test", content_security_policy="sandbox allow-scripts allow-same-origin")), FAIL, "same"),
    ("app.media_domain", (BARE, media("site.test", content_security_policy="default-src 'none'")), PASS, "same_inert"),
    ("app.media_domain", (BARE, media("site.test", content_security_policy="sandbox")), PASS, "same_inert"),
    ("app.media_domain", (BARE, media("site.test", content_security_policy="default-src 'self'")), FAIL, "same"),
    ("app.media_domain", (BARE, media("site.test", status=403)), UNKNOWN, ""),
    ("app.media_domain", (BARE, media("site.test", status=404)), UNKNOWN, ""),
    ("app.media_domain", (BARE, media("site.test", status=302)), UNKNOWN, ""),
    ("app.media_domain", (BARE,), UNKNOWN, ""),
    ("app.panels_closed", (PanelPaths((CLOSED, PathSeen("/sidekiq", 302))),), PASS, "closed"),
    ("app.panels_closed", (PanelPaths((TIMEOUT, PathSeen("/metrics", 200, "metrics", "a, b"))),), FAIL, "open"),
    ("app.panels_closed", (PanelPaths((CLOSED, TIMEOUT)),), UNKNOWN, ""),
    ("app.secrets_not_served", (SecretPaths((PathSeen("/.env", 200),)),), PASS, "not_served"),
    ("app.secrets_not_served", (SecretPaths((PathSeen("/.env", 200, "environment file", "DB_PASS="),)),), FAIL, "served"),
    ("app.secrets_not_served", (SecretPaths((WITHHELD,)),), UNKNOWN, ""),
    ("app.bucket_not_listable", (media("files.test"),), PASS, "closed"),
    ("app.bucket_not_listable", (media("files.test", "bucket listing"),), FAIL, "listed"),
    ("app.bucket_not_listable", (media("files.test", TIMEOUT),), UNKNOWN, ""),
    ("app.setup_finished", (info(setup_open=True), software("misskey")), FAIL, "open"),
    ("app.setup_finished", (info(setup_open=False), software("misskey")), PASS, "finished"),
    ("app.setup_finished", (info(), software("mastodon")), PASS, "none"),
    ("app.setup_finished", (info(), software("friendica"), PanelPaths((PathSeen("/install", 404),))), PASS, "finished"),
    ("app.setup_finished", (info(), software("friendica"), PanelPaths((PathSeen("/install", 200, "installer", "Install"),))), FAIL, "installer"),
    ("app.setup_finished", (info(setup_open=True), software("lemmy")), FAIL, "open"),
    ("app.setup_finished", (info(setup_open=False), software("lemmy")), PASS, "finished"),
    ("app.setup_finished", (front(body=FRIENDICA),), FAIL, "installer"),
    ("app.setup_finished", (FrontPage(html("/", 302), html("/install", body=FRIENDICA)),), FAIL, "installer"),
    ("app.setup_finished", (info(), software("pixelfed"), PanelPaths((PathSeen("/installer", 404),))), PASS, "finished"),
    ("app.setup_finished", (info(), software("pixelfed"), PanelPaths((TIMEOUT,))), UNKNOWN, ""),
    *(("app.setup_finished", (info(), software(name)), PASS, "none") for name in ("pleroma", "akkoma", "gotosocial", "peertube")),
    ("app.setup_finished", (info(setup_open=WITHHELD), software("misskey")), UNKNOWN, ""),
    ("app.setup_finished", (info(),), UNKNOWN, ""),
    ("app.signed_fetch", (SignedFetch("https://site.test/@a", 401, False),), PASS, "required"),
    ("app.signed_fetch", (SignedFetch("https://site.test/@a", 200, True),), FAIL, "open"),
    ("app.signed_fetch", (SignedFetch("https://site.test/@a", 200, False),), UNKNOWN, "unclear"),
    ("app.signed_fetch", (SignedFetch("https://site.test/@a", 403, False),), UNKNOWN, "unclear"),
    ("app.signed_fetch", (software("misskey"),), NA, "no_mode"),
    ("app.signed_fetch", (software("misskey"), SignedFetch("https://site.test/@a", 401, False)), PASS, "required"),
    ("app.signed_fetch", (software("misskey", fork="io"),), UNKNOWN, ""),
    ("app.signed_fetch", (software("misskey", name="sharkey", fork="sharkey"),), UNKNOWN, ""),
    ("app.signed_fetch", (software("gotosocial"),), UNKNOWN, ""),
    ("app.signed_fetch", (), UNKNOWN, ""),
    ("app.signed_fetch", (config("mastodon", "AUTHORIZED_FETCH=true"),), PASS, "set"),
    ("app.signed_fetch", (SignedFetch("https://site.test/@a", 403, False), config("mastodon", "AUTHORIZED_FETCH=true")), PASS, "set"),
    ("app.signed_fetch", (SignedFetch("https://site.test/@a", 200, True), config("mastodon", "AUTHORIZED_FETCH=true")), FAIL, "open"),
    ("app.signed_fetch", (config("mastodon", "AUTHORIZED_FETCH=false"),), UNKNOWN, ""),
    ("app.signed_fetch", (config("akkoma", ":activitypub.authorized_fetch_mode=true", "configurable_from_database=true"),), UNKNOWN, ""),
    ("plan.software_fits", (software(),), WARN, "needs_answer"),
    ("plan.software_fits", (software("", "2.38", name="snac"),), WARN, "unrecognised"),
    ("plan.software_fits", (), UNKNOWN, ""),
    ("plan.contact_reachable", (info(), contact("10 mx.site.test", resolves=True)), PASS, "reachable"),
    ("plan.contact_reachable", (info(), contact(address=True)), WARN, "implicit"),
    ("plan.contact_reachable", (info(contact_email=None),), FAIL, "none_published"),
    ("plan.contact_reachable", (info(), contact("0 .")), FAIL, "null_mx"),
    ("plan.contact_reachable", (info(), contact(exists=False)), FAIL, "no_domain"),
    ("plan.contact_reachable", (info(), contact("10 mx.gone.test")), FAIL, "no_server"),
    ("plan.contact_reachable", (info(), contact()), FAIL, "no_server"),
    ("plan.contact_reachable", (info(contact_email=WITHHELD),), UNKNOWN, ""),
    ("plan.contact_reachable", (info(),), UNKNOWN, ""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_verdicts(case: Case) -> None:
    assert_verdict(case)


def test_every_code_has_a_case() -> None:
    # app.local_bind is judged by the open ports, and tested with them.
    seen_outside = {name for name, item in all_items().items() if Settles.OUTSIDE in item.settles}
    items = {name for name in seen_outside if name.startswith("app.")} - {"app.local_bind"}
    assert_all_codes(CASES, {*items, "plan.software_fits", "plan.contact_reachable"})


@pytest.mark.parametrize(
    "slug",
    ["http_security", "spam_protection", "secrets_private", "dangerous_switches_off", "trusted_proxies_set"],
)
def test_what_only_the_inside_shows_waits_for_it(slug: str) -> None:
    assert_verdict((f"app.{slug}", (FrontPage(html("/")),), UNKNOWN, ""))
