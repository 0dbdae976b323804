"""New keys: everything that is sealed is sealed anew, whatever happens meanwhile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent
from fedisec.alerts.models import MailServer
from fedisec.enrolment.models import SshAccess
from fedisec.lib import canary, keyfile, rotating, sealed
from fedisec.lib.crash import KILLED, ROTATION
from fedisec.lib.models import Canary
from fedisec.lib.sealed import SealedField, columns, opened, put
from fedisec.lib.secrets import seal
from tests.factories import an_instance
from tests.running.conftest import MakeWorld
from tests.running.world import ROOT, World, wait_for
from tests.secrets.tool import count
from tests.smtp import Relay, a_relay, with_login

OLD = "k" * 43


@pytest.fixture(autouse=True)
def key_file(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "keys"
    path.parent.mkdir()
    path.write_text(f"{OLD}\n")
    path.chmod(0o400)
    settings.KEY_FILE, settings.KEYS_SETTLE_S = str(path), 0
    return path


@pytest.fixture
def filled(db: None) -> list[str]:
    """Seven servers with a key each, a relay with a password; gives the keys."""
    return fill()


def fill() -> list[str]:
    Canary.objects.all().delete()
    canary.lay()
    keys = [f"private key {number}" for number in range(7)]
    for key in keys:
        access = SshAccess(instance=an_instance(), public_key="x")
        put(access, "sealed_key", key)
        access.save()
    server = MailServer.objects.create(host="mail.example", sender="a@example.org")
    put(server, "sealed_password", "hunter2")
    server.save()
    MailServer.objects.create(host="none.example", sender="a@example.org")
    return keys


def rotate(*options: str) -> str:
    said = StringIO()
    call_command("rotate_keys", *options, stdout=said)
    return said.getvalue()


def is_whole(keys: list[str]) -> bool:
    found = [opened(one, "sealed_key") for one in SshAccess.objects.order_by("pk")]
    return found == keys and opened(MailServer.objects.earliest("pk"), "sealed_password") == "hunter2"


class TestWhatIsSealed:
    def test_a_column_that_calls_itself_sealed_is_in_the_registry(self) -> None:
        known = {column.name for column in columns()}
        for model in apps.get_models(include_auto_created=True):
            for field in model._meta.local_concrete_fields:
                name = f"{model._meta.db_table}.{field.column}"
                assert (name in known) or not field.name.startswith("sealed"), name
                if isinstance(field, SealedField):
                    assert field.purpose and name in known

    def test_nothing_is_sealed_but_into_such_a_column(self) -> None:
        """Who calls `seal` himself keeps what he sealed for minutes only, or names the column with `also`."""
        callers = {
            path.relative_to(ROOT / "fedisec").as_posix()
            for path in (ROOT / "fedisec").rglob("*.py")
            if path.parent.name != "migrations" and re.search(r"(?<![.\w])seal\(", path.read_text())
        }
        in_sessions = {"accounts/sudo.py"}  # a form that waits while its sender says who he is
        moved = {
            "moving/importing.py",
            "moving/sealing.py",
        }  # what a file brings for those columns; a file itself
        named = {path for path in callers if "also(" in (ROOT / "fedisec" / path).read_text()}
        own = {"lib/secrets.py", "lib/sealed.py", "lib/rotating.py"}
        assert own <= callers and not callers - own - in_sessions - moved - named

    def test_texts_within_another_value_are_found(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        def each(data: dict[str, str], change: sealed.Change) -> dict[str, str]:
            return {**data, "secret": change(data["secret"])} if "secret" in data else data

        monkeypatch.setattr(sealed, "_others", {})
        sealed.also(sealed.Column(SshAccess, "report", "test", lambda pk: "", each))
        one = an_instance()
        before = seal("test", "", "planted")
        report = {"secret": before, "other": "x"}
        SshAccess.objects.create(instance=one, sealed_key="", report=report)
        SshAccess.objects.create(instance=an_instance(), sealed_key="", report={"other": "y"})
        rotate()
        after = SshAccess.objects.get(instance=one).report
        assert after["secret"] != before and after["other"] == "x"
        assert count()[1] == 0


class TestARotation:
    def test_seals_everything_anew_and_keeps_the_older_keys(self, filled: list[str], key_file: Path) -> None:
        assert rotate() == "a new key was made; 9 sealed anew, 0 old keys dropped\n"
        new, old = key_file.read_text().split()
        assert old == OLD and len(new) >= 43 and key_file.stat().st_mode & 0o777 == 0o400
        assert count() == (9, 0) and is_whole(filled)
        assert [path.name for path in key_file.parent.iterdir()] == ["keys"]
        line = AuditEvent.objects.get()
        assert (line.action, line.team_id, line.actor_id) == ("installation.keys_rotated", None, None)
        assert line.data == {"new_key": True, "count": 9, "dropped": 0} and new not in str(line.data)

    def test_takes_the_older_keys_away_when_told_to(self, filled: list[str], key_file: Path) -> None:
        rotate()
        said = rotate("--drop-old", "--keep-keys")
        assert said.startswith("0 sealed anew, 1 old keys dropped\n") and "keep it with them" in said
        assert len(key_file.read_text().split()) == 1
        assert count() == (9, 0) and is_whole(filled)

    def test_works_in_batches(self, filled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        for size in (1, 3, 7):
            monkeypatch.setattr(rotating, "BATCH", size)
            assert "; 9 sealed anew" in rotate()
            assert is_whole(filled)

    def test_waits_for_who_still_knows_the_old_file(
        self, filled: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody had read the file before, and stores what he sealed while the rotation waits."""
        access = SshAccess.objects.earliest("pk")
        late, waited = access.sealed_key, []

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            SshAccess.objects.filter(pk=access.pk).update(sealed_key=late)

        monkeypatch.setattr(rotating.time, "sleep", sleep)  # type: ignore[attr-defined]  # the module's own
        settings.KEYS_SETTLE_S = 240
        rotate("--drop-old")
        assert 200 < waited[0] <= 240
        assert count() == (9, 0) and is_whole(filled)

    def test_what_no_key_opens_keeps_the_old_ones(self, filled: list[str], key_file: Path) -> None:
        broken = SshAccess.objects.latest("pk")
        SshAccess.objects.filter(pk=broken.pk).update(sealed_key="nonsense")
        with pytest.raises(
            CommandError, match=rf"opens enrolment_sshaccess.sealed_key {broken.pk} \(1 in all"
        ):
            rotate("--drop-old")
        assert OLD in key_file.read_text()

    def test_two_at_once_make_one_key(self, filled: list[str], key_file: Path) -> None:
        with keyfile.alone(), pytest.raises(CommandError, match="another rotation of .* is under way"):
            rotate()
        assert key_file.read_text() == f"{OLD}\n"

    def test_a_file_that_cannot_be_written_is_said(
        self, filled: list[str], key_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*arguments: object) -> None:
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(
            CommandError, match=r"\(Read-only file system\): put a new key on its first line by"
        ):
            rotate()
        assert [path.name for path in key_file.parent.iterdir()] == ["keys"]
        assert count() == (9, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ROTATION)
