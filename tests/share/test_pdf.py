"""PDF files: on A4, with nothing loaded for them but our own style sheet; absent where the extra is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pypdf import PdfReader

from checks.items import all_items
from fedisec.instances.models import Instance
from fedisec.share import pdf, pdf_child
from tests.share.conftest import DOMAIN

ONE = f"/instances/{DOMAIN}/export/"
FEW = {"format": "pdf", "q": "http.hsts", "state": "not_met"}
_A4 = (595, 842)  # points


@pytest.fixture(autouse=True)
def idle() -> None:
    cache.clear()


def pages_of(client: Client, path: str, query: dict[str, str]) -> list[Any]:
    answer = client.get(path, query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    pages = list(PdfReader(io.BytesIO(answer.content)).pages)
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in pages} == {_A4}
    return pages


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_an_instance_on_paper(as_bob: Client, lang: str) -> None:
    pages = pages_of(as_bob, ONE, FEW | {"lang": lang})
    text = "".join("".join(page.extract_text().split()) for page in pages)
    title = all_items()["http.hsts"].title
    assert "".join(title.in_language(lang).split()) in text
    assert "alert(1)" in text, "evidence is shown as text"
    assert f"1/{len(pages)}" in text, "our style sheet, which numbers the pages, was read"


def test_all_instances_on_paper(as_alice: Client, social: Instance) -> None:
    (page,) = pages_of(as_alice, "/export/", {"format": "pdf"})
    assert DOMAIN in page.extract_text()


def test_a_stranger_gets_no_paper(as_charlie: Client) -> None:
    assert as_charlie.get(ONE, FEW).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/static/print.css",
        "https://paper.invalid/static/app.css",
        "https://paper.invalid/",
        "file:///etc/passwd",
        "data:text/css,p{}",
        "https://evil.example/x.png",
    ],
)
def test_nothing_but_the_style_sheet_is_fetched(url: str) -> None:
    with pytest.raises(pdf_child.Refused):
        pdf_child.fetch(url, "https://paper.invalid/static/print.css", Path("/etc/hostname"))


def test_hostile_markup_fetches_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def watched(url: str, style_url: str, style: Path) -> Any:
        asked.append(url)
        return real(url, style_url, style)

    real, style = pdf_child.fetch, tmp_path / "own.css"
    style.write_text("p { color: red }")
    monkeypatch.setattr(pdf_child, "fetch", watched)
    html = '<link rel="stylesheet" href="/own.css"><img src="https://evil.example/a.png"><style>@import "file:///etc/passwd";</style><p>seen'
    assert pdf_child.write(html, "https://paper.invalid/own.css", style).startswith(b"%PDF")
    assert sorted(asked) == [
        "file:///etc/passwd",
        "https://evil.example/a.png",
        "https://paper.invalid/own.css",
    ]


def test_what_takes_too_long_is_ended_and_says_so(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "LIMIT_S", 0.01)
    answer = as_alice.get(ONE, FEW)
    assert answer.status_code == 503
    assert "format=print" in answer.content.decode()
    monkeypatch.undo()
    assert as_alice.get(ONE, FEW).status_code == 200


def test_without_the_extra_there_is_no_button_and_the_address_says_how(
    as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "format=pdf" in as_alice.get(ONE, {"format": "print"}).content.decode()
    monkeypatch.setattr(pdf, "is_there", lambda: False)
    assert "format=pdf" not in as_alice.get(ONE, {"format": "print"}).content.decode()
    assert "format=pdf" not in as_alice.get(ONE).content.decode()
    for path in (ONE, "/export/"):
        answer = as_alice.get(path, {"format": "pdf"})
        assert answer.status_code == 501
        assert "weasyprint" in answer.content.decode()
        assert "format=print" in answer.content.decode()


def test_one_is_made_at_a_time(as_alice: Client) -> None:
    cache.add("share:pdf", 1, 60)
    answer = as_alice.get(ONE, FEW)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    cache.delete("share:pdf")
    assert as_alice.get("/export/", {"format": "pdf"}).status_code == 200
    assert cache.get("share:pdf") is None, "the lock was given back"
