"""The trail is written once and never changed: not by the model, not by a queryset, not by SQL."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from fedisec.accounts.audit import VALUES_MAX, WHY_MAX, record
from fedisec.accounts.models import AppendOnly, AuditEvent, Team
from tests.factories import a_user, an_instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> AuditEvent:
    record("answer.waived", team=Team.objects.create(name="t"), by=a_user(), before="fail", after="waived")
    return AuditEvent.objects.get()


def test_a_line_keeps_names_that_outlive_what_it_speaks_of() -> None:
    person = a_user(email="ann@example.org")
    instance = an_instance(person, domain="social.example")
    record(
        "answer.attested",
        team=instance.team,
        by=person,
        instance=instance,
        item_id="ssh.keys",
        before="needs you",
        after="met",
        why="seen by myself",
        data={"days": 90, "link": None, "again": True},
    )
    ids = (instance.team_id, person.pk, instance.pk)
    instance.team.delete()
    person.delete()
    event = AuditEvent.objects.get()
    assert (event.team_id, event.actor_id, event.instance_id) == ids
    assert (event.actor_name, event.instance_name) == ("ann@example.org", "social.example")
    assert (event.item_id, event.before, event.after) == ("ssh.keys", "needs you", "met")
    assert (event.why, event.data) == ("seen by myself", {"days": 90, "link": None, "again": True})


def test_what_fedisec_does_by_itself_has_no_name() -> None:
    record("ssh.host_key_changed", team=Team.objects.create(name="t"), by=None)
    event = AuditEvent.objects.get()
    assert (event.actor_id, event.actor_name, event.instance_id) == (None, "", None)


def test_a_line_goes_with_the_change_it_tells_of() -> None:
    team = Team.objects.create(name="t")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("instance.added", team=team, by=None)
        raise ZeroDivisionError
    assert not AuditEvent.objects.exists()


def test_the_model_refuses_to_change_or_remove_a_line(event: AuditEvent) -> None:
    event.why = "another reason"
    with pytest.raises(AppendOnly):
        event.save()
    with pytest.raises(AppendOnly):
        event.delete()
    with pytest.raises(AppendOnly):
        AuditEvent.objects.update(why="x")
    with pytest.raises(AppendOnly), transaction.atomic():
        AuditEvent.objects.bulk_update([event], ["why"])
    with pytest.raises(AppendOnly):
        AuditEvent.objects.filter(pk=event.pk).delete()
    assert AuditEvent.objects.get().why == ""


@pytest.mark.parametrize(
    "change", ["why = 'x'", "at = '2020-01-01T00:00:00Z'", "actor_id = NULL", "action = action"]
)
def test_the_database_refuses_it_too(event: AuditEvent, change: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE accounts_auditevent SET {change}")  # noqa: S608 - words of this test
    assert AuditEvent.objects.get().action == "answer.waived"


@pytest.mark.parametrize("which", ["", " WHERE id > 0"])
def test_nor_is_a_line_taken_away(event: AuditEvent, which: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DELETE FROM accounts_auditevent{which}")  # noqa: S608 - words of this test
    assert AuditEvent.objects.get().pk == event.pk


@pytest.mark.django_db(transaction=True)
def test_what_a_test_commits_is_emptied_and_the_triggers_are_back() -> None:
    record("x.y", team=None, by=None)
    call_command("flush", interactive=False, verbosity=0)
    assert not AuditEvent.objects.exists()
    record("x.y", team=None, by=None)
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditevent")


def test_a_line_of_no_team_is_about_an_account() -> None:
    ann, operator = a_user(), a_user()
    record("account.unlocked", team=None, by=operator, about=ann)
    record("account.signed_in", team=None, by=ann)
    record("account.sign_in_failed", team=None, by=None)
    unlocked, signed_in, failed = AuditEvent.objects.order_by("pk")
    assert (unlocked.team_id, unlocked.actor_id, unlocked.subject_id) == (None, operator.pk, ann.pk)
    assert signed_in.subject_id == ann.pk and failed.subject_id is None


@pytest.mark.parametrize(
    "data",
    [
        {"password": "x"},
        {"API_Token": "x"},
        {"sealed_key": "x"},
        {"text": "-----BEGIN OPENSSH PRIVATE KEY-----"},
        {"nested": {"a": 1}},
        {"list": ["a"]},
        {str(number): number for number in range(VALUES_MAX + 1)},
    ],
)
def test_secrets_and_heaps_of_data_stay_out(data: dict[str, str | int | bool | None]) -> None:
    with pytest.raises(ValueError, match="."):
        record("instance.changed", team=Team.objects.create(name="t"), by=None, data=data)
    assert not AuditEvent.objects.exists()


def test_foreign_text_is_cut_and_made_harmless() -> None:
    team = Team.objects.create(name="t")
    record("x.y", team=team, by=None, before="a\r\nb\x00", why="w" * 9999, data={"a": "\u202e"})
    event = AuditEvent.objects.get()
    assert (event.before, len(event.why), event.data["a"]) == ("a\ufffdb\ufffd", WHY_MAX, "\ufffd")
