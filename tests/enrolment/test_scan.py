"""A scan goes inside with the sealed key, and stays outside where the host key is not the confirmed one."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone
from pytest_django import Settings

from checks.codec import decode_facts
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.probes import Gathered, Progress, gather, inside
from checks.target import Target, Vantage
from fedisec.accounts.models import User
from fedisec.alerts.models import Notice
from fedisec.alerts.watch import subscribe_creator
from fedisec.enrolment import enrol
from fedisec.enrolment.inside import way_into
from fedisec.enrolment.keys import fingerprint, label
from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan
from fedisec.scans.queue import queue_scan
from fedisec.scans.run import run_scan
from tests.enrolment.servers import Machine, machine

# The heartbeat of a scan is a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)
SEEN: list[Target] = []


async def look_inside(target: Target, place: Vantage, progress: Progress | None = None) -> Gathered:
    """The real look, without what is outside."""
    SEEN.append(target)
    return await gather(target, place, progress=progress, probes=inside.PROBES)


@pytest.fixture(autouse=True)
def _inside_only(settings: Settings) -> None:
    SEEN.clear()
    settings.ALLOW_NETWORKS = ("127.0.0.0/8",)
    settings.RESOLVER = "127.0.0.1:9"
    settings.GATHER = "tests.enrolment.test_scan.look_inside"


def connected(instance: Instance, alice: User, server: Machine) -> SshAccess:
    access = enrol.enrol(instance, alice, server.form)
    server.authorize(access, server.restricted)
    SshAccess.objects.update(offered_host_key=server.host_key, offered_at=timezone.now())
    assert enrol.confirm(access, alice, server.host_key)
    return SshAccess.objects.get()


def scanned(instance: Instance) -> Facts:
    queue_scan(instance, "first")
    scan = Scan.objects.filter(state="queued").get()
    run_scan(scan.pk)
    scan.refresh_from_db()
    assert scan.state == "done", scan.error
    assert "PRIVATE KEY" not in json.dumps(scan.facts)
    return decode_facts(scan.facts)


def gap(facts: Facts) -> tuple[str, str]:
    missing = facts.missing[Inside]
    return missing.reason.value, missing.detail


def test_without_access_nobody_goes_inside(instance: Instance) -> None:
    assert gap(scanned(instance)) == ("not_connected", "")
    assert SEEN[0].access is None


def test_with_a_confirmed_key_the_report_comes(instance: Instance, alice: User) -> None:
    with machine() as server:
        connected(instance, alice, server)
        assert scanned(instance).get(Inside).lines("meta") == ("uid 0",)
        assert server.log.count("Accepted publickey") == 1
    access = SshAccess.objects.get()
    assert access.report["sections"] == [["meta", "fine"]] and access.report_at is not None


def test_an_unconfirmed_host_key_keeps_fedisec_out(instance: Instance, alice: User) -> None:
    with machine() as server:
        enrol.enrol(instance, alice, server.form)
        assert gap(scanned(instance)) == ("not_connected", "host key not confirmed")
    assert SEEN[0].access is None


def test_a_missing_key_file_keeps_fedisec_out_and_spoils_no_scan(
    instance: Instance, alice: User, settings: Settings
) -> None:
    with machine() as server:
        connected(instance, alice, server)
    settings.KEY_FILE = "/nowhere/keys"
    reason, detail = gap(scanned(instance))
    assert reason == "not_connected" and "cannot read the key file" in detail


def test_another_host_key_stops_the_logins_until_it_is_confirmed(instance: Instance, alice: User) -> None:
    with machine() as server, machine() as other:
        access = connected(instance, alice, server)
        server_key, other_key = server.host_key, other.host_key
        subscribe_creator(instance)
        other.authorize(access, other.restricted)
        SshAccess.objects.update(port=other.port)
        reason, detail = gap(scanned(instance))
        assert reason == "host_key_changed" and fingerprint(other.host_key) in detail
        stopped = SshAccess.objects.get()
        assert stopped.is_stopped and stopped.changed_to == label(other.host_key)
        assert "Accepted" not in other.log
        # Even with the old key back nobody logs in before a person has looked.
        SshAccess.objects.update(port=server.port)
        assert gap(scanned(instance)) == ("host_key_changed", f"now {label(other.host_key)}")
        assert SEEN[-1].access is None and "Accepted" not in server.log
    # One alarm, whatever number of scans.
    (alarm,) = Notice.objects.filter(user=alice)
    assert (alarm.kind, alarm.data["before"], alarm.data["after"]) == (
        "host_key", label(server_key), label(other_key),
    )  # fmt: skip


def test_a_deleted_access_is_gone(instance: Instance, alice: User) -> None:
    with machine() as server:
        enrol.disconnect(connected(instance, alice, server), alice)
        assert gap(scanned(instance)) == ("not_connected", "")
    assert not SshAccess.objects.exists()


def test_a_scan_that_outlives_its_access_changes_nothing(instance: Instance, alice: User) -> None:
    """Somebody disconnects and connects anew while a scan still runs with the old key."""
    with machine() as server:
        old = connected(instance, alice, server)
        way = way_into(instance)
        enrol.disconnect(old, alice)
        enrol.enrol(instance, alice, server.form)
        way.noted(Facts())
    access = SshAccess.objects.get()
    assert access.report == {} and not access.is_stopped
