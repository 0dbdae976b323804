"""The pages as all their readers meet them: either language, light and dark, telephone and desk, keyboard,
no JavaScript.  Real Chromium, real Django; the data is made by hand."""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Browser, expect

from fedisec.accounts.models import SetupLink
from tests.e2e.app import ROOT
from tests.e2e.furniture import (
    FAILED,
    FRESH,
    FULL,
    IDN,
    KINDS,
    LONG,
    NEWCOMER,
    OWNER,
    PUBLIC,
    SILENT,
    STOPPED,
)
from tests.e2e.lines import ITEM, LOOKS, PAGE, opened, save_without_note
from tests.e2e.mail_furniture import the_way_out
from tests.e2e.reading import Look, Reader, accessibility, change, faults, reader, shoot
from tests.e2e.team_furniture import INVITED

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]
SCREENSHOTS = ROOT / "tests" / "screenshots"


STRANGERS_PAGES = {
    "sign-in": "/account/login/",
    "reset": "/account/password/reset/",
    "closed": "/account/signup/",
    "gone": "/setup/no-such-link/",
    "404": "/nowhere/",
    "invitation": f"/invitation/{INVITED}/",
    "invitation-gone": "/invitation/no-such-link/",
    "public": f"/p/{PUBLIC}/",
    "public-gone": "/p/no-such-page/",
}
NEWCOMERS_PAGES = {"overview-empty": "/", "audit-empty": "/audit/"}
OWNERS_PAGES = {
    "overview": "/",
    "overview-filtered": "/?is=needs_a_hand&q=example",
    "own-items": "/team/items/",
    "own-add": f"/team/items/add/?instance={FULL}",
    "overview-nothing-fits": "/?q=no+such+words",
    "add": "/instances/add/",
    "instance": PAGE,
    "filtered": f"{PAGE}?state=not_met&q=http",
    "nothing-fits": f"{PAGE}?q=no+such+words",
    "first-scan": f"/instances/{FRESH}/",
    "failed-scan": f"/instances/{FAILED}/?level=optional",
    "long-name": f"/instances/{LONG}/?level=required&state=needs_you",
    "idn": f"/instances/{IDN}/?state=warning",
    "by-level": f"{PAGE}?by=level&level=optional",
    "by-source": f"{PAGE}?by=source&source=003&state=needs_you",
    "silent": f"/instances/{SILENT}/?state=warning",
    "stopped": f"/instances/{STOPPED}/?state=warning",
    "scans": f"{PAGE}scans/",
    "changes": f"{PAGE}changes/",
    "trend": f"{PAGE}trend/?days=365",
    "settings": f"{PAGE}settings/",
    "proof": f"{PAGE}proof/",
    "remove": f"{PAGE}remove/",
    "inventory": f"{PAGE}inventory/",
    "inventory-empty": f"/instances/{IDN}/inventory/",
    "ssh": f"{PAGE}ssh/",
    "ssh-new": f"/instances/{LONG}/ssh/",
    "ssh-stopped": f"/instances/{STOPPED}/ssh/",
    "compare": f"{PAGE}compare/",
    "audit": "/audit/",
    "words": "/words/",
    "export": f"{PAGE}export/?level=required",
    "export-all": "/export/",
    "print": f"{PAGE}export/?format=print&state=not_met",
    "print-all": "/export/?format=print",
    "share": f"{PAGE}share/",
    "share-closed": f"/instances/{IDN}/share/",
    "demo": "/demo/",
    "profile": "/account/profile/",
    "teams": "/teams/",
    "team": "/teams/1/",
    "team-leave": "/teams/1/leave/",
    "team-delete": "/teams/1/delete/",
    "member-remove": "/teams/1/members/3/remove/",
    "notifications": "/account/notifications/",
    "mail-address": "/account/email/",
    "mail-server": "/mail/",
    "mail-log": "/mail/log/",
    "channels": "/channels/",
    "channel-webhook": "/channels/add/webhook/",
    "channel-apprise": "/channels/add/apprise/",
    "channel": "/channels/1/",
    "channel-edit": "/channels/2/edit/",
    "channel-remove": "/channels/1/remove/",
    "sources": "/watch/",
    "source-add": "/watch/add/",
    "news": f"{PAGE}news/",
    "news-empty": f"/instances/{IDN}/news/",
    "pasted-mail": ITEM.format("mail.dkim"),
    "password": "/account/password/change/",
    "who-is-there": "/account/reauthenticate/",
    "second-factor": "/account/2fa/",
    "app-add": "/account/2fa/app/",
    "passkey-add": "/account/2fa/passkeys/add/",
    "sessions": "/account/sessions/",
    **{f"item-{kind}": ITEM.format(key) for kind, key in KINDS.items()},
}
# Every page is judged in all eight looks where somebody asks for it (`make test-wide`); elsewhere once dark and wide,
# once light and narrow, and some of each sort in all.
ALL = os.environ.get("FEDISEC_WIDE") == "all"
EVERY_PAGE = set(LOOKS) if ALL else {Look("en", "dark", 1280), Look("ja", "light", 360)}
SAMPLE = {"sign-in", "overview", "filtered", "item-fail", "item-waived", "item-attested"}
# Pictures take longer than the looks themselves: all of them only where somebody asks for them.
SHOTS = set(LOOKS) if os.environ.get("FEDISEC_SCREENSHOTS") == "all" else set()


