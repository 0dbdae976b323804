"""A year of a hundred servers in the tables of an older version: `python -m tests.faults.upgrade COMMAND`.

fill SCHEMA   makes the tables of that version (a key of SCHEMAS) and fills them
digest        prints what the tables of SCHEMA hold, one JSON object: table -> [rows, hash]
tick          two rounds of the clock, as after the start of the new version

Filled through the models of that version, as the migrations know them; columns that are new since do not count.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

# Every version whose database somebody may have: what "git log" of the migrations shows as finished work.
SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "first scans and mails": {
        "accounts": "0001_initial", "instances": "0001_initial", "scans": "0001_initial",
        "checklist": "0001_initial", "alerts": "0001_initial",
    },
    "spans, counts, trail": {
        "accounts": "0002_audit_trail", "instances": "0004_tags_views_grades", "scans": "0003_first_spans",
        "checklist": "0002_undo_and_own_items", "alerts": "0002_mails_of_other_kinds",
        "enrolment": "0001_initial", "history": "0001_counts", "share": "0001_public_page",
    },
    "sign-in, sealed secrets, feeds": {
        "accounts": "0006_invitations", "instances": "0006_proof", "scans": "0009_spans_stay",
        "checklist": "0003_endings", "alerts": "0007_mailed_addresses_are_confirmed",
        "enrolment": "0001_initial", "history": "0001_counts", "share": "0002_addresses_sealed",
        "watch": "0001_feeds", "lib": "0002_canary",
    },
}  # fmt: skip
SERVERS, DAYS = int(os.environ.get("UPGRADE_SERVERS", "100")), int(os.environ.get("UPGRADE_DAYS", "365"))
ITEMS, CHANGES = 124, min(40, DAYS // 9)
END = datetime(2026, 11, 20, 12, tzinfo=UTC)
_NOTE = "upgrade.json"


def main(command: str, *given: str) -> None:
    django.setup()
    commands: dict[str, Callable[..., None]] = {"fill": fill, "digest": digest, "tick": tick}
    commands[command](*given)


def _note() -> Path:
    from django.conf import settings

    return Path(settings.DATA) / _NOTE


def fill(schema: str) -> None:
    from django.db import connection, transaction
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    wanted = list(SCHEMAS[schema].items())
    theirs = {"contenttypes", "auth", "sessions", "account", "mfa"}
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] in theirs]
    others = [node for node in others if node[0] not in {"account"}]  # allauth's follows the users
    apps = executor.migrate([*wanted, *others]).apps
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.app_label in SCHEMAS[schema]]
    with transaction.atomic():
        _Filler(apps).fill()
    with connection.cursor() as cursor:
        columns = {
            table: [column.name for column in connection.introspection.get_table_description(cursor, table)]
            for table in tables
        }
    _note().write_text(json.dumps(columns))


class _Filler:
    def __init__(self, apps: Any) -> None:
        self._apps = apps

    def make(self, name: str, rows: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Rows of a model ("app.Model"), given what it knows of them; [] where that version has no such."""
        app, model = name.split(".")
        try:
            found = self._apps.get_model(app, model)
        except LookupError:
            return []
        fields = {field.attname: field for field in found._meta.concrete_fields}
        made = []
        for row in rows:
            values = {key: value for key, value in row.items() if key in fields}
            for key, field in fields.items():
                if key not in values and not (field.null or field.primary_key or field.has_default()):
                    values[key] = _plain(field)
            made.append(found(**values))
        return list(found.objects.bulk_create(made, batch_size=2000))

    def fill(self) -> None:
        users = self.make(
            "accounts.User",
            ({"email": f"person{n}@example.org", "password": "!", "is_active": True} for n in range(5)),
        )
        teams = self.make("accounts.Team", ({"name": f"Team {n}"} for n in range(5)))
        self.make(
            "accounts.Membership",
            ({"team_id": t.pk, "user_id": u.pk, "role": "owner"} for t, u in zip(teams, users, strict=True)),
        )
        instances = self.make(
            "instances.Instance",
            (
                {
                    "team_id": teams[n % 5].pk, "domain": f"server{n}.example", "interval_s": 86_400,
                    "next_scan_at": END + timedelta(days=30), "created_by_id": users[n % 5].pk,
                }
                for n in range(SERVERS)
            ),
        )  # fmt: skip
        self.make(
            "alerts.Subscription",
            ({"user_id": i.created_by_id, "instance_id": i.pk} for i in instances),
        )
        for instance in instances:
            self._year(instance)

    def _year(self, instance: Any) -> None:
        from checks.items import all_items

        key, items = instance.pk, sorted(all_items())[:ITEMS]
        scans = self.make("scans.Scan", (_scan(key, day) for day in range(DAYS)))
        self.make("scans.ItemState", (_state(key, n, item) for n, item in enumerate(items)))
        spans = [_span(key, scans[0].pk, item, "pass") for item in items]
        spans += [_span(key, scans[9 * n].pk, items[n], "fail") for n in range(CHANGES)]
        self.make("scans.Span", spans)
        told = [scans[9 * n] for n in range(CHANGES)]
        self.make("scans.Change", (_change(key, scan, items[n], n) for n, scan in enumerate(told)))
        self.make("alerts.Delivery", (_mail(instance, scan) for scan in told))
        self.make(
            "history.DayCount",
            ({"instance_id": key, "day": (END - timedelta(days=d)).date()} for d in range(DAYS)),
        )
        self.make("accounts.AuditEvent", (_event(instance, day) for day in range(0, DAYS, 30)))
        for name in ("Attestation", "Waiver", "Note"):
            self.make(f"checklist.{name}", (_answer(instance, item) for item in items[::9]))


