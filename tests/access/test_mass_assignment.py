"""Every field of every model is sent along with every form: only the fields of the form may count."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import models
from django.utils import timezone

from fedisec.accounts.signin_models import Bucket, OpenSession
from tests.access.asking import Browser, undone
from tests.access.forms import form
from tests.access.table import ROLES, TABLE
from tests.access.test_table import ADDRESSES, url_of
from tests.access.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
Rows = dict[str, list[dict[str, Any]]]

# Made anew each time, at random or from the clock.
_RANDOM = ("token", "token_hash", "sealed", "message_id", "public_key", "password", "slug", "about", "salt")
FORMS = sorted(
    name
    for name, row in TABLE.items()
    if {"200", "302"} & set(row.get("POST", "").split()) and not name.startswith("account_")
)


@pytest.mark.parametrize("name", FORMS)
def test_only_the_fields_of_a_form_count(name: str, world: World) -> None:
    role = _who_may(name)
    browser, url, sent = Browser(world.people[role]), url_of(ADDRESSES[name], world), form(name, world.theirs)
    with undone():
        plain = _after(browser, url, sent)
    with undone():
        stuffed = _after(browser, url, {**_everything(world), **sent})
    for table, rows in plain.items():
        assert stuffed[table] == rows, f"{name} as {role}: {table}"


def test_a_field_that_counts_would_be_seen(world: World) -> None:
    """The comparison sees one value in one row."""
    before = _rows()
    with undone():
        type(world.theirs.instance).objects.filter(pk=world.theirs.instance.pk).update(ssh_port=23)
        assert _rows() != before
    assert _rows() == before


def _who_may(name: str) -> str:
    answers = dict(zip(ROLES, TABLE[name]["POST"].split(), strict=True))
    return next(role for role in reversed(ROLES) if answers[role] in {"200", "302"})


def _after(browser: Browser, url: str, sent: dict[str, Any]) -> Rows:
    cache.clear()
    status, _answer, _written = browser.ask("POST", url, sent, keep=True)
    assert status in {"200", "302"}, status
    return _rows()


def _rows() -> Rows:
    """What stands in every table, without what differs from one moment to the next."""
    found: Rows = {}
    for model in apps.get_models():
        if model not in {Session, OpenSession, Bucket}:  # none is sent by a form: they follow from asking
            names = [f.attname for f in model._meta.concrete_fields if not _is_volatile(f)]
            found[model._meta.label] = sorted(model._default_manager.values(*names), key=str)
    return found


def _is_volatile(field: models.Field[Any, Any]) -> bool:
    timed = isinstance(field, models.DateTimeField | models.DateField)
    return timed or field.name.startswith(_RANDOM) or field.name == "steps"


def _everything(world: World) -> dict[str, str]:
    """A value for each field of each model, of the kind that it stores and to the sender's advantage."""
    found: dict[str, str] = {"pk": str(world.other.instance.pk), "is_owner": "on", "admin": "on"}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            found[field.name] = found[field.attname] = _value(field, world)
    return found


def _value(field: models.Field[Any, Any], world: World) -> str:
    if isinstance(field, models.ForeignKey):
        others = {type(one): one for one in vars(world.other).values()} | {
            type(world.other.owner): world.people["viewer"]
        }
        return str(getattr(others.get(field.related_model), "pk", 1))
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.IntegerField):
        return "7"
    if isinstance(field, models.DateTimeField):
        return timezone.now().isoformat()
    return "[]" if isinstance(field, models.JSONField) else "owner"
