"""What a worker may do in the database: a role of PostgreSQL for the processes that talk to strangers.

A worker that was taken over by what it looked at must not make itself a user, read a session, rewrite what
was seen or who did what, or alter a table.  So each table is decided here; one that is not is a failing test.
Rights are those of GRANT; a list of columns stands where only these are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from django.db import connection, transaction

NOTHING, READ, ADD = "", "SELECT", "SELECT, INSERT"
ALL = "SELECT, INSERT, UPDATE, DELETE"
JOB = "SELECT, INSERT, UPDATE"  # adds and moves on, and never removes

_CHANGE = "SELECT, INSERT, UPDATE (after, code, created_at, data, evidence, incident_id, held_until)"
RIGHTS = {
    # Who may sign in, and with what: read where a mail needs its reader, and no further.
    "accounts_user": READ,
    "accounts_team": READ,
    "accounts_membership": READ,
    "account_emailaddress": READ,
    "account_emailconfirmation": NOTHING,
    "accounts_user_groups": NOTHING,
    "accounts_user_user_permissions": NOTHING,
    "accounts_setuplink": NOTHING,
    "accounts_device": NOTHING,
    "accounts_opensession": NOTHING,
    "accounts_recoverycode": NOTHING,
    "accounts_bucket": NOTHING,
    "api_token": NOTHING,
    "accounts_invitation": READ,
    "mfa_authenticator": NOTHING,
    "auth_group": NOTHING,
    "auth_group_permissions": NOTHING,
    "auth_permission": NOTHING,
    "django_content_type": READ,
    "django_session": NOTHING,
    # What was done and seen: added to, and read no further than the number that a new line gets.
    "accounts_auditevent": "SELECT (id), INSERT",
    "scans_span": ADD,
    "scans_change": _CHANGE,
    "history_daycount": "SELECT, INSERT, UPDATE (counts, applicable, met, scanned)",
    # What people said: a newer look may end it.
    "checklist_attestation": "SELECT, UPDATE (ended_at, ended_why)",
    "checklist_waiver": READ,
    "checklist_note": READ,
    "checklist_ownitem": READ,
    "checklist_undo": NOTHING,
    # What is watched, and how to get in.
    "instances_instance": "SELECT, UPDATE (next_scan_at, next_inside_at)",
    "instances_tag": READ,
    "instances_proof": "SELECT, UPDATE",
    "instances_savedview": NOTHING,
    "instances_notedgrade": READ,
    "enrolment_sshaccess": "SELECT, UPDATE (changed_at, changed_to, report, report_at)",
    "share_share": NOTHING,
    # Its work.
    "scans_scan": JOB,
    "scans_itemstate": JOB,
    "scans_reach": JOB,
    "scans_incident": JOB,
    "scans_outlook": JOB,
    "scans_pulse": READ,
    "history_standing": JOB,
    "instances_glance": JOB,
    "instances_nextaction": ALL,
    # Who hears of it.
    "alerts_subscription": READ,
    "alerts_preference": READ,
    "alerts_channel": "SELECT, UPDATE (failing_since, enabled, stopped_why, sealed_secret_before)",
    "alerts_channel_instances": READ,
    "alerts_mailserver": READ,
    "alerts_delivery": JOB,
    "alerts_notice": JOB,
    # News.
    "watch_source": "SELECT, UPDATE",
    "watch_entry": ALL,
    "watch_concern": ALL,
    "watch_stack": JOB,
    "watch_stock": "SELECT, UPDATE (placed_on)",
    "watch_stated": READ,
    "watch_lifecycle": ALL,
    "watch_ending": READ,
    "watch_advisory": ALL,
    "watch_offer": ALL,
    "watch_flaw": ALL,
    "watch_name": ALL,
    "watch_packagestanding": ALL,
    # What stands beside the models.
    "lib_canary": READ,
    "lib_backup": NOTHING,
    "django_migrations": READ,
    "cache": NOTHING,
}
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class NotARole(ValueError):
    """The role cannot be used for this; the message says why."""


def statements(role: str, tables: set[str]) -> Iterator[str]:
    """SQL that takes every right from `role` and gives it those above, for the tables that there are.  Run by
    the owner of the database.  NotARole for what is no plain name."""
    if not _NAME.fullmatch(role):
        raise NotARole("the name of a role has small letters, digits and _, and begins with a letter")
    database = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    yield f"REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC, {role}"
    yield f"GRANT CONNECT ON DATABASE {database} TO {role}"
    yield f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        yield f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {role}"
    for table, rights in RIGHTS.items():
        if rights and table in tables:
            yield f'GRANT {rights} ON "{table}" TO {role}'


def login_of(url: str) -> tuple[str, str]:
    """Role and password of a postgres:// address."""
    found = urlsplit(url)
    return unquote(found.username or ""), unquote(found.password or "")


def apply(role: str, password: str = "") -> None:
    """Makes `role` if need be, with that password, and gives it its rights, in one transaction.  NotARole
    where it owns the database or stands above rights."""
    sql = list(statements(role, set(connection.introspection.table_names())))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolcreaterole OR rolbypassrls OR pg_has_role(oid, current_user, 'MEMBER')"
            " FROM pg_roles WHERE rolname = %s",
            [role],
        )
        found = cursor.fetchone()
        if found is not None and found[0]:
            raise NotARole(f"{role} owns this database or stands above its rights: name another role")
        if found is None:
            # `statements` has seen that it is a name and nothing else; DDL takes no parameters.
            cursor.execute(f"CREATE ROLE {role} LOGIN")  # nosemgrep: sql-by-hand
        if password:
            # Never the password itself: statements may be logged.
            raw = connection.connection.pgconn
            verifier = raw.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            cursor.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{verifier}'")  # nosemgrep: sql-by-hand
        for one in sql:
            cursor.execute(one)
