"""The paper as PDF, where WeasyPrint (the extra `pdf`) is there: made by a process that ends with it."""

from __future__ import annotations

import subprocess
import sys
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

from fedisec.share.pdf_child import BASE

STYLE = "print.css"
LIMIT_S = 90.0
_CHILD = Path(__file__).with_name("pdf_child.py")
_BUSY = "share:pdf"
_BUSY_S = 120  # longer than any rendering; the lock of a process that died goes away by itself


def is_there() -> bool:
    """True where the extra is installed."""
    return find_spec("weasyprint") is not None


def answer(request: HttpRequest, template: str, context: dict[str, Any], subject: str) -> HttpResponse:
    """The PDF.  A page that says how to get it (501) where the extra is not installed; that it takes too long
    (503), or that another is being made: each takes a processor and some hundred MB."""
    if not is_there():
        return render(request, "share/no_pdf.html", context, status=501)
    if not cache.add(_BUSY, 1, _BUSY_S):
        return _later(request, context)
    try:
        found = write(render_to_string(template, context, request))
    except subprocess.TimeoutExpired:
        return _later(request, context | {"too_long": True})
    finally:
        cache.delete(_BUSY)
    day = timezone.localdate().isoformat()
    name = f'attachment; filename="fedisec-{subject}-{day}.pdf"'
    return HttpResponse(found, content_type="application/pdf", headers={"Content-Disposition": name})


def _later(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    response = render(request, "share/pdf_busy.html", context, status=503)
    response["Retry-After"] = "10"
    return response


def write(html: str) -> bytes:
    """The document on A4, within LIMIT_S."""
    style = finders.find(STYLE)
    assert isinstance(style, str), f"{STYLE} is part of fedisec"
    address = urljoin(BASE, staticfiles_storage.url(STYLE))
    # -I: neither the environment nor the folder that fedisec runs in decides what is imported.
    command = [sys.executable, "-I", str(_CHILD), address, style]
    done = subprocess.run(command, input=html.encode(), capture_output=True, timeout=LIMIT_S, check=True)
    return done.stdout
