"""The page of the trail: who may read it, what it filters, and what it gives along."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

import fedisec
from fedisec.accounts.audit import record
from fedisec.accounts.audit_words import ACTIONS, GROUPS
from fedisec.accounts.models import AuditEvent, Membership, Role, SetupLink, Team, User
from fedisec.instances.models import Instance
from fedisec.lib.table import cell, csv_lines
from tests.dashboard.conftest import PASSWORD

pytestmark = pytest.mark.django_db
PAGE = "/audit/"


def note(instance: Instance, by: User | None = None, **fields: object) -> None:
    action = str(fields.pop("action", "answer.attested"))
    record(action, team=instance.team, by=by, instance=instance, **fields)  # type: ignore[arg-type]  # as given


def text(client: Client, query: str = "") -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return answer.content.decode()


def exported(client: Client, query: str) -> bytes:
    answer = client.get(f"{PAGE}export/?{query}")
    assert answer.status_code == 200 and answer["Content-Disposition"].startswith("attachment; ")
    return answer.getvalue()


def test_an_owner_reads_what_was_done(as_alice: Client, alice: User, instance: Instance) -> None:
    note(
        instance,
        alice,
        item_id="http.hsts",
        before="fail",
        after="accepted",
        why="<b>a test</b>",
        data={"days": 30},
    )
    page = text(as_alice)
    assert "Answered" in page and "alice@example.org" in page and "days: 30" in page
    assert 'href="/instances/social.example/items/http.hsts/"' in page
    assert "&lt;b&gt;a test&lt;/b&gt;" in page and "<b>a test" not in page


def test_only_editors_and_owners_of_the_team_read_it(
    as_alice: Client, as_bob: Client, as_charlie: Client, instance: Instance
) -> None:
    note(instance, why="between us")
    assert "between us" in text(as_alice)
    for client in (as_bob, as_charlie):
        assert "between us" not in text(client)
        assert exported(client, "format=json") == b"[]\n"
    assert "open to its editors and owners" in text(as_bob)
    assert Client().get(PAGE).status_code == Client().get(f"{PAGE}export/?format=csv").status_code == 302


def test_lines_of_the_installation_are_for_its_operator_and_for_whom_they_concern(
    as_alice: Client, as_bob: Client, as_charlie: Client, alice: User, bob: User, charlie: User
) -> None:
    alice.is_superuser = True
    alice.save()
    record("account.signed_in", team=None, by=bob, after="of-bob")
    record("account.unlocked", team=None, by=alice, about=charlie, after="of-charlie")
    record("installation.changed", team=None, by=alice, after="of-alice")
    words = ("of-bob", "of-charlie", "of-alice")
    for client, seen in ((as_alice, words), (as_bob, words[:1]), (as_charlie, words[1:2])):
        page, rows = text(client), exported(client, "format=json").decode()
        assert (
            [word for word in words if word in page] == [word for word in words if word in rows] == list(seen)
        )


def test_only_owners_take_a_trail_along(as_bob: Client, bob: User, instance: Instance) -> None:
    Membership.objects.filter(user=bob).update(role=Role.EDITOR)
    note(instance, why="between us")
    page = text(as_bob)
    assert "between us" in page and "audit/export" not in page
    assert exported(as_bob, "format=json") == b"[]\n"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "abcd"),
        ("action=ssh.tested", "b"),
        ("action=ssh.", "bc"),
        ("person=alice@example.org", "ab"),
        ("person=fedisec", "cd"),
        ("instance=Social.Example", "abc"),
        ("instance=other.example", "d"),
        ("since=2026-03-02", "cd"),
        ("until=2026-03-01", "ab"),
        ("since=2026-03-02&until=2026-03-02", "c"),
        ("since=nonsense&until=9999-12-31x", "abcd"),
        ("action=ssh.&person=fedisec", "c"),
        ("person=nobody@example.org", ""),
    ],
)
def test_the_filter_is_in_the_url(
    as_alice: Client, alice: User, instance: Instance, query: str, shown: str
) -> None:
    alice.time_zone = "Asia/Tokyo"  # 2026-03-01 15:00 UTC is the next day there
    alice.save()
    other = Instance.objects.create(team=instance.team, domain="other.example")
    at = [datetime(2026, 3, day, hour, tzinfo=UTC) for day, hour in ((1, 3), (1, 14), (1, 15), (2, 16))]
    actions = ("answer.waived", "ssh.tested", "ssh.connected", "note.added")
    for moment, action, by, what in zip(
        at, actions, (alice, alice, None, None), (*[instance] * 3, other), strict=True
    ):
        AuditEvent.objects.create(
            at=moment,
            action=action,
            team_id=instance.team_id,
            actor_id=by.pk if by else None,
            actor_name=by.email if by else "",
            instance_name=what.domain,
        )
    letters = dict(zip(actions, "abcd", strict=True))
    assert text(as_alice, f"?{query}").count('class="trail-at"') == len(shown)
    rows = json.loads(exported(as_alice, f"{query}&format=json"))
    assert "".join(sorted(letters[row["action"]] for row in rows)) == shown


def test_pages_of_fifty_go_forth_and_back(as_alice: Client, instance: Instance) -> None:
    for number in range(120):
        note(instance, why=f"no. {number:03}")
    ids = list(AuditEvent.objects.values_list("pk", flat=True))
    first = text(as_alice)
    assert "no. 119" in first and "no. 070" in first and "no. 069" not in first
    assert f'href="?before={ids[49]}"' in first and "after=" not in first
    second = text(as_alice, f"?before={ids[49]}")
    assert "no. 069" in second and "no. 020" in second and f"after={ids[50]}" in second
    third = text(as_alice, f"?before={ids[99]}")
    assert third.count('class="trail-at"') == 20 and 'href="?before' not in third
    back = text(as_alice, f"?after={ids[100]}&instance=social.example")
    assert "no. 069" in back and "no. 020" in back and f"?instance=social.example&amp;after={ids[50]}" in back
    assert text(as_alice, "?before=x&after=²").count('class="trail-at"') == 50


def test_queries_do_not_grow_with_the_trail(
    as_alice: Client, alice: User, instance: Instance, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    note(instance, alice)
    with CaptureQueriesContext(connection) as few:
        text(as_alice)
    for number in range(60):
        other = Instance.objects.create(team=instance.team, domain=f"n{number}.example")
        note(other, alice, item_id="http.hsts")
    with django_assert_num_queries(len(few)):
        text(as_alice)


def test_the_tables_are_read_by_other_programs(as_alice: Client, alice: User, instance: Instance) -> None:
    note(instance, alice, why='=HYPERLINK("http://evil.example")\nsecond', after="-1", data={"days": 7})
    note(instance, None, why="日本語, with a comma")
    rows = list(csv.DictReader(exported(as_alice, "format=csv").decode().splitlines(keepends=True)))
    assert [row["why"] for row in rows] == [
        "日本語, with a comma",
        '\'=HYPERLINK("http://evil.example")\nsecond',
    ]
    assert (rows[1]["after"], rows[1]["data"], rows[0]["data"]) == ("'-1", '{"days": 7}', "")
    found = json.loads(exported(as_alice, "format=json&instance=social.example"))
    assert found[1]["why"].startswith("=HYPERLINK") and found[1]["data"] == {"days": 7}
    assert datetime.fromisoformat(found[0]["at"]).tzinfo is not None
    assert as_alice.get(f"{PAGE}export/?format=xlsx").status_code == 400


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_never_begins_as_a_formula(start: str) -> None:
    assert cell(f"{start}1") == f"'{start}1"
    assert cell(f"1{start}1") == f"1{start}1"
    assert list(csv_lines(("a",), [(f"{start}x",), (None,)]))[2] == '""\r\n'


def test_a_new_password_is_in_the_trail(as_alice: Client, instance: Instance) -> None:
    new = "another long sentence"
    given = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert as_alice.post("/account/password/change/", given).status_code == 302
    event = AuditEvent.objects.get()
    assert event.action == "account.password_changed"
    assert (event.actor_name, event.team_id, event.address) == ("alice@example.org", None, "127.0.0.1")
    assert "sentence" not in json.dumps(event.data) + event.before + event.after


def test_the_first_account_is_in_the_trail(client: Client) -> None:
    new = "another long sentence"
    given = {"email": "Ann@example.org", "password1": new, "password2": new}
    assert client.post(f"/setup/{SetupLink.issue()}/", given).status_code == 302
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name) == ("account.created", "ann@example.org")
    assert event.team_id == Team.objects.get().pk


def test_codes_are_said_in_words(as_alice: Client, instance: Instance) -> None:
    note(instance, before="needs_you", after="not_met")
    note(instance, action="ssh.tested", after="key_refused")
    note(
        instance,
        action="own_item.added",
        item_id="own.7",
        after="Disks are wiped",
        data={"title": "Disks are wiped"},
    )
    page = text(as_alice)
    assert "<span>needs you</span>" in page and "<span>not met</span>" in page
    assert "The server does not let fedisec&#x27;s SSH key in." in page
    assert ">Disks are wiped</a>" in page and "own_item" not in page.split("<ol")[1]


def test_every_action_that_is_recorded_has_a_word() -> None:
    found = set()
    for path in Path(fedisec.__file__).parent.rglob("*.py"):
        for call in re.findall(r"\brecord\(\s*([^,]+),", path.read_text()):
            found |= set(re.findall(r'"([a-z_]+\.[a-z_]+)"', call))
    assert len(found) > 10 and found <= set(ACTIONS)
    assert {action.partition(".")[0] for action in ACTIONS} == set(GROUPS)
