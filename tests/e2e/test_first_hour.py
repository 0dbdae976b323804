"""The main job in a real browser: from the set-up link to the mail that says what got worse."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.app import ROOT, App
from tests.lab.lab import Lab
from tests.lab.mail import Received

pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.timeout(300)]

SCREENSHOTS = ROOT / "tests" / "screenshots"
EMAIL, PASSWORD = "admin@example.org", "a sentence nobody guesses"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def app(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    quick = {"FEDISEC_CONFIRM_AFTER": "2", "FEDISEC_SCAN_NOW_PAUSE": "0", "FEDISEC_TICK": "1"}
    with App(tmp_path_factory.mktemp("app"), {**lab.env, **quick}) as running:
        yield running
    lab.reset_bad()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (apt install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def page(browser: Browser, app: App) -> Iterator[Page]:
    context = browser.new_context(base_url=app.url, locale="en-GB")
    strangers: list[str] = []
    context.on("request", lambda r: None if r.url.startswith((app.url, "data:")) else strangers.append(r.url))
    opened = context.new_page()
    troubles: list[str] = []
    opened.on(
        "console", lambda m: troubles.append(m.text) if m.type == "error" and "422" not in m.text else None
    )
    yield opened
    context.close()
    assert strangers == [], "a page asked a third party"
    assert troubles == [], "the browser complained (content policy, script error)"


def test_the_main_job(page: Page, app: App, lab: Lab) -> None:
    first_account(page, app)
    confirm_the_address(page, app, lab)
    add_the_bad_server(page, lab)
    failing_items_show_evidence(page)
    tick_a_manual_item(page)
    repaired_is_met(page, lab)
    broken_again_is_mailed(page, app, lab)
    take_screenshots(page.context, lab)


def first_account(page: Page, app: App) -> None:
    page.goto(app.setup_link)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password confirmation").fill("short")
    page.get_by_role("button", name="Make the account").click()
    expect(page.locator(".errorlist").first).to_contain_text("at least 12 characters")
    expect(page.get_by_label("E-mail address")).to_have_value(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="Add an instance")).to_be_visible()


def confirm_the_address(page: Page, app: App, lab: Lab) -> None:
    """The first mail holds a link, and until it is opened none goes out."""
    mail = the_only_mail(lab)
    assert mail.recipients == (EMAIL,)
    (link,) = re.findall(r"http://\S+", mail.text)[-1:]
    assert link.startswith(app.url)
    page.goto(link)
    page.locator("main form button").first.click()
    lab.mail.clear()
    page.goto("/instances/add/")


def add_the_bad_server(page: Page, lab: Lab) -> None:
    page.get_by_label("Domain", exact=True).fill("localhost")
    page.get_by_role("button", name="Add and look").click()
    expect(page.locator(".errorlist")).to_contain_text("only inside a network")
    page.get_by_label("Domain", exact=True).fill(f"https://{lab.bad}/about")
    page.get_by_role("button", name="Add and look").click()
    expect(page.get_by_role("heading", name=lab.bad)).to_be_visible()
    scan_has_ended(page)
    expect(page.locator(".lead")).to_contain_text("required items are not met")


def scan_has_ended(page: Page) -> None:
    """The page looks by itself and stops looking by itself; a second look may still be on its way."""
    expect(page.locator("#progress")).to_have_count(0, timeout=60_000)


def line(page: Page, item_id: str):  # type: ignore[no-untyped-def]  # Playwright's Locator
    return page.locator(f'details.item[id="{item_id}"]')


def failing_items_show_evidence(page: Page) -> None:
    hsts = line(page, "http.hsts")
    expect(hsts.locator("summary .state")).to_have_text("not met")
    hsts.locator("summary").first.click()
    expect(hsts.locator("pre.evidence").first).to_be_visible()
    expect(hsts.get_by_text("Strict-Transport-Security").first).to_be_visible()
    ports = line(page, "firewall.databases_closed")
    expect(ports.locator("summary .state")).to_have_text("not met")
    ports.locator("summary").first.click()
    expect(ports.locator("pre.evidence").first).to_contain_text("6379")


def tick_a_manual_item(page: Page) -> None:
    item = line(page, "plan.hosting_considered")
    item.locator("summary").first.click()
    item.get_by_label("Met", exact=True).check()
    item.get_by_role("button", name="Save the answer").click()
    note = item.get_by_label("Note")
    expect(note).to_have_js_property("validity.valueMissing", True)
    note.fill("Compared two hosters in spring; one server at home is enough.")
    item.get_by_role("button", name="Save the answer").click()
    expect(item.locator("summary .state")).to_have_text("met")
    expect(item.locator(".typed").first).to_contain_text("Compared two hosters")


def repaired_is_met(page: Page, lab: Lab) -> None:
    lab.set_bad(hsts=True, redis_open=False, postgres_open=False)
    scan_now(page)
    expect(line(page, "http.hsts").locator("summary .state")).to_have_text("met")
    expect(line(page, "firewall.databases_closed").locator("summary .state")).to_have_text("met")
    confirmed(page, "met again")
    assert mails_of_items(lab) == [], "what was failing from the start and got better is no alarm"


def broken_again_is_mailed(page: Page, app: App, lab: Lab) -> None:
    lab.set_bad(hsts=False, redis_open=True)
    scan_now(page)
    expect(line(page, "http.hsts").locator("summary .state")).to_have_text("not met")
    mail = the_only_mail(lab)
    assert mail.recipients == (EMAIL,)
    assert lab.bad in mail.subject
    assert "no longer met" in mail.subject
    title = page.locator('details.item[id="http.hsts"] .item-title').inner_text().removesuffix("new").strip()
    assert title in mail.text
    links = re.findall(r"http://\S+", mail.text)
    link = next(found for found in links if "http.hsts" in found)
    assert link.startswith(app.url)
    page.goto(link)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    time.sleep(6)  # ticks in which a second mail would have gone out
    assert len(mails_of_items(lab)) == 1


def scan_now(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="bad.fedi.test", exact=True).first.click()
    scan_has_ended(page)
    page.get_by_role("button", name="Scan now").click()
    scan_has_ended(page)


def confirmed(page: Page, words: str) -> None:
    """The second look has been made and the change is on the page."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        page.reload()
        if page.locator(".plain-list").get_by_text(words).count() >= 2:
            return
        time.sleep(1)
    raise AssertionError(f"no confirmed change {words!r} in 60 s")


