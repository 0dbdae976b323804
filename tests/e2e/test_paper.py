"""The print page as a browser prints it: A4, a topic per page start, nothing cut off at the edge."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader
from pytest_django.live_server_helper import LiveServer

from checks.items import TOPICS
from tests.e2e.furniture import FULL, OWNER, furnish
from tests.e2e.reading import Look, orm_beside_playwright, reader
from tests.e2e.test_first_hour import CHROMIUM_FLAGS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
_TEXT_WIDTH = 673  # px: A4 without its margins, 178 mm
_A4 = (595, 842)  # points
_TOP = 842 - 60  # the margin is 45

_CUT_OFF = """() => [...document.querySelectorAll("main *")]
    .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((e) => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 60)}`)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (apt install chromium)")
    with orm_beside_playwright(), sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_checklist_fits_on_paper(browser: Browser, live_server: LiveServer, language: str) -> None:
    furnish()
    with reader(browser, live_server.url, OWNER, Look(language, width=_TEXT_WIDTH)) as owner:
        assert owner.open(f"/instances/{FULL}/export/?format=print") == 200
        owner.page.emulate_media(media="print")
        assert owner.page.evaluate(_CUT_OFF) == []
        printed = PdfReader(io.BytesIO(owner.page.pdf(prefer_css_page_size=True)))
    pages = printed.pages
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in pages} == {_A4}
    assert all(len(page.extract_text().strip()) > 40 for page in pages), "no page is empty"
    # Where the links of the contents lead: the upper edge of a page of its own for each topic.
    places = printed.named_destinations
    assert {name.lstrip("/") for name in places} >= set(TOPICS)
    starts = [places[f"/{topic}" if f"/{topic}" in places else topic] for topic in TOPICS]
    assert [start.title for start in starts if float(start.top or 0) < _TOP] == []
    assert len({printed.get_destination_page_number(start) for start in starts}) == len(TOPICS)
    assert len(pages) < 120
