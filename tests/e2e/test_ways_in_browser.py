"""Finding the way in a browser: filters, links, scans that end, menus, paper, and no JavaScript at all."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Response, expect

from checks.items import all_items
from fedisec.checklist.models import Waiver
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan, ScanState
from tests.e2e.furniture import FRESH, FULL, KINDS, OWNER, PASSWORD
from tests.e2e.lines import ITEM, PAGE, line_of, opened
from tests.e2e.reading import Look, accessibility, faults, reader

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]


def test_the_filter_keeps_focus_address_and_the_way_back(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        page, lines = owner.page, owner.page.locator("details.item")
        page.get_by_label("State", exact=True).focus()
        page.get_by_label("State", exact=True).select_option("not_met")
        expect(lines).to_have_count(3)
        expect(page.get_by_label("State", exact=True)).to_be_focused()
        expect(page.get_by_role("status").first).to_have_text(f"3 of {len(all_items())} items are shown")
        assert page.url == f"{url}{PAGE}?state=not_met"
        page.get_by_label("Words", exact=True).press_sequentially("hsts")
        expect(lines).to_have_count(1)
        expect(page.get_by_label("Words", exact=True)).to_be_focused()
        assert page.url == f"{url}{PAGE}?state=not_met&q=hsts"
        opened(lines.first)
        page.go_back()
        expect(lines).to_have_count(len(all_items()))
        expect(page.get_by_label("State", exact=True)).to_have_value("")
        assert page.url == url + PAGE
        page.go_forward()
        expect(lines).to_have_count(1)
        expect(page.get_by_label("Words", exact=True)).to_have_value("hsts")
        opened(lines.first)


def test_numbers_lead_to_the_list_behind_them(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open("/")
        card = owner.page.locator(".lines > li", has=owner.page.get_by_role("link", name=FULL, exact=True))
        card.get_by_role("link", name="not met 3").click()
        expect(owner.page.locator("details.item")).to_have_count(3)
        owner.page.locator("#posture .lead a").click()
        expect(owner.page.get_by_label("State", exact=True)).to_have_value("needs_you")
        expect(owner.page.locator(".shown")).to_contain_text(
            owner.page.locator("#posture .states a", has_text="needs you").locator(".count").inner_text()
        )


def test_a_link_to_an_item_opens_its_line(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(f"{PAGE}#{KINDS['fail']}")
        expect(line_of(owner.page, "fail").locator(".facts")).to_be_in_viewport()


# While time passes


def test_a_scan_that_ends_shows_its_results(browser: Browser, url: str) -> None:
    scan = running_scan()
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        expect(owner.page.get_by_role("heading", name="Looking from outside")).to_be_visible()
        expect(owner.page.get_by_role("status").first).to_have_text("1 of 8")
        Scan.objects.filter(pk=scan.pk).update(state=ScanState.DONE, finished_at=timezone.now())
        expect(owner.page.locator("#progress")).to_have_count(0)
        expect(owner.page.get_by_text("looked at just now")).to_be_visible()


def test_a_scan_that_ends_takes_no_page_from_its_reader(browser: Browser, url: str) -> None:
    scan = running_scan()
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        line = opened(line_of(owner.page, "asked-required"))
        line.get_by_label("Note").fill("Half a sentence")
        Scan.objects.filter(pk=scan.pk).update(state=ScanState.DONE, finished_at=timezone.now())
        results = owner.page.get_by_role("link", name="The scan has ended: show the new results")
        expect(results).to_be_visible()
        expect(line.get_by_label("Note")).to_have_value("Half a sentence")
        results.click()
        expect(line.locator(".facts")).to_have_count(0)
        expect(owner.page.locator("#progress")).to_have_count(0)


def running_scan() -> Scan:
    long_ago = timezone.now() - timedelta(days=1)
    Scan.objects.filter(instance__domain=FULL).update(finished_at=long_ago)
    return Scan.objects.create(
        instance=Instance.objects.get(domain=FULL),
        state=ScanState.RUNNING,
        reason="manual",
        progress={"dns": [2, 2], "mail": [1, 3]},
    )


def test_who_was_signed_out_meanwhile_comes_to_the_sign_in_and_back(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        owner.context.clear_cookies(name="sessionid")
        owner.page.get_by_label("State", exact=True).select_option("not_met")
        expect(owner.page.get_by_role("heading", name="Sign in")).to_be_visible()
        owner.page.get_by_label("Email").fill(OWNER)
        owner.page.get_by_label("Password").fill(PASSWORD)
        owner.page.get_by_role("button", name="Sign in", exact=True).click()
        expect(owner.page.get_by_role("heading", name=FULL)).to_be_visible()


def test_a_server_that_does_not_answer_is_said(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        owner.page.route("**/instances/**", lambda route: route.abort())
        owner.page.get_by_label("State", exact=True).select_option("not_met")
        expect(owner.page.get_by_role("alert")).to_contain_text("The server did not answer")
        expect(owner.page.locator("details.item")).to_have_count(len(all_items()))
        assert all(
            t.startswith(("error: Failed to load resource: net::", "error: htmx:")) for t in owner.troubles
        )
        owner.troubles.clear()


# Without JavaScript


def test_everything_works_without_javascript(browser: Browser, url: str) -> None:
    with reader(browser, url, javascript=False) as plain:
        page = plain.page
        plain.open(PAGE)
        page.get_by_label("Email").fill(OWNER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name=FULL)).to_be_visible()
        page.get_by_label("Level", exact=True).select_option("required")
        page.get_by_label("State", exact=True).select_option("needs_you")
        page.get_by_label("Words", exact=True).fill("hosting")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("details.item")).to_have_count(1)
        answer_without_javascript(page)
        plain.open(ITEM.format(KINDS["fail"]))
        page.get_by_text("Set it aside …").click()
        page.get_by_label("Reason").fill("A test server.")
        page.get_by_role("button", name="Set it aside").click()
        expect(page.locator(".facts .state").first).to_have_text("accepted")
        assert Waiver.objects.get(item_id=KINDS["fail"]).reason == "A test server."
        page.get_by_role("button", name="Take it back").click()
        expect(page.locator(".facts .state").first).to_have_text("not met")


def answer_without_javascript(page: Page) -> None:
    line = line_of(page, "asked-required")
    line.locator("summary").click()
    line.get_by_role("link", name="Why it matters").click()
    page.get_by_label("Met", exact=True).check()
    page.get_by_label("Note").fill("  ")  # a space passes the browser, not the server
    page.get_by_role("button", name="Save the answer").click()
    expect(page.locator(".errorlist")).to_contain_text("A required item needs a note")
    expect(page.get_by_label("Met", exact=True)).to_be_checked()
    page.get_by_label("Note").fill("Compared two hosters.")
    page.get_by_role("button", name="Save the answer").click()
    expect(page.locator(".facts .state").first).to_have_text("met")


def test_a_scan_is_started_and_followed_without_javascript(browser: Browser, url: str) -> None:
    Scan.objects.filter(instance__domain=FULL).update(finished_at=timezone.now() - timedelta(days=1))
    with reader(browser, url, OWNER, javascript=False) as plain:
        plain.open(PAGE)
        plain.page.get_by_role("button", name="Scan now").click()
        expect(plain.page.get_by_role("heading", name="Waiting for a free worker")).to_be_visible()
        scan = Scan.objects.filter(instance__domain=FULL).latest("pk")
        Scan.objects.filter(pk=scan.pk).update(state=ScanState.RUNNING)
        expect(plain.page.get_by_role("heading", name="Looking from outside")).to_be_visible(timeout=10_000)
        Scan.objects.filter(pk=scan.pk).update(state=ScanState.DONE, finished_at=timezone.now())
        expect(plain.page.locator("#progress")).to_have_count(0, timeout=10_000)


# Weight, motion, paper


def test_the_first_view_of_an_instance_is_light(browser: Browser, url: str) -> None:
    weights: dict[str, int] = {}

    def weigh(response: Response) -> None:
        if response.status == 200:
            weights[response.url.removeprefix(url)] = len(gzip.compress(response.body(), 6))

    with reader(browser, url, OWNER, Look("ja")) as owner:
        owner.page.on("response", weigh)
        owner.open(PAGE)
        owner.page.wait_for_load_state("networkidle")
    assert any(name.endswith(".css") for name in weights) and any(".js" in name for name in weights)
    assert sum(weights.values()) <= 120_000, weights


def test_nothing_moves_for_who_asked_for_less_motion(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.page.emulate_media(reduced_motion="reduce")
        owner.open(f"/instances/{FRESH}/")
        moving = """() => [...document.querySelectorAll("*")].filter((e) => {
            const style = getComputedStyle(e);
            return style.animationName !== "none" || style.transitionDuration !== "0s";
        }).length + document.getAnimations().length"""
        assert owner.page.evaluate(moving) == 0


def test_paper_shows_what_a_screen_folds_and_no_controls(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER, Look(theme="dark")) as owner:
        page = owner.page
        owner.open(ITEM.format(KINDS["fail"]))
        folded = page.locator(".fix-variant pre").last
        expect(folded).to_be_hidden()
        page.emulate_media(media="print", color_scheme="light")
        assert folded.evaluate("e => e.getBoundingClientRect().height") > 0
        for control in (".site-head", "form", ".copy", ".jump"):
            assert page.locator(control).locator("visible=true").count() == 0, control
        ink, paper = page.evaluate(
            "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 200 < sum(map(int, re.findall(r"\d+", paper)[:3]))


# The menu and the overview's filter


def test_the_menu_opens_and_closes_by_keyboard_and_leads_on(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER, Look(width=360)) as owner:
        owner.open("/")
        summary, panel = owner.page.locator(".menu > summary"), owner.page.locator(".menu-panel")
        summary.focus()
        owner.page.keyboard.press("Enter")
        expect(panel).to_be_visible()
        assert faults(owner.page) + accessibility(owner.page) == []
        owner.page.keyboard.press("Tab")
        owner.page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(summary).to_be_focused()
        summary.click()
        owner.page.locator(".site-foot span").first.click()
        expect(panel).to_be_hidden()
        summary.click()
        panel.get_by_role("link", name="Language and time zone").click()
        expect(owner.page.get_by_role("heading", name="Language and time zone")).to_be_visible()


def test_the_overviews_filter_leaves_a_short_address_and_becomes_a_view(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open("/")
        page = owner.page
        page.get_by_label("Tag", exact=True).select_option("Japan")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator(".lines > li")).to_have_count(1)
        assert page.url == f"{url}/?tag=Japan#instances"
        page.get_by_text("Save this view …").click()
        page.get_by_label("Name of the view").fill("At home")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("link", name="At home")).to_have_attribute("aria-current", "page")
        page.get_by_role("button", name="Drop the view “At home”").click()
        expect(page.get_by_role("link", name="At home")).to_have_count(0)
        expect(page.locator(".lines > li")).to_have_count(1)


def test_the_menu_and_the_filter_need_no_javascript(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER, javascript=False) as plain:
        plain.open("/")
        plain.page.locator(".menu > summary").click()
        plain.page.get_by_role("button", name="日本語").click()
        expect(plain.page.locator("html")).to_have_attribute("lang", "ja")
        plain.page.locator("#q").fill("fresh")
        plain.page.locator(".filter button").click()
        expect(plain.page.locator(".lines > li")).to_have_count(1)
