"""The pages as all their readers meet them: either language, light and dark, telephone and desk, keyboard,
no JavaScript.  Real Chromium, real Django; the data is made by hand."""

from __future__ import annotations

import gzip
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, Response, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from checks.items import all_items
from fedisec.accounts.models import SetupLink
from fedisec.checklist.models import Attestation, Waiver
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan, ScanState
from tests.e2e.app import ROOT
from tests.e2e.pages import (
    FAILED,
    FRESH,
    FULL,
    IDN,
    KINDS,
    LONG,
    NEWCOMER,
    OWNER,
    PASSWORD,
    PUBLIC,
    SILENT,
    STOPPED,
    Look,
    Reader,
    accessibility,
    change,
    faults,
    furnished,
    orm_beside_playwright,
    reader,
    shoot,
)
from tests.e2e.test_first_hour import CHROMIUM_FLAGS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]
SCREENSHOTS = ROOT / "tests" / "screenshots"
PAGE = f"/instances/{FULL}/"
ITEM = f"{PAGE}items/{{}}/"
LOOKS = [
    Look(language, theme, width)
    for language, theme, width in itertools.product(("en", "ja"), ("light", "dark"), (360, 1280))
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (apt install chromium)")
    expect.set_options(timeout=15_000)
    with orm_beside_playwright(), sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def empty(browser: Browser, live_server: LiveServer) -> str:
    """The address of a dashboard without any account."""
    return live_server.url


@pytest.fixture
def url(empty: str) -> str:
    """The address of a furnished dashboard."""
    furnished()
    return empty


STRANGERS_PAGES = {
    "sign-in": "/account/login/",
    "reset": "/account/password/reset/",
    "closed": "/account/signup/",
    "gone": "/setup/no-such-link/",
    "404": "/nowhere/",
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
    "export": f"{PAGE}export/?level=required",
    "export-all": "/export/",
    "print": f"{PAGE}export/?format=print&state=not_met",
    "print-all": "/export/?format=print",
    "share": f"{PAGE}share/",
    "share-closed": f"/instances/{IDN}/share/",
    "demo": "/demo/",
    "profile": "/account/profile/",
    "pasted-mail": ITEM.format("mail.dkim"),
    "password": "/account/password/change/",
    **{f"item-{kind}": ITEM.format(key) for kind, key in KINDS.items()},
}
# axe judges every page once light and once dark, once narrow and once wide; elsewhere some of each sort.
EVERY_PAGE = {Look("en", "dark", 1280), Look("ja", "light", 360)}
SAMPLE = {"sign-in", "overview", "filtered", "item-fail", "item-waived", "item-attested"}
# Pictures take longer than the looks themselves: all of them only where somebody asks for them.
SHOTS = set(LOOKS) if os.environ.get("FEDISEC_SCREENSHOTS") == "all" else {LOOKS[1], LOOKS[6]}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_page_has_a_fault(browser: Browser, url: str, language: str) -> None:
    looks = [look for look in LOOKS if look.language == language]
    found: list[str] = []
    for email, pages in (("", STRANGERS_PAGES), (NEWCOMER, NEWCOMERS_PAGES), (OWNER, OWNERS_PAGES)):
        with reader(browser, url, email, looks[0]) as visitor:
            for name, path in pages.items():
                visitor.open(path)
                for look in looks:
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
        stranger.page.locator("main button").click()
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


def save_without_note(form: Locator) -> None:
    """As by a browser that does not hold the form back."""
    form.evaluate("form => form.noValidate = true")
    form.locator("[name=met][value=yes]").check()
    form.locator("button").click()


def test_a_page_with_several_open_items_has_no_fault(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(f"{PAGE}?level=required&state=needs_you")
        for n in range(3):
            opened(owner.page.locator("details.item").nth(n))
        assert faults(owner.page) + accessibility(owner.page) == []


def opened(line: Locator) -> Locator:
    line.locator("summary").first.click()
    expect(line.locator(".facts")).to_be_visible()
    return line


def line_of(page: Page, kind: str) -> Locator:
    return page.locator(f'details.item[id="{KINDS[kind]}"]')


# The keyboard


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/instances/add/",
        f"{PAGE}?level=required&state=needs_you",
        ITEM.format(KINDS["fail"]),
        ITEM.format(KINDS["asked"]),
    ],
)
def test_tab_reaches_every_control_and_shows_where_it_is(browser: Browser, url: str, path: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(path)
        wanted = owner.page.evaluate(_CONTROLS)
        reached: list[str] = []
        dates = owner.page.locator("input[type=date]:visible").count()
        for _ in range(len(wanted) + 10 + 3 * dates):  # day, month, year and the calendar are places of one
            owner.page.keyboard.press("Tab")
            name, seen = owner.page.evaluate(_FOCUSED)
            assert seen or not name, f"focus cannot be seen on {name}"
            if name and name != (reached or [""])[-1]:
                reached.append(name)
        first = wanted.index(reached[0])  # after the field that has the focus from the start
        assert reached[: len(wanted)] == wanted[first:] + wanted[:first]


# Each control gets a number, for a name that is its own; of the radio buttons of a group Tab reaches one.
_CONTROLS = """() => {
    const groups = new Set(), names = [];
    for (const e of document.querySelectorAll("a[href], button, input, select, textarea, summary")) {
        if (!e.checkVisibility() || e.disabled || e.type === "hidden") continue;
        if (e.type === "radio") {
            const group = e.name + (e.form ? e.form.action : "");
            if (groups.has(group)) continue;
            groups.add(group);
        }
        e.dataset.tabName = `${names.length} ${e.tagName} ${(e.textContent || e.name).trim().slice(0, 40)}`;
        names.push(e.dataset.tabName);
    }
    return names;
}"""
_FOCUSED = """() => {
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
        && box.bottom > 0 && box.top < innerHeight;
    return [e.dataset.tabName ?? "", seen];
}"""


def test_an_item_is_answered_by_the_keyboard_alone(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        page, line = owner.page, line_of(owner.page, "asked-required")
        line.locator("summary").first.focus()
        page.keyboard.press("Enter")
        expect(line.locator(".facts")).to_be_visible()
        page.keyboard.press("Tab")
        expect(line.locator(".jump")).to_be_focused()
        page.keyboard.press("Enter")
        expect(line.get_by_label("Met", exact=True)).to_be_focused()
        for key in ("Space", "Tab"):
            page.keyboard.press(key)
        page.keyboard.type("Compared two hosters.")
        for key in ("Tab", "Tab", "Tab", "Enter"):
            page.keyboard.press(key)
        expect(line.locator("summary .state").first).to_have_text("met")
        expect(line.locator("summary").first).to_be_focused()
        assert page.url == url + PAGE
        assert Attestation.objects.get(item_id=KINDS["asked-required"]).note == "Compared two hosters."
        page.keyboard.press("Enter")
        expect(line.locator(".facts")).to_be_hidden()


def test_an_answer_brings_the_counts_along(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        chip = owner.page.locator("#posture .states a", has_text="needs you")
        before = int(chip.locator(".count").inner_text())
        line = opened(line_of(owner.page, "asked"))
        line.get_by_label("Met", exact=True).check()
        line.get_by_role("button", name="Save the answer").click()
        expect(chip.locator(".count")).to_have_text(str(before - 1))
        expect(owner.page.locator("#posture")).to_have_count(1)
        line.get_by_role("button", name="Take it back").click()
        expect(chip.locator(".count")).to_have_text(str(before))
        expect(line.locator("summary").first).to_be_focused()


def test_an_error_of_an_answer_shows_in_its_line_and_can_be_mended(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        page, line = owner.page, opened(line_of(owner.page, "asked-required"))
        save_without_note(line.locator("form.answer").first)
        note = line.get_by_label("Note")
        expect(note).to_be_focused()
        expect(note).to_have_attribute("aria-invalid", "true")
        expect(note).to_have_accessible_description(re.compile("A required item needs a note"))
        expect(page.locator("details.item details.item")).to_have_count(0)
        expect(page.locator("details.item")).to_have_count(len(all_items()))
        assert faults(page) == []
        note.fill("Compared two hosters.")
        line.get_by_role("button", name="Save the answer").click()
        expect(line.locator("summary .state").first).to_have_text("met")


def test_an_item_is_set_aside_in_its_line(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        line = opened(line_of(owner.page, "fail"))
        line.get_by_text("Set it aside …").click()
        line.locator(".aside form[action$='/waive/']").evaluate("form => form.noValidate = true")
        line.get_by_role("button", name="Set it aside").click()
        expect(line.get_by_label("Reason")).to_be_focused()
        line.get_by_label("Reason").fill("A test server.")
        line.get_by_role("button", name="Set it aside").click()
        expect(line.locator("summary .state").first).to_have_text("accepted")
        expect(line.locator("summary").first).to_be_focused()


def test_an_answer_is_undone_in_its_line(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        line = opened(line_of(owner.page, "asked"))
        line.get_by_label("Met", exact=True).check()
        line.get_by_role("button", name="Save the answer").click()
        expect(line.locator("summary .state").first).to_have_text("met")
        expect(line.locator("summary").first).to_be_focused()  # a moment after the swap
        owner.page.keyboard.press("Tab")
        expect(line.get_by_role("button", name="Undo")).to_be_focused()
        owner.page.keyboard.press("Enter")
        expect(line.locator("summary .state").first).to_have_text("needs you")
        expect(line.locator("summary").first).to_be_focused()
        expect(line.get_by_text("Undone: it is as it was before.")).to_be_visible()
        assert not Attestation.objects.filter(item_id=KINDS["asked"], ended_at=None).exists()


@pytest.mark.parametrize("javascript", [True, False])
def test_several_items_are_answered_with_one_reason(browser: Browser, url: str, javascript: bool) -> None:
    chosen = [KINDS["asked"], KINDS["asked-required"]]
    with reader(browser, url, OWNER, javascript=javascript) as owner:
        owner.open(f"{PAGE}?state=needs_you")
        page, form = owner.page, owner.page.locator("#bulk")
        expect(form).to_be_hidden()
        for key in chosen:
            page.locator(f'.pick[value="{key}"]').check()
        expect(form).to_be_in_viewport()
        page.keyboard.press("Enter")  # sends the form, so the browser leads to what is missing in it
        expect(form.get_by_label("They are")).to_be_focused()
        form.get_by_label("They are").select_option("not_met")
        form.get_by_label("One reason").fill("Looked through together.")
        form.get_by_role("button").click()
        expect(page.get_by_text("Saved for 2 items.")).to_be_visible()
        assert page.url == f"{url}{PAGE}?state=needs_you#list"
        assert Attestation.objects.filter(item_id__in=chosen, met=False, ended_at=None).count() == 2
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone: it is as it was before.")).to_be_visible()
        assert not Attestation.objects.filter(item_id__in=chosen, ended_at=None).exists()


def test_one_item_is_looked_at_again_in_its_line(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(PAGE)
        line = opened(line_of(owner.page, "fail"))
        line.get_by_role("button", name="Check again now").click()
        expect(line.locator(".look")).to_be_focused()
        expect(line.get_by_text("Waiting for a free worker")).to_be_visible()
        again = Scan.objects.filter(state=ScanState.QUEUED, only=[KINDS["fail"]])
        assert again.update(state=ScanState.DONE, finished_at=timezone.now()) == 1
        expect(line.get_by_text("The look has ended.")).to_be_visible()
        expect(line.locator(".look")).to_be_focused()
        owner.page.keyboard.press("Tab")
        owner.page.keyboard.press("Enter")
        expect(line.locator("summary").first).to_be_focused()
        expect(line.get_by_role("button", name="Check again now")).to_be_visible()


def test_an_items_own_page_answers_too(browser: Browser, url: str) -> None:
    with reader(browser, url, OWNER) as owner:
        owner.open(ITEM.format(KINDS["asked-required"]))
        form = owner.page.locator("form.answer").first
        save_without_note(form)
        expect(form.get_by_label("Note")).to_be_focused()
        form.get_by_label("Note").fill("Compared two hosters.")
        form.locator("button").click()
        expect(owner.page.locator(".facts .state").first).to_have_text("met")
        assert owner.page.url == url + ITEM.format(KINDS["asked-required"])


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
        owner.page.get_by_role("button", name="Sign in").click()
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
        page.get_by_role("button", name="Sign in").click()
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
