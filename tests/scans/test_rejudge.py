"""Stored facts under new rules: listed, never mailed, and no network."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from checks import CHECKS_VERSION
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, ItemState, Scan
from fedisec.scans.rejudge import last_scan, rejudge
from tests.factories import a_recorded_scan, an_instance
from tests.fakes import REQUIRED, facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_items")]
LOCK = REQUIRED.id


@pytest.fixture
def instance() -> Instance:
    """Seen with a lock that passed by the rules of its time and fails by those of today."""
    found = an_instance()
    scan = a_recorded_scan(found, facts(lock="fail"))
    ItemState.objects.filter(item_id=LOCK).update(
        status="pass", code="good", settled="pass", checks_version="0"
    )
    Scan.objects.filter(pk=scan.pk).update(checks_version="0")
    return found


def the_state() -> ItemState:
    return ItemState.objects.get(item_id=LOCK)


def rejudged() -> int:
    return Change.objects.filter(kind="rejudged").count()


def test_what_new_rules_see_otherwise_is_listed_and_told_nobody(instance: Instance) -> None:
    scan = last_scan(instance)
    assert scan is not None
    assert rejudge(scan) == 1
    change = Change.objects.get(kind="rejudged")
    assert (change.item_id, change.before, change.after, change.scan) == (LOCK, "pass", "fail", scan)
    assert change.processed_at is not None
    state = the_state()
    assert (state.status, state.settled, state.alerted, state.checks_version) == (
        "fail",
        "fail",
        False,
        CHECKS_VERSION,
    )
    assert state.seen_at == scan.finished_at
    assert not Scan.objects.filter(state="queued").exists()


def test_judging_again_changes_nothing(instance: Instance) -> None:
    for _ in range(2):
        call_command("rejudge", stdout=StringIO())
    assert rejudged() == 1


def test_only_other_versions_are_judged_when_asked_so(instance: Instance) -> None:
    out = StringIO()
    call_command("rejudge", if_needed=True, stdout=out)
    assert out.getvalue() == f"{instance.domain}: 1 items judged otherwise\n"
    assert Scan.objects.get().checks_version == CHECKS_VERSION
    ItemState.objects.filter(item_id=LOCK).update(status="pass", settled="pass")
    call_command("rejudge", if_needed=True, stdout=StringIO())
    assert the_state().status == "pass"


def test_what_the_old_look_did_not_bring_stays_as_it_was(instance: Instance) -> None:
    scan = last_scan(instance)
    assert scan is not None and scan.facts is not None
    scan.facts = {**scan.facts, "found": []}
    rejudge(scan)
    assert (the_state().status, the_state().code) == ("pass", "good")


def test_facts_that_can_no_longer_be_read_are_left_alone(instance: Instance) -> None:
    Scan.objects.update(facts={"schema": 99})
    call_command("rejudge", stdout=StringIO())
    assert the_state().status == "pass"
    assert rejudged() == 0


def test_an_instance_without_a_scan_is_no_error() -> None:
    an_instance()
    call_command("rejudge", stdout=StringIO())
    assert last_scan(Instance.objects.get()) is None
