"""A program of its own that turns HTML (standard input) into PDF (standard output): what WeasyPrint takes of
memory and time ends with it.  It knows no Django, and may read one style sheet, named by its two arguments:
the address that the HTML gives it, and its path on the disk."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

CPU_S = 60
BASE = "https://paper.invalid/"  # what relative addresses are resolved against; never asked


class Refused(ValueError):
    """A document asked for something that is not our style sheet."""


def write(html: str, style_url: str, style: Path) -> bytes:
    """The document on A4.  Its text may come from anywhere: nothing else is loaded for it."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    class OwnStyle(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        def fetch(self, url: str, headers: Any = None) -> Any:
            return fetch(url, style_url, style)

    document = HTML(string=html, base_url=BASE, url_fetcher=OwnStyle(), media_type="print")
    return bytes(document.write_pdf())


def fetch(url: str, style_url: str, style: Path) -> Any:
    """Our style sheet from the disk; Refused for any other address, so that no request ever leaves."""
    from weasyprint.urls import URLFetcherResponse

    if url != style_url:
        raise Refused(url)
    return URLFetcherResponse(url, style.read_bytes(), {"Content-Type": "text/css; charset=utf-8"})


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    page = sys.stdin.buffer.read().decode("utf-8")
    sys.stdout.buffer.write(write(page, sys.argv[1], Path(sys.argv[2])))
