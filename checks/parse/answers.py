"""What kind of answer is this: for us, or a closed door?"""

from __future__ import annotations

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.http import FrontPage, Page

# Marks of the pages by which shields answer in the site's place, with 200 too.
_CHALLENGES = (
    "window._cf_chl_opt", "cf-browser-verification", "challenge-error-text", "anubis_challenge",
    "/.within.website/x/cmd/anubis", "incapsula incident", "sucuri website firewall", "go-away challenge",
)  # fmt: skip
# Scripts that shields also put into ordinary pages: they tell only where the page is an error.
_TRACES = ("/cdn-cgi/challenge-platform/", "_incapsula_resource", "awswafintegration", "datadome", "__ddg")
_SERVER_TROUBLE = frozenset({401, 403, 407, 408, 421, 425, 429, 451})


def withheld(page: Page) -> Missing | None:
    """Why the answer says nothing about the software: sign-in, block, overload, server fault, challenge."""
    if page.header("cf-mitigated") is not None or page.header("x-amzn-waf-action") is not None:
        return Missing(Reason.WITHHELD, "challenge page")
    head = page.body[:16384].lower()
    marks = _CHALLENGES if 200 <= page.status < 300 else _CHALLENGES + _TRACES
    if "text/html" in page.media_type and any(mark in head for mark in marks):
        return Missing(Reason.WITHHELD, "challenge page")
    if page.status in _SERVER_TROUBLE or page.status >= 500:
        return Missing(Reason.WITHHELD, f"HTTP {page.status}")
    return None


def header_lines(page: Page, *names: str) -> str:
    """The header lines of these names as evidence, or the statement that there are none."""
    found = [f"{key}: {value}" for key, value in page.headers if key in names]
    return "\n".join(found) or f"HTTP {page.status}, no {' / '.join(names)} header"


def readable(page: Page | Missing) -> Page | Missing:
    """The page, or why it is not for us."""
    return page if isinstance(page, Missing) else withheld(page) or page


def html_document(front: FrontPage) -> Page | Missing:
    """The HTML page whose policy headers count; Missing where there is none to judge."""
    page = readable(front.document)
    if isinstance(page, Missing):
        return page
    if page.media_type not in {"text/html", "application/xhtml+xml"}:
        return Missing(Reason.WITHHELD, f"no HTML page: {page.media_type or 'no type'}"[:200])
    if not 200 <= page.status < 300:
        return Missing(Reason.WITHHELD, f"HTTP {page.status}")
    return page
