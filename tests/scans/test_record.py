"""One transaction, fenced by the token, whatever the host has sent."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from checks import CHECKS_VERSION
from checks.codec import decode_facts
from checks.model import Evidence, Status
from checks.probes import Gathered
from fedisec.scans import record as recording
from fedisec.scans.models import Change, ItemState, Scan
from fedisec.scans.record import record
from fedisec.scans.tidy import EVIDENCE_PER_ITEM, EVIDENCE_PER_SCAN, EvidenceBudget, storable
from tests.factories import a_recorded_scan, a_running_scan, an_instance
from tests.fakes import REQUIRED, Flags, facts, no_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_items")]
LOCK = REQUIRED.id


START = timezone.now().replace(microsecond=0) - timedelta(hours=2)


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def state_of(item_id: str = LOCK) -> ItemState:
    return ItemState.objects.get(item_id=item_id)


def kinds(item_id: str = LOCK) -> list[str]:
    return list(Change.objects.filter(item_id=item_id).order_by("pk").values_list("kind", flat=True))


def test_a_scan_leaves_facts_counts_states_and_first_changes() -> None:
    scan = a_recorded_scan(an_instance(), facts(lock="fail", bell="warn"))
    assert (scan.state, scan.token, scan.checks_version) == ("done", "", CHECKS_VERSION)
    assert scan.finished_at is not None
    assert scan.connections == {"dns": 3}
    assert scan.counts["required"]["fail"] == 1
    assert decode_facts(scan.facts).get(Flags).statuses == (("lock", "fail"), ("bell", "warn"))
    state = state_of()
    assert (state.status, state.code, state.settled) == ("fail", "bad", "fail")
    assert state.data == {"where": "social.example"}
    assert state.evidence == [["GET https://social.example/", "what was seen"]]
    assert kinds() == ["first"]
    assert not Change.objects.filter(processed_at=None).exists()


def test_a_lost_token_stores_nothing() -> None:
    scan = a_running_scan(an_instance())
    assert not record(scan, "somebody else's", Gathered(facts(), {}), timezone.now())
    assert not ItemState.objects.exists() and not Change.objects.exists()
    assert Scan.objects.get().state == "running"


def test_a_scan_is_recorded_once() -> None:
    scan = a_running_scan(an_instance())
    token = scan.token
    assert record(scan, token, Gathered(facts(), {}), timezone.now())
    assert not record(scan, token, Gathered(facts(lock="fail"), {}), timezone.now())
    assert state_of().status == "pass"


def test_a_fault_in_the_middle_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*args: object) -> None:
        raise ZeroDivisionError

    scan = a_running_scan(an_instance())
    monkeypatch.setattr(recording, "_drop_old_facts", breaks)
    with pytest.raises(ZeroDivisionError):
        record(scan, scan.token, Gathered(facts(), {}), timezone.now())
    assert not ItemState.objects.exists()
    assert Scan.objects.get().state == "running"


def test_a_fail_is_confirmed_by_a_second_look() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(), minutes(0))
    a_recorded_scan(instance, facts(lock="fail"), minutes(10))
    waiting = Scan.objects.get(state="queued")
    assert (waiting.reason, waiting.due_at) == ("confirm", minutes(15))
    assert kinds() == ["first"]
    assert state_of().candidate == "fail"
    a_recorded_scan(instance, facts(lock="fail"), minutes(16))
    assert kinds() == ["first", "regressed"]
    assert state_of().alerted and state_of().settled == "fail"
    change = Change.objects.get(kind="regressed")
    assert (change.before, change.after, change.processed_at) == ("pass", "fail", None)
    assert not Scan.objects.filter(state="queued").exists()


def test_a_recovery_that_nobody_was_told_of_never_enters_the_outbox() -> None:
    instance = an_instance()
    for minute, status in ((0, "fail"), (10, "pass"), (16, "pass")):
        a_recorded_scan(instance, facts(lock=status), minutes(minute))
    assert kinds() == ["first", "recovered"]
    assert not Change.objects.filter(processed_at=None).exists()


def test_a_blind_scan_keeps_what_was_settled_and_counts() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(lock="pass"), minutes(0))
    for minute in (10, 20):
        a_recorded_scan(instance, no_facts(), minutes(minute))
    state = state_of()
    assert (state.status, state.reason, state.settled) == ("unknown", "timeout", "pass")
    assert state.blind_scans == 2
    assert (state.since, state.seen_at) == (minutes(10), minutes(20))
    assert kinds() == ["first"]
    a_recorded_scan(instance, facts(), minutes(30))
    assert state_of().blind_scans == 0


def test_a_bug_in_a_check_is_an_error_of_one_item() -> None:
    a_recorded_scan(an_instance(), facts(lock="error", bell="fail"))
    assert (state_of().status, state_of().reason) == ("error", "bug")
    assert state_of("fake.bell").status == "fail"


HOSTILE = "NUL \0 half \ud800 turn \u202e esc \x1b[31m"


def test_what_a_database_refuses_does_not_cost_the_scan() -> None:
    scan = a_recorded_scan(an_instance(), facts(HOSTILE, lock="fail", bell="pass"))
    (_, text), *_ = state_of().evidence
    assert not set(text) & {"\0", "\ud800", "\u202e", "\x1b"}
    assert "\ufffd" in text
    kept = decode_facts(scan.facts).get(Flags).evidence
    assert "\0" not in kept and "\ud800" not in kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\0b", "a\ufffdb"),
        ("\udfff", "\ufffd"),
        ("日本語 🐘", "日本語 🐘"),
        (float("nan"), None),
        (float("-inf"), None),
        (1.5, 1.5),
        (True, True),
        (None, None),
        pytest.param(10**5000, 2**63 - 1, id="huge"),
        pytest.param(-(10**5000), -(2**63 - 1), id="huge and negative"),
        ({"a\0": [1, "\ud800", {"b": float("inf")}]}, {"a\ufffd": [1, "\ufffd", {"b": None}]}),
        (("x", b"".decode()), ["x", ""]),
    ],
)
def test_any_value_becomes_storable(value: object, kept: object) -> None:
    assert storable(value) == kept
    json.loads(json.dumps(storable(value), allow_nan=False))


def test_evidence_stays_within_its_budget() -> None:
    one = EvidenceBudget().fit([Evidence("x", "y" * 4000)] * 9)
    assert sum(len(label) + len(text) for label, text in one) <= EVIDENCE_PER_ITEM + 4
    assert one[-1] == ["…", "…"]
    budget = EvidenceBudget()
    many = [budget.fit([Evidence("x", "y" * 4000)]) for _ in range(124)]
    assert sum(len(text) for found in many for _, text in found) <= EVIDENCE_PER_SCAN + 124
    assert many[0][0] == ["x", "y" * 4000]
    assert EvidenceBudget().fit([Evidence("x", "y")] * 500)[-1] == ["…", "…"]


def test_only_the_last_scans_keep_their_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FACTS_KEPT", 3)
    instance, other = an_instance(), an_instance()
    a_recorded_scan(other, facts())
    for minute in range(5):
        a_recorded_scan(instance, facts(), minutes(minute))
    kept = [scan.facts is not None for scan in Scan.objects.filter(instance=instance)]
    assert kept == [True, True, True, False, False]
    assert Scan.objects.get(instance=other).facts is not None


def test_a_record_needs_few_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts())
    scan = a_running_scan(instance)
    with django_assert_max_num_queries(40):
        record(scan, scan.token, Gathered(facts(lock="fail"), {}), timezone.now())


def test_every_item_of_the_catalogue_gets_a_state() -> None:
    a_recorded_scan(an_instance(), no_facts())
    statuses = set(ItemState.objects.values_list("status", flat=True))
    assert statuses <= {Status.UNKNOWN, Status.MANUAL}
    assert ItemState.objects.filter(item_id="plan.hosting_considered", status="manual").exists()
