"""What kind of answer is this: for us, or a closed door?"""

from __future__ import annotations

import re
from datetime import datetime

from checks.errors import Reason
from checks.facts import Missing, MissingFact
from checks.facts.http import HEADER_CHARS, FrontPage, Page
from checks.facts.tls import TrustProblem, WebCertificate, WebCertificates

# Marks of the pages by which shields answer in the site's place, with 200 too.
_CHALLENGES = (
    "window._cf_chl_opt", "cf-browser-verification", "challenge-error-text", "anubis_challenge",
    "/.within.website/x/cmd/anubis", "incapsula incident", "sucuri website firewall", "go-away challenge",
)  # fmt: skip
# Scripts that shields also put into ordinary pages: they tell only where the page is an error.
_TRACES = ("/cdn-cgi/challenge-platform/", "_incapsula_resource", "awswafintegration", "datadome", "__ddg")
_ASSET = re.compile(
    r"\s(?:src|href)=[\"']?(https://[a-z0-9.-]{1,253})?(/[a-z0-9_~][a-z0-9_~./@%-]{0,300}\.(?:css|m?js))(?=[\"'?\s>])",
    re.IGNORECASE,
)
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


def whole(page: Page, name: str) -> Page:
    """The page; MissingFact where a value of this header came cut: its rest might say something else."""
    if any(len(value) >= HEADER_CHARS for value in page.header_values(name)):
        raise MissingFact(Missing(Reason.TOO_LARGE, f"{name}: {HEADER_CHARS} characters and more"))
    return page


def refused_by_browsers(web: WebCertificates | None) -> str:
    """Why browsers refuse every certificate that was seen; "" where one is good, may be, or none was seen."""
    shown = [c for s in web.served if not isinstance(s.shown, Missing) for c in s.shown] if web else []
    faults = [_fault(one, web.seen_at) for one in shown if web is not None]
    return faults[0] if faults and all(faults) else ""


def _fault(one: WebCertificate, now: datetime) -> str:
    if not one.name_matches:
        return "certificate for another name"
    if not one.not_before <= now <= one.not_after:
        return "certificate outside its dates"
    # An intermediate that is not sent is fetched by most browsers themselves.
    if one.trusted is False and one.problem is not TrustProblem.INCOMPLETE:
        return "certificate without a trusted issuer"
    return ""


def header_lines(page: Page, *names: str) -> str:
    """The header lines of these names as evidence, or the statement that there are none."""
    found = [f"{key}: {value}" for key, value in page.headers if key in names]
    return "\n".join(found) or f"HTTP {page.status}, no {' / '.join(names)} header"


def readable(page: Page | Missing) -> Page | Missing:
    """The page, or why it is not for us."""
    return page if isinstance(page, Missing) else withheld(page) or page


def first_asset(body: str, host: str) -> str | None:
    """The URL of the first style sheet or script that a page takes from its own host; None without one."""
    for match in _ASSET.finditer(body[:16384]):
        origin, path = match.groups()
        if origin in {None, "", f"https://{host}"}:
            return f"https://{host}{path}"
    return None


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
