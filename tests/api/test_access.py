"""Every operation × role: whose token gets what.  The stranger owns another team; the operator is in none.

Every answer of "not found" is about the person who asks: each thing that is named is there."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

import fedisec.api.v1
from fedisec.accounts.models import User
from fedisec.api import tokens
from fedisec.api.gate import DOCUMENT
from fedisec.scans.models import Scan
from tests.access.asking import undone, writing
from tests.access.test_around import around
from tests.access.world import World, build
from tests.api.conftest import ALL, Program, with_factor

ROLES = ("stranger", "viewer", "editor", "owner", "operator")
_VIEWERS, _EDITORS, _OWNERS = "404 200 200 200 404", "404 403 200 200 404", "404 403 403 204 404"
_DAY = "2027-03-31"
TABLE: dict[str, tuple[str, Any]] = {
    "get_token": ("200 200 200 200 200", None),
    "list_teams": ("200 200 200 200 200", None),
    "list_instances": ("200 200 200 200 200", None),
    "add_instance": ("422 403 422 422 403", {"domain": "127.0.0.1"}),  # the stranger has a team of his own
    "get_instance": (_VIEWERS, None),
    "change_instance": (_EDITORS, {"paused": True}),
    "remove_instance": (_OWNERS, None),
    "list_items": (_VIEWERS, None),
    "get_item": (_VIEWERS, None),
    "list_answers": (_VIEWERS, None),
    "attest_item": (_EDITORS, {"met": True, "note": "it is"}),
    "waive_item": (_EDITORS, {"kind": "not_applicable", "reason": "we have no such thing"}),
    "withdraw_answers": (_EDITORS, None),
    "list_scans": (_VIEWERS, None),
    "get_scan": (_VIEWERS, None),
    "begin_scan": ("404 403 202 202 404", None),
    "list_changes": (_VIEWERS, None),
    "list_warnings": (_VIEWERS, None),
}
OPERATIONS = {
    operation["operationId"]: (method.upper(), path.removeprefix("/api/v1"))
    for path, methods in json.loads(DOCUMENT.read_text()).get("paths", {}).items()
    for method, operation in methods.items()
}
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def programs(world: World) -> dict[str, Program]:
    found = {}
    for role in ROLES:
        user = world.people[role]
        assert isinstance(user, User)
        found[role] = Program(tokens.make(with_factor(user), role, ALL, None, 30))
    return found


def test_every_operation_has_a_row() -> None:
    assert set(OPERATIONS) == set(TABLE)


def address(name: str, world: World) -> str:
    """Of the team that is asked for; a list is narrowed to its instance, so that it is one thing too."""
    path = OPERATIONS[name][1]
    plot = world.theirs
    filled = path.format(instance=plot.instance.pk, item_id="data.restore_tested", scan=plot.newer.pk)
    if name in {"list_changes", "list_warnings"}:
        return f"{filled}?instance={plot.instance.pk}"
    return f"{filled}?domain={plot.instance.domain}" if name == "remove_instance" else filled


@pytest.mark.parametrize("name", sorted(TABLE))
def test_everybody_gets_what_the_table_says(name: str, world: World, programs: dict[str, Program]) -> None:
    (method, _path), (row, body), wrong = OPERATIONS[name], TABLE[name], []
    Scan.objects.filter(state="queued").delete()
    for role, wanted in zip(ROLES, row.split(), strict=True):
        with undone(), writing() as written:
            answer = programs[role].ask(method, address(name, world), body)
        if str(answer.status_code) != wanted:
            wrong.append(f"{role}: {answer.status_code}, not {wanted}: {answer.content[:200]!r}")
        others = [sql for sql in written if '"api_token"' not in sql]
        if others and (method == "GET" or answer.status_code >= 400):
            wrong.append(f"{role} wrote: {others[:2]}")
    assert wrong == []


@pytest.mark.parametrize("name", sorted(name for name in TABLE if "{instance}" in OPERATIONS[name][1]))
def test_keys_of_another_team_lead_nowhere(name: str, world: World, programs: dict[str, Program]) -> None:
    method, path = OPERATIONS[name]
    other = path.format(
        instance=world.other.instance.pk, item_id="data.restore_tested", scan=world.other.newer.pk
    )
    query = f"?domain={world.other.instance.domain}" if name == "remove_instance" else ""
    answer = programs["owner"].ask(method, other + query, TABLE[name][1])
    assert answer.status_code == 404


def test_a_scan_of_another_instance_is_not_there(world: World, programs: dict[str, Program]) -> None:
    path = f"/instances/{world.theirs.instance.pk}/scans/{world.other.newer.pk}"
    assert programs["owner"].get(path).status_code == 404


def test_an_own_item_of_another_team_is_not_there(world: World, programs: dict[str, Program]) -> None:
    path = f"/instances/{world.theirs.instance.pk}/items/"
    assert programs["owner"].get(f"{path}own.{world.theirs.own.pk}").status_code == 200
    assert programs["owner"].get(f"{path}own.{world.other.own.pk}").status_code == 404


@pytest.mark.parametrize("path", ["/instances", "/teams", "/changes", "/warnings"])
def test_lists_hold_nothing_of_another_team(path: str, world: World, programs: dict[str, Program]) -> None:
    for role in ("viewer", "editor", "owner", "operator"):
        assert b"other.example" not in programs[role].get(path).content
    assert programs["operator"].read(path)["results"] == []


# (module, model): why its query needs nobody's consent.
ALLOWED = {
    ("fedisec.api.v1.instances", "Instance"): "of keys that reach gave",
    ("fedisec.api.v1.changes", "Change"): "of instances that reach gave",
    ("fedisec.api.v1.changes", "Concern"): "of instances that reach gave",
}


def test_no_operation_goes_around_access() -> None:
    modules = [import_module(f"fedisec.api.v1.{one.name}") for one in iter_modules(fedisec.api.v1.__path__)]
    found = {(one.__name__, model) for one in modules for _line, model in around(inspect.getsource(one))}
    assert found == set(ALLOWED)
