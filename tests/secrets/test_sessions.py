"""A table of sessions of which no row is worth stealing."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from fedisec.lib.sessions import NAME_LENGTH, SessionStore, name_of
from tests.factories import a_user

pytestmark = pytest.mark.django_db


def a_session(**data: str) -> str:
    session = SessionStore()
    session.update(data)
    session.create()
    return str(session.session_key)


def test_this_store_is_the_one_in_use() -> None:
    assert import_module(settings.SESSION_ENGINE).SessionStore is SessionStore


def test_a_session_comes_back_by_its_id_alone() -> None:
    key = a_session(word="planted")
    assert SessionStore(key)["word"] == "planted"
    row = Session.objects.get()
    assert row.session_key == name_of(key) != key
    assert len(row.session_key) == NAME_LENGTH
    assert "word" not in SessionStore(row.session_key)  # the name is no key
    assert not row.get_decoded()  # nor is SECRET_KEY


def test_what_a_session_holds_is_sealed_for_it_alone() -> None:
    mine, other = a_session(word="mine"), a_session(word="other")
    rows = {row.session_key: row for row in Session.objects.all()}
    Session.objects.filter(pk=name_of(mine)).update(session_data=rows[name_of(other)].session_data)
    assert "word" not in SessionStore(mine)
    Session.objects.filter(pk=name_of(mine)).update(session_data="\N{KEY} nonsense")
    assert "word" not in SessionStore(mine)


def test_an_id_that_nobody_was_given_is_not_taken_over() -> None:
    session = SessionStore("a" * 32)
    session["word"] = "x"
    session.save()
    assert session.session_key != "a" * 32
    assert SessionStore(session.session_key)["word"] == "x"
    assert not SessionStore().exists("a" * 32)


def test_a_session_is_changed_renewed_and_ended() -> None:
    session = SessionStore(a_session(word="one"))
    session["word"] = "two"
    session.save()
    first = str(session.session_key)
    assert SessionStore(first)["word"] == "two"
    session.cycle_key()
    assert SessionStore(session.session_key)["word"] == "two"
    assert not SessionStore().exists(first)
    session.flush()
    assert not Session.objects.exists()


def test_sessions_are_listed_and_ended_by_their_names() -> None:
    one, two, over = (name_of(a_session()) for _ in range(3))
    Session.objects.filter(pk=over).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert SessionStore.standing([one, two, over, "gone"]) == {one, two}
    assert SessionStore.end([one, "gone"]) == 1
    assert SessionStore.standing([one, two]) == {two}
    call_command("clearsessions")
    assert set(Session.objects.values_list("pk", flat=True)) == {two}


def test_signing_in_works_and_the_row_opens_no_page() -> None:
    client, thief, person = Client(), Client(), a_user()
    client.force_login(person)
    assert client.session[SESSION_KEY] == str(person.pk)
    inside = client.get("/").headers.get("Location", "/")
    assert "login" not in inside
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    row = Session.objects.get()
    assert cookie not in f"{row.session_key} {row.session_data}"
    thief.cookies[settings.SESSION_COOKIE_NAME] = row.session_key
    assert "login" in thief.get("/").headers["Location"]


def test_no_other_way_in_stores_an_id_in_clear() -> None:
    for name in ("asave", "acreate", "aload", "aexists", "adelete", "acreate_model_instance"):
        with pytest.raises(NotImplementedError):
            getattr(SessionStore(), name)().send(None)
