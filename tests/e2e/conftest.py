"""A browser, and a dashboard for it to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.e2e.furniture import furnished
from tests.e2e.reading import orm_beside_playwright
from tests.e2e.test_first_hour import CHROMIUM_FLAGS


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
def url(empty: str, settings: Settings) -> str:
    """The address of a furnished dashboard."""
    settings.FEEDS = True  # shown; without a clock nothing is fetched
    furnished()
    return empty
