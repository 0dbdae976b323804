"""The doctor: each fault is named with its cure, and what was not looked at is never in order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone, translation

from checks.codec import encode_facts
from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.dns import Addresses, ResolverHealth
from checks.facts.mail import SmtpHosts
from fedisec.alerts.models import Delivery
from fedisec.lib import canary
from fedisec.lib.models import Backup
from fedisec.scans.models import Outlook, Pulse, Scan
from fedisec.system import database, doctor, jobs, machine, outside, safety, words
from fedisec.system.line import Line, State, exit_code
from tests.factories import a_user, an_instance

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def pulse(ago_s: int) -> None:
    Pulse.objects.create(boot="b", at=NOW - timedelta(seconds=ago_s), uptime_s=1)


def scan_that_saw(*found: Any, gap: Missing | None = None) -> Scan:
    facts = Facts({type(one): one for one in found}, {SmtpHosts: gap} if gap else {})
    scan = Scan.objects.create(instance=an_instance(), state="done", reason="first", finished_at=NOW)
    Scan.objects.filter(pk=scan.pk).update(facts=encode_facts(facts))
    return scan


def outlook(**values: Any) -> None:
    Outlook.objects.create(host="here", checked_at=NOW, **values)


@pytest.mark.parametrize(
    ("make", "look", "state", "code"),
    [
        (lambda: None, jobs.clock, State.BROKEN, "never"),
        (lambda: pulse(10), jobs.clock, State.OK, "ticks"),
        (lambda: pulse(600), jobs.clock, State.BROKEN, "stopped"),
        (lambda: None, jobs.waiting, State.OK, "none"),
        (lambda: Scan.objects.create(instance=an_instance(), due_at=NOW - timedelta(hours=1)), jobs.waiting, State.BROKEN, "long"),
        (lambda: None, outside.resolver, State.UNKNOWN, "no_scan"),
        (lambda: scan_that_saw(ResolverHealth("192.0.2.53", True)), outside.resolver, State.OK, "validates"),
        (lambda: scan_that_saw(ResolverHealth("192.0.2.53", False)), outside.resolver, State.BROKEN, "does_not"),
        (lambda: scan_that_saw(ResolverHealth("192.0.2.53", Missing(Reason.TIMEOUT))), outside.resolver, State.UNKNOWN, "silent"),
        (lambda: None, outside.ipv6, State.UNKNOWN, "no_scan"),
        (lambda: outlook(answered={"[2001:db8::1]:53": NOW.isoformat()}), outside.ipv6, State.OK, "open"),
        (lambda: outlook(answered={"192.0.2.1:53": NOW.isoformat()}), outside.ipv6, State.UNKNOWN, "no_scan"),
        (lambda: scan_that_saw(Addresses("x.example", ("192.0.2.1",), ())), outside.ipv6, State.ATTENTION, "closed"),
        (lambda: None, outside.port_25, State.UNKNOWN, "no_scan"),
        (lambda: scan_that_saw(gap=Missing(Reason.PORT_BLOCKED)), outside.port_25, State.ATTENTION, "closed"),
        (lambda: scan_that_saw(gap=Missing(Reason.TIMEOUT)), outside.port_25, State.UNKNOWN, "no_scan"),
        (lambda: None, outside.mail, State.ATTENTION, "no_relay"),
        (lambda: None, safety.backup, State.UNKNOWN, "none"),
        (lambda: Backup.objects.create(at=NOW, name="x", kind="sqlite", size=1, seconds=1), safety.backup, State.OK, "fresh"),
        (lambda: Backup.objects.create(at=NOW - timedelta(days=3), name="x", kind="sqlite", size=1, seconds=1), safety.backup, State.ATTENTION, "old"),
        (lambda: Backup.objects.create(at=NOW - timedelta(days=30), name="x", kind="sqlite", size=1, seconds=1), safety.backup, State.BROKEN, "old"),
        (lambda: None, safety.version, State.UNKNOWN, "no_feed"),
        (lambda: None, safety.keys, State.OK, "new"),
        (lambda: canary.lay(), safety.keys, State.OK, "right"),
        (lambda: None, database.migrations, State.OK, "current"),
        (lambda: None, database.answers, State.OK, "answers"),
    ],
)  # fmt: skip
def test_each_look(make: Callable[[], object], look: doctor.Look, state: State, code: str) -> None:
    make()
    line = look(NOW)
    assert line is not None and (line.state, line.code) == (state, code)


def test_the_network_is_what_the_machines_that_scan_said(settings: Any) -> None:
    settings.ANCHORS = None
    assert outside.network(NOW).code == "switched_off"
    settings.ANCHORS = ()
    assert outside.network(NOW).code == "not_asked"
    outlook()
    assert outside.network(NOW).state is State.OK
    Outlook.objects.create(host="there", checked_at=NOW, offline_since=NOW)
    assert outside.network(NOW).data == {"hosts": "there"}


def test_a_relay_that_took_nothing_yet_is_not_in_order(settings: Any) -> None:
    settings.HAS_RELAY = True
    assert outside.mail(NOW).state is State.UNKNOWN
    sent = Delivery.objects.create(
        user=a_user(), kind="x", about="y", message_id="m", state="sent", sent_at=NOW
    )
    assert outside.mail(NOW).state is State.OK
    Delivery.objects.filter(pk=sent.pk).update(
        state="pending", attempts=1, answer="450 later", created_at=NOW - timedelta(hours=1)
    )
    assert outside.mail(NOW).data["why"] == "450 later"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"DEBUG": True}, "debug"),
        ({"PUBLIC_URL": "http://fedisec.example", "HTTPS": False}, "no_https"),
        (
            {"PUBLIC_URL": "https://fedisec.example", "HTTPS": True, "SECURE_PROXY_SSL_HEADER": None},
            "no_proxy",
        ),
        ({"PUBLIC_URL": "http://[::1]:8000", "HTTPS": False}, "closed"),
    ],
)
def test_settings_that_leave_a_door_open(settings: Any, given: dict[str, Any], code: str) -> None:
    for name, value in given.items():
        setattr(settings, name, value)
    assert safety.secure_settings(NOW).code == code


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_disk(free: int) -> Line:
        monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": free}))
        return machine.disk(NOW)

    assert of_disk(1).state is State.BROKEN
    assert of_disk(machine.SCARCE_BYTES - 1).state is State.ATTENTION
    assert of_disk(machine.SCARCE_BYTES).state is State.OK


def test_the_kernels_word_on_its_clock_is_understood() -> None:
    assert machine.kernel_is_told() in {True, False}


def test_a_missing_migration_is_named() -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder(connection).record_unapplied("lib", "0001_sessions_by_name")
    line = database.migrations(NOW)
    assert (line.state, line.data["step"]) == (State.BROKEN, "lib.0001_sessions_by_name")


def test_without_a_database_only_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> Any:
        raise OperationalError("no route to it")

    monkeypatch.setattr(connection, "cursor", away)
    found = {line.name: line for line in doctor.examine(NOW)}
    assert found["database"].state is State.BROKEN
    assert found["clock"].state is State.UNKNOWN and found["clock"].code == "no_database"
    assert found["disk"].state is not State.UNKNOWN
    assert all(words.cause(line) for line in found.values())


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_line_has_words(language: str) -> None:
    """All codes of all looks: none without a title and a cause, whatever its data; a cure where it is not in order."""
    folder = Path(doctor.__file__).parent
    text = "".join(
        (folder / f"{name}.py").read_text() for name in ("jobs", "database", "machine", "outside", "safety")
    )
    made = set(re.findall(r'Line\(\s*"(\w+)",\s*[\w.]+,\s*"(\w+)"', text))
    assert len(made) > 30 and made <= set(words.SAID)
    assert {name for name, _ in words.SAID} == set(words.TITLES) == {name for name, _ in doctor.LOOKS}
    with translation.override(language):
        for (_, code), said in words.SAID.items():
            fields = [set(re.findall(r"%\((\w+)\)s", str(part))) for part in said]
            assert fields[1] <= fields[0], code
            assert str(said[0])


def test_exit_codes() -> None:
    ok, bad, meh = (Line("x", state, "y") for state in (State.OK, State.BROKEN, State.UNKNOWN))
    assert (exit_code([ok]), exit_code([ok, meh]), exit_code([meh, bad])) == (0, 1, 2)


def test_the_page_is_the_operators_alone() -> None:
    client, operator = Client(), a_user(email="o@example.org", is_superuser=True)
    client.force_login(a_user(email="p@example.org"))
    assert client.get("/system/").status_code == 404
    client.force_login(operator)
    page = client.get("/system/")
    assert page.status_code == 200
    body = page.content.decode()
    for title in words.TITLES.values():
        if str(title) != "Broker":
            assert str(title) in body
    assert "Run manage.py backup daily" in body
    assert 'class="state state-could_not_check"' in body


def test_the_command_says_it_in_json_and_by_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("fedisec", "doctor", "--json", "--lang", "ja")
    told = json.loads(capsys.readouterr().out)
    assert end.value.code == told["exit_code"] == 2  # no clock ever ticked here
    assert {line["name"] for line in told["lines"]} <= set(words.TITLES)
    assert settings.VERSION in json.dumps(told)