@pytest.mark.timeout(1500)  # some hundred looks, each with all rules of axe
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_page_has_a_fault(browser: Browser, url: str, language: str) -> None:
    looks = [look for look in LOOKS if look.language == language]
    found: list[str] = []
    strangers = {**STRANGERS_PAGES, "unsubscribe": the_way_out()}
    for email, pages in (("", strangers), (NEWCOMER, NEWCOMERS_PAGES), (OWNER, OWNERS_PAGES)):
        with reader(browser, url, email, looks[0]) as visitor:
            for name, path in pages.items():
                visitor.open(path)
                for look in looks:
                    if look in EVERY_PAGE or name in SAMPLE:
                        change(visitor.page, look)
                        found += judged(visitor, name, look, shot=False)
                for look in SHOTS.intersection(looks):  # last: Playwright puts styles on the page for it
                    change(visitor.page, look)
                    shoot(visitor.page, SCREENSHOTS, name, look)
    assert not found, "\n".join(found)


def judged(visitor: Reader, name: str, look: Look, *, always: bool = False, shot: bool = True) -> list[str]:
    page = visitor.page
    expect(page.locator("html")).to_have_attribute("lang", look.language)
    found = faults(page)
    if always or look in EVERY_PAGE or name in SAMPLE:
        found += accessibility(page)
    if shot:
        shoot(page, SCREENSHOTS, name, look)
    return [f"{name} {look}: {fault}" for fault in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_chosen_colours_win_over_the_systems(browser: Browser, url: str, theme: str) -> None:
    other = "light" if theme == "dark" else "dark"
    with reader(browser, url, OWNER, Look(theme=other)) as owner:
        owner.context.add_cookies([{"name": "theme", "value": theme, "url": url}])
        owner.open("/")
        paper = owner.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) is (theme == "dark")
        assert accessibility(owner.page) == []


@pytest.mark.parametrize("look", [Look("en", "light", 360), Look("ja", "dark", 1280)], ids=str)
def test_the_set_up_pages_have_no_fault(browser: Browser, empty: str, look: Look) -> None:
    with reader(browser, empty, "", look) as first:
        first.open(f"/setup/{SetupLink.issue()}/")
        found = judged(first, "set-up", look, always=True)
        first.page.locator("[name=email]").fill("admin@example.org")
        for field in ("password1", "password2"):
            first.page.locator(f"[name={field}]").fill("short")
        first.page.locator("main button").click()
        expect(first.page.locator(".errorlist").first).to_be_visible()
        found += judged(first, "set-up-error", look, always=True)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("look", [Look("en", "light", 360), Look("ja", "dark", 1280)], ids=str)
def test_pages_with_errors_have_no_fault(browser: Browser, url: str, look: Look) -> None:
    with reader(browser, url, "", look) as stranger:
        stranger.open("/account/login/")
        stranger.page.locator("[name=login]").fill(OWNER)
        stranger.page.locator("[name=password]").fill("wrong wrong wrong")
        stranger.page.locator("main button").first.click()
        expect(stranger.page.get_by_role("alert").or_(stranger.page.locator(".errorlist"))).not_to_have_count(
            0
        )
        found = judged(stranger, "sign-in-error", look, always=True)
    with reader(browser, url, OWNER, look, javascript=True) as owner:
        owner.open("/instances/add/")
        owner.page.locator("[name=domain]").fill("localhost")
        owner.page.locator("main button").click()
        expect(owner.page.locator(".errorlist")).to_be_visible()
        found += judged(owner, "add-error", look, always=True)
        owner.open("/account/password/change/")
        for field in ("oldpassword", "password1", "password2"):
            owner.page.locator(f"[name={field}]").fill("wrong")
        owner.page.locator("main button").click()
        expect(owner.page.locator(".errorlist").first).to_be_visible()
        found += judged(owner, "password-error", look, always=True)
        owner.open(ITEM.format(KINDS["asked-required"]))
        save_without_note(owner.page.locator("form.answer").first)
        expect(owner.page.locator(".errorlist")).to_be_visible()
        found += judged(owner, "answer-error", look, always=True)
    assert not found, "\n".join(found)


def test_a_page_with_several_open_items_has_no_fault(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(f"{PAGE}?level=required&state=needs_you")
        for n in range(3):
            opened(owner.page.locator("details.item").nth(n))
        assert faults(owner.page) + accessibility(owner.page) == []
