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
from checks.probes import ALL_PROBES
from fedisec.scans.models import Scan, Side
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
