"""A worker as a role of its own: it does all its work, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from fedisec.lib.roles import RIGHTS
from tests.running.conftest import MakeWorld
from tests.running.servers import Postgres
from tests.running.world import WORKER, World, wait_for
from tests.smtp import Relay, a_relay

ROLE, PASSWORD = "fedisec_worker", "pa55-of-the-worker"
BESIDE_MODELS = {"django_migrations", "cache"}

FORBIDDEN = (
    "INSERT INTO accounts_user (email, password, is_superuser, is_staff, is_active, first_name, last_name, "
    "date_joined, language, time_zone) VALUES ('x@y.z', '', true, true, true, '', '', now(), '', '')",
    "UPDATE accounts_user SET is_superuser = true",
    "UPDATE accounts_user SET password = ''",
    "DELETE FROM accounts_user",
    "UPDATE accounts_membership SET role = 'owner'",
    "INSERT INTO accounts_membership (team_id, user_id, role, created_at) VALUES (1, 1, 'owner', now())",
    "SELECT * FROM django_session",
    "INSERT INTO django_session VALUES ('x', 'y', now())",
    "DELETE FROM django_session",
    "SELECT * FROM mfa_authenticator",
    "DELETE FROM mfa_authenticator",
    "SELECT token_hash FROM accounts_setuplink",
    "SELECT * FROM accounts_auditevent",
    "UPDATE accounts_auditevent SET action = 'x'",
    "DELETE FROM accounts_auditevent",
    "UPDATE scans_span SET status = 'pass'",
    "DELETE FROM scans_span",
    "DELETE FROM scans_scan",
    "DELETE FROM scans_change",
    "DELETE FROM history_daycount",
    "TRUNCATE accounts_auditevent",
    "ALTER TABLE scans_span DISABLE TRIGGER spans_stay",
    "DROP TRIGGER audit_is_append_only ON accounts_auditevent",
    "ALTER TABLE scans_scan ADD COLUMN x text",
    "CREATE TABLE mine (x text)",
    "CREATE TEMPORARY TABLE mine (x text)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE scans_scan",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('scans', '9999', now())",
    "UPDATE lib_canary SET sealed = ''",
    "UPDATE enrolment_sshaccess SET host_key = 'mine'",
    "UPDATE enrolment_sshaccess SET sealed_key = ''",
    "UPDATE alerts_mailserver SET host = 'mine'",
    "UPDATE alerts_channel SET sealed_address = ''",
    "INSERT INTO alerts_subscription (user_id, instance_id, created_at) VALUES (1, 1, now())",
    "UPDATE instances_instance SET domain = 'mine.example'",
    "INSERT INTO checklist_waiver (item_id) VALUES ('x')",
    "DELETE FROM checklist_attestation",
    "SELECT * FROM share_share",
    "CREATE ROLE mine",
    "SET ROLE postgres",
    "COPY (SELECT 1) TO PROGRAM 'id'",
)


def test_every_table_is_decided() -> None:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert tables - set(RIGHTS) == set(), "decide in fedisec/lib/roles.py what a worker may do with them"
    assert set(RIGHTS) - tables <= BESIDE_MODELS


def test_columns_that_are_named_exist() -> None:
    fields = {
        model._meta.db_table: {field.column for field in model._meta.local_concrete_fields}
        for model in apps.get_models(include_auto_created=True)
    }
    for table, rights in RIGHTS.items():
        for part in rights.split("(")[1:]:
            named = {column.strip() for column in part.partition(")")[0].split(",")}
            assert named <= fields[table], table


def test_sqlite_has_no_roles() -> None:
    with pytest.raises(CommandError, match="one file and no roles"):
        call_command("worker_role", ROLE)


@pytest.fixture
def relay() -> Iterator[tuple[Relay, int]]:
    with a_relay() as found:
        yield found


def as_worker(url: str) -> str:
    found = urlsplit(url)
    return found._replace(netloc=f"{ROLE}:{PASSWORD}@{found.hostname}:{found.port}").geturl()


@pytest.mark.wide
@pytest.mark.timeout(240)
def test_a_worker_does_its_work_and_nothing_else(
    make_world: MakeWorld, relay: tuple[Relay, int], postgres_server: Postgres
) -> None:
    taken, port = relay
    world = make_world(
        "grown", begin="fallen", EMAIL_URL=f"smtp://127.0.0.1:{port}", FEDISEC_CONFIRM_AFTER="0"
    )
    url = as_worker(world.env["DATABASE_URL"])
    world.env["FEDISEC_WORKER_DATABASE_URL"] = url
    world.manage("prepare")  # makes the role
    assert "GRANT SELECT, INSERT ON" in world.manage("worker_role", ROLE)
    world.tool("add", "0", "n0.example", "n4.example")
    world.start(*WORKER, "-c", "2", DATABASE_URL=url, log="worker")
    world.start("manage.py", "ticker")
    wait_for(lambda: taken.taken != [], 60, f"the mail of a fall\n{world.log()}\n{world.log('worker')}")
    unfinished = "SELECT count(*) FROM scans_scan WHERE state != 'done'"
    wait_for(lambda: world.one(unfinished) == 0, 60, f"all scans\n{world.log()}\n{world.log('worker')}")
    sent = "SELECT count(*) FROM alerts_delivery WHERE state = 'sent'"
    wait_for(lambda: world.one(sent) > 0, 30, f"the note of it\n{world.log('worker')}")
    assert "denied" not in world.log("worker") and "Traceback" not in world.log("worker")
    forbidden(url)
    again_and_owner(world)


def forbidden(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as worker:
        assert worker.execute("SELECT current_user").fetchone() == (ROLE,)
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                worker.execute(statement)


def again_and_owner(world: World) -> None:
    """The rights are given anew whenever the database is prepared; never to its owner."""
    world.execute(f"GRANT ALL ON accounts_user TO {ROLE}")
    assert "no others" in world.manage("worker_role", ROLE, "--apply")
    rights = f"SELECT has_table_privilege('{ROLE}', 'accounts_user', 'UPDATE')"
    assert world.one(rights) is False
    with pytest.raises(AssertionError, match="postgres owns this database or stands above its rights"):
        world.manage("worker_role", "postgres", "--apply")
    with pytest.raises(AssertionError, match="small letters, digits"):
        world.manage("worker_role", "x; DROP TABLE scans_scan")
