"""A team's own items: added, asked at the end, counted, changed, retired; nobody else's business."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries as AtMost

from checks.items import all_items
from checks.model import Level
from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.checklist import daily, own, own_changes
from fedisec.checklist.board import posture, rows_of
from fedisec.checklist.ending import ending
from fedisec.checklist.models import Attestation, OwnItem
from fedisec.checklist.state import State
from fedisec.history.models import Standing
from fedisec.instances.models import Instance
from tests.dashboard.test_answers import PAGE, make_editor

pytestmark = pytest.mark.django_db
LIST, ADD = "/team/items/", "/team/items/add/"
TEXT = "鍵の保管 <b>場所</b> is known"


def given(instance: Instance, **more: str) -> dict[str, str]:
    texts = {"title": TEXT, "level": "required", "renew_days": "30", "why": "We move often.", "expected": ""}
    return texts | {"where": f"all:{instance.team_id}"} | more


def added(client: Client, instance: Instance, **more: str) -> OwnItem:
    answer = client.post(ADD, given(instance, **more))
    assert (answer.status_code, answer.headers.get("Location")) == (302, LIST)
    return OwnItem.objects.latest("pk")


def other_of_team(instance: Instance) -> Instance:
    return Instance.objects.create(team=instance.team, domain="second.example")


def asked(instance: Instance) -> list[str]:
    return [row.item.id for row in rows_of(instance)][len(all_items()) :]


def test_an_empty_list_says_the_next_step(as_alice: Client, instance: Instance) -> None:
    text = as_alice.get(LIST).content.decode()
    assert "There is none yet" in text and f'href="{ADD}"' in text


def test_an_own_item_of_the_team_is_asked_of_all_its_instances(as_alice: Client, scanned: Instance) -> None:
    second = other_of_team(scanned)
    item = added(as_alice, scanned)
    assert asked(scanned) == asked(second) == [item.item_id]
    page = as_alice.get(PAGE).content.decode()
    last = page.split('<details class="item"')[-1]
    assert f'id="{item.item_id}"' in last
    assert "鍵の保管 &lt;b&gt;場所&lt;/b&gt; is known" in last and "<b>場所" not in page
    assert "Your own items" in page


def test_an_own_item_of_one_instance_is_asked_there_alone(as_alice: Client, scanned: Instance) -> None:
    second = other_of_team(scanned)
    item = added(as_alice, scanned, where=f"one:{scanned.pk}")
    assert (asked(scanned), asked(second)) == ([item.item_id], [])
    together = own.items_by_instance([scanned, second])
    assert [len(together[one.pk]) for one in (scanned, second)] == [1, 0]
    assert as_alice.get(f"{PAGE}items/{item.item_id}/").status_code == 200
    assert as_alice.get(f"/instances/second.example/items/{item.item_id}/").status_code == 404


def test_the_own_words_are_shown_as_typed_in_either_language(as_alice: Client, scanned: Instance) -> None:
    item = added(as_alice, scanned)
    for language in ("en", "ja"):
        text = as_alice.get(
            f"{PAGE}items/{item.item_id}/", headers={"Accept-Language": language}
        ).content.decode()
        assert "鍵の保管 &lt;b&gt;場所&lt;/b&gt; is known" in text and "We move often." in text


def test_odd_characters_are_made_visible(as_alice: Client, scanned: Instance) -> None:
    added(as_alice, scanned, title="\u202eKeys\nlie", why="\u202eturned")
    for path in (LIST, PAGE):
        assert "\u202e" not in as_alice.get(path).content.decode()
    assert rows_of(scanned)[-1].item.title.en == "\ufffdKeys\ufffdlie"


def test_its_page_shows_no_empty_sections(as_alice: Client, scanned: Instance) -> None:
    item = added(as_alice, scanned, why="")
    text = as_alice.get(f"{PAGE}items/{item.item_id}/").content.decode()
    assert re.findall(r"<dt>([^<]+)</dt>", text) == ["State", "Seen", "Your decision", "Remarks"]


def test_it_is_answered_and_counted_like_any_other(as_alice: Client, scanned: Instance) -> None:
    def required() -> tuple[int, int]:
        count = posture(rows_of(scanned)).levels[0]
        return count.met, count.applicable

    met, applicable = required()
    item = added(as_alice, scanned)
    assert required() == (met, applicable + 1)
    path = f"{PAGE}items/{item.item_id}/"
    assert as_alice.post(f"{path}answer/", {"met": "yes", "note": "", "days": "30"}).status_code == 422
    assert (
        as_alice.post(f"{path}answer/", {"met": "yes", "note": "In the safe.", "days": "30"}).status_code
        == 302
    )
    assert required() == (met + 1, applicable + 1)
    event = AuditEvent.objects.get(action="answer.attested")
    assert (event.item_id, event.before, event.after) == (item.item_id, "needs_you", "met")
    (soon,) = ending([scanned], days=31)
    assert soon.item.title.en == TEXT
    bulk = {"item": [item.item_id], "say": "not_met", "reason": "It was moved again.", "time": "own"}
    assert as_alice.post(f"{PAGE}answers/", bulk).status_code == 302
    assert required() == (met, applicable + 1)
    assert (
        Attestation.objects.latest("pk").valid_until - Attestation.objects.latest("pk").created_at
    ).days == 30


def test_a_new_own_item_makes_the_counts_old(as_alice: Client, scanned: Instance) -> None:
    daily.note(scanned)
    before = daily.standings_of([scanned])[scanned.pk].counts["required"]
    added(as_alice, scanned)
    after = daily.standings_of([scanned])[scanned.pk].counts["required"]
    assert sum(after.values()) == sum(before.values()) + 1
    daily.refresh(timezone.now())
    assert Standing.objects.get().counts["required"] == after


def test_a_change_is_recorded_with_what_differs(as_alice: Client, scanned: Instance) -> None:
    item = added(as_alice, scanned)
    path = f"{LIST}{item.pk}/"
    assert f'value="{TEXT}"'.replace("<", "&lt;").replace(">", "&gt;") in as_alice.get(path).content.decode()
    as_alice.post(path, given(scanned))
    assert AuditEvent.objects.count() == 1, "nothing differed"
    as_alice.post(path, given(scanned, level="optional", where=f"one:{scanned.pk}"))
    event = AuditEvent.objects.latest("pk")
    assert event.action == "own_item.changed" and event.actor_name == "alice@example.org"
    assert event.before == "level: required; asked of: all instances of My servers"
    assert event.after == "level: optional; asked of: social.example"
    assert rows_of(scanned)[-1].item.level is Level.OPTIONAL


def test_a_retired_item_asks_nobody_keeps_its_answers_and_can_come_back(
    as_alice: Client, scanned: Instance
) -> None:
    item = added(as_alice, scanned)
    path = f"{PAGE}items/{item.item_id}/"
    as_alice.post(f"{path}answer/", {"met": "yes", "note": "In the safe.", "days": "30"})
    as_alice.post(f"{LIST}{item.pk}/retire/")
    assert asked(scanned) == []
    page = as_alice.get(path).content.decode()
    assert (
        "This item was retired" in page and "In the safe." in page and "<form" not in page.split("<main")[1]
    )
    assert as_alice.post(f"{path}answer/", {"met": "no", "note": "x", "days": "30"}).status_code == 404
    assert Attestation.objects.get().note == "In the safe."
    assert "1 retired item" in as_alice.get(LIST).content.decode()
    as_alice.post(f"{LIST}{item.pk}/restore/")
    assert rows_of(scanned)[-1].state.state is State.MET
    as_alice.post(f"{LIST}{item.pk}/restore/")
    actions = [event.action for event in AuditEvent.objects.order_by("pk")]
    assert actions == ["own_item.added", "answer.attested", "own_item.retired", "own_item.restored"]


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("title", "", "Say what is to be true."),
        ("title", "x" * 201, "at most 200 characters"),
        ("level", "urgent", "Select a valid choice"),
        ("renew_days", "7", "Select a valid choice"),
        ("where", "", "This field is required"),
        ("where", "one:999999", "Select a valid choice"),
        ("where", "all:999999", "Select a valid choice"),
        ("where", "one:", "Select a valid choice"),
    ],
)
def test_bad_input_keeps_what_was_typed(
    as_alice: Client, instance: Instance, field: str, typed: str, sentence: str
) -> None:
    answer = as_alice.post(ADD, given(instance, **{field: typed}))
    assert answer.status_code == 422 and sentence in answer.content.decode()
    assert "We move often." in answer.content.decode() and "autofocus" in answer.content.decode()
    assert not OwnItem.objects.exists() and not AuditEvent.objects.exists()


def test_the_link_of_an_instance_chooses_it(as_alice: Client, instance: Instance) -> None:
    text = as_alice.get(ADD, {"instance": "social.example"}).content.decode()
    assert f'<option value="one:{instance.pk}" selected>' in text
    assert as_alice.get(ADD, {"instance": "no.such"}).status_code == 200


def test_viewers_read_and_strangers_see_nothing(
    as_alice: Client, as_bob: Client, as_charlie: Client, scanned: Instance
) -> None:
    item = added(as_alice, scanned)
    text = as_bob.get(LIST).content.decode()
    assert "We move often." in text and "<form" not in text.split("<main")[1]
    assert "We move often." not in as_charlie.get(LIST).content.decode()
    for client in (as_bob, as_charlie):
        for action in ("", "retire/", "restore/"):
            assert client.post(f"{LIST}{item.pk}/{action}", given(scanned)).status_code == 404
    assert as_bob.get(ADD).status_code == 404
    assert as_charlie.post(ADD, given(scanned)).status_code == 422, "not an instance of theirs"
    assert Client().get(LIST).status_code == 302
    assert OwnItem.objects.get().title == TEXT


def test_an_editor_of_two_teams_says_whose_it_is(as_bob: Client, scanned: Instance, bob: User) -> None:
    make_editor(bob, scanned)
    team = Team.objects.create(name="Second team")
    Membership.objects.create(team=team, user=bob, role=Role.OWNER)
    assert "all instances of Second team" in as_bob.get(ADD).content.decode()
    added(as_bob, scanned, where=f"all:{team.pk}")
    assert OwnItem.objects.get().team == team and asked(scanned) == []


@pytest.mark.parametrize(
    "item_id", ["own.", "own.0", "own.x", "own.٣", "own." + "9" * 40, "own.1.2", "own.-1"]
)
def test_an_odd_number_is_no_item(as_alice: Client, scanned: Instance, item_id: str) -> None:
    assert as_alice.get(f"{PAGE}items/{item_id}/").status_code == 404


def test_queries_do_not_grow_with_own_items(
    scanned: Instance, alice: User, django_assert_max_num_queries: AtMost
) -> None:
    texts = {"title": "x", "level": "optional", "renew_days": 30, "why": "", "expected": ""}
    for _ in range(5):
        own_changes.add(scanned.team, None, alice, texts)
    with django_assert_max_num_queries(4):
        assert len(rows_of(scanned)) == len(all_items()) + 5
    with django_assert_max_num_queries(1):
        assert len(own.items_by_instance([scanned, scanned])[scanned.pk]) == 5
