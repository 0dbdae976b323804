"""The app's version from the server itself, where other servers do not see it."""

from __future__ import annotations

from datetime import date

import pytest

from checks.data.tables import Branch, Releases
from checks.evaluate import judge
from checks.facts import Fact, Facts
from checks.facts.advisories import Advisory, Affected
from checks.facts.software import Software
from checks.items.updates import software_current
from checks.model import Status
from checks.parse.host.versions import parse_app_images
from tests.checks.inside.host_cases import report

TABLE = Releases(date(2026, 11, 1), False, (Branch("4.6", "4.6.9", date(2026, 6, 17), None),), "test")
FLAW = Advisory("mastodon", "A", "title", (Affected("4.6.0", "4.6.3"),), seen=True)


@pytest.fixture(autouse=True)
def _tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software_current, "advisories", lambda: (FLAW,))
    monkeypatch.setattr(software_current, "releases", lambda: {"mastodon": TABLE})


def running(*images: str, label: str = "") -> Fact:
    rows = "\n".join(f"id{n}\tapp-{n}\t{image}\t\tUp" for n, image in enumerate(images))
    return report(
        docker=f"== version\n27.1\n== ps\n{rows}\n== inspect\nid0\tfalse\tnet\t\tsha256:1f\t{label}"
    )


def outside(version: str, family: str = "mastodon") -> Software:
    return Software(family, family, version, version)


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((running("ghcr.io/mastodon/mastodon:v4.6.9", "postgres:16"),), Status.PASS, "current"),
        ((running("tootsuite/mastodon:v4.6.2"),), Status.FAIL, "vulnerable_unrated"),
        ((running("ghcr.io/mastodon/mastodon:v4.6", label="v4.6.2"),), Status.FAIL, "vulnerable_unrated"),
        ((running("ghcr.io/mastodon/mastodon:v4.6.2"), outside("")), Status.FAIL, "vulnerable_unrated"),
        ((running("ghcr.io/mastodon/mastodon:v4.6.2"), outside("", "")), Status.FAIL, "vulnerable_unrated"),
        ((running("ghcr.io/mastodon/mastodon:v4.6.2"), outside("4.6.9")), Status.PASS, "current"),
        ((running("ghcr.io/mastodon/mastodon:v4.6.9-rc.1"),), Status.UNKNOWN, "prerelease"),
        ((running("ghcr.io/mastodon/mastodon:v4.6"),), Status.UNKNOWN, ""),
        ((running("ghcr.io/somebody/mastodon:v4.6.2"),), Status.UNKNOWN, ""),
        ((running("ghcr.io/mastodon/mastodon:v4.6.2", "ghcr.io/mastodon/mastodon:v4.6.9"),), Status.UNKNOWN, ""),
        ((running("ghcr.io/mastodon/mastodon:v4.6.9"), outside("", "misskey")), Status.UNKNOWN, "not_comparable"),
        ((report(docker="== ps denied"),), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_the_inside_speaks_only_where_the_outside_does_not(
    facts: tuple[Fact, ...], status: Status, code: str
) -> None:
    verdict = judge(software_current.item, Facts().with_facts(*facts))
    assert (verdict.status, verdict.code) == (status, code)
    if status in {Status.PASS, Status.FAIL} and len(facts) == 1:
        assert any(one.label.startswith("inside: docker ps (") for one in verdict.evidence)


def test_an_image_without_a_tag_names_no_version() -> None:
    lines = ("== ps", "a\tb\tlocalhost:5000/mastodon/mastodon\t\tUp", "c\td\tmisskey/misskey:2026.9.1\t\tUp")
    assert parse_app_images(lines) == (("misskey", "2026.9.1", "misskey/misskey:2026.9.1"),)
