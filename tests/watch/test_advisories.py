"""A flaw that is published reaches the item of each instance which runs what it names, and one mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from checks.facts import Facts
from checks.facts.advisories import AdvisoriesKnown
from checks.facts.software import Software
from fedisec.alerts.models import MailKind, Notice, Subscription
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, Incident, ItemState, Scan
from fedisec.scans.run import with_self_facts
from fedisec.watch import advisory_news, fetching
from fedisec.watch.models import Advisory, Form, Offer, Source, SourceKind
from tests.factories import a_recorded_scan, a_subscriber
from tests.watch import advisories as made
from tests.watch.conftest import AddRunner, AddSource
from tests.watch.site import Site

pytestmark = pytest.mark.django_db
ITEM = "updates.software_current"
NEW = "4.99.0"  # of a version that the shipped table knows nothing of
OLD = ("0", "4.2.0")


def _saw(version: str, name: str = "mastodon", family: str = "mastodon", **fields: Any) -> Facts:
    found = Software(name, family, version, fields.pop("base", version), seen_at=timezone.now(), **fields)
    return Facts().with_facts(found)


def _runs(runs: AddRunner, version: str = NEW, **fields: Any) -> Instance:
    """An instance that was looked at and runs that."""
    facts = _saw(version, **{k: fields.pop(k) for k in ("name", "base", "fork", "prerelease") if k in fields})
    instance = runs("mastodon", version, **fields)
    a_recorded_scan(instance, facts)
    return instance


def _state(instance: Instance) -> ItemState:
    return ItemState.objects.get(instance=instance, item_id=ITEM)


def _read(source: Source) -> Source:
    Source.objects.filter(pk=source.pk).update(next_fetch_at=timezone.now())
    fetching.fetch_source(source.pk)
    return Source.objects.get(pk=source.pk)


@pytest.fixture
def osv(web: Site, source: AddSource) -> Source:
    return source(
        "/v1/query", SourceKind.ADVISORIES, form=Form.OSV, asks="Bitnami mastodon", about="mastodon"
    )


@pytest.fixture
def github(web: Site, source: AddSource) -> Source:
    return source("/advisories", SourceKind.ADVISORIES, form=Form.GITHUB, about="mastodon")


def test_a_new_flaw_fails_the_item_at_once_and_is_told_once_for_all_instances(
    web: Site, osv: Source, runs: AddRunner
) -> None:
    first, second = _runs(runs, domain="first.example"), _runs(runs, "4.98.2", domain="second.example")
    other = _runs(runs, "4.100.0", domain="newer.example")
    reader = a_subscriber(first, email="reader@example.org")
    second.team.memberships.create(user=reader, role="viewer")
    Subscription.objects.create(user=reader, instance=second)
    a_subscriber(other, email="other@example.org")
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD)))
    _read(osv)
    assert not Notice.objects.exists() and _state(first).settled in {"pass", "warn"}

    flaw = made.osv_entry("BIT-2", ("4.90.0", "4.99.1"), aliases=["CVE-2026-99999"])
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD), flaw))
    _read(osv)
    state = _state(first)
    assert (state.status, state.settled, state.code) == ("fail", "fail", "vulnerable")
    assert (state.data["severity"], state.data["by"], state.data["fixed"]) == (
        "critical",
        "Bitnami",
        "4.99.1",
    )
    assert "CVE-2026-99999 (critical, CVSS 3.1 9.8 by the vector of Bitnami)" in state.evidence[0][1]
    assert _state(second).settled == "fail" and _state(other).settled != "fail"
    notice = Notice.objects.get()
    assert notice.kind == MailKind.NEWS and notice.user == reader and notice.data["kind"] == "advisory"
    assert [row["domain"] for row in notice.data["instances"]] == ["first.example", "second.example"]
    assert notice.data["rated"] == ["critical", "Bitnami", "3.1", "9.8"] and notice.data["fixed"] == [
        "4.99.1"
    ]

    # The fall is listed, opens an incident and is told by nothing else, now or at the next look.
    change = Change.objects.get(instance=first, kind="regressed")
    assert change.processed_at is not None and Incident.objects.filter(closed_at=None).count() == 2
    a_recorded_scan(first, with_self_facts(_saw(NEW), first), at=timezone.now() + timedelta(minutes=10))
    assert (
        _state(first).settled == "fail"
        and Change.objects.filter(instance=first, kind="regressed").count() == 1
    )
    _read(osv)
    assert Notice.objects.count() == 1

    # Its end is told.
    for minutes in (20, 30):
        at = timezone.now() + timedelta(minutes=minutes)
        a_recorded_scan(first, with_self_facts(_saw("4.99.1"), first), at=at)
    ended = Change.objects.get(instance=first, kind="recovered")
    assert ended.processed_at is None and not Incident.objects.filter(instance=first, closed_at=None).exists()


def test_who_reads_no_warnings_hears_of_the_fall_after_a_second_look(
    web: Site, osv: Source, runs: AddRunner
) -> None:
    instance = _runs(runs, follow_sources=False)
    a_subscriber(instance)
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD)))
    _read(osv)
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD), made.osv_entry("BIT-2", ("0", "4.99.1"))))
    _read(osv)
    state = _state(instance)
    assert (state.status, state.candidate) == ("fail", "fail") and state.settled != "fail"
    assert not Notice.objects.exists()
    assert Scan.objects.filter(instance=instance, reason="confirm").exists()


def test_what_the_first_reading_brings_is_judged_but_is_no_news(
    web: Site, osv: Source, runs: AddRunner
) -> None:
    instance = _runs(runs)
    a_subscriber(instance)
    web.say("/v1/query", made.osv(made.osv_entry("BIT-2", ("0", "4.99.1"))))
    _read(osv)
    assert _state(instance).status == "fail" and not Notice.objects.exists()


def test_a_second_source_of_the_same_flaw_is_no_news(
    web: Site, osv: Source, github: Source, runs: AddRunner
) -> None:
    instance = _runs(runs)
    a_subscriber(instance)
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD)))
    web.say("/advisories", made.github(made.github_entry("GHSA-aaaa-bbbb-cccc", "< 4.2.0")))
    _read(osv), _read(github)
    flaw = made.osv_entry("BIT-2", ("0", "4.99.1"), aliases=["CVE-2026-99999"])
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD), flaw))
    _read(osv)
    theirs = made.github_entry("GHSA-dddd-eeee-ffff", "< 4.99.1", cve_id="CVE-2026-99999")
    web.say("/advisories", made.github(theirs, made.github_entry("GHSA-aaaa-bbbb-cccc", "< 4.2.0")))
    _read(github)
    assert Notice.objects.count() == 1 and _state(instance).data["count"] == 1
    assert "GHSA-dddd-eeee-ffff" in _state(instance).evidence[0][1], "the makers' own page is named"


def test_a_flaw_whose_versions_have_no_end_warns_and_does_not_fail(
    web: Site, github: Source, runs: AddRunner
) -> None:
    instance = _runs(runs)
    entries = [
        made.github_entry("GHSA-aaaa-bbbb-cccc", ">= 4.90.0"),
        made.github_entry("GHSA-dddd-eeee-ffff", "all of 4.x", "<= 4.99.0"),
    ]
    web.say("/advisories", made.github(*entries))
    _read(github)
    assert (_state(instance).status, _state(instance).code, _state(instance).data["count"]) == (
        "warn", "maybe_vulnerable", 2,
    )  # fmt: skip
    assert "versions inferred" in _state(instance).evidence[0][1]


def test_a_fork_is_warned_unless_it_follows_its_upstream(web: Site, osv: Source, runs: AddRunner) -> None:
    glitch = _runs(runs, "4.99.0+glitch", base="4.99.0", fork="glitch")
    hometown = _runs(runs, "4.99.0+hometown-1.2", base="4.99.0", fork="hometown")
    nightly = _runs(runs, "4.99.0-nightly.2026-11-20", base="4.99.0", prerelease=True)
    web.say("/v1/query", made.osv(made.osv_entry("BIT-2", ("0", "4.99.1"))))
    _read(osv)
    assert _state(glitch).status == "fail" and _state(hometown).code == "maybe_vulnerable"
    assert _state(nightly).code == "prerelease"


def test_what_is_withdrawn_takes_its_fail_away(web: Site, osv: Source, runs: AddRunner) -> None:
    instance = _runs(runs)
    flaw = made.osv_entry("BIT-2", ("0", "4.99.1"))
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD), flaw))
    _read(osv)
    assert _state(instance).status == "fail"
    # OSV leaves a withdrawn entry out of its answers, and still tells of it by its name.
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD)))
    web.say("/v1/vulns/BIT-2", b"busy", 503)
    assert _read(osv).error_reason == "http_503"
    assert _state(instance).status == "fail", "nothing was said of it"
    web.say("/v1/vulns/BIT-2", made.osv_entry_text(flaw))
    assert _read(osv).last_error == "" and _state(instance).status == "fail", "it stands there as ever"
    web.say("/v1/vulns/BIT-2", made.osv_entry_text({**flaw, "withdrawn": "2026-11-22T00:00:00Z"}))
    _read(osv)
    assert Advisory.objects.get(name="BIT-2").withdrawn and _state(instance).status != "fail"


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        (made.osv(), "empty"),
        (made.osv(made.osv_entry("BIT-9", OLD)), "vanished"),
        (made.osv(*(made.osv_entry(f"BIT-{n}", OLD, withdrawn="2026-11-20T00:00:00Z") for n in range(4))), "vanished"),
        (made.osv(*(made.osv_entry(f"BIT-{n}", OLD) for n in range(4)), made.osv_entry("BIT-5", ("0", "9.0.0"))), "leap"),
        (made.osv(*(made.osv_entry(f"BIT-{n}", OLD) for n in range(4)),
                  made.osv_entry("BIT-5", OLD, published="2030-01-01T00:00:00Z")), "future"),
    ],
)  # fmt: skip
def test_an_implausible_answer_is_held(
    web: Site, osv: Source, runs: AddRunner, answer: str, held: str
) -> None:
    _runs(runs)
    web.say("/v1/query", made.osv(*(made.osv_entry(f"BIT-{n}", OLD) for n in range(4))))
    _read(osv)
    web.say("/v1/query", answer)
    found = _read(osv)
    assert found.held == held and Advisory.objects.filter(withdrawn=False).count() == 4
    Source.objects.update(believe=True)
    assert not _read(osv).held and not Source.objects.get().believe


def test_pages_are_read_to_their_end_and_an_unchanged_list_is_not_sent_again(
    web: Site, osv: Source, github: Source, runs: AddRunner
) -> None:
    _runs(runs)
    web.say("/advisories", made.github(made.github_entry("GHSA-aaaa-bbbb-cccc", "< 4.2.0")), ETag='"1"')
    web.replies["/advisories"].headers["Link"] = (
        f'<{web.url("/advisories?page=2")}>; rel="next", <x>; rel="last"'
    )
    web.say("/advisories?page=2", made.github(made.github_entry("GHSA-dddd-eeee-ffff", "< 4.1.0")))
    assert _read(github).etag == '"1"' and Advisory.objects.count() == 2
    _read(github)
    assert [asked.path for asked in web.asked] == ["/advisories", "/advisories?page=2", "/advisories"]
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD), token="t1"))
    assert _read(osv).error_reason == "" and b'"page_token": "t1"' in web.asked[-1].body


def test_the_next_page_may_not_lie_elsewhere(web: Site, github: Source, runs: AddRunner) -> None:
    _runs(runs)
    web.say("/advisories", made.github(made.github_entry("GHSA-aaaa-bbbb-cccc", "< 4.2.0")))
    web.replies["/advisories"].headers["Link"] = '<https://elsewhere.example/>; rel="next"'
    assert _read(github).error_reason == "malformed" and not Advisory.objects.exists()


def test_a_used_up_hour_is_waited_for(web: Site, github: Source, runs: AddRunner) -> None:
    _runs(runs)
    reset = int(timezone.now().timestamp()) + 1800
    web.say("/advisories", b"{}", 403)
    web.replies["/advisories"].headers |= {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
    found = _read(github)
    assert found.error_reason == "http_403" and found.next_fetch_at and found.fetched_at
    assert (found.next_fetch_at - found.fetched_at).total_seconds() == pytest.approx(1800, abs=5)


def test_what_the_makers_call_urgent_fails(web: Site, source: AddSource, runs: AddRunner) -> None:
    asked = source("/check", SourceKind.ADVISORIES, form=Form.OFFERS, about="mastodon")
    old, new = _runs(runs, "4.99.0"), _runs(runs, "4.99.1")
    web.say("/check?version=4.99.0", made.offers(("4.99.1", True, "patch"), ("5.0.0", False, "major")))
    web.say("/check?version=4.99.1", made.offers(("5.0.0", False, "major")))
    _read(asked)
    assert Offer.objects.count() == 2
    assert (_state(old).status, _state(old).code, _state(old).data["latest"]) == (
        "fail",
        "urgent_update",
        "4.99.1",
    )
    assert _state(new).status != "fail"
    web.say("/check?version=4.99.0", "<html>")
    assert _read(asked).error_reason == "malformed" and Offer.objects.count() == 2


def test_a_scan_is_told_what_may_concern_the_version_and_no_more(
    web: Site, osv: Source, runs: AddRunner
) -> None:
    instance = _runs(runs)
    web.say("/v1/query", made.osv(made.osv_entry("BIT-1", OLD), made.osv_entry("BIT-2", ("0", "4.99.1"))))
    _read(osv)
    known = with_self_facts(_saw(NEW), instance).get(AdvisoriesKnown)
    assert [one.id for one in known.advisories] == ["BIT-2"] and known.as_of and known.sources == 1
    assert AdvisoriesKnown not in with_self_facts(Facts(), instance).found, "nothing was seen to run"
    assert AdvisoriesKnown not in with_self_facts(_saw("1.0", "lemmy", "lemmy"), instance).found


def test_a_clock_weighs_what_a_dead_job_left(web: Site, osv: Source, runs: AddRunner) -> None:
    instance = _runs(runs)
    web.say("/v1/query", made.osv(made.osv_entry("BIT-2", ("0", "4.99.1"))))
    _read(osv)
    Advisory.objects.update(weighed=False, first=False)
    ItemState.objects.update(status="pass", code="current", settled="pass", evidence=[])
    assert advisory_news.weigh(timezone.now()) == 1 and advisory_news.weigh(timezone.now()) == 0
    assert _state(instance).settled == "fail"


def test_old_looks_settle_nothing(web: Site, osv: Source, runs: AddRunner) -> None:
    instance = _runs(runs)
    Scan.objects.update(finished_at=datetime(2026, 1, 1, tzinfo=UTC))
    before = _state(instance).status
    web.say("/v1/query", made.osv(made.osv_entry("BIT-2", ("0", "4.99.1"))))
    _read(osv)
    assert _state(instance).status == before != "fail"


def test_the_page_of_news_names_the_flaws_and_leads_to_the_item(
    web: Site, osv: Source, runs: AddRunner, client: Client
) -> None:
    instance, other = _runs(runs), _runs(runs, "4.100.0")
    web.say("/v1/query", made.osv(made.osv_entry("BIT-2", ("0", "4.99.1"), aliases=["CVE-2026-99999"])))
    _read(osv)
    for one, named in ((instance, True), (other, False)):
        client.force_login(one.created_by)  # type: ignore[arg-type]  # an_instance has one
        page = client.get(f"/instances/{one.address}/news/").content.decode()
        assert ("1 published flaw names what runs here" in page, "CVE-2026-99999" in page) == (named, named)
        assert (f"/instances/{one.address}/items/{ITEM}/" in page) is named
