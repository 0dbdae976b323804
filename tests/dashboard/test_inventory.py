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
from fedisec.accounts.models import AuditEvent
from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan
from fedisec.watch import stock
from fedisec.watch.inventory import inventory_of
from fedisec.watch.parts import Source, Stated
from fedisec.watch.placing import Placed, Standing
from fedisec.watch.stock_models import Stated as Line
from fedisec.watch.stock_models import Stock
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


def by_name(entries: tuple[Placed, ...]) -> dict[str, Placed]:
    return {entry.part.title: entry for entry in entries}


def facts(*found: Fact) -> Facts:
    return Facts().with_facts(*found)


def test_each_program_has_its_version_its_source_and_its_end() -> None:
    found = inventory_of(facts(*SEEN), inside(), TODAY)
    stack = by_name(found.stack)
    told = {name: (one.part.version, one.part.source, one.support.standing) for name, one in stack.items()}
    assert told == {
        "nginx": ("1.22.1", Source.DISTRIBUTION, Standing.FOLLOWS),
        "PostgreSQL": ("16.10", Source.VENDOR, Standing.SUPPORTED),
        "Node.js": ("20.19.2", Source.BUILD, Standing.ENDED),
        "Redis": ("6.0", Source.IMAGE, Standing.ENDED),
    }
    assert stack["PostgreSQL"].part.detail == "16.10-1.pgdg120+1"
    assert stack["Redis"].part.detail == "redis:6.0-alpine"
    assert (stack["Node.js"].support.goes_to, stack["PostgreSQL"].support.goes_to) == ("26.7.0", "")
    assert [one.part.title for one in found.near] == ["Redis", "Node.js", "Mastodon", "Mastodon"]
    (end,) = stack["PostgreSQL"].support.ends
    assert (end.day, end.days) == (date(2028, 11, 9), 719)
    others = by_name(found.others)
    assert (
        others["sudo"].part.source is Source.DISTRIBUTION
        and others["FFmpeg"].support.standing is Standing.UNKNOWN
    )


def test_regular_and_long_term_support_stand_apart() -> None:
    debian, kernel = inventory_of(Facts(), inside(), TODAY).system
    assert (debian.part.title, debian.support.standing) == (
        "Debian GNU/Linux 12 (bookworm)",
        Standing.LONG_TERM,
    )
    assert [(end.kind, end.day, end.days) for end in debian.support.ends] == [
        ("regular", date(2026, 7, 11), -133),
        ("long_term", date(2028, 6, 30), 587),
    ]
    assert debian.support.goes_to == "13"
    assert (kernel.part.version, kernel.support.standing) == ("6.1.0-40-amd64", Standing.FOLLOWS)


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
    assert (outside.part.title, outside.part.version, outside.part.detail) == (
        "Mastodon",
        "4.4.2+glitch",
        "glitch",
    )
    assert (outside.part.source, outside.support.standing) == (Source.OUTSIDE, Standing.SOON)
    assert outside.support.goes_to == "4.7.3"
    assert (image.part.version, image.part.source, image.part.detail) == (
        "4.4.2",
        Source.IMAGE,
        "tootsuite/mastodon:v4.4.2",
    )
    assert "Mastodon" not in by_name(inventory_of(Facts(), inside(), TODAY).others)
    strange = inventory_of(Facts(), inside(docker="== ps\naa\tweb\texample/sharkey:2026.1.0\t"), TODAY)
    assert [(one.part.title, one.part.source) for one in strange.software] == [("Sharkey", Source.IMAGE)]
    sharkey = Software("sharkey", "misskey", "2026.1.0", "")
    (found,) = inventory_of(facts(sharkey), None, TODAY).software
    assert (found.part.detail, found.support.standing) == ("misskey", Standing.UNKNOWN)


def test_what_comes_with_the_software_is_its_projects_to_renew() -> None:
    found = inventory_of(Facts(), inside(versions=VERSIONS + "\nrails 8.0.4"), TODAY)
    rails = by_name(found.stack)["Ruby on Rails"]
    assert (rails.support.standing, rails.support.ends[0].days) == (Standing.COMES, -14)
    assert "Ruby on Rails" not in by_name(found.near)


def test_from_outside_only_what_strangers_are_told() -> None:
    found = inventory_of(facts(*SEEN), None, TODAY)
    assert not (found.system or found.stack or found.others or found.unread)
    told = [(one.name, one.title, one.version, one.detail) for one in found.outside]
    assert told == [
        ("nginx", "nginx", "1.22.1", "HTTP server"),
        ("", "1.1 Caddy", "", "HTTP via"),
        ("openssh", "OpenSSH", "9.2p1 Debian-2+deb12u7", "SSH 22"),
    ]


def test_a_line_by_hand_is_judged_by_those_who_make_the_product() -> None:
    lines = [
        Stated("postgresql", "14.19", TODAY),
        Stated("debian", "11.9", TODAY),
        Stated("gopher", "1", TODAY),
    ]
    found = inventory_of(Facts(), None, TODAY, stated=lines)
    assert [(one.part.title, one.support.standing, one.support.goes_to) for one in found.by_hand] == [
        ("PostgreSQL", Standing.ENDED, "18.6"),
        ("Debian", Standing.ENDED, "12"),
        ("gopher", Standing.UNKNOWN, ""),
    ]
    assert not found.system and not found.stack, "each stands once"


