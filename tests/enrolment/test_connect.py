"""From the first page to a report, and what stops it, with a real sshd at the other end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent
from fedisec.enrolment import trial
from fedisec.enrolment.keys import fingerprint
from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Instance
from fedisec.lib.secrets import CannotOpen
from fedisec.scans.models import Scan
from tests.enrolment.servers import ME, Machine, free_port, machine

pytestmark = pytest.mark.django_db
PAGE = "/instances/social.example/ssh/"
Enrol = Callable[..., SshAccess]

MIXED = """@fedisec 1
@sec meta
 uid 1000
 =rc 0
@end meta ms=1
@sec nft
 Operation not permitted (you must be root)
 =rc 1
@end nft ms=1
@sec docker
 == version absent
 =rc 0
@end docker ms=1
@sec accounts
 == uid0
 root
 == empty denied
 =rc 0
@end accounts ms=1
@sec sockets
 tcp LISTEN
 =rc 124
@end sockets ms=8000
@done 1000
"""


@pytest.fixture(autouse=True)
def _loopback(settings: Settings) -> None:
    settings.ALLOW_NETWORKS = ("127.0.0.0/8",)
    settings.RESOLVER = "127.0.0.1:9"


@pytest.fixture
def enrolled(as_alice: Client, instance: Instance) -> Enrol:
    """Alice fills in step 1 for a machine and puts the line on it; nothing is confirmed yet."""

    def enrol(server: Machine, options: str | None = None, **form: object) -> SshAccess:
        assert as_alice.post(PAGE, server.form | form).status_code == 302
        access = SshAccess.objects.get()
        server.authorize(access, server.restricted if options is None else options)
        return access

    return enrol


def press(client: Client, what: str, **fields: str) -> str:
    """The page after a button was pressed."""
    answer = client.post(f"{PAGE}{what}/", fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def confirmed(client: Client) -> str:
    press(client, "test")
    return press(client, "confirm", host_key=SshAccess.objects.get().offered_host_key)


def test_a_first_test_shows_the_host_key_and_logs_in_nowhere(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server)
        page = press(as_alice, "test")
        access = SshAccess.objects.get()
        assert access.offered_host_key == server.host_key and access.host_key == ""
        assert f"ssh-ed25519 {fingerprint(server.host_key)}" in page
        assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in page
        assert "Accepted" not in server.log and ME not in server.log
        assert not Scan.objects.exists()


def test_confirming_logs_in_shows_what_was_seen_and_asks_for_a_scan(
    as_alice: Client, enrolled: Enrol
) -> None:
    with machine(MIXED) as server:
        enrolled(server)
        page = confirmed(as_alice)
        assert server.log.count("Accepted publickey") == 2  # the report; what else the key may do
    access = SshAccess.objects.get()
    assert access.host_key == access.offered_host_key != "" and access.confirmed_by is not None
    assert access.powers == {"command": False, "terminal": False, "forwarding": False, "files": False}
    assert dict(access.report["sections"]) == {
        "meta": "fine", "nft": "denied", "docker": "absent", "accounts": "partly", "sockets": "cut",
    }  # fmt: skip
    assert f"Connected as user {ME}." in page and 'role="alert">' not in page.split("<main")[1]
    assert page.count("refused</span>") == 4
    assert Scan.objects.get().reason == "manual"


def test_only_the_key_that_was_shown_can_be_confirmed(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server)
        for given in ("", "ssh-ed25519 AAAA", server.host_key):  # not shown yet: nothing to compare with
            assert "another key meanwhile" in press(as_alice, "confirm", host_key=given)
        press(as_alice, "test")
        assert "another key meanwhile" in press(as_alice, "confirm", host_key="ssh-ed25519 AAAA")
        assert SshAccess.objects.get().host_key == ""
        assert "Accepted" not in server.log


def test_a_key_without_options_is_called_unrestricted(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server, "")
        page = confirmed(as_alice)
    assert SshAccess.objects.get().powers == {"command": True}
    assert "lacks its command=" in page and "allowed</span>" in page


def test_a_command_without_restrict_is_told(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server, f'command="{server.script}"')
        page = confirmed(as_alice)
    powers = {"command": False, "terminal": True, "forwarding": True, "files": False}
    assert SshAccess.objects.get().powers == powers
    assert "mind the word “restrict”" in page


def test_a_plain_account_runs_the_script_that_is_sent(
    as_alice: Client, enrolled: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "LIMITS", replace(trial.LIMITS, wall_s=60.0))  # the real script, any machine
    with machine() as server:
        enrolled(server, "restrict", mode="plain")
        confirmed(as_alice)
        assert server.log.count("Accepted publickey") == 1
    access = SshAccess.objects.get()
    assert access.powers == {} and {"meta", "release"} <= set(dict(access.report["sections"]))


def test_a_refused_key_is_told_with_its_cure(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        access = enrolled(server)
        (server.folder / "authorized_keys").write_text("")
        page = confirmed(as_alice)
    assert f"The server refused the key for {ME}@127.0.0.1 port {access.port}." in page
    assert f"~{ME}/.ssh/authorized_keys" in page


def test_a_closed_port_is_told(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server, port=free_port())
    assert "Nothing listens at" in press(as_alice, "test")


def test_a_script_that_is_not_there_is_told(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server, 'restrict,command="/nowhere/fedisec-collect"')
        assert "is not on the server. Install the script" in confirmed(as_alice)


def test_an_account_without_a_shell_is_told(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server, 'restrict,command="/usr/sbin/nologin"')
        page = confirmed(as_alice)
    assert SshAccess.objects.get().report["reason"] == "no_shell"
    assert f"sudo usermod --shell /bin/sh {ME}" in page


def test_a_slow_report_is_not_called_a_firewall(
    as_alice: Client, enrolled: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a deadline that no report can meet."""
    with machine() as server:
        server.script.write_text("#!/bin/sh\necho '@fedisec 1'; exec sleep 60\n")
        enrolled(server)
        monkeypatch.setattr(trial, "LIMITS", replace(trial.LIMITS, wall_s=10.0))
        page = confirmed(as_alice)
    assert "worked, but the report was not whole" in page and "firewall" not in page.split('id="test"')[1]


