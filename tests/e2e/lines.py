"""Where the pages of the furnished dashboard are, and their lines of the checklist."""

from __future__ import annotations

import itertools

from playwright.sync_api import Locator, Page, expect

from tests.e2e.furniture import FULL, KINDS
from tests.e2e.reading import Look

PAGE = f"/instances/{FULL}/"
ITEM = f"{PAGE}items/{{}}/"
LOOKS = [
    Look(language, theme, width)
    for language, theme, width in itertools.product(("en", "ja"), ("light", "dark"), (360, 1280))
]


def opened(line: Locator) -> Locator:
    line.locator("summary").first.click()
    expect(line.locator(".facts")).to_be_visible()
    return line


def line_of(page: Page, kind: str) -> Locator:
    return page.locator(f'details.item[id="{KINDS[kind]}"]')


# The keyboard


def save_without_note(form: Locator) -> None:
    """As by a browser that does not hold the form back."""
    form.evaluate("form => form.noValidate = true")
    form.locator("[name=met][value=yes]").check()
    form.locator("button").click()
