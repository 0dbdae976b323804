"""The pictures of the documentation, from the demo in a real browser: `python -m tests.docs.pictures`.

Writes overview, instance and item in both languages into docs/images, and makes those of the mails smaller
(`python -m tests.alerts.letters.mailbox` draws them).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.docs.pages import DOCS, ROOT

IMAGES = DOCS / "images"
LARGEST = 150_000  # bytes
WIDTH, HEIGHT = 1280, 900
SERVER, ITEM = "demo-bad.example", "http.hsts"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_START_S = 240.0


def main() -> int:
    program = shutil.which("chromium")
    if program is None:
        print("Chromium is missing: apt install chromium", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        for language in ("en", "ja"):
            with tempfile.TemporaryDirectory() as folder, demo(Path(folder), language) as (url, password):
                draw(browser, url, password, language)
        browser.close()
    for path in sorted(IMAGES.glob("*.png")):
        smaller(path)
        print(path.name, path.stat().st_size)
    return 0


@contextmanager
def demo(data: Path, language: str) -> Iterator[tuple[str, str]]:
    """Address and password of a dashboard with the demo servers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("FEDISEC", "DJANGO", "DATABASE", "REDIS"))
    }
    env |= {"FEDISEC_DATA": str(data), "PORT": str(port), "FEDISEC_ANCHORS": "none", "FEDISEC_FEEDS": "False"}
    made = subprocess.run(
        [sys.executable, "manage.py", "demo", "--lang", language],
        cwd=ROOT, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    password = re.findall(r"password (\S+)", made.stdout)[0]
    up = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        yield url, password
    finally:
        up.terminate()
        up.wait(30)


def wait_for(url: str) -> None:
    ends = time.monotonic() + _START_S
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"nothing answers at {url}")


def draw(browser: Browser, url: str, password: str, language: str) -> None:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, base_url=url, bypass_csp=True)
    context.add_cookies(
        [
            {"name": "language", "value": language, "url": url},
            {"name": "theme", "value": "light", "url": url},
        ]
    )
    page = context.new_page()
    page.goto("/account/login/")
    page.locator("input[type=email], input[name=login]").first.fill("demo@example.org")
    page.locator("input[type=password]").first.fill(password)
    page.locator("main form button").first.click()
    page.wait_for_url(f"{url}/")
    shoot(page, "/", f"overview-{language}")
    shoot(page, f"/instances/{SERVER}/", f"instance-{language}")
    shoot(page, f"/instances/{SERVER}/items/{ITEM}/", f"item-{language}")
    context.close()


def shoot(page: Page, path: str, name: str) -> None:
    """What a reader sees first: the dashboard's own notices are left out."""
    page.goto(path)
    page.add_style_tag(content=".banner { display: none }")
    page.screenshot(path=IMAGES / f"{name}.png")


def smaller(path: Path) -> None:
    """256 colours are enough for a page; what is small already is left alone."""
    with Image.open(path) as picture:
        if picture.mode != "P":
            picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