def test_sudo_that_does_not_work_is_told(as_alice: Client, enrolled: Enrol) -> None:
    with machine(MIXED) as server:
        enrolled(server, mode="sudo")
        assert "The script did not run as root." in confirmed(as_alice)


def test_an_address_that_is_not_visited_is_refused(
    as_alice: Client, enrolled: Enrol, settings: Settings
) -> None:
    with machine() as server:
        enrolled(server)
        settings.ALLOW_NETWORKS = ()
        page = press(as_alice, "test")
        assert (
            "private, reserved, or of its own machine" in page
            and SshAccess.objects.get().offered_host_key == ""
        )
        assert as_alice.post(PAGE, server.form).status_code == 422


def test_another_host_key_raises_the_alarm_and_stops_every_login(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server, machine() as other:
        access = enrolled(server)
        confirmed(as_alice)
        first = SshAccess.objects.get().host_key
        other.authorize(access, other.restricted)
        SshAccess.objects.update(port=other.port)
        page = press(as_alice, "test")
        assert "The server shows another host key" in page
        assert fingerprint(first) in page and fingerprint(other.host_key) in page
        for _ in range(2):
            press(as_alice, "test")
        assert "Accepted" not in other.log and ME not in other.log
        assert SshAccess.objects.get().host_key == first
        # A person compares and confirms: then it goes on.
        page = press(as_alice, "confirm", host_key=other.host_key)
        assert "Accepted publickey" in other.log and "another host key" not in page
        assert not SshAccess.objects.get().is_stopped


def test_every_step_is_in_the_trail(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server, machine() as other:
        access = enrolled(server)
        confirmed(as_alice)
        first = SshAccess.objects.get()
        assert as_alice.post(PAGE, server.form | {"mode": "sudo"}).status_code == 302
        other.authorize(access, other.restricted)
        SshAccess.objects.update(port=other.port)
        press(as_alice, "test")
        as_alice.post(f"{PAGE}disconnect/", {"domain": "social.example"})
        key, new = (f"ssh-ed25519 {fingerprint(one)}" for one in (first.host_key, other.host_key))
    place = f"{ME}@127.0.0.1 port"
    trail = AuditEvent.objects.order_by("pk").values_list("action", "actor_name", "before", "after")
    alice = "alice@example.org"
    assert list(trail) == [
        ("ssh.key_made", alice, "", f"forced: {place} {server.port}"),
        ("ssh.tested", alice, "", "host key"),
        ("ssh.connected", alice, "", key),
        ("ssh.tested", alice, "", "report"),
        ("ssh.access_changed", alice, f"forced: {place} {server.port}", f"sudo: {place} {server.port}"),
        ("ssh.tested", alice, "", "host_key_changed"),
        ("ssh.host_key_changed", "", key, new),
        ("ssh.disconnected", alice, f"sudo: {place} {other.port}", ""),
    ]
    assert set(AuditEvent.objects.values_list("instance_name", flat=True)) == {"social.example"}


def test_the_old_key_coming_back_logs_nobody_in(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server)
        confirmed(as_alice)
        before = server.log.count("Accepted publickey")
        SshAccess.objects.update(changed_at=timezone.now(), changed_to="ssh-ed25519 SHA256:other")
        page = press(as_alice, "test")
        assert "This is the confirmed key again." in page
        assert server.log.count("Accepted publickey") == before
        assert SshAccess.objects.get().is_stopped


def test_nothing_of_the_private_key_is_in_the_database_or_on_a_page(
    as_alice: Client, enrolled: Enrol, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with machine() as server:
        access = enrolled(server)
        page = confirmed(as_alice)
    pem = access.opened().private_key
    secret = pem.splitlines()[2]
    assert secret not in dump() and "PRIVATE KEY" not in dump()
    assert access.public_key.split()[1] in dump()  # the dump holds what it ought to hold
    for text in (page, caplog.text, repr(access), str(access), repr(access.opened())):
        assert secret not in text and "PRIVATE KEY" not in text


def dump() -> str:
    """Every value of every table."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def test_a_key_of_another_row_does_not_open(enrolled: Enrol, instance: Instance) -> None:
    with machine() as server:
        access = enrolled(server)
    other = Instance.objects.create(team=instance.team, domain="other.example")
    moved = SshAccess(instance=other, sealed_key=access.sealed_key, user="x")
    with pytest.raises(CannotOpen):
        moved.opened()


def test_a_rotation_lets_the_old_key_go(enrolled: Enrol, key_file: Path, settings: Settings) -> None:
    with machine() as server:
        before = enrolled(server)
    private = before.opened().private_key
    settings.KEYS_SETTLE_S = 0
    call_command("rotate_keys", "--drop-old", stdout=StringIO())
    assert "k" * 43 not in key_file.read_text()
    after = SshAccess.objects.get()
    assert after.opened().private_key == private and after.sealed_key != before.sealed_key
    SshAccess.objects.update(sealed_key=before.sealed_key)
    with pytest.raises(
        CommandError, match=rf"no key opens enrolment_sshaccess\.sealed_key {before.pk} \(1 in all"
    ):
        call_command("rotate_keys", stdout=StringIO())
    assert SshAccess.objects.get().sealed_key == before.sealed_key


def test_a_wrong_key_file_is_told_on_the_page(as_alice: Client, enrolled: Enrol, settings: Settings) -> None:
    with machine() as server:
        enrolled(server)
        settings.KEY_FILE = "/nowhere/keys"
        page = press(as_alice, "test")
        assert (
            "The key file of this installation does not work: cannot read the key file /nowhere/keys" in page
        )
        assert SshAccess.objects.get().busy_until is None


def test_two_tests_do_not_run_at_once(as_alice: Client, enrolled: Enrol) -> None:
    with machine() as server:
        enrolled(server)
        SshAccess.objects.update(busy_until=timezone.now() + timedelta(seconds=20))
        assert "A test is under way" in press(as_alice, "test")
        assert SshAccess.objects.get().offered_host_key == ""
        SshAccess.objects.update(busy_until=timezone.now() - timedelta(seconds=1))  # its process died
        assert "Is this your server?" in press(as_alice, "test")
