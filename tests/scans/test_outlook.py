"""A machine without a network claims nothing, judges nothing, and tells of it once, when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from checks.probes import Gathered, Progress
from checks.target import Target, Vantage
from fedisec.alerts.management.commands.runner import next_job
from fedisec.alerts.models import MailKind, Notice
from fedisec.scans import anchors, banners, outlook
from fedisec.scans.anchors import RESOLVER, Anchors
from fedisec.scans.models import ItemState, Outlook, Scan
from fedisec.scans.queue import queue_scan
from fedisec.scans.run import run_scan
from tests.factories import a_recorded_scan, a_user, an_instance
from tests.fakes import facts, no_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_items")]
looks = pytest.mark.django_db(transaction=True)  # the heartbeat of a look is another connection

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
A, B = "192.0.2.1:53", "192.0.2.2:443"
ALL = {RESOLVER, A, B}


class Network:
    """Which anchors answer, and how often they were asked."""

    def __init__(self) -> None:
        self.up: set[str] = set(ALL)
        self.asked = 0

    def ask(self, found: Anchors) -> dict[str, bool]:
        self.asked += 1
        return {name: name in self.up for name in (RESOLVER, *found.shown)}


@pytest.fixture
def network(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    settings.ANCHORS = (("192.0.2.1", 53), ("192.0.2.2", 443))
    made = Network()
    monkeypatch.setattr(outlook, "ask", made.ask)
    outlook.forget()
    yield made
    outlook.forget()


def later(minutes: float) -> datetime:
    """Another process, that much later."""
    outlook.forget()
    return NOW + timedelta(minutes=minutes)


# The rule.


@pytest.mark.parametrize(
    ("answers", "counted", "online"),
    [
        (ALL, ALL, True),
        ({RESOLVER, A}, ALL, True),
        ({RESOLVER}, ALL, False),
        ({A, B}, ALL, False),  # no look is worth anything without the resolver
        (set(), ALL, False),
        ({RESOLVER, A}, {RESOLVER, A}, True),
        ({RESOLVER}, {RESOLVER, A}, False),
        ({RESOLVER}, {RESOLVER}, True),
        (set(), {RESOLVER}, False),
    ],
)
def test_the_resolver_and_one_more_must_answer(answers: set[str], counted: set[str], online: bool) -> None:
    assert outlook.is_online(dict.fromkeys(answers, True), counted) is online


def test_without_anchors_the_guard_is_off(settings: Settings) -> None:
    settings.ANCHORS = None
    assert outlook.sees() and outlook.saw(NOW) and outlook.blind(NOW) is None
    assert not Outlook.objects.exists()


# How often is asked.


def test_an_answer_holds_for_a_minute_and_is_shared_by_the_processes_of_a_machine(network: Network) -> None:
    assert outlook.sees(NOW) and outlook.sees(NOW)
    assert outlook.sees(later(0.9))
    assert network.asked == 1
    assert outlook.sees(later(1.1))
    assert network.asked == 2


def test_what_is_silent_is_asked_twice_before_it_counts(network: Network) -> None:
    network.up = set()
    assert not outlook.sees(NOW)
    assert network.asked == 2
    assert not outlook.sees(later(0.1))
    assert network.asked == 2, "asked again within ten seconds"
    assert not outlook.sees(later(0.2))
    assert network.asked == 3


def test_a_clock_that_was_set_back_does_not_keep_an_old_answer(network: Network) -> None:
    assert outlook.sees(NOW)
    network.up = set()
    assert not outlook.sees(later(-24 * 60))
    assert Outlook.objects.get().offline_since == later(-24 * 60)


def test_anchors_that_nobody_chose_count_once_they_were_heard(network: Network, settings: Settings) -> None:
    settings.ANCHORS = ()
    network.up = {RESOLVER}  # a firewall that lets out no DNS but the resolver's
    assert outlook.sees(NOW)
    network.up = {RESOLVER, *Anchors().shown}
    assert outlook.sees(later(2))
    network.up = {RESOLVER}
    assert not outlook.sees(later(4))


# Scans.


def test_nothing_is_claimed_while_offline(network: Network) -> None:
    network.up = {A}
    queue_scan(an_instance(), "first")
    scan = Scan.objects.get()
    run_scan(scan.pk)
    waiting = Scan.objects.get()
    assert (waiting.state, waiting.attempt, waiting.started_at) == ("queued", 0, None)
    assert next_job() is None


@looks
def test_bad_news_is_not_believed_when_the_network_went_meanwhile(
    network: Network, settings: Settings
) -> None:
    settings.GATHER = "tests.scans.test_outlook.sees_a_fault"
    instance = an_instance()
    a_recorded_scan(instance, facts(lock="pass"), timezone.now() - timedelta(days=1))
    Scan.objects.all().delete()
    queue_scan(instance, "scheduled")
    assert outlook.sees()
    network.up = set()
    run_scan(Scan.objects.get().pk)
    waiting = Scan.objects.get()
    assert (waiting.state, waiting.attempt, waiting.token, waiting.error) == ("queued", 0, "", "")
    assert ItemState.objects.get(item_id="fake.lock").status == "pass"
    assert Outlook.objects.get().held_back == 1


@looks
def test_bad_news_is_believed_while_the_anchors_answer(network: Network, settings: Settings) -> None:
    settings.GATHER = "tests.scans.test_outlook.sees_a_fault"
    instance = an_instance()
    a_recorded_scan(instance, facts(lock="pass"), timezone.now() - timedelta(days=1))
    Scan.objects.all().delete()
    queue_scan(instance, "scheduled")
    run_scan(Scan.objects.get(state="queued").pk)
    assert ItemState.objects.get(item_id="fake.lock").status == "fail"
    assert network.asked == 2


@looks
def test_a_look_that_saw_nothing_asks_the_anchors(network: Network, settings: Settings) -> None:
    settings.GATHER = "tests.scans.test_outlook.sees_nothing"
    queue_scan(an_instance(), "first")
    assert outlook.sees()
    network.up = set()
    run_scan(Scan.objects.get().pk)
    assert Scan.objects.get().state == "queued"
    assert not ItemState.objects.exists()


@looks
def test_good_news_asks_nobody(network: Network, settings: Settings) -> None:
    settings.GATHER = "tests.scans.test_outlook.sees_no_fault"
    queue_scan(an_instance(), "first")
    run_scan(Scan.objects.get().pk)
    assert Scan.objects.get().state == "done"
    assert network.asked == 1


def test_a_look_through_an_outage_that_is_over_is_not_believed(network: Network) -> None:
    network.up = set()
    outlook.sees()
    network.up = ALL
    assert not outlook.saw(timezone.now())
    assert outlook.saw(timezone.now())


async def sees_a_fault(target: Target, vantage: Vantage, *, progress: Progress) -> Gathered:
    return Gathered(facts(lock="fail"), {})


async def sees_no_fault(target: Target, vantage: Vantage, *, progress: Progress) -> Gathered:
    return Gathered(facts(), {})


async def sees_nothing(target: Target, vantage: Vantage, *, progress: Progress) -> Gathered:
    return Gathered(no_facts(), {})


# Telling.


def test_operators_are_told_once_when_it_is_over(network: Network) -> None:
    operator = a_user(is_superuser=True)
    a_user()
    for _ in range(3):
        queue_scan(an_instance(), "scheduled", now=NOW)
    network.up = set()
    assert not outlook.sees(NOW)
    assert not outlook.sees(later(30))
    assert not Notice.objects.exists()
    network.up = ALL
    assert outlook.sees(later(61))
    assert outlook.sees(later(63))
    notice = Notice.objects.get()
    assert (notice.kind, notice.user) == (MailKind.OUTAGE, operator)
    assert notice.data == {
        "what": "offline",
        "host": outlook.host(),
        "since": NOW.isoformat(),
        "until": later(61).isoformat(),
        "waited": 3,
        "dropped": 0,
    }


def test_each_outage_and_each_machine_has_its_notice(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_user(is_superuser=True)
    for name in ("one", "two"):
        monkeypatch.setattr(outlook, "host", lambda name=name: name)
        for minutes in (0, 20):
            network.up = set()
            outlook.sees(later(minutes))
            network.up = ALL
            outlook.sees(later(minutes + 10))
    assert Notice.objects.count() == 4


def test_of_two_processes_that_see_the_end_one_tells(network: Network) -> None:
    a_user(is_superuser=True)
    network.up = set()
    outlook.sees(NOW)
    seen = Outlook.objects.get()
    outlook._back(seen, later(5), {})
    outlook._back(seen, later(6), {})
    assert Notice.objects.count() == 1


def test_who_asked_earlier_and_heard_nothing_does_not_overrule_who_asked_later(network: Network) -> None:
    assert outlook.sees(NOW)
    row = Outlook.objects.get()
    outlook._gone(row, NOW - timedelta(seconds=3), {})
    assert Outlook.objects.get().offline_since is None


def test_the_outage_of_a_machine_that_asks_no_more_ends_with_its_last_word(network: Network) -> None:
    a_user(is_superuser=True)
    network.up = set()
    outlook.sees(NOW)
    outlook.tick(later(50))
    assert not Notice.objects.exists()
    outlook.tick(later(61))
    outlook.tick(later(61))
    assert Notice.objects.get().data["until"] == NOW.isoformat()


def test_pages_hear_of_it_while_it_lasts(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outlook.sees(NOW)
    assert outlook.blind(NOW) is None
    network.up = set()
    outlook.sees(later(2))
    found = outlook.blind(later(3))
    assert found == outlook.Blind(later(2), (outlook.host(),), everywhere=True)
    network.up = ALL
    monkeypatch.setattr(outlook, "host", lambda: "another")
    outlook.sees(later(3))
    now_one = outlook.blind(later(4))
    assert now_one is not None and not now_one.everywhere
    assert outlook.blind(later(20)) is None, "nobody was heard for long"


def test_a_page_costs_no_query_within_half_a_minute(
    network: Network, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    outlook.sees()
    with django_assert_num_queries(1):  # type: ignore[operator]
        outlook.blind()
        outlook.blind()


def test_a_banner_says_since_when(
    network: Network, monkeypatch: pytest.MonkeyPatch, rf: RequestFactory
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: later(3))
    assert banners.blind(rf.get("/")) == []
    network.up = set()
    outlook.sees(later(2))
    ((level, text, _),) = banners.blind(rf.get("/"))
    assert level == "error"
    assert text.startswith("fedisec itself has had no network since 21 Nov 2026, 12:02")


def test_a_missing_anchor_makes_the_view_patchy(network: Network) -> None:
    outlook.sees(NOW)
    assert not outlook.is_patchy(NOW)
    network.up = {RESOLVER, A}
    assert outlook.sees(later(2))
    assert outlook.is_patchy(later(2))


# The real thing.


@pytest.mark.lab
def test_anchors_are_really_asked(lab: object, settings: Settings) -> None:
    settings.RESOLVER, settings.ALLOW_NETWORKS = "127.66.0.53", ("127.66.0.0/16", "fd66::/64")
    found = Anchors(
        ports=(("127.66.0.54", 53), ("127.66.0.54", 9), ("good.fedi.test", 443), ("no.fedi.test", 1))
    )
    assert anchors.ask(found) == {
        RESOLVER: True,
        "127.66.0.54:53": True,
        "127.66.0.54:9": False,
        "good.fedi.test:443": True,
        "no.fedi.test:1": False,
    }


@pytest.mark.lab
def test_an_address_that_the_operator_wrote_may_be_private_a_name_may_not_lead_to_one(
    lab: object, settings: Settings
) -> None:
    settings.RESOLVER, settings.ALLOW_NETWORKS = "127.66.0.53", ()
    found = Anchors(names=("good.fedi.test",), ports=(("127.66.0.54", 53), ("good.fedi.test", 443)))
    assert anchors.ask(found) == {RESOLVER: True, "127.66.0.54:53": True, "good.fedi.test:443": False}


def test_no_resolver_is_silence(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "WITHIN_S", 0.3)
    settings.RESOLVER = "127.66.0.99"
    assert anchors.ask(Anchors(ports=(("127.66.0.98", 53),))) == {RESOLVER: False, "127.66.0.98:53": False}
