"""Writes a mail of every kind, in both languages, into a folder, with pictures of the HTML part in a plain
mailbox: python -m tests.alerts.letters.mailbox FOLDER [NAME …]"""

from __future__ import annotations

import html
import os
import shutil
import sys
from email.message import Message
from pathlib import Path
from typing import Any, Literal

READERS = (("en", "Europe/Berlin"), ("ja", "Asia/Tokyo"))
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (360, 800)
_ITS_OWN = {
    "PUBLIC_URL": "https://fedisec.example",
    "DEFAULT_FROM_EMAIL": "fedisec <fedisec@fedisec.example>",
}

# What a mail program draws around a mail, and no more of it than a picture needs.
_FRAME = """<!DOCTYPE html><html lang="{language}"><meta charset="utf-8"><title>mailbox</title>
<meta name="color-scheme" content="light dark"><style>
 body {{ margin: 0; font: 15px/1.5 system-ui, 'Noto Sans CJK JP', sans-serif }}
 header {{ padding: 14px 16px; border-bottom: 1px solid rgba(127,127,127,.4); background: rgba(127,127,127,.1);
           overflow-wrap: anywhere }}
 header b {{ display: block; font-size: 17px }} header span {{ opacity: .75; display: block; font-size: 13px }}
 iframe {{ border: 0; width: 100%; display: block }}
</style><header><b>{subject}</b><span>{sender} → {to}</span></header><iframe srcdoc="{mail}"></iframe></html>"""


def write(folder: Path, names: list[str]) -> None:
    """NAME-LANGUAGE.eml and .txt, and NAME-LANGUAGE-SCHEME-WIDTH.png where Chromium is there."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0)
    try:
        letters = _letters(names)
    finally:
        connection.creation.destroy_test_db(str(connection.settings_dict["NAME"]), verbosity=0)
    folder.mkdir(parents=True, exist_ok=True)
    pages = {}
    for name, letter in letters.items():
        (folder / f"{name}.eml").write_bytes(letter.message().as_bytes())
        (folder / f"{name}.txt").write_text(f"Subject: {letter.subject}\n\n{letter.body}", encoding="utf-8")
        pages[name] = _framed(letter, name.rpartition("-")[2])
    program = shutil.which("chromium")
    if program is not None:
        _pictures(folder, pages, program)


def _letters(names: list[str]) -> dict[str, Any]:
    from unittest.mock import patch

    from django.test import override_settings
    from django.utils import timezone

    from fedisec.alerts.letter import letter_of
    from tests.alerts.letters.samples import NOW, SAMPLES, Post, a_reader
    from tests.factories import an_instance

    letters = {}
    for name in names or SAMPLES:
        for language, zone in READERS:
            instance = an_instance(domain="example.social")
            reader = a_reader(
                instance, email=f"{name}-{language}@example.org", language=language, time_zone=zone
            )
            delivery = SAMPLES[name](Post(reader), instance)
            with patch.object(timezone, "now", return_value=NOW), override_settings(**_ITS_OWN):
                letters[f"{name}-{language}"] = letter_of(delivery)
    return letters


def _framed(letter: Any, language: str) -> str:
    message: Message = letter.message()
    return _FRAME.format(
        language=language,
        subject=html.escape(letter.subject),
        sender=html.escape(str(message["From"])),
        to=html.escape(", ".join(letter.to)),
        mail=html.escape(letter.alternatives[0][0], quote=True),
    )


def _pictures(folder: Path, pages: dict[str, str], program: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in SCHEMES:
            for width in WIDTHS:
                context = browser.new_context(viewport={"width": width, "height": 600}, color_scheme=scheme)
                page = context.new_page()
                for name, content in pages.items():
                    page.set_content(content)
                    page.evaluate(
                        "() => { const f = document.querySelector('iframe');"
                        " f.style.height = f.contentDocument.documentElement.scrollHeight + 'px' }"
                    )
                    page.screenshot(path=str(folder / f"{name}-{scheme}-{width}.png"), full_page=True)
                context.close()
        browser.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2:])