def test_killed_anywhere_it_goes_on(point: str, key_file: Path, settings: Settings) -> None:
    keys = fill()
    connections.close_all()
    pid = os.fork()
    if pid == 0:  # dies by itself, and must not come back into pytest
        try:
            settings.CRASH_AT = point
            rotating.BATCH = 3
            rotate("--drop-old")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == KILLED
    lines = key_file.read_text().split()
    assert len(lines) == (1 if point == "key_drafted" else 2) and lines[-1] == OLD
    assert is_whole(keys)
    said = rotate("--drop-old")
    made = point in {"key_drafted", "before_drop"}  # a rotation that was over; else that one goes on
    assert said.startswith("a new key was made; ") is made
    assert len(key_file.read_text().split()) == 1 and key_file.stat().st_mode & 0o777 == 0o400
    assert [path.name for path in key_file.parent.iterdir()] == ["keys"]
    assert count() == (9, 0) and is_whole(keys)


@pytest.fixture
def relay_with_password() -> Iterator[tuple[Relay, int]]:
    with a_relay(**with_login("me", "hunter2"), auth_require_tls=False) as found:
        yield found


def done(world: World) -> int:
    return int(world.one("SELECT count(*) FROM scans_scan WHERE state = 'done'"))


@pytest.mark.wide
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.timeout(300)
def test_scans_and_mails_go_on(
    make_world: MakeWorld, mode: str, relay_with_password: tuple[Relay, int]
) -> None:
    relay, port = relay_with_password
    world = make_world(mode, begin="prepared", FEDISEC_CONFIRM_AFTER="0", TEST_LOOK_S="0.02")
    world.tool("add", "1", *(f"n{number}.example" for number in range(4)))
    world.module("tests.secrets.tool", "plant", str(port), "hunter2")
    for _ in range(2):
        world.worker()
    world.start("manage.py", "ticker")
    wait_for(lambda: relay.taken != [], 60, f"mails\n{world.log()}")
    for options in ((), ("--drop-old",)):
        before, mails = done(world), len(relay.taken)
        argv = [sys.executable, "manage.py", "rotate_keys", *options]
        subprocess.run(argv, cwd=ROOT, env=world.env, check=True, capture_output=True, timeout=120)
        wait_for(lambda: done(world) > before + 3, 60, f"scans\n{world.log()}")  # noqa: B023
        wait_for(lambda: len(relay.taken) > mails, 60, f"mails\n{world.log()}")  # noqa: B023
    assert len((world.data / "keys").read_text().split()) == 1
    newest, older = map(int, world.module("tests.secrets.tool", "count").split())
    assert (newest, older) == (6, 0)
    assert world.one("SELECT count(*) FROM scans_scan WHERE state = 'failed' OR error != ''") == 0
    assert world.one("SELECT count(*) FROM alerts_delivery WHERE state = 'failed' OR attempts > 1") == 0
    for words in ("no look inside", "cannot be read", "Traceback", "waits for another try"):
        assert words not in world.log(), world.log()
