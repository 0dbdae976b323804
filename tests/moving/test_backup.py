"""A backup is whole or not there, comes back, and never takes a secret further than the database did."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from fedisec.lib.crash import KILLED
from fedisec.lib.models import Backup
from fedisec.moving import backup as backups
from fedisec.moving.backup import CannotBackUp, look_into, read_through
from fedisec.moving.files import sweep
from fedisec.moving.restore import kind_of
from tests.moving.test_round import rows_of, told, without_trail_of_the_move
from tests.running.conftest import MakeWorld
from tests.running.servers import Postgres
from tests.running.world import ROOT, World, wait_for
from tests.secrets.test_dump import found_in

SCANNED = "SELECT count(*) FROM scans_scan WHERE state = 'done'"


def fails(world: World, *argv: str, code: int = 1, **env: str) -> str:
    """What a command says that ends with `code`."""
    done = subprocess.run(
        [sys.executable, "manage.py", *argv],
        cwd=ROOT, env={**world.env, **env}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said, said
    return said


def backed_up(world: World, folder: Path, *options: str) -> Path:
    folder.mkdir(exist_ok=True)
    return Path(told(world.manage("backup", str(folder), *options))["file"])


@pytest.mark.timeout(240)
def test_of_sqlite_with_and_without_the_key_file(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world("embedded", begin="prepared")
    secrets: dict[str, str] = json.loads(world.module("tests.secrets.planted"))
    before = rows_of(world)
    path = backed_up(world, tmp_path / "backups")
    assert kind_of(path) == "sqlite" and oct(path.stat().st_mode & 0o777) == "0o600"
    assert [name.name for name in path.parent.iterdir()] == [path.name]
    assert found_in(path.read_bytes(), secrets) == {"control in clear", "control encoded"}
    assert world.rows("SELECT name, kind FROM lib_backup") == [(path.name, "sqlite")]
    world.execute("UPDATE accounts_team SET name = 'changed since'")
    said = told(world.manage("restore", str(path)))
    assert said["trouble"] == ""
    assert (
        world.one("SELECT action FROM accounts_auditevent ORDER BY id DESC LIMIT 1")
        == "installation.restored"
    )
    assert without_trail_of_the_restore(rows_of(world)) == before
    with closing(sqlite3.connect(said["before"])) as aside:
        assert aside.execute("SELECT name FROM accounts_team LIMIT 1").fetchone() == ("changed since",)
    # Elsewhere, and the key file is lost.
    (world.data / "keys").unlink()
    said = told(world.manage("restore", str(path)))
    assert "this database was sealed with a key file" in said["trouble"]
    assert "was sealed with a key file" in fails(world, "prepare")
    assert "nobody is there to ask" in fails(world, "forget_secrets")
    lost = told(world.manage("forget_secrets", "--yes"))["lost"]
    assert [line.partition(":")[0] for line in sorted(lost)] == [
        "the SSH key of control-7f3a9c.example",
        "the address of the channel “Chat”",
        "the address of the channel “Hook”",
        f"the authenticator app of {world.one('SELECT email FROM accounts_user LIMIT 1')}",
        "the password of the mail server mail.example",
        "the public page of control-7f3a9c.example",
    ]
    world.manage("prepare")
    after = rows_of(world)
    for table in ("enrolment_sshaccess", "share_share", "mfa_authenticator", "accounts_recoverycode"):
        assert before[table] and not after[table], table
    assert {row["enabled"] for row in after["alerts_channel"].values()} == {"False"}
    assert after["accounts_user"] == before["accounts_user"] and after["scans_scan"] == before["scans_scan"]
    assert told(world.manage("forget_secrets"))["lost"] == []


def without_trail_of_the_restore(
    rows: dict[str, dict[str, dict[str, str]]],
) -> dict[str, dict[str, dict[str, str]]]:
    kept = {k: r for k, r in rows["accounts_auditevent"].items() if r["action"] != "'installation.restored'"}
    return rows | {"accounts_auditevent": kept}


@pytest.mark.wide
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["pg_dump", "export"])
def test_of_postgresql(make_world: MakeWorld, tmp_path: Path, postgres_server: Postgres, kind: str) -> None:
    world, new = make_world("grown", begin="prepared"), make_world("grown")
    secrets: dict[str, str] = json.loads(world.module("tests.secrets.planted"))
    before = rows_of(world)
    path = backed_up(world, tmp_path / "backups", "--kind", kind)
    if kind == "export":  # which is in clear, and zipped
        text = subprocess.run(
            ["gzip", "-dc"], input=path.read_bytes().partition(b"\n")[2], capture_output=True, check=True
        ).stdout
        assert found_in(text, secrets) == {"control in clear", "control encoded"}
    new.env["FEDISEC_STATIC"] = world.env["FEDISEC_STATIC"]
    new.manage("restore", str(path))
    after = without_trail_of_the_move(without_trail_of_the_restore(rows_of(new)))
    assert after == before
    said = fails(new, "restore", str(path))
    assert "make a new one" in said or "in use" in said
    if kind == "export":
        other = make_world("grown")
        (other.data / "keys").chmod(0o600)
        (other.data / "keys").write_text("o" * 64)
        assert "sealed with another key file" in fails(other, "restore", str(path))


@pytest.mark.parametrize("point", ["backup_copied", pytest.param("backup_drafted", marks=pytest.mark.wide)])
def test_killed_in_the_middle_it_leaves_the_old_one(
    make_world: MakeWorld, tmp_path: Path, point: str
) -> None:
    world = make_world("embedded", begin="prepared")
    first = backed_up(world, tmp_path / "backups")
    content = first.read_bytes()
    fails(world, "backup", str(first.parent), "--keep", "1", code=KILLED, FEDISEC_CRASH_AT=point)
    assert [path.name for path in first.parent.iterdir() if not path.name.startswith(".")] == [first.name]
    assert first.read_bytes() == content
    assert world.one("SELECT count(*) FROM lib_backup") == 1
    second = backed_up(world, first.parent, "--keep", "1")
    assert [path.name for path in first.parent.iterdir()] == [second.name]  # nothing half written is left


@pytest.mark.wide
def test_a_restore_waits_for_nobody(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world("embedded", begin="prepared")
    path = backed_up(world, tmp_path / "backups")
    with closing(sqlite3.connect(world.data / "fedisec.sqlite3")) as reader:
        reader.execute("BEGIN").execute("SELECT count(*) FROM accounts_user").fetchone()
        assert "somebody has" in fails(world, "restore", str(path))
    world.start("manage.py", "up")
    wait_for(world.answers, 60, "an answer")
    assert "fedisec is running here" in fails(world, "restore", str(path))


@pytest.mark.wide
def test_what_is_no_backup_is_refused(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world("embedded", begin="prepared")
    path = backed_up(world, tmp_path / "backups")
    spoilt, text, newer = tmp_path / "spoilt", tmp_path / "text", tmp_path / "newer"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 9000] = b"x" * 9000
    spoilt.write_bytes(data)
    text.write_text("hello")
    shutil.copy(path, newer)
    with closing(sqlite3.connect(newer)) as database, database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('scans', '9999_of_tomorrow', '2030-01-01')"
        )
    before = (world.data / "fedisec.sqlite3").read_bytes()
    assert "nothing was restored" in fails(world, "restore", str(spoilt))
    assert "is no backup of fedisec" in fails(world, "restore", str(text))
    assert "newer version of fedisec (scans.9999_of_tomorrow)" in fails(world, "restore", str(newer))
    assert (world.data / "fedisec.sqlite3").read_bytes() == before


# Of what a folder of backups becomes; without processes.


@pytest.mark.django_db(transaction=True)
class TestAFolder:
    def test_keeps_the_newest_and_what_is_not_ours(self, tmp_path: Path) -> None:
        others = [tmp_path / "fedisec-keys-abc", tmp_path / "notes.txt", tmp_path / "fedisec.sqlite3"]
        for path in others:
            path.write_text("mine")
        made = [backups.backup(tmp_path, keep=2) for _ in range(4)]
        assert {path.name for path in tmp_path.iterdir()} == {p.name for p in others} | {
            one.path.name for one in made[-2:]
        }
        found = Backup.objects.latest("at")
        assert found.name == made[-1].path.name
        assert abs(found.at - timezone.now()).total_seconds() < 600

    def test_the_log_has_a_bound(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(backups, "_ROWS_KEPT", 2)
        for number in range(4):
            at = datetime(2026, 1, 1 + number, tzinfo=UTC)
            path = tmp_path / f"{number}"
            path.touch()
            backups._note(path, "sqlite", at, 1.0)
        assert sorted(Backup.objects.values_list("name", flat=True)) == ["2", "3"]

    def test_a_name_is_never_used_twice(self, tmp_path: Path) -> None:
        path = backups.backup(tmp_path / "one.sqlite3", keep=0).path
        with pytest.raises(CannotBackUp, match="never takes the place of another"):
            backups.backup(path, keep=0)

    def test_the_key_file_goes_elsewhere(self, tmp_path: Path) -> None:
        beside = tmp_path / "keys"
        beside.mkdir()
        with pytest.raises(CommandError, match="beside the backup, the key file would open it"):
            call_command("backup", str(tmp_path), "--keys-to", str(tmp_path))
        call_command("backup", str(tmp_path), "--keys-to", str(beside))
        call_command("backup", str(tmp_path), "--keys-to", str(beside))
        (copied,) = beside.iterdir()
        assert copied.name.startswith("fedisec-keys-") and copied.stat().st_mode & 0o777 == 0o600

    def test_an_export_is_read_back(self, tmp_path: Path) -> None:
        done = backups.backup(tmp_path, keep=0, kind="export")
        with done.path.open("rb") as file:
            read_through(file)


def test_a_damaged_copy_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"SQLite format 3\0" + os.urandom(9000))
    with pytest.raises(CannotBackUp, match="no whole database"):
        look_into(path)


def test_only_what_nobody_writes_any_more_is_swept(tmp_path: Path) -> None:
    mine, gone = tmp_path / f".a.{os.getpid()}-00.partial", tmp_path / ".a.99999999-00.partial"
    other = tmp_path / ".other"
    for path in (mine, gone, other):
        path.touch()
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([mine, other])


@pytest.mark.wide
@pytest.mark.timeout(400)
def test_while_four_workers_scan_every_backup_is_whole(
    make_world: MakeWorld, mode: str, tmp_path: Path, postgres_server: Postgres
) -> None:
    world = make_world(mode, begin="prepared", FEDISEC_RUNNERS="4")
    world.up()
    world.tool("add", "1", *(f"n{number}.example" for number in range(12)))
    folder = tmp_path / "backups"
    made = []
    for number in range(4):
        wait_for(lambda number=number: world.one(SCANNED) > 6 * number, 120, f"scans\n{world.log()}")  # type: ignore[misc]  # mypy knows no defaults
        # An export holds fewer or more rows than it counted, unless it sees one moment.
        made.append(backed_up(world, folder, *(("--kind", "export") if number % 2 else ())))
    counts = []
    for path in made[::2]:
        if mode == "embedded":
            look_into(path)
            with closing(sqlite3.connect(path)) as copy:
                counts.append(copy.execute(SCANNED).fetchone()[0])
            continue
        url = postgres_server.new_database(f"test_{uuid.uuid4().hex}")
        subprocess.run(
            ["pg_restore", "--exit-on-error", "--no-owner", "-d", url, str(path)], check=True, timeout=60
        )
        with psycopg.connect(url) as connection:
            row = connection.execute(SCANNED).fetchone()
            assert row is not None
            counts.append(row[0])
    assert counts == sorted(counts) and counts[-1] > counts[0]
    assert "Traceback" not in world.log() and "locked" not in world.log()