def _plain(field: Any) -> Any:
    kind = field.get_internal_type()
    if "Integer" in kind or "Float" in kind:
        return 0
    if "DateTime" in kind:
        return END
    return {"DateField": END.date(), "BooleanField": False, "JSONField": {}}.get(kind, "")


def _day(day: int) -> datetime:
    return END - timedelta(days=DAYS - day)


def _scan(instance: int, day: int) -> dict[str, Any]:
    at = _day(day)
    return {
        "instance_id": instance, "state": "done", "reason": "scheduled", "attempt": 1, "due_at": at,
        "started_at": at, "finished_at": at + timedelta(seconds=20), "checks_version": "1",
        "counts": {"required": {"pass": 60, "fail": 3}}, "connections": {"dns": 40},
    }  # fmt: skip


def _state(instance: int, number: int, item: str) -> dict[str, Any]:
    fails = number < CHANGES and number % 2 == 0
    status = "fail" if fails else "pass"
    return {
        "instance_id": instance, "item_id": item, "status": status, "code": "x", "since": _day(9 * number),
        "seen_at": END, "settled": status, "settled_since": _day(9 * number % DAYS), "alerted": fails,
        "data": {"n": number}, "evidence": [["GET /", "what was seen"]], "checks_version": "1",
    }  # fmt: skip


def _span(instance: int, scan: int, item: str, status: str) -> dict[str, Any]:
    return {
        "instance_id": instance, "item_id": item, "scan_id": scan, "first_at": END, "status": status,
        "code": "x", "data": {"a": 1}, "evidence": [["GET /", "what was seen"]],
    }  # fmt: skip


def _change(instance: int, scan: Any, item: str, number: int) -> dict[str, Any]:
    at = scan.finished_at
    kind = "regressed" if number % 2 == 0 else "recovered"
    return {
        "instance_id": instance, "scan_id": scan.pk, "item_id": item, "kind": kind, "before": "pass",
        "after": "fail", "code": "x", "created_at": at, "processed_at": at,
    }  # fmt: skip


def _mail(instance: Any, scan: Any) -> dict[str, Any]:
    return {
        "kind": "regression", "about": str(scan.pk), "instance_id": instance.pk, "scan_id": scan.pk,
        "user_id": instance.created_by_id, "message_id": f"<{scan.pk}@example.org>", "state": "sent",
        "attempts": 1, "next_try_at": scan.finished_at, "created_at": scan.finished_at,
        "sent_at": scan.finished_at, "subject": "[fedisec]",
    }  # fmt: skip


def _answer(instance: Any, item: str) -> dict[str, Any]:
    return {
        "instance_id": instance.pk, "item_id": item, "by_id": instance.created_by_id, "created_at": _day(0),
        "met": True, "note": "checked", "kind": "accepted_risk", "reason": "for now", "text": "a remark",
        "valid_until": END + timedelta(days=300),
    }  # fmt: skip


def _event(instance: Any, day: int) -> dict[str, Any]:
    return {
        "at": _day(day), "action": "instance.changed", "team_id": instance.team_id,
        "instance_id": instance.pk, "instance_domain": instance.domain, "before": "a", "after": "b",
    }  # fmt: skip


def digest() -> None:
    """Of the columns that both versions have."""
    from django.db import connection

    found, quoted = {}, connection.ops.quote_name
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        for table, columns in json.loads(_note().read_text()).items():
            if table not in present:
                continue
            now = {c.name for c in connection.introspection.get_table_description(cursor, table)}
            kept = [column for column in columns if column in now]
            cursor.execute(f"SELECT {', '.join(map(quoted, kept))} FROM {table} ORDER BY 1")
            count, mark = 0, hashlib.sha256()
            for row in cursor:
                count += 1
                mark.update(repr(row).encode())
            found[table] = [count, mark.hexdigest(), sorted(kept)]
    print(json.dumps(found))


def tick() -> None:
    from django.utils import timezone

    from fedisec.alerts import outbox
    from fedisec.scans import clock

    for _ in range(2):
        clock.tick(timezone.now())
        outbox.tick(timezone.now())


if __name__ == "__main__":
    main(*sys.argv[1:])
