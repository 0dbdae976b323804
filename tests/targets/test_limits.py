"""What one team may take from the others: scans, servers and all that it keeps; and that every bound is written down."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts import teams
from fedisec.accounts.models import Role, User
from fedisec.alerts.management.commands import runner
from fedisec.instances.models import Instance
from fedisec.lib import bounds
from fedisec.scans.models import Scan, ScanState
from fedisec.scans.queue import in_turn, queue_scan
from fedisec.scans.run import claim
from tests.factories import a_user, an_instance

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


def team_with(count: int, first: str) -> list[Instance]:
    one = an_instance(domain=f"{first}0.example")
    rest = [Instance(team=one.team, domain=f"{first}{n}.example") for n in range(1, count)]
    return [one, *Instance.objects.bulk_create(rest)]


def test_a_team_with_many_scans_lets_others_pass() -> None:
    crowd, lone = team_with(5, "many"), an_instance(domain="lone.example")
    now = timezone.now()
    for minutes, instance in enumerate((*crowd, lone)):
        queue_scan(instance, "scheduled", now=now - timedelta(minutes=10 - minutes))
    taken = []
    while (
        found := in_turn(Scan.objects.filter(state=ScanState.QUEUED)).order_by("due_at").first()
    ) is not None:
        scan = claim(found.pk)
        assert scan is not None
        taken.append(scan.instance.domain)
    assert taken == ["many0.example", "many1.example", "lone.example", "many2.example", "many3.example", "many4.example"], (
        "two of the crowd, then whoever waits beside it, and with nobody waiting there is no limit"
    )  # fmt: skip


def test_a_worker_that_is_rung_out_of_turn_leaves_the_scan() -> None:
    """With a broker it is the message that names the scan."""
    crowd, lone = team_with(3, "many"), an_instance(domain="lone.example")
    for instance in (*crowd, lone):
        queue_scan(instance, "scheduled")
    first, second, third = Scan.objects.filter(instance__in=crowd).order_by("pk")
    Scan.objects.update(rung_at=timezone.now())
    assert claim(first.pk) is not None and claim(second.pk) is not None
    assert claim(third.pk) is None
    third.refresh_from_db()
    assert (third.state, third.rung_at, third.attempt) == (ScanState.QUEUED, None, 0), "the clock rings again"
    assert claim(Scan.objects.get(instance=lone).pk) is not None
    assert claim(third.pk) is not None


def test_a_runner_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd, lone = team_with(3, "many"), an_instance(domain="lone.example")
    for instance in (*crowd, lone):
        queue_scan(instance, "scheduled")
    taken: list[int] = []
    monkeypatch.setattr(runner, "run", taken.append)
    monkeypatch.setattr("fedisec.scans.outlook.sees", lambda: True)
    for _ in range(3):
        job = runner.next_job()
        assert job is not None
        job()
        assert claim(taken[-1]) is not None
    assert taken[-1] == Scan.objects.get(instance=lone).pk


@pytest.mark.parametrize(("is_operator", "minutes"), [(False, 10), (True, 1)])
def test_scan_now_waits(
    as_alice: Client, instance: Instance, alice: User, is_operator: bool, minutes: int
) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=is_operator)
    path = f"/instances/{instance.domain}/scan/"

    def asked(ago: timedelta) -> bool:
        Scan.objects.all().delete()
        at = timezone.now() - ago
        Scan.objects.create(instance=instance, reason="manual", state="done", started_at=at, finished_at=at)
        as_alice.post(path)
        return Scan.objects.filter(state=ScanState.QUEUED).exists()

    assert not asked(timedelta(minutes=minutes, seconds=-30))
    assert asked(timedelta(minutes=minutes, seconds=30))


def test_a_team_has_room_for_so_many_servers(
    as_alice: Client, instance: Instance, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedisec.scans.keeping.refusal", lambda domain: "")
    settings.BOUNDS = {**settings.BOUNDS, "instances": 2}
    assert as_alice.post("/instances/add/", {"domain": "two.example"}).status_code == 302
    answer = as_alice.post("/instances/add/", {"domain": "three.example"})
    assert answer.status_code == 409 and "A team may have 2 servers" in answer.content.decode()
    assert Instance.objects.count() == 2 and Scan.objects.count() == 1


def test_an_item_has_room_for_so_many_notes(as_alice: Client, scanned: Instance, settings: Settings) -> None:
    settings.BOUNDS = {**settings.BOUNDS, "notes": 1}
    path = reverse("remark", args=[scanned.domain, "http.hsts"])
    answers = [as_alice.post(path, {"text": "a word"}).status_code for _ in range(2)]
    assert answers == [302, 409]


def test_every_kind_has_words_on_its_page(as_alice: Client, settings: Settings) -> None:
    for kind, limit in settings.BOUNDS.items():
        page = bounds.page(as_alice.get("/words/").wsgi_request, bounds.Full(kind))
        assert page.status_code == 409 and f"{limit} " in page.content.decode()


def numbers() -> dict[str, tuple[int, int, int]]:
    """What env.number reads in the settings: name to default, least and most."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "fedisec/settings.py").read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "number":
            name, *bound = (eval(compile(ast.Expression(one), "settings", "eval")) for one in node.args)
            found[name] = tuple(bound)
    return found


def test_every_bound_is_written_down() -> None:
    rows: dict[str, tuple[str, str]] = {}
    for line in (ROOT / "docs/settings.md").read_text().splitlines():
        if line.startswith("| `"):
            names, default, meaning = (part.strip() for part in line.strip("|").split("|", 2))
            rows |= dict.fromkeys(re.findall(r"`([A-Z_]+)`", names), (default, meaning))
    for name, (usual, least, most) in numbers().items():
        shown, meaning = rows[name]
        assert shown == str(usual), f"{name}: the default is {usual}"
        assert f"({least} to {most})" in meaning, f"{name}: {least} to {most}"
    assert len(numbers()) > 12


def test_no_page_shows_more_than_a_hundred_lines() -> None:
    sizes = re.compile(r"^(?:PER_PAGE|PAGE)(?:: int)? = (\d+)$", re.MULTILINE)
    found = [int(n) for path in (ROOT / "fedisec").rglob("*.py") for n in sizes.findall(path.read_text())]
    assert len(found) >= 5 and max(found) <= 100


def test_a_team_has_room_for_so_many_members(instance: Instance, settings: Settings) -> None:
    settings.BOUNDS = {**settings.BOUNDS, "members": 3}
    team = instance.team
    assert teams.join(team, a_user(), Role.VIEWER, None)
    with pytest.raises(bounds.Full):
        teams.join(team, a_user(), Role.VIEWER, None)
    assert team.memberships.count() == 3
    member = team.members.first()
    assert member is not None and not teams.join(team, member, Role.VIEWER, None), "who is in stays in"
