"""A look from one side, with the other side's last facts beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.errors import Reason
from checks.evaluate import evaluate
from checks.facts import Facts, Missing
from checks.facts.fedisec import CertificateWatch
from checks.facts.inside import Inside
from checks.facts.ssh import SshService
from checks.items import all_items
from checks.probes import ALL_PROBES, Gathered
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, ItemState, Reach, Scan, Side
from fedisec.scans.record import record
from fedisec.scans.sides import (
    CARRIED_FOR,
    carried_alone,
    joined,
    judged_by,
    last_facts,
    probes_of,
)
from tests.checks.inside.fixtures import report
from tests.factories import a_recorded_scan, a_running_scan, an_instance

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GOOD, BAD = report("trixie-good-sudo"), report("trixie-bad-sudo")
NO_SSH = Missing(Reason.TIMEOUT)
PASSWORDS = "ssh.password_login_off"  # settled from either side


def seen(inside: Inside | None = None) -> Facts:
    """SSH did not answer from outside; the report, or none."""
    facts = Facts({}, {SshService: NO_SSH, Inside: Missing(Reason.NOT_CONNECTED)})
    return facts if inside is None else facts.with_facts(inside)


def test_each_probe_belongs_to_one_side() -> None:
    outside, inside = probes_of(Side.OUTSIDE), probes_of(Side.INSIDE)
    assert [probe.name for probe in inside] == ["inside"]
    assert set(outside) | set(inside) == set(ALL_PROBES) == set(probes_of(Side.BOTH))
    assert not set(outside) & set(inside)


def test_a_look_from_outside_keeps_what_was_last_seen_inside() -> None:
    own = Facts({}, {SshService: NO_SSH}).with_facts(CertificateWatch(True, 2))
    found = joined(Side.OUTSIDE, own, seen(GOOD).with_facts(CertificateWatch(False, 0)))
    assert found.get(Inside) == GOOD
    assert found.get(CertificateWatch).confirmed_recipients == 2, "what fedisec knows of itself is always new"
    assert found.missing == {SshService: NO_SSH}


def test_a_look_from_inside_that_failed_leaves_no_old_report() -> None:
    own = Facts({}, {Inside: Missing(Reason.HOST_KEY_CHANGED)})
    found = joined(Side.INSIDE, own, seen(GOOD))
    assert found.maybe(Inside) is None and found.missing[Inside].reason is Reason.HOST_KEY_CHANGED
    assert found.missing[SshService] == NO_SSH


def test_without_anything_before_a_side_stands_alone() -> None:
    assert joined(Side.INSIDE, seen(GOOD), None) == seen(GOOD)


def test_every_item_is_judged_by_a_side_that_can_settle_it() -> None:
    outside, inside = judged_by(Side.OUTSIDE), judged_by(Side.INSIDE)
    assert PASSWORDS in outside & inside
    assert "http.hsts" in outside - inside and "systemd.protect_home" in inside - outside
    assert "tls.expiry_alert" in outside & inside
    assert judged_by(Side.BOTH) == set(all_items())


def test_what_only_the_old_facts_say_confirms_nothing() -> None:
    facts = joined(Side.OUTSIDE, seen(), seen(BAD))
    verdicts = evaluate(facts)
    assert verdicts[PASSWORDS].status.value == "fail"
    assert PASSWORDS in carried_alone(Side.OUTSIDE, facts, verdicts)


def test_what_the_look_itself_says_counts() -> None:
    facts = joined(Side.INSIDE, seen(BAD), seen(GOOD))
    verdicts = evaluate(facts)
    assert verdicts[PASSWORDS].status.value == "fail"
    assert not carried_alone(Side.INSIDE, facts, verdicts)
    assert carried_alone(Side.BOTH, facts, verdicts) == frozenset()


@pytest.mark.django_db
def test_facts_are_carried_for_a_while_and_not_for_ever() -> None:
    instance = an_instance()
    a_recorded_scan(instance, seen(GOOD), NOW)
    scan = a_running_scan(instance, NOW)
    carried = last_facts(scan, NOW + CARRIED_FOR - timedelta(minutes=1))
    assert carried is not None and carried.get(Inside).sections == GOOD.sections
    assert last_facts(scan, NOW + CARRIED_FOR) is None
    Scan.objects.filter(pk__lt=scan.pk).update(facts={"schema": "of another time"})
    assert last_facts(scan, NOW) is None


def looked(instance: Instance, side: Side, facts: Facts, at: datetime) -> Scan:
    """A finished look from one side."""
    Scan.objects.filter(instance=instance, state="queued").delete()
    scan = a_running_scan(instance, at)
    Scan.objects.filter(pk=scan.pk).update(side=side)
    scan.refresh_from_db()
    assert record(scan, scan.token, Gathered(facts, {}), at)
    return Scan.objects.get(pk=scan.pk)


def state(instance: Instance, item_id: str = PASSWORDS) -> ItemState:
    return ItemState.objects.get(instance=instance, item_id=item_id)


@pytest.mark.django_db
def test_looks_from_outside_show_the_report_and_let_it_confirm_nothing() -> None:
    instance = an_instance()
    a_recorded_scan(instance, seen(GOOD), NOW)
    looked(instance, Side.INSIDE, seen(BAD), NOW + timedelta(hours=1))
    assert (state(instance).settled, state(instance).candidate) == ("pass", "fail")
    outside = Facts({}, {SshService: NO_SSH})
    for hour in range(2, 6):
        scan = looked(instance, Side.OUTSIDE, outside, NOW + timedelta(hours=hour))
        assert scan.facts is not None and sum(map(sum, map(dict.values, scan.counts.values()))) == 124
    now = state(instance)
    assert (now.status, now.settled, now.candidate) == ("fail", "pass", "fail"), (
        "shown, and still a candidate"
    )
    looked(instance, Side.INSIDE, seen(BAD), NOW + timedelta(hours=6))
    assert state(instance).settled == "fail"
    assert Change.objects.filter(item_id=PASSWORDS, kind="regressed").count() == 1


@pytest.mark.django_db
def test_a_look_from_one_side_leaves_the_others_items_alone() -> None:
    instance = an_instance()
    a_recorded_scan(instance, seen(GOOD), NOW)
    looked(instance, Side.INSIDE, seen(GOOD), NOW + timedelta(hours=1))
    assert state(instance, "http.hsts").seen_at == NOW
    assert state(instance, "systemd.protect_home").seen_at == NOW + timedelta(hours=1)
    assert not Reach.objects.filter(status="fail").exists(), "nobody looked from outside"
