"""What the state machine says, in the database: incidents, the server as a whole, what is not seen for long."""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from checks.codec import encode_facts
from checks.errors import Reason
from checks.facts import Fact, Facts, Missing
from checks.facts.dns import Addresses
from checks.facts.http import FrontPage
from checks.probes import Gathered
from fedisec.checklist.models import Waiver
from fedisec.instances.models import Instance
from fedisec.scans import incidents
from fedisec.scans.models import REACH, Change, Incident, ItemState, Reach, Scan
from fedisec.scans.record import record
from fedisec.scans.rejudge import rejudge
from tests import fakes
from tests.factories import a_recorded_scan, a_running_scan, a_user, an_instance
from tests.fakes import OPTIONAL, RECOMMENDED, REQUIRED, REQUIRED_2, Flags, no_facts
from tests.scans.gone import PAGE, Given
from tests.scans.gone import facts as seen_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_items")]
LOCK, BOLT, BELL, LAMP = REQUIRED.id, REQUIRED_2.id, RECOMMENDED.id, OPTIONAL.id
START = timezone.now().replace(microsecond=0) - timedelta(hours=2)
FALLS = ((0, "pass"), (10, "fail"), (16, "fail"))
FLAPS = (
    *FALLS,
    (20, "pass"),
    (26, "pass"),
    (30, "fail"),
    (36, "fail"),
    (40, "pass"),
    (46, "pass"),
    (50, "fail"),
    (56, "fail"),
)


@pytest.fixture
def instance(db: None) -> Instance:
    return an_instance()


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def looks(instance: Instance, *seen: tuple[float, str]) -> None:
    """What looks at these minutes see of the lock."""
    for minute, status in seen:
        a_recorded_scan(instance, fakes.facts(lock=status), minutes(minute))


def told(item_id: str = LOCK) -> list[str]:
    """Changes after the first, with a ! where people hear of them."""
    changes = Change.objects.filter(item_id=item_id).exclude(kind="first").order_by("pk")
    return [change.kind + ("" if change.processed_at else "!") for change in changes]


def open_incidents() -> list[str]:
    return sorted(Incident.objects.filter(closed_at=None).values_list("item_id", flat=True))


def test_a_fall_opens_an_incident_and_its_end_closes_it(instance: Instance) -> None:
    looks(instance, *FALLS)
    incident = Incident.objects.get()
    assert (incident.item_id, incident.opened_at, incident.closed_at) == (LOCK, minutes(16), None)
    assert Change.objects.get(kind="regressed").incident == incident
    looks(instance, (30, "pass"), (36, "pass"))
    incident.refresh_from_db()
    assert (incident.closed_at, incident.closed_by) == (minutes(36), "recovered")
    assert Change.objects.get(kind="recovered").incident == incident
    looks(instance, (50, "fail"), (56, "fail"))
    assert Incident.objects.count() == 2 and open_incidents() == [LOCK]
    assert Change.objects.first().incident != incident  # type: ignore[union-attr]  # the newest


def test_what_does_not_apply_any_more_closes_silently(instance: Instance) -> None:
    looks(instance, *FALLS, (30, "not_applicable"), (36, "not_applicable"))
    assert told() == ["regressed!", "closed"]
    assert Incident.objects.get().closed_by == "closed"
    assert Change.objects.get(kind="closed").incident == Incident.objects.get()
    state = ItemState.objects.get(item_id=LOCK)
    assert (state.settled, state.alerted) == ("not_applicable", False)


def test_new_rules_close_what_they_see_otherwise(instance: Instance) -> None:
    looks(instance, *FALLS)
    scan = Scan.objects.whole().first()
    assert scan is not None
    Scan.objects.filter(pk=scan.pk).update(facts=encode_facts(fakes.facts(lock="pass")))
    scan.refresh_from_db()
    rejudge(scan)
    assert told() == ["regressed!", "rejudged"]
    assert Incident.objects.get().closed_by == "rejudged"


def test_judging_anew_does_not_take_a_fall_for_new_rules(instance: Instance) -> None:
    """Seen once by the old version; the new one is started before the second look."""
    looks(instance, *FALLS[:2])
    ItemState.objects.update(checks_version="0")
    scan = Scan.objects.whole().first()
    assert scan is not None
    rejudge(scan)
    assert told() == [] and ItemState.objects.get(item_id=LOCK).candidate == "fail"
    later = timezone.now() + timedelta(minutes=6)
    a_recorded_scan(instance, fakes.facts(lock="fail"), later)
    assert told() == ["regressed!"]