def test_what_could_not_be_read_is_said() -> None:
    cut = report(release=RELEASE)
    found = inventory_of(Facts(), cut, TODAY)
    assert found.unread == Missing(Reason.NOT_ASKED, "section versions") and found.system
    assert inventory_of(Facts(), inside(docker="== ps denied"), TODAY).images_hidden


@pytest.mark.parametrize("name", ["bookworm_root", "bookworm_user"])
def test_a_real_report_gives_a_whole_list(name: str) -> None:
    text = (Path(reports.__file__).parent / "samples" / f"{name}.txt").read_bytes()
    found = inventory_of(Facts(), parse_report(text, datetime(2026, 11, 21, tzinfo=UTC)), TODAY)
    assert found.system[0].part.title.startswith("Debian GNU/Linux 12")
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
    assert page.count("<table") == 5 and "go to 4.7.3" in page if language == "en" else "<table" in page


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


# By hand


def write(client: Client, product: str, version: str) -> int:
    return client.post(PAGE, {"product": product, "version": version}).status_code


def code_of(instance: Instance) -> str:
    return ItemState.objects.get(instance=instance, item_id="updates.inventory_known").code


def test_a_list_by_hand_settles_the_item_and_counts_for_news(as_alice: Client, scanned: Instance) -> None:
    for product, version in (("Debian", "13"), ("nginx", "v1.26.3"), (" postgreSQL ", "17.2")):
        assert write(as_alice, product, version) == 302
    assert code_of(scanned) == "by_hand_partly"
    assert write(as_alice, "Ruby", "3.4.7") == 302
    assert code_of(scanned) == "by_hand"
    parts = {row[1]: (row[2], row[3]) for row in Stock.objects.get().parts}
    assert parts == {name: (version, "hand") for name, version in
                     (("debian", "13"), ("nginx", "1.26.3"), ("postgresql", "17.2"), ("ruby", "3.4.7"))}  # fmt: skip
    page = text(as_alice)
    assert "alice@example.org" in page and "PostgreSQL" in page and "Still so" in page
    actions = AuditEvent.objects.filter(action__startswith="inventory.").order_by("pk")
    assert [event.after for event in actions][-2:] == ["PostgreSQL 17.2", "Ruby 3.4.7"]


def test_a_line_is_confirmed_or_removed(as_alice: Client, scanned: Instance) -> None:
    write(as_alice, "MyOwnTool", "1.0")
    (line,) = Line.objects.all()
    assert line.product == "MyOwnTool" and line.valid_until - line.created_at == stock.VALID
    assert as_alice.post(f"{PAGE}{line.pk}/", {"do": "confirm"}).status_code == 302
    again = Line.objects.get(ended_at=None)
    assert again.pk != line.pk and Line.objects.get(pk=line.pk).ended_why == "replaced"
    assert as_alice.post(f"{PAGE}{line.pk}/", {"do": "remove"}).status_code == 302
    assert Line.objects.get(ended_at=None) == again, "that line was another one's already"
    as_alice.post(f"{PAGE}{again.pk}/", {"do": "remove"})
    assert not Line.objects.filter(ended_at=None).exists() and Stock.objects.get().parts == []
    actions = list(AuditEvent.objects.filter(action__startswith="inventory.").order_by("pk"))
    assert [event.action for event in actions] == [
        "inventory.stated",
        "inventory.confirmed",
        "inventory.removed",
    ]


def test_a_line_ends_by_itself_like_an_answer(as_alice: Client, scanned: Instance) -> None:
    for product in ("Debian", "nginx", "PostgreSQL", "Ruby"):
        write(as_alice, product, "1")
    Line.objects.filter(product="ruby").update(valid_until=timezone.now() + timedelta(days=5))
    assert text(as_alice).count("Is it still so?") == 1
    stock.end_old(timezone.now() + timedelta(days=6))
    assert code_of(scanned) == "by_hand_partly" and len(Stock.objects.get().parts) == 3
    assert Line.objects.get(product="ruby").ended_why == "over"
    assert AuditEvent.objects.filter(action="inventory.over", actor_id=None).count() == 1


@pytest.mark.parametrize(
    ("product", "version"), [("", "1"), ("nginx", ""), ("nginx", "newest"), ("nginx", "1 2"), ("x" * 99, "1")]
)
def test_what_is_no_product_or_no_version_comes_back(
    as_alice: Client, scanned: Instance, product: str, version: str
) -> None:
    answer = as_alice.post(PAGE, {"product": product, "version": version})
    assert answer.status_code == 422 and not Line.objects.exists()
    assert 'class="errorlist"' in answer.content.decode()


def test_only_editors_write_and_only_so_much(
    as_alice: Client, as_bob: Client, as_charlie: Client, scanned: Instance
) -> None:
    assert write(as_bob, "nginx", "1.26") == write(as_charlie, "nginx", "1.26") == 404
    assert "Write down" not in text(as_bob)
    now = timezone.now()
    Line.objects.bulk_create(
        Line(instance=scanned, product=f"p{n}", version="1", valid_until=now + stock.VALID)
        for n in range(stock.STATED_MAX)
    )
    assert write(as_alice, "nginx", "1.26") == 422
