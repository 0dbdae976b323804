"""Working down the list in a browser: by keyboard, in the line, several at once, undone again."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from checks.items import all_items
from fedisec.checklist.models import Attestation
from fedisec.scans.models import Scan, ScanState
from tests.e2e.furniture import KINDS, OWNER
from tests.e2e.lines import ITEM, PAGE, line_of, opened, save_without_note
from tests.e2e.reading import faults, reader

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]


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