def test_judging_anew_loses_no_recovery(instance: Instance) -> None:
    looks(instance, *FALLS, (30, "pass"))
    scan = Scan.objects.whole().first()
    assert scan is not None
    rejudge(scan)
    assert told() == ["regressed!"]
    a_recorded_scan(instance, fakes.facts(), timezone.now() + timedelta(minutes=6))
    assert told() == ["regressed!", "recovered!"]


def test_flapping_keeps_one_incident_open_until_it_has_calmed(instance: Instance) -> None:
    looks(instance, *FLAPS)
    assert told() == ["regressed!", "recovered!", "regressed!", "recovered!", "flapping!"]
    flapping = Incident.objects.get(closed_at=None)
    looks(instance, (62, "pass"), (68, "pass"), (74, "pass"))
    assert told()[-1] == "recovered"
    assert Incident.objects.get(closed_at=None) == flapping
    incidents.tick(minutes(74) + timedelta(hours=23))
    assert told()[-1] == "recovered"
    incidents.tick(minutes(74) + timedelta(hours=24))
    assert told()[-1] == "calmed!"
    change, state = Change.objects.get(kind="calmed"), ItemState.objects.get(item_id=LOCK)
    assert (change.incident, change.before, change.after) == (flapping, "fail", "pass")
    assert change.scan == Scan.objects.whole().first()
    assert (state.alerted, state.calm_at, "alerts" in state.memory) == (False, None, False)
    flapping.refresh_from_db()
    assert (flapping.closed_by, flapping.closed_at) == ("calmed", minutes(74) + timedelta(hours=24))
    incidents.tick(minutes(74) + timedelta(hours=30))
    assert told().count("calmed!") == 1


def test_what_calmed_in_the_state_that_people_know_is_not_told(instance: Instance) -> None:
    looks(instance, *FLAPS)
    incidents.tick(minutes(56) + timedelta(hours=25))
    assert told()[-1] == "calmed" and open_incidents() == [LOCK]


