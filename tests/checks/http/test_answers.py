"""What kind of answer is this: the small questions that several items ask."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.facts import Missing, MissingFact
from checks.facts.http import HEADER_CHARS, Page
from checks.facts.tls import TrustProblem, WebCertificates
from checks.parse.answers import first_asset, refused_by_browsers, whole
from tests.checks.tls.made import certificate, web


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ('<link rel="stylesheet" href="/packs/common-1a.css">', "/packs/common-1a.css"),
        ('<script src="https://site.test/vite/boot.js?v=2" async>', "/vite/boot.js"),
        ("<script type=module src=/assets/app.mjs>", "/assets/app.mjs"),
        ('<script src="https://cdn.test/a.js"></script><link href="/b.css">', "/b.css"),
        ('<script src="//cdn.test/a.js">', None),
        ('<script src="https://site.test.evil.test/a.js">', None),
        ('<a href="/page.html">a.css</a>', None),
        ('<p data-src="/a.js">', None),
        ('<link href="/a.css\r\nHost: evil.test">', "/a.css"),
        ("", None),
    ],
)
def test_the_first_file_of_the_own_host_is_taken(body: str, path: str | None) -> None:
    assert first_asset(body, "site.test") == (f"https://site.test{path}" if path else None)


@pytest.mark.parametrize(
    ("certificates", "refused"),
    [
        (None, False),
        (web(), False),
        (web(Missing(Reason.TIMEOUT)), False),
        (web(certificate(left=-1)), True),
        (web(certificate(left=-1), Missing(Reason.TIMEOUT)), True),
        (web(certificate(left=-1), certificate()), False),
        (web(certificate(name_matches=False)), True),
        (web(certificate(trusted=False, problem=TrustProblem.UNKNOWN_AUTHORITY)), True),
        (web(certificate(trusted=False, problem=TrustProblem.INCOMPLETE)), False),
        (web(certificate(trusted=Missing(Reason.NOT_ASKED))), False),
    ],
)
def test_certificates_are_refused_only_where_every_one_is_bad(
    certificates: WebCertificates | None, refused: bool
) -> None:
    assert bool(refused_by_browsers(certificates)) is refused


def test_a_value_that_was_cut_says_nothing() -> None:
    page = Page("https://site.test/", 200, (("a", "x" * HEADER_CHARS), ("b", "x" * (HEADER_CHARS - 1))), "")
    assert whole(page, "b") is page
    with pytest.raises(MissingFact) as caught:
        whole(page, "a")
    assert caught.value.missing.reason is Reason.TOO_LARGE
