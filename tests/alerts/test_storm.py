"""Servers that fall together are looked at again before anybody hears of it; one that falls alone is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from fedisec.accounts.models import Membership, Role, Team
from fedisec.alerts import outbox, storm
from fedisec.alerts.models import Delivery, Notice, Subscription
from fedisec.alerts.storm import Fall, Way, held
from fedisec.instances.models import Instance
from fedisec.scans import outlook
from fedisec.scans.models import REACH, Change, Incident, ItemState, Outlook, Reach, Scan
from fedisec.scans.settle import Kind
from tests.factories import a_user

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOCK, BELL = "fake.lock", "fake.bell"


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


# The rule, which is pure.


BAD_LOCK = Way(LOCK, "bad")


def falls(count: int, way: Way = BAD_LOCK, *, first: int = 0, waiting: bool = True) -> list[Fall]:
    return [Fall(n, way, 1000 + n if waiting else None) for n in range(first, first + count)]


@pytest.mark.parametrize(
    ("count", "fine", "stormy"),
    [(5, 0, False), (6, 0, True), (6, 30, False), (7, 30, True), (200, 1000, False), (201, 1000, True)],
)
def test_more_than_five_and_more_than_a_fifth_is_a_storm(count: int, fine: int, stormy: bool) -> None:
    found = held(falls(count), {LOCK: fine}, NOW, {})
    assert found == (dict.fromkeys(range(1000, 1000 + count), NOW + storm.HOLD) if stormy else {})


def test_different_codes_are_different_ways() -> None:
    assert held([*falls(5), *falls(5, Way(LOCK, "odd"), first=5)], {}, NOW, {}) == {}
    assert held([*falls(5), *falls(5, Way(BELL, "bad"), first=5)], {}, NOW, {}) == {}


def test_a_server_that_does_not_answer_is_one_way_whatever_the_code() -> None:
    assert Way.of(REACH, "silent") == Way.of(REACH, "refused")
    assert Way.of(LOCK, "bad") != Way.of(LOCK, "odd")


def test_the_suspected_count_and_are_not_held() -> None:
    found = held([*falls(1), *falls(5, first=1, waiting=False)], {}, NOW, {})
    assert list(found) == [1000]


def test_a_server_counts_once() -> None:
    assert held([*falls(5), *falls(5, waiting=False)], {}, NOW, {}) == {}


def test_what_comes_while_the_storm_is_on_joins_it() -> None:
    end = minutes(40)
    found = held([*falls(1), *falls(1, Way(BELL, "bad"))], {LOCK: 900}, NOW, {Way(LOCK, "bad"): end})
    assert found == {1000: end}


# With a database.


class Fleet:
    """Servers of one team that somebody hears of; all are fine, and were looked at just now."""

    def __init__(self, count: int) -> None:
        self.reader = a_user(email="reader@example.org")
        team = Team.objects.create(name="A fleet")
        Membership.objects.create(team=team, user=self.reader, role=Role.OWNER)
        self.servers = Instance.objects.bulk_create(
            Instance(team=team, domain=f"n{n}.example", next_scan_at=NOW + timedelta(days=1))
            for n in range(count)
        )
        Subscription.objects.bulk_create(Subscription(user=self.reader, instance=one) for one in self.servers)
        Reach.objects.bulk_create(
            Reach(instance=one, status="pass", settled="pass", since=NOW, seen_at=NOW) for one in self.servers
        )
        ItemState.objects.bulk_create(
            ItemState(
                instance=one, item_id=LOCK, status="pass", settled="pass", code="good", since=NOW, seen_at=NOW
            )
            for one in self.servers
        )

    def fall(
        self, servers: Sequence[Instance], at: datetime, item_id: str = REACH, code: str = "silent"
    ) -> None:
        """A confirmed fall of each, as `record` stores it."""
        scans = self._looked(servers, at)
        incidents = Incident.objects.bulk_create(
            Incident(instance=one, item_id=item_id, opened_at=at) for one in servers
        )
        self._states(servers, item_id).update(settled="fail", candidate="", seen_at=at)
        Change.objects.bulk_create(
            Change(
                instance=one, scan=scan, incident=incident, item_id=item_id, kind=Kind.REGRESSED.value,
                before="pass", after="fail", code=code, created_at=at,
            )
            for one, scan, incident in zip(servers, scans, incidents, strict=True)
        )  # fmt: skip

    def suspect(self, servers: Sequence[Instance], at: datetime, item_id: str = REACH) -> None:
        self._states(servers, item_id).update(candidate="fail", candidate_since=at, seen_at=at)

    def rise(self, servers: Sequence[Instance], at: datetime, item_id: str = REACH) -> None:
        """A confirmed recovery of each."""
        scans = self._looked(servers, at)
        self._states(servers, item_id).update(settled="pass", candidate="", seen_at=at)
        for one, scan in zip(servers, scans, strict=True):
            incident = Incident.objects.get(instance=one, item_id=item_id, closed_at=None)
            Incident.objects.filter(pk=incident.pk).update(closed_at=at, closed_by=Kind.RECOVERED.value)
            Change.objects.create(
                instance=one, scan=scan, incident=incident, item_id=item_id, kind=Kind.RECOVERED.value,
                before="fail", after="pass", code="answers", created_at=at,
            )  # fmt: skip

    def still(self, servers: Sequence[Instance], at: datetime, item_id: str = REACH) -> None:
        """Another look sees the same."""
        self._looked(servers, at)
        self._states(servers, item_id).update(seen_at=at)

    def doubt(self, servers: Sequence[Instance], at: datetime, item_id: str = REACH) -> None:
        """Another look sees it well, which a second one has yet to confirm."""
        self.still(servers, at, item_id)
        self._states(servers, item_id).update(candidate="pass", candidate_since=at)

    def _looked(self, servers: Sequence[Instance], at: datetime) -> list[Scan]:
        Scan.objects.filter(instance__in=servers, state="queued").delete()
        return Scan.objects.bulk_create(
            Scan(instance=one, state="done", reason="confirm", started_at=at, finished_at=at)
            for one in servers
        )

    def _states(self, servers: Sequence[Instance], item_id: str):  # type: ignore[no-untyped-def]
        if item_id == REACH:
            return Reach.objects.filter(instance__in=servers)
        return ItemState.objects.filter(instance__in=servers, item_id=item_id)


@pytest.fixture
def fleet(db: None, fake_items: None) -> Fleet:
    return Fleet(40)


def queued() -> list[str]:
    return sorted(Scan.objects.filter(state="queued").values_list("reason", flat=True))


def told() -> int:
    return Notice.objects.count()


def test_a_few_servers_are_told_at_once(fleet: Fleet) -> None:
    fleet.fall(fleet.servers[:5], NOW)
    outbox.tick(NOW)
    assert told() == 5
    assert queued() == []


def test_what_is_no_fall_is_never_held(fleet: Fleet) -> None:
    fleet.fall(fleet.servers[:5], NOW)
    outbox.tick(NOW)
    fleet.rise(fleet.servers[:5], minutes(7))
    outbox.tick(minutes(7))
    assert told() == 10


def test_a_storm_is_held_looked_at_twice_and_told_in_one_mail(fleet: Fleet) -> None:
    down = fleet.servers[:12]
    fleet.fall(down, NOW)
    outbox.tick(NOW)
    outbox.tick(minutes(4.9))
    assert (told(), queued()) == (0, [])
    outbox.tick(minutes(5))
    outbox.tick(minutes(5.1))
    assert (told(), queued()) == (0, ["confirm"] * 12)
    fleet.still(down, minutes(6))
    outbox.tick(minutes(14.9))
    assert (told(), queued()) == (0, [])
    outbox.tick(minutes(15))
    assert (told(), queued()) == (0, ["confirm"] * 12)
    fleet.still(down[:11], minutes(16))
    outbox.tick(minutes(16))
    assert told() == 0, "one of them was not looked at"
    fleet.still(down, minutes(17))
    outbox.tick(minutes(17))
    assert told() == 12
    mail = Delivery.objects.get()
    assert (mail.user, mail.notices.count(), mail.instance) == (fleet.reader, 12, None)
    outbox.tick(minutes(18))
    assert told() == 12


def test_what_heals_meanwhile_is_dropped_with_its_recovery_and_stays_in_the_history(fleet: Fleet) -> None:
    down, healed = fleet.servers[:12], fleet.servers[:4]
    fleet.fall(down, NOW)
    outbox.tick(NOW)
    fleet.rise(healed, minutes(12))
    outbox.tick(minutes(12))
    assert told() == 0
    assert not Change.objects.filter(instance__in=healed, processed_at=None).exists()
    assert Incident.objects.filter(instance__in=healed).count() == 4
    fleet.still(down[4:], minutes(16))
    outbox.tick(minutes(16))
    assert set(Notice.objects.values_list("instance", flat=True)) == {one.pk for one in down[4:]}


def test_what_looks_well_waits_for_its_second_look(fleet: Fleet) -> None:
    down = fleet.servers[:12]
    fleet.fall(down, NOW)
    outbox.tick(NOW)
    fleet.still(down[1:], minutes(16))
    fleet.doubt(down[:1], minutes(16))
    outbox.tick(minutes(16))
    assert told() == 0
    fleet.rise(down[:1], minutes(21))
    outbox.tick(minutes(21))
    assert told() == 11


def test_all_that_heals_is_never_told(fleet: Fleet) -> None:
    fleet.fall(fleet.servers, NOW)
    outbox.tick(NOW)
    fleet.rise(fleet.servers, minutes(12))
    outbox.tick(minutes(12))
    outbox.tick(minutes(200))
    assert (told(), Delivery.objects.count()) == (0, 0)
    assert not Change.objects.filter(processed_at=None).exists()


def test_a_recovery_after_the_storm_was_told_is_told_too(fleet: Fleet) -> None:
    down = fleet.servers[:12]
    fleet.fall(down, NOW)
    outbox.tick(NOW)
    fleet.still(down, minutes(16))
    outbox.tick(minutes(16))
    fleet.rise(down, minutes(30))
    outbox.tick(minutes(30))
    assert told() == 24


def test_the_first_of_a_storm_is_held_as_the_others_are_suspected(fleet: Fleet) -> None:
    fleet.suspect(fleet.servers[1:12], minutes(-14))
    fleet.fall(fleet.servers[:1], NOW)
    outbox.tick(NOW)
    assert told() == 0
    fleet.fall(fleet.servers[1:12], minutes(3))
    outbox.tick(minutes(3))
    assert told() == 0
    assert Change.objects.values("held_until").distinct().count() == 1, "all of one storm end together"


def test_an_item_can_storm_too(fleet: Fleet) -> None:
    fleet.fall(fleet.servers[:12], NOW, LOCK, "bad")
    outbox.tick(NOW)
    assert told() == 0
    fleet.still(fleet.servers[:12], minutes(16), LOCK)
    outbox.tick(minutes(16))
    assert told() == 12


def test_one_storm_does_not_hold_what_falls_in_another_way(fleet: Fleet) -> None:
    fleet.fall(fleet.servers[:12], NOW)
    outbox.tick(NOW)
    fleet.fall(fleet.servers[20:22], minutes(1), LOCK, "bad")
    outbox.tick(minutes(1))
    assert told() == 2


def test_nothing_is_held_for_more_than_an_hour(fleet: Fleet) -> None:
    fleet.fall(fleet.servers[:12], NOW)
    outbox.tick(NOW)
    outbox.tick(minutes(59.9))
    assert told() == 0
    outbox.tick(minutes(60))
    assert told() == 12


def test_servers_that_were_not_looked_at_lately_do_not_hide_a_storm(fleet: Fleet) -> None:
    Reach.objects.filter(instance__in=fleet.servers[10:]).update(seen_at=minutes(-600))
    fleet.fall(fleet.servers[:6], NOW)
    outbox.tick(NOW)
    assert told() == 0


def test_while_fedisec_is_blind_a_storm_goes_on_and_begins_anew_after(
    fleet: Fleet, settings: Settings
) -> None:
    settings.ANCHORS = (("192.0.2.1", 53),)
    fleet.fall(fleet.servers[:12], NOW)
    outbox.tick(NOW)
    row = Outlook.objects.create(host="here", checked_at=minutes(50), offline_since=minutes(20))
    outlook.forget()
    outbox.tick(minutes(50))
    Outlook.objects.filter(pk=row.pk).update(offline_since=None, checked_at=minutes(61), answered={
        name: minutes(61).isoformat() for name in ("resolver", "192.0.2.1:53")
    })  # fmt: skip
    outlook.forget()
    outbox.tick(minutes(61))
    assert told() == 0
    assert queued() == ["confirm"] * 12
    fleet.still(fleet.servers[:12], minutes(66))
    outbox.tick(minutes(66))
    assert told() == 12


def test_a_patchy_view_is_not_believed_for_two_hours(fleet: Fleet, settings: Settings) -> None:
    """Half of the routes are dead: the anchors that answer are enough to go on, not to blame others."""
    settings.ANCHORS = (("192.0.2.1", 53), ("192.0.2.2", 53))
    fleet.fall(fleet.servers[:20], NOW)
    for at in range(0, 175, 5):
        heard = {name: minutes(at).isoformat() for name in ("resolver", "192.0.2.1:53")}
        Outlook.objects.update_or_create(host="here", defaults={"checked_at": minutes(at), "answered": heard})
        outbox.tick(minutes(at))
        fleet.still(fleet.servers[:20], minutes(at))
        if at < 120:
            assert told() == 0
    assert told() == 20


def test_many_servers_cost_no_more_queries_than_a_few(fleet: Fleet) -> None:
    def cost(servers: Sequence[Instance], at: datetime) -> int:
        fleet.fall(servers, at)
        with CaptureQueriesContext(connection) as caught:
            storm.tick(at)
            storm.tick(at + timedelta(minutes=1))
        return len(caught)

    assert cost(fleet.servers[:9], NOW) <= 12
    assert cost(fleet.servers[9:10], minutes(1)) == cost(fleet.servers[10:], minutes(2)) <= 12


def test_an_empty_outbox_costs_one_query(fleet: Fleet) -> None:
    with CaptureQueriesContext(connection) as caught:
        storm.tick(NOW)
    assert len(caught) == 1


def test_two_clocks_hold_and_tell_once(fleet: Fleet) -> None:
    fleet.fall(fleet.servers[:12], NOW)
    storm.tick(NOW)
    storm.tick(NOW)
    fleet.still(fleet.servers[:12], minutes(16))
    outbox.tick(minutes(16))
    outbox.tick(minutes(16))
    assert told() == 12
