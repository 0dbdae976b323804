"""A start with the wrong key file ends with one sentence, whatever is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from fedisec.enrolment.models import SshAccess
from fedisec.lib import canary, keyfile
from fedisec.lib.keyfile import NoKeys
from fedisec.lib.listen import CannotStart
from fedisec.lib.models import Canary
from fedisec.lib.sealed import put
from tests.factories import an_instance
from tests.running.conftest import MakeWorld
from tests.running.world import ROOT, WORKER, World, wait_for


@pytest.fixture(autouse=True)
def key_file(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("k" * 43)
    path.chmod(0o400)
    settings.KEY_FILE = str(path)
    return path


def another(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o400)


@pytest.mark.django_db
class TestTheRow:
    def test_is_made_once_and_opened_from_then_on(self) -> None:
        Canary.objects.all().delete()
        assert not canary.stands()
        canary.look()
        canary.lay()
        first = Canary.objects.get().sealed
        canary.lay()
        canary.look()
        assert Canary.objects.get().sealed == first

    def test_another_key_file_is_refused_and_an_additional_key_is_not(self, key_file: Path) -> None:
        canary.lay()
        another(key_file, "n" * 43 + "\n" + "k" * 43)
        canary.look()
        another(key_file, "n" * 43)
        with pytest.raises(CannotStart, match="is not the key file that this database was sealed with: put"):
            canary.look()
        with pytest.raises(CannotStart, match="is not the key file"):
            canary.look(may_lack=True)  # a wrong one is worse than none

    def test_a_missing_file_is_refused_but_to_who_opens_nothing(self, key_file: Path) -> None:
        canary.lay()
        key_file.unlink()
        with pytest.raises(CannotStart, match=f"{key_file} is not there: put it there from the machine or"):
            canary.look()
        canary.look(may_lack=True)

    def test_a_row_of_something_else_does_not_pass(self) -> None:
        canary.lay()
        row = Canary.objects.get()
        put(row, "sealed", "another song")
        row.save()
        with pytest.raises(CannotStart):
            canary.look()

    def test_an_older_database_gets_none_with_a_key_that_opens_nothing(self, key_file: Path) -> None:
        Canary.objects.all().delete()
        access = SshAccess(instance=an_instance(), public_key="x")
        put(access, "sealed_key", "private")
        access.save()
        another(key_file, "n" * 43)
        with pytest.raises(CannotStart, match="is not the key file"):
            canary.lay()
        assert not Canary.objects.exists()
        another(key_file, "k" * 43)
        canary.lay()


class TestWhoMayReadTheFile:
    def test_what_is_too_open_is_mended(self, key_file: Path) -> None:
        assert keyfile.mind_mode() == ""
        key_file.chmod(0o644)
        assert keyfile.mind_mode() == f"the key file {key_file} had mode 0644; it has 0400 now"
        assert key_file.stat().st_mode & 0o777 == 0o400
        key_file.chmod(0o600)
        assert keyfile.mind_mode() == ""  # nobody else could read it

    @pytest.mark.parametrize("mode", [0o444, 0o404, 0o440, 0o422])
    def test_what_belongs_to_somebody_else_is_refused(
        self, mode: int, key_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key_file.chmod(mode)
        monkeypatch.setattr(os, "geteuid", lambda: 10001)
        monkeypatch.setattr(os, "getegid", lambda: 10001)
        monkeypatch.setattr(os, "getgroups", lambda: [10001])
        with pytest.raises(NoKeys, match=rf"\(mode {mode:04o}\): make it yours alone with chown 10001"):
            keyfile.mind_mode()
        assert key_file.stat().st_mode & 0o777 == mode

    def test_a_group_of_ours_may_read_it(self, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        key_file.chmod(0o440)
        monkeypatch.setattr(os, "geteuid", lambda: 10001)
        monkeypatch.setattr(os, "getgroups", lambda: [key_file.stat().st_gid])
        assert keyfile.mind_mode() == ""

    def test_what_a_container_is_given_is_taken_as_it_is(
        self, key_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key_file.chmod(0o444)  # as docker lays it there, for root
        monkeypatch.setattr(os, "geteuid", lambda: 10001)
        monkeypatch.setattr(keyfile, "_CONTAINER_SECRETS", key_file.parent)
        assert keyfile.mind_mode() == ""
        monkeypatch.setattr(keyfile, "_CONTAINER_SECRETS", Path("/run/secrets"))
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(key_file.parent))
        assert keyfile.mind_mode() == ""


def refused(world: World, *argv: str) -> str:
    """What a process says that does not start: one line, and no traceback."""
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=ROOT, env=world.env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("fedisec: ")]
    assert str(world.data / "keys") in line
    return line


STARTS: dict[str, tuple[str, ...]] = {
    "up": ("manage.py", "up"),
    "web": ("manage.py", "web"),
    "web --prepare": ("manage.py", "web", "--prepare"),
    "prepare": ("manage.py", "prepare"),
    "runner": ("manage.py", "runner"),
    "ticker": ("manage.py", "ticker"),
    "rotate_keys": ("manage.py", "rotate_keys"),
}


def lost(path: Path) -> None:
    path.unlink()


def wrong(path: Path) -> None:
    another(path, "w" * 64)


def unreadable(path: Path) -> None:
    path.unlink()
    path.mkdir()  # to root everything else can be read


def emptied(path: Path) -> None:
    another(path, "\n")


FAULTS: dict[Callable[[Path], None], str] = {
    lost: "is not there: put it there from the machine or the backup that the database came from",
    wrong: "is not the key file that this database was sealed with: put that one back",
    unreadable: "(Is a directory): put it back from a backup, or name it with FEDISEC_KEY_FILE",
    emptied: "holds no keys: it needs one a line",
}


@pytest.mark.wide
@pytest.mark.timeout(240)
def test_nothing_starts_without_the_right_file(make_world: MakeWorld, mode: str) -> None:
    world = make_world(mode, begin="prepared")
    keys = world.data / "keys"
    right = keys.read_text()
    kinds = list(STARTS.items())
    if mode == "grown":
        kinds = [("worker", WORKER), ("worker of mails", (*WORKER, "-Q", "mail")), *kinds[3:4]]
    faults = list(FAULTS.items())
    for number, (_name, argv) in enumerate(kinds):
        spoil, words = faults[number % len(faults)]
        spoil(keys)
        assert words in refused(world, *argv)
        if keys.is_dir():
            keys.rmdir()
        another(keys, right)
    world.manage("prepare")


@pytest.mark.wide
@pytest.mark.timeout(120)
def test_a_restored_database_needs_the_key_file_of_its_machine(make_world: MakeWorld, tmp_path: Path) -> None:
    old, new = make_world("embedded", begin="prepared"), make_world("embedded")
    shutil.copy2(old.data / "fedisec.sqlite3", new.data)
    new.env["FEDISEC_STATIC"] = old.env["FEDISEC_STATIC"]
    assert "the backup that the database came from" in refused(new, "manage.py", "up")
    assert not (new.data / "keys").exists()  # no new one that would look right next time
    shutil.copy2(old.data / "keys", new.data)
    new.up()


@pytest.mark.timeout(120)
def test_a_worker_that_only_looks_from_outside_needs_no_file(make_world: MakeWorld) -> None:
    world = make_world("grown", begin="prepared")
    world.tool("add", "0", "n0.example")
    (world.data / "keys").unlink()
    world.start(*WORKER, "-c", "1", "-Q", "outside")
    world.module("tests.secrets.tool", "ring")
    wait_for(lambda: world.scan_states() == ["done"], 30, f"a scan\n{world.log()}")
