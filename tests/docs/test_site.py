"""The site as it is built: whole, in both languages, searchable, and asking nobody else for anything."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from checks import sources_doc
from checks.items import all_items
from tests.docs.pages import ROOT

pytestmark = [pytest.mark.wide, pytest.mark.timeout(600)]

BUILDER = ROOT / ".venv-docs" / "bin" / "mkdocs"
LOADS = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("use", "href"),
}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The site, built as `make docs` does, with every warning an error."""
    if not BUILDER.exists():
        pytest.skip("the tools for the documentation are not there: make docs")
    folder: Path = tmp_path_factory.mktemp("site")
    copy = folder / "docs"
    shutil.copytree(ROOT / "docs", copy, ignore=shutil.ignore_patterns("items"))
    shutil.copy(ROOT / "mkdocs.yml", folder)
    sources_doc.write(copy / "items")
    done = subprocess.run(
        [BUILDER, "build", "--strict", "--site-dir", str(folder / "site")],
        cwd=folder, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    yield folder / "site"


class Loaded(HTMLParser):
    """Addresses that a browser fetches by itself when it shows a page, and anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.anchors.add(given["id"])
        for name, value in given.items():
            if (tag, name) in LOADS or name in {"srcset", "data-md-url"}:
                self.addresses.append(value)
        if tag == "link" and given.get("rel") not in {"canonical", "alternate", "prev", "next"}:
            self.addresses.append(given.get("href", ""))


def read(path: Path) -> Loaded:
    found = Loaded()
    found.feed(path.read_text("utf-8"))
    return found


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 80
    for path in pages:
        assert [one for one in read(path).addresses if re.match(r"(?:https?:)?//", one)] == [], path.name
    for path in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text("utf-8")) == [], (
            path.name
        )


def test_every_item_stands_in_both_languages_under_its_anchor(site: Path) -> None:
    for prefix, language in ((site, "en"), (site / "ja", "ja")):
        for item in all_items().values():
            path = prefix / "items" / f"{item.topic}.html"
            assert item.id.partition(".")[2].replace("_", "-") in read(path).anchors, (language, item.id)
            text = path.read_text("utf-8")
            assert item.id in text and 'href="../items.html"' in text


def test_every_japanese_page_says_its_language_and_leads_to_the_other(site: Path) -> None:
    for path in sorted((site / "ja").rglob("*.html")):
        text = path.read_text("utf-8")
        assert '<html lang="ja"' in text
        twin = site / path.relative_to(site / "ja")
        assert twin.is_file() and '<html lang="en"' in twin.read_text("utf-8")


def test_what_is_for_builders_is_no_part_of_it(site: Path) -> None:
    names = {path.name for path in site.rglob("*")}
    assert not names & {"hooks.py", "requirements.txt"}


def test_both_languages_are_searched(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    assert {"en", "ja"} <= set(index["config"]["lang"])
    places = {entry["location"] for entry in index["docs"]}
    assert {"ja/items/http.html#hsts", "items/http.html#hsts"} <= places


def test_a_browser_finds_and_asks_nobody_else(site: Path) -> None:
    """Over HTTP, as the search needs it; the words of both languages lead to their pages."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (apt install chromium)")
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(site), "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        port = re.search(r"port (\d+)", server.stdout.readline())
        assert port is not None
        url, strangers = f"http://127.0.0.1:{port[1]}", list[str]()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
            page = browser.new_page(locale="ja-JP")
            page.on(
                "request",
                lambda one: (
                    None if one.url.startswith((url, "data:", "blob:")) else strangers.append(one.url)
                ),
            )
            for start, word, expected in (("/", "recovery", ".html"), ("/ja/", "証明書", "/ja/")):
                page.goto(f"{url}{start}index.html", wait_until="networkidle")
                page.locator("input.md-search__input").click()
                page.locator("input.md-search__input").fill(word)
                page.locator("input.md-search__input").press("End")  # a key, which the search waits for
                found = page.locator(f"a.md-search-result__link[href*='{expected}']").first
                found.wait_for(timeout=60_000)
            browser.close()
        assert strangers == []
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
