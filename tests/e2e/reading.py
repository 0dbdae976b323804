"""A reader at a browser: opens pages, changes how they are looked at, and tells what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FloatRect,
    Page,
    Request,
    ViewportSize,
)

from fedisec.accounts.models import User
from tests.factories import signed_in


@contextmanager
def orm_beside_playwright() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, beside which Django refuses queries by default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@dataclass(frozen=True)
class Look:
    """How somebody reads: language, colours, width of the window."""

    language: str = "en"
    theme: str = "light"
    width: int = 1280

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width}"


@dataclass
class Reader:
    """A person at a browser.  `troubles` collects what the browser complained of on any page."""

    context: BrowserContext
    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)

    def open(self, path: str) -> int:
        """Opens a page of the dashboard; returns the status."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        return answer.status

    def heard(self, message: ConsoleMessage) -> None:
        # Chromium reports the status of a page itself as a failed resource; the tests look at it on purpose.
        # It also tells what a signing out made it forget.
        expected = (
            "Failed to load resource: the server responded with a status of 4",
            "Clear-Site-Data header on",
        )
        if not message.text.startswith(expected):
            self.troubles.append(f"{message.type}: {message.text}")

    def asked(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.troubles.append(f"request to another origin: {request.url}")


def size_of(look: Look) -> ViewportSize:
    return ViewportSize(width=look.width, height=800 if look.width > 500 else 740)


def change(page: Page, look: Look) -> None:
    """The open page in other colours and another width, as by a turn of the telephone; the language stays."""
    page.set_viewport_size(size_of(look))
    page.emulate_media(color_scheme="dark" if look.theme == "dark" else "light")


@contextmanager
def reader(
    browser: Browser, url: str, email: str = "", look: Look | None = None, *, javascript: bool = True
) -> Iterator[Reader]:
    """A fresh browser profile, signed in as `email` when one is given.  Fails on leaving when a page
    complained in the console or asked another origin."""
    look = look or Look()
    context = browser.new_context(
        viewport=size_of(look),
        locale={"en": "en-GB", "ja": "ja-JP"}[look.language],
        java_script_enabled=javascript,
        color_scheme="dark" if look.theme == "dark" else "light",
    )
    cookies = {"theme": "auto"}  # the system's choice, which `change` can change
    if email:
        cookies[settings.SESSION_COOKIE_NAME] = _session(email)
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page = context.new_page()
    found = Reader(context, page, url)
    page.on("console", found.heard)
    page.on("pageerror", lambda error: found.troubles.append(f"script: {error}"))
    context.on("request", found.asked)
    yield found
    context.close()
    assert not found.troubles, "\n".join(found.troubles)


def _session(email: str) -> str:
    client = Client()
    signed_in(client, User.objects.get(email=email))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


_AXE = """() => axe.run(document, {
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})"""
_FAULTS = """() => {
    const root = document.documentElement, found = [];
    if (root.scrollWidth > root.clientWidth) {
        const wide = [...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1)
            .map((e) => `${e.tagName}.${e.className}#${e.id}`);
        found.push(`scrolls sideways: ${root.scrollWidth} px, by ${wide.slice(0, 5)}`);
    }
    for (const e of document.querySelectorAll("[style], style, script:not([src])")) {
        found.push(`inline: ${e.outerHTML.slice(0, 100)}`);
    }
    for (const e of document.querySelectorAll("*")) {
        for (const a of e.attributes) if (a.name.startsWith("on")) found.push(`inline handler: ${a.name}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of new Set(ids.filter((id, n) => ids.indexOf(id) !== n))) found.push(`id twice: ${id}`);
    for (const e of document.querySelectorAll("button, .button, .state, .level, label, h1, h2, h3, .tag")) {
        if (e.closest(".visually-hidden") || !e.checkVisibility()) continue;
        if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth) found.push(`clipped: ${e.textContent.trim()}`);
    }
    return found;
}"""


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it stands: sideways scrolling, clipped labels, inline code, ids twice."""
    found: list[str] = page.evaluate(_FAULTS)
    return found


def accessibility(page: Page) -> list[str]:
    """What axe-core finds: WCAG 2.2 A and AA and its own good practice."""
    if not page.evaluate("() => typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    return [
        f"axe {violation['id']}: {node['target']} "
        + " ".join(why["message"] for why in [*node["any"], *node["all"], *node["none"]])
        for violation in page.evaluate(_AXE)["violations"]
        for node in violation["nodes"][:3]
    ]


def shoot(page: Page, folder: Path, name: str, look: Look) -> None:
    """A picture for the eyes of whoever changes the pages; of a long page, its upper part."""
    folder.mkdir(exist_ok=True)
    tall = page.evaluate("document.documentElement.scrollHeight")
    clip = FloatRect(x=0, y=0, width=look.width, height=min(tall, 3000))
    page.screenshot(path=folder / f"{name}-{look}.png", full_page=True, clip=clip)
