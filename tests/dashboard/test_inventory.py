"""The inventory: what runs, from where, until when; and what the page says where the inside is not seen."""

from __future__ import annotations

import html
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from checks.codec import encode_facts
from checks.errors import Reason
from checks.facts import Fact, Facts, Missing
from checks.facts.http import FrontPage, Page
from checks.facts.inside import Inside
from checks.facts.ports import PortState
from checks.facts.software import Software
from checks.facts.ssh import SshEndpoint, SshService
from checks.parse.collector import parse_report
from fedisec.checklist.inventory import Entry, Source, Standing, inventory_of
from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan
from tests.checks.inside import reports
from tests.checks.inside.reports import report

PAGE = "/instances/social.example/inventory/"
TODAY = date(2026, 11, 21)

RELEASE = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"'
PACKAGES = (
    "ii \tnginx\t1.22.1-9+deb12u3\tnginx\n"
    "ii \tpostgresql-16\t16.10-1.pgdg120+1\tpostgresql-16\n"
    "ii \tsudo\t1.9.13p3-1+deb12u2\tsudo"
)
VERSIONS = (
    "nginx nginx version: nginx/1.22.1\npostgres postgres (PostgreSQL) 16.10 (Debian 16.10-1.pgdg120+1)\n"
    "node v20.19.2\nsudo Sudo version 1.9.13p3\nffmpeg ffmpeg version 7.1.1"
)
DOCKER = (
    "== version\n28.0.0\n== ps\n"
    "aa\tweb\ttootsuite/mastodon:v4.4.2\t\nbb\tcache\tredis:6.0-alpine\t"
)  # fmt: skip
SEEN = (
    Software("mastodon", "mastodon", "4.4.2+glitch", "4.4.2", "glitch"),
    FrontPage(Page("https://social.example/", 200, (("server", "nginx/1.22.1"), ("via", "1.1 Caddy")), "")),
    SshService(
        "root", 22, (SshEndpoint("192.0.2.7", 22, PortState.OPEN, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7"),)
    ),
)


def inside(**sections: str) -> Inside:
    given = {
        "release": RELEASE,
        "packages": PACKAGES,
        "versions": VERSIONS,
        "docker": DOCKER,
        "meta": "kernel 6.1.0-40-amd64",
    }
    return report(**(given | sections))


def by_name(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    return {entry.name: entry for entry in entries}


def facts(*found: Fact) -> Facts:
    return Facts().with_facts(*found)


def test_each_program_has_its_version_its_source_and_its_end() -> None:
    found = inventory_of(facts(*SEEN), inside(), TODAY)
    stack = by_name(found.stack)
    told = {name: (one.version, one.source, one.support.standing) for name, one in stack.items()}
    assert told == {
        "nginx": ("1.22.1", Source.DISTRIBUTION, Standing.FOLLOWS),
        "PostgreSQL": ("16.10", Source.VENDOR, Standing.SUPPORTED),
        "Node.js": ("20.19.2", Source.BUILD, Standing.ENDED),
        "Redis": ("6.0", Source.IMAGE, Standing.ENDED),
    }
    assert stack["PostgreSQL"].detail == "16.10-1.pgdg120+1" and stack["Redis"].detail == "redis:6.0-alpine"
    (end,) = stack["PostgreSQL"].support.ends
    assert (end.day, end.days) == (date(2028, 11, 9), 719)
    others = by_name(found.others)
    assert (
        others["sudo"].source is Source.DISTRIBUTION and others["ffmpeg"].support.standing is Standing.UNKNOWN
    )


def test_regular_and_long_term_support_stand_apart() -> None:
    debian, kernel = inventory_of(Facts(), inside(), TODAY).system
    assert (debian.name, debian.support.standing) == ("Debian GNU/Linux 12 (bookworm)", Standing.LONG_TERM)
    assert [(end.kind, end.day, end.days) for end in debian.support.ends] == [
        ("regular", date(2026, 7, 11), -133),
        ("long_term", date(2028, 6, 30), 587),
    ]
    assert (kernel.version, kernel.support.standing) == ("6.1.0-40-amd64", Standing.FOLLOWS)


@pytest.mark.parametrize(
    ("release", "today", "standing"),
    [
        ("ID=debian\nVERSION_ID=12", date(2026, 7, 11), Standing.SUPPORTED),
        ("ID=debian\nVERSION_ID=12", date(2026, 7, 12), Standing.LONG_TERM),
        ("ID=debian\nVERSION_ID=12", date(2028, 6, 1), Standing.SOON),
        ("ID=debian\nVERSION_ID=12", date(2028, 6, 30), Standing.SOON),
        ("ID=debian\nVERSION_ID=12", date(2028, 7, 1), Standing.ENDED),
        ("ID=raspbian\nVERSION_ID=12", date(2028, 7, 1), Standing.ENDED),
        ("ID=ubuntu\nVERSION_ID=20.04", TODAY, Standing.PAID),
        ("ID=arch", TODAY, Standing.UNKNOWN),
    ],
)  # fmt: skip
def test_how_a_system_stands(release: str, today: date, standing: Standing) -> None:
    found = inventory_of(Facts(), inside(release=release), today)
    assert found.system[0].support.standing is standing
    packaged = by_name(found.stack)["nginx"].support.standing
    assert packaged is (standing if standing in {Standing.ENDED, Standing.PAID} else Standing.FOLLOWS)


def test_the_fediverse_software_and_its_fork() -> None:
    outside, image = inventory_of(facts(*SEEN), inside(), TODAY).software
    assert (outside.name, outside.version, outside.detail) == ("Mastodon", "4.4.2+glitch", "glitch")
    assert (outside.source, outside.support.standing) == (Source.OUTSIDE, Standing.SOON)
    assert (image.version, image.source, image.detail) == (
        "v4.4.2",
        Source.IMAGE,
        "tootsuite/mastodon:v4.4.2",
    )
    assert "mastodon" not in by_name(inventory_of(Facts(), inside(), TODAY).others)
    strange = inventory_of(Facts(), inside(docker="== ps\naa\tweb\texample/sharkey:2026.1.0\t"), TODAY)
    assert [(one.name, one.source) for one in strange.software] == [("Sharkey", Source.IMAGE)]
    sharkey = Software("sharkey", "misskey", "2026.1.0", "")
    assert inventory_of(facts(sharkey), None, TODAY).software[0].detail == "misskey"


def test_from_outside_only_what_strangers_are_told() -> None:
    found = inventory_of(facts(*SEEN), None, TODAY)
    assert not (found.system or found.stack or found.others or found.unread)
    told = [(one.name, one.version, one.detail) for one in found.outside]
    assert told == [
        ("nginx", "1.22.1", "HTTP server"),
        ("1.1 Caddy", "", "HTTP via"),
        ("OpenSSH", "9.2p1 Debian-2+deb12u7", "SSH 22"),
    ]


def test_what_could_not_be_read_is_said() -> None:
    cut = report(release=RELEASE)
    found = inventory_of(Facts(), cut, TODAY)
    assert found.unread == Missing(Reason.NOT_ASKED, "section versions") and found.system
    assert inventory_of(Facts(), inside(docker="== ps denied"), TODAY).images_hidden


@pytest.mark.parametrize("name", ["bookworm_root", "bookworm_user"])
def test_a_real_report_gives_a_whole_list(name: str) -> None:
    text = (Path(reports.__file__).parent / "samples" / f"{name}.txt").read_bytes()
    found = inventory_of(Facts(), parse_report(text, datetime(2026, 11, 21, tzinfo=UTC)), TODAY)
    assert found.system[0].name.startswith("Debian GNU/Linux 12")
    assert len(found.stack) + len(found.others) > 3 and found.unread is None


# The page


def scan(instance: Instance, *found: Fact, days_ago: int = 0, reason: str = "scheduled") -> None:
    at = timezone.now() - timedelta(days=days_ago)
    Scan.objects.create(
        instance=instance, state="done", reason=reason, finished_at=at, facts=encode_facts(facts(*found))
    )


def text(client: Client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def connect(instance: Instance) -> None:
    SshAccess.objects.create(instance=instance, sealed_key="x", public_key="y", host_key="ssh-ed25519 AAAA")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_shows_all_of_it(as_bob: Client, instance: Instance, language: str) -> None:
    as_bob.cookies["language"] = language
    connect(instance)
    scan(instance, *SEEN, inside())
    page = text(as_bob)
    for part in (
        "Debian GNU/Linux 12 (bookworm)",
        "16.10-1.pgdg120+1",
        "redis:6.0-alpine",
        "glitch",
        "9.2p1 Debian",
    ):
        assert part in page, part
    assert page.count("<table") == 5


def test_where_nothing_is_connected_the_next_step_is_said(
    as_alice: Client, as_bob: Client, instance: Instance
) -> None:
    scan(instance, *SEEN)
    page = text(as_alice)
    assert "cannot be seen from outside" in page and "Connect over SSH</a>" in page and "nginx" in page
    assert "An editor of the team can connect it." in text(as_bob)
    connect(instance)
    assert "no login has brought a report yet" in text(as_alice)


def test_before_the_first_scan_it_says_so(as_alice: Client, instance: Instance) -> None:
    assert "after the first scan" in text(as_alice)
    Scan.objects.create(instance=instance, state="failed", reason="first", error="broke off")
    Scan.objects.create(instance=instance, state="done", reason="scheduled", facts={"schema": 99})
    assert text(as_alice)


def test_the_last_report_stays_with_its_date(as_alice: Client, instance: Instance) -> None:
    connect(instance)
    scan(instance, *SEEN, inside(), days_ago=3)
    scan(instance, *SEEN)
    scan(instance, Software("mastodon", "mastodon", "9.9.9", "9.9.9"), reason="item")  # no whole look
    page = text(as_alice)
    assert "older than the rest" in page and "Debian GNU/Linux 12" in page and "9.9.9" not in page
    assert 'datetime="2026-11-21T08:00:00+00:00"' in page  # when the server was read
    SshAccess.objects.all().delete()
    assert "not connected any more" in text(as_alice)


def test_strangers_see_nothing(as_charlie: Client, instance: Instance) -> None:
    scan(instance, inside())
    assert as_charlie.get(PAGE).status_code == 404


def test_queries_stay_the_same(as_alice: Client, instance: Instance) -> None:
    connect(instance)
    scan(instance, *SEEN)
    with CaptureQueriesContext(connection) as few:
        text(as_alice)
    for number in range(5):
        scan(instance, *SEEN, inside(), days_ago=number + 1)
    with CaptureQueriesContext(connection) as many:
        text(as_alice)
    assert len(many) <= len(few)


def test_what_a_server_calls_itself_is_text(as_alice: Client, instance: Instance) -> None:
    evil = "<script>alert(1)</script>\x1b"
    page = Page("https://social.example/", 200, (("server", evil),), "")
    scan(instance, FrontPage(page), inside(release=f"ID=debian\nPRETTY_NAME={evil}"))
    shown = as_alice.get(PAGE).content.decode()
    assert "<script>alert" not in shown and "\x1b" not in shown