def mails_of_items(lab: Lab) -> list[Received]:
    """The lab gives its bad server a new certificate with each change, which ends soon: that is told too, in a
    mail of its own or, where it falls into the same half minute, in the same one."""
    return [m for m in lab.mail.messages() if "certificate" not in m.subject or "longer met" in m.subject]


def the_only_mail(lab: Lab) -> Received:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        found = mails_of_items(lab)
        if found:
            assert len(found) == 1
            return found[0]
        time.sleep(0.5)
    raise AssertionError(f"no mail arrived in 60 s, only {[mail.subject for mail in lab.mail.messages()]}")


def take_screenshots(context: BrowserContext, lab: Lab) -> None:
    """The pages with what a real scan found, in looks that differ in everything; all eight where somebody asks
    for the pictures.  None scrolls sideways."""
    SCREENSHOTS.mkdir(exist_ok=True)
    shoot(context, f"/instances/{lab.bad}/", SCREENSHOTS / "readme.png", "en", "light", 1280, whole=False)
    pages = {
        "overview": "/",
        "instance": f"/instances/{lab.bad}/",
        "failing": f"/instances/{lab.bad}/?state=not_met&level=required",
        "item": f"/instances/{lab.bad}/items/http.hsts/",
        "question": f"/instances/{lab.bad}/items/plan.hosting_considered/",
        "add": "/instances/add/",
    }
    looks = [("en", "light", 1280), ("ja", "dark", 360)]
    if os.environ.get("FEDISEC_SCREENSHOTS") == "all":
        looks = list(itertools.product(("en", "ja"), ("light", "dark"), (360, 1280)))
    for language, theme, width in looks:
        for name, path in pages.items():
            file = SCREENSHOTS / f"{name}-{language}-{theme}-{width}.png"
            shoot(context, path, file, language, theme, width)


def shoot(
    context: BrowserContext,
    path: str,
    file: Path,
    language: str,
    theme: str,
    width: int,
    *,
    whole: bool = True,
) -> None:
    base = context.pages[0].url.split("/instances")[0]
    context.add_cookies(
        [{"name": "language", "value": language, "url": base}, {"name": "theme", "value": theme, "url": base}]
    )
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("lang", language)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{file.name} scrolls sideways: {wide} px"
    page.screenshot(path=file, full_page=whole)
    page.close()
