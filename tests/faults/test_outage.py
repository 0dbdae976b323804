"""fedisec's own outage (R16), a real one of many servers at once (R17), and a fedisec that stood still (R18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from checks.items import all_items
from fedisec.alerts.models import MailKind, Notice
from fedisec.scans import anchors, outlook, pulse
from fedisec.scans.anchors import Anchors
from fedisec.scans.models import REACH, Change, Incident, Outlook, Reach, Scan
from fedisec.scans.pulse import Machine
from tests.faults import fleet as fleets
from tests.faults.fleet import ANCHORS, HALF, NETWORKS, RESOLVER, Fleet, NoWall, Wall, mails_to
from tests.faults.table import fault, full
from tests.lab import netns

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("few_items", "network"),
    pytest.mark.timeout(900),
]

Seen = Callable[[str], None]
SIZES = [pytest.param(8, id="few"), pytest.param(1000, id="thousand", marks=full)]


@pytest.fixture
def few_items(fake_items: None) -> None:
    """The catalogue is four fake items: what is judged is not what this is about."""
    for key in [key for key in all_items() if not key.startswith("fake.")]:
        del all_items()[key]


@pytest.fixture
def network(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(anchors, "WITHIN_S", fleets.ANCHORS_S)
    settings.RESOLVER, settings.ALLOW_NETWORKS = RESOLVER, NETWORKS
    settings.ANCHORS = tuple((anchor, 53) for anchor in ANCHORS)
    settings.GATHER = "tests.faults.fleet.gather"
    settings.SELF_FACTS = ()
    outlook.forget()
    with fleets.listening():
        yield
    outlook.forget()


@pytest.fixture
def wall() -> Iterator[Wall]:
    if not netns.inside():
        pytest.skip("the wall needs a network namespace: python -m tests.lab.netns pytest …")
    try:
        built = Wall()
    except NoWall as error:
        pytest.skip(str(error))
    yield built
    built.close()


@pytest.fixture
def make_fleet(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Fleet]:
    def make(count: int) -> Fleet:
        fleet = Fleet(count)
        monkeypatch.setattr(timezone, "now", lambda: fleet.now)
        return fleet

    return make


def alarms() -> int:
    return Notice.objects.exclude(kind=MailKind.OUTAGE).count()


def all_down() -> list[str]:
    return ["127.67.0.0/16", "127.68.0.0/16"]


@fault("R16", "fedisec's own network is down", "no alarm; each scan is done afterwards; one notice")
@pytest.mark.parametrize("count", SIZES)
def test_the_link_is_down_while_all_are_due(
    make_fleet: Callable[[int], Fleet], wall: Wall, count: int, seen: Seen
) -> None:
    fleet = make_fleet(count)
    fleet.are_fine()
    wall.cut(*all_down())
    fleet.work_on(2)
    fleet.pass_(26)
    fleet.work_on(2)
    assert Scan.objects.filter(state="queued", attempt=0).count() == count
    assert Notice.objects.count() == 0
    wall.heal()
    fleet.work_on(2)
    assert Scan.objects.filter(state="done").count() == count
    notice = Notice.objects.get()
    assert (notice.kind, notice.user) == (MailKind.OUTAGE, fleet.operator)
    assert notice.data["waited"] == count
    seen(f"{count} servers due for 30 minutes offline: {alarms()} alarms, 1 notice, {count} looks afterwards")


@fault("R16", "its network goes while it looks", "what was seen then is dropped and seen again; no alarm")
def test_the_link_goes_while_looking(
    make_fleet: Callable[[int], Fleet], wall: Wall, monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    fleet = make_fleet(6)
    fleet.work()
    assert Reach.objects.filter(settled="pass").count() == 6
    fleet.pass_(24 * 60)

    def ask_and_cut(found: Anchors) -> dict[str, bool]:
        heard = anchors.ask(found)
        wall.cut(*all_down())
        return heard

    with monkeypatch.context() as patched:
        patched.setattr(outlook, "ask", ask_and_cut)
        fleet.work()
    dropped = Outlook.objects.get().held_back
    assert dropped >= 1
    assert not Reach.objects.exclude(status="pass").exists()
    assert Scan.objects.filter(state="queued", attempt=0).count() == 6
    wall.heal()
    fleet.work_on(3)
    assert Scan.objects.filter(state="done").count() == 12
    assert (alarms(), Notice.objects.get().data["dropped"]) == (0, dropped)
    seen(f"{dropped} look dropped, all 6 done again, 0 alarms, 1 notice")


@full
@fault("R16", "its resolver is dead", "no alarm; each scan is done afterwards; one notice")
def test_the_resolver_is_dead(make_fleet: Callable[[int], Fleet], wall: Wall, seen: Seen) -> None:
    fleet = make_fleet(12)
    fleet.work()
    fleet.pass_(24 * 60)
    wall.cut(RESOLVER)
    fleet.work_on(3)
    wall.heal()
    fleet.work_on(2)
    assert Scan.objects.filter(state="done").count() == 24
    assert (alarms(), Notice.objects.count()) == (0, 1)
    seen("12 servers due: 0 alarms, 1 notice, 12 looks afterwards")


@fault("R16", "half of its routes are dead", "no alarm: held, looked at again, dropped when it heals")
@pytest.mark.parametrize("count", [pytest.param(256, marks=full)])
def test_half_of_the_routes_are_dead(
    make_fleet: Callable[[int], Fleet], wall: Wall, count: int, seen: Seen
) -> None:
    fleet = make_fleet(count)
    fleet.are_fine()
    wall.cut(*HALF)
    fleet.work_on(50)
    down = Reach.objects.filter(settled="fail").count()
    assert down >= count // 3
    assert alarms() == 0
    wall.heal()
    fleet.work_on(40)
    assert not Reach.objects.exclude(settled="pass").exists()
    assert alarms() == 0
    assert not Change.objects.filter(processed_at=None).exists()
    assert Incident.objects.filter(item_id=REACH, closed_at__isnull=False).count() == down
    seen(f"{down} of {count} servers out of sight for 50 minutes: 0 alarms")


@fault("R17", "many servers fail together", "held, looked at twice more, one mail for each recipient")
@pytest.mark.parametrize("count", [pytest.param(25, id="few", marks=full), *SIZES[1:]])
def test_a_hoster_is_down(make_fleet: Callable[[int], Fleet], wall: Wall, count: int, seen: Seen) -> None:
    fleet = make_fleet(count)
    fleet.are_fine()
    down = count * 3 // 10
    wall.cut(*(fleets.address_of(n) for n in range(down)))
    fleet.work_on(28)
    assert Incident.objects.filter(item_id=REACH).count() == down
    assert alarms() == 0, "held"
    looks = Scan.objects.filter(instance=fleet.servers[0], state="done").count()
    fleet.work_on(12)
    assert Scan.objects.filter(instance=fleet.servers[0], state="done").count() > looks
    assert mails_to(fleet.readers) == {reader.email: [down] for reader in fleet.readers}
    assert not Notice.objects.filter(kind=MailKind.OUTAGE).exists()
    fleet.work_on(60, step=10)
    assert mails_to(fleet.readers) == {reader.email: [down] for reader in fleet.readers}
    wall.heal()
    fleet.are_due()
    fleet.work_on(10)
    assert mails_to(fleet.readers) == {reader.email: [down, down] for reader in fleet.readers}
    seen(f"{down} of {count} servers down: one mail for each of 2 readers, and one when they were back")


@full
@fault("R17", "many servers fail together and heal within minutes", "nobody is told")
def test_a_hoster_is_down_for_some_minutes(
    make_fleet: Callable[[int], Fleet], wall: Wall, seen: Seen
) -> None:
    fleet = make_fleet(25)
    fleet.work()
    fleet.pass_(24 * 60)
    wall.cut(*(fleets.address_of(n) for n in range(8)))
    fleet.work_on(20)
    assert Incident.objects.filter(item_id=REACH).count() == 8
    wall.heal()
    fleet.work_on(40)
    assert Notice.objects.count() == 0
    assert not Reach.objects.exclude(settled="pass").exists()
    seen("8 servers gone for 20 minutes: 0 mails, 8 incidents in the history")


@fault("R18", "fedisec itself is dead", "says from when to when, once; each scan is done once")
def test_fedisec_stood_still(
    make_fleet: Callable[[int], Fleet], monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    fleet = make_fleet(5)
    fleet.work()
    began = fleet.now
    fleet.pass_(5 * 24 * 60)
    monkeypatch.setattr(pulse, "machine", lambda: Machine("started anew", 60.0))
    fleet.work_on(3)
    notice = Notice.objects.get()
    assert (notice.user, notice.data["since"], notice.data["missed"]) == (
        fleet.operator,
        began.isoformat(),
        5,
    )
    assert Scan.objects.filter(state="done").count() == 10
    assert timedelta(days=5) <= fleet.now - began
    seen("5 servers, 5 days: 1 notice, 5 looks")
