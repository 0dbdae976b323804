"""The paper as PDF, where WeasyPrint (the extra `pdf`) is there.  It may read our style sheet, no more."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone

STYLE = "print.css"
_BASE = "https://paper.invalid/"  # what relative addresses are resolved against; never asked
_BUSY = "share:pdf"
_BUSY_S = 120  # longer than any rendering; the lock of a process that died goes away by itself


class Refused(ValueError):
    """A document asked for something that is not our style sheet."""


def is_there() -> bool:
    """True where the extra is installed."""
    return find_spec("weasyprint") is not None


def answer(request: HttpRequest, template: str, context: dict[str, Any], subject: str) -> HttpResponse:
    """The PDF; a page that says how to get it (501) where the extra is not installed; 503 while another is
    being made, since each takes a processor and much memory."""
    if not is_there():
        return render(request, "share/no_pdf.html", context, status=501)
    if not cache.add(_BUSY, 1, _BUSY_S):
        response = render(request, "share/pdf_busy.html", context, status=503)
        response["Retry-After"] = "10"
        return response
    try:
        found = write(render_to_string(template, context, request))
    finally:
        cache.delete(_BUSY)
    day = timezone.localdate().isoformat()
    name = f'attachment; filename="fedisec-{subject}-{day}.pdf"'
    return HttpResponse(found, content_type="application/pdf", headers={"Content-Disposition": name})


def write(html: str) -> bytes:
    """The document on A4.  Its text may come from anywhere: nothing is loaded for it but our style sheet."""
    from weasyprint import HTML  # takes a second and 50 MB, so only where it is wanted

    document = HTML(string=html, base_url=_BASE, url_fetcher=_fetcher(), media_type="print")
    return bytes(document.write_pdf())


def _fetcher() -> Any:
    """`fetch` in the form that WeasyPrint wants; a refusal leaves out what was asked for."""
    from weasyprint.urls import URLFetcher

    class OwnStyle(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        def fetch(self, url: str, headers: Any = None) -> Any:
            return fetch(url)

    return OwnStyle()


def fetch(url: str) -> Any:
    """Our style sheet from the disk; Refused for any other address, so that no request ever leaves."""
    from weasyprint.urls import URLFetcherResponse

    path = finders.find(STYLE) if url == urljoin(_BASE, staticfiles_storage.url(STYLE)) else None
    if not isinstance(path, str):
        raise Refused(url)
    return URLFetcherResponse(url, Path(path).read_bytes(), {"Content-Type": "text/css; charset=utf-8"})