def test_a_clock_with_nothing_to_calm_asks_two_questions(
    instance: Instance, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    looks(instance, *FLAPS)
    with django_assert_num_queries(2):
        incidents.tick(minutes(57))


def set_aside(instance: Instance, **fields: object) -> Waiver:
    kept = {"kind": "accepted_risk", "reason": "known", "created_at": minutes(0), **fields}
    return Waiver.objects.create(instance=instance, item_id=LOCK, by=a_user(), **kept)


def test_what_is_set_aside_falls_in_silence(instance: Instance) -> None:
    waiver = set_aside(instance, valid_until=minutes(20))
    looks(instance, *FALLS)
    assert told() == ["regressed"] and open_incidents() == [LOCK]
    assert not ItemState.objects.get(item_id=LOCK).alerted
    # The end of the waiver is no regression, and who heard nothing of the fall hears nothing of its end.
    looks(instance, (30, "fail"), (40, "fail"))
    assert told() == ["regressed"]
    looks(instance, (50, "pass"), (56, "pass"))
    assert told() == ["regressed", "recovered"] and open_incidents() == []
    waiver.delete()
    looks(instance, (60, "fail"), (66, "fail"))
    assert told()[-1] == "regressed!"


@pytest.mark.parametrize("over", [{"valid_until": minutes(5)}, {"ended_at": minutes(5)}])
def test_a_waiver_that_is_over_silences_nothing(instance: Instance, over: dict[str, object]) -> None:
    set_aside(instance, **over)
    looks(instance, *FALLS)
    assert told() == ["regressed!"]


def test_a_waiver_without_an_end_silences_what_flapped(instance: Instance) -> None:
    looks(instance, *FLAPS, (62, "pass"), (68, "pass"), (74, "pass"))
    set_aside(instance, valid_until=None)
    incidents.tick(minutes(74) + timedelta(hours=25))
    assert told()[-1] == "calmed"


# The server as a whole.


def a_look(
    instance: Instance, minute: float, changed: dict[type[Fact], Given] | None = None, **items: str
) -> Scan:
    """Of a server that is gone, but for what is `changed`; with what was seen of the items all the same."""
    seen = seen_of(changed).with_facts(Flags(tuple(items.items()), "what was seen"))
    return a_recorded_scan(instance, seen, minutes(minute))


def answers(instance: Instance, minute: float, **items: str) -> Scan:
    return a_look(instance, minute, {FrontPage: FrontPage(PAGE)}, **items)


def waiting() -> list[float]:
    queued = Scan.objects.filter(state="queued").values_list("due_at", flat=True)
    return [(due - START) / timedelta(minutes=1) for due in queued]


def test_a_server_that_is_gone_is_told_after_a_quarter_of_an_hour(instance: Instance) -> None:
    answers(instance, 0)
    a_look(instance, 10)
    assert (told(REACH), waiting()) == ([], [15])
    a_look(instance, 15)
    assert (told(REACH), waiting()) == ([], [25])
    a_look(instance, 25)
    assert (told(REACH), waiting()) == (["regressed!"], [])
    change, reach = Change.objects.get(item_id=REACH), Reach.objects.get()
    assert (change.before, change.after, change.code) == ("pass", "fail", "silent")
    assert change.data == {"code": "silent", "count": 1, "since": minutes(10).isoformat()}
    assert change.evidence == [["192.0.2.1 port 443", "timeout"]]
    assert change.incident == Incident.objects.get(item_id=REACH)
    assert (reach.status, reach.settled, reach.since, reach.seen_at) == (
        "fail",
        "fail",
        minutes(10),
        minutes(25),
    )
    answers(instance, 40)
    answers(instance, 46)
    assert told(REACH) == ["regressed!", "recovered!"]
    assert Incident.objects.get(item_id=REACH).closed_by == "recovered"
    assert Reach.objects.get().code == "answers"


def test_a_server_that_was_never_seen_to_answer_is_no_news(instance: Instance) -> None:
    for minute in (0, 10, 20, 30):
        a_look(instance, minute)
    assert told(REACH) == [] and not Change.objects.filter(item_id=REACH).exists()
    assert Reach.objects.get().settled == "fail"


def test_while_a_server_is_gone_its_items_say_nothing(instance: Instance) -> None:
    """Not even those that could be seen; they are shown, named beside it, and judged when it answers."""
    answers(instance, 0, bolt="fail")
    for minute in (10, 16, 26, 40):
        a_look(instance, minute, lock="fail", bolt="fail")
    assert told(LOCK) == [] and told(REACH) == ["regressed!"]
    assert Change.objects.get(item_id=REACH).data["also"] == [LOCK]
    state = ItemState.objects.get(item_id=LOCK)
    assert (state.status, state.settled, state.candidate) == ("fail", "pass", "")
    answers(instance, 60, lock="fail", bolt="fail")
    answers(instance, 66, lock="fail", bolt="fail")
    assert told(LOCK) == ["regressed!"] and told(REACH) == ["regressed!", "recovered!"]
    assert "also" not in Change.objects.get(item_id=REACH, kind="recovered").data


def test_judging_anew_what_was_seen_of_a_server_that_is_gone_moves_no_item(instance: Instance) -> None:
    answers(instance, 0)
    scan = a_look(instance, 10, lock="fail")
    ItemState.objects.update(checks_version="0")
    rejudge(scan)
    assert told(LOCK) == [] and Reach.objects.get().seen_at == minutes(10)


def test_where_it_is_not_known_whether_it_answers_items_are_judged(instance: Instance) -> None:
    answers(instance, 0)
    for minute in (10, 16):
        a_look(instance, minute, {Addresses: Missing(Reason.TIMEOUT)}, lock="fail")
    assert told(LOCK) == ["regressed!"] and told(REACH) == []
    assert (Reach.objects.get().status, Reach.objects.get().seen_at) == ("pass", minutes(0))


def test_a_look_that_knows_nothing_of_the_server_leaves_no_row(instance: Instance) -> None:
    looks(instance, (0, "pass"))
    assert not Reach.objects.exists()


# What is not seen for long.


def blind() -> list[list[str]]:
    return [
        change.data["items"]
        for change in Change.objects.filter(kind="blind", processed_at=None).order_by("pk")
    ]


def test_what_was_settled_and_is_not_seen_three_times_is_told_once(instance: Instance) -> None:
    looks(instance, (0, "pass"))
    for minute in (10, 20):
        a_recorded_scan(instance, no_facts(), minutes(minute))
    assert blind() == []
    scan = a_recorded_scan(instance, no_facts(), minutes(30))
    change = Change.objects.get(kind="blind")
    assert (change.item_id, change.scan, change.incident) == ("blind", scan, None)
    assert sorted(change.data["items"]) == sorted([LOCK, BOLT, BELL])  # the lamp is optional
    for minute in (40, 50, 60, 70):
        a_recorded_scan(instance, no_facts(), minutes(minute))
    assert len(blind()) == 1


def test_it_is_told_again_once_it_was_seen(instance: Instance) -> None:
    looks(instance, (0, "pass"))
    for start in (10, 50):
        for more in (0, 10, 20):
            a_recorded_scan(instance, fakes.facts(lock="unknown"), minutes(start + more))
        looks(instance, (start + 30, "pass"))
    assert blind() == [[LOCK], [LOCK]]


@pytest.mark.parametrize("reason", [Reason.NOT_CONNECTED, Reason.NOT_ASKED])
def test_where_nobody_looked_nothing_is_missed(instance: Instance, reason: Reason) -> None:
    looks(instance, (0, "pass"))
    for minute in (10, 20, 30, 40):
        a_recorded_scan(instance, Facts({}, {Flags: Missing(reason)}), minutes(minute))
    assert blind() == []


def test_what_was_never_settled_is_not_missed(instance: Instance) -> None:
    for minute in (10, 20, 30, 40):
        a_recorded_scan(instance, no_facts(), minutes(minute))
    assert blind() == []


def test_second_looks_are_no_further_scans(instance: Instance) -> None:
    looks(instance, (0, "pass"))
    for minute in (10, 20, 30, 40):
        scan = a_running_scan(instance, minutes(minute))
        scan.reason = "confirm"
        assert record(scan, scan.token, Gathered(fakes.facts(lock="unknown"), {}), minutes(minute))
    assert blind() == []


def test_a_server_that_is_gone_is_enough_said(instance: Instance) -> None:
    answers(instance, 0)
    for minute in range(10, 80, 10):
        a_look(instance, minute, lock="unknown")
    assert blind() == [] and told(REACH) == ["regressed!"]


def test_what_is_set_aside_is_not_missed(instance: Instance) -> None:
    set_aside(instance, valid_until=None)
    looks(instance, (0, "pass"))
    for minute in (10, 20, 30):
        a_recorded_scan(instance, fakes.facts(lock="unknown"), minutes(minute))
    assert blind() == []


def test_many_falls_cost_as_many_queries_as_one(
    instance: Instance, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    a_recorded_scan(instance, fakes.facts(), minutes(0))
    a_recorded_scan(instance, fakes.facts(lock="fail", bolt="fail", bell="fail", lamp="fail"), minutes(10))
    Scan.objects.filter(state="queued").delete()
    scan = a_running_scan(instance, minutes(16))
    with django_assert_max_num_queries(40):
        seen = fakes.facts(lock="fail", bolt="fail", bell="fail", lamp="fail")
        record(scan, scan.token, Gathered(seen, {}), minutes(16))
    assert open_incidents() == sorted([LOCK, BOLT, BELL, LAMP])


def test_what_was_open_for_a_warning_is_closed_by_the_upgrade(instance: Instance) -> None:
    """Certificates alone: their warning was a fall once.  What failed since stays open."""
    other, item_id = an_instance(), "tls.certificate_lasts"
    for one, settled in ((instance, "warn"), (other, "fail")):
        Incident.objects.create(instance=one, item_id=item_id, opened_at=START)
        state = ItemState(instance=one, item_id=item_id, status=settled, settled=settled, alerted=True)
        state.since = state.seen_at = START
        state.save()
    importlib.import_module("fedisec.scans.migrations.0008_warned_certificates").close(apps, None)
    assert [incident.instance for incident in Incident.objects.filter(closed_at=None)] == [other]
    assert [state.instance for state in ItemState.objects.filter(alerted=True)] == [other]
