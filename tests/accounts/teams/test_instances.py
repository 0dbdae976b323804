"""Servers of several teams: which one is added to, and how one moves to another."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.alerts.models import Channel, Subscription
from fedisec.checklist.models import OwnItem
from fedisec.instances.models import Instance
from tests.accounts.teams.conftest import a_member
from tests.factories import signed_in


@pytest.fixture
def instance(team: Team, owner: User) -> Instance:
    return Instance.objects.create(team=team, domain="a.example", created_by=owner)


@pytest.fixture
def other(owner: User) -> Team:
    team = Team.objects.create(name="Others")
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    return team


@pytest.fixture(autouse=True)
def known_to_the_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedisec.scans.keeping.refusal", lambda domain: "")


def test_one_team_is_no_choice(team: Team, as_owner: Client) -> None:
    assert 'name="team"' not in as_owner.get(reverse("instance_add")).content.decode()
    foreign = Team.objects.create(name="Foreign")
    as_owner.post(reverse("instance_add"), {"domain": "b.example", "team": foreign.pk})
    assert Instance.objects.get(domain="b.example").team == team


def test_of_several_one_is_chosen(team: Team, other: Team, as_owner: Client) -> None:
    add = reverse("instance_add")
    assert f'<option value="{other.pk}">Others</option>' in as_owner.get(add).content.decode()
    answer = as_owner.post(add, {"domain": "b.example", "team": other.pk})
    assert answer["Location"] == f"/instances/b.example~{other.pk}/"
    assert Instance.objects.get(domain="b.example").team == other
    foreign = Team.objects.create(name="Foreign")
    for wrong in (str(foreign.pk), "", "x"):
        assert as_owner.post(add, {"domain": "c.example", "team": wrong}).status_code == 422
    assert as_owner.post(add, {"domain": "b.example", "team": team.pk}).status_code == 302, "each its own"
    assert as_owner.post(add, {"domain": "b.example", "team": team.pk}).status_code == 422


def test_a_viewer_there_adds_nothing_there(team: Team, owner: User, as_owner: Client) -> None:
    third = Team.objects.create(name="Third")
    Membership.objects.create(team=third, user=owner, role=Role.VIEWER)
    as_owner.post(reverse("instance_add"), {"domain": "b.example", "team": third.pk})
    assert Instance.objects.get(domain="b.example").team == team


def test_a_server_moves_with_what_is_its_own(
    team: Team, other: Team, owner: User, as_owner: Client, instance: Instance
) -> None:
    left = a_member(team, Role.EDITOR)
    for user in (owner, left):
        Subscription.objects.create(user=user, instance=instance)
    own = OwnItem.objects.create(team=team, instance=instance, title="Its own")
    whole = OwnItem.objects.create(team=team, title="Of all")
    channel = Channel.objects.create(team=team, kind="webhook", name="Ops")
    channel.instances.add(instance)
    answer = as_owner.post(reverse("instance_move", args=["a.example"]), {"team": other.pk})
    assert answer["Location"] == f"/instances/a.example~{other.pk}/"
    for row in (instance, own, whole):
        row.refresh_from_db()
    assert (instance.team, own.team, whole.team) == (other, other, team)
    assert list(channel.instances.all()) == []
    assert [one.user for one in Subscription.objects.all()] == [owner]
    assert signed_in(Client(), left).get("/instances/a.example/").status_code == 404
    lines = AuditEvent.objects.filter(action="instance.moved").values_list("team_id", "before", "after")
    assert sorted(lines) == sorted([(team.pk, "Admins", "Others"), (other.pk, "Admins", "Others")])


def test_only_to_a_team_that_one_owns(team: Team, other: Team, as_owner: Client, instance: Instance) -> None:
    foreign = Team.objects.create(name="Foreign")
    path = reverse("instance_move", args=["a.example"])
    assert as_owner.post(path, {"team": foreign.pk}).status_code == 422
    Membership.objects.filter(team=other).update(role=Role.EDITOR)
    assert as_owner.post(path, {"team": other.pk}).status_code == 404
    instance.refresh_from_db()
    assert instance.team == team


def test_not_where_the_domain_is_watched_already(
    other: Team, as_owner: Client, instance: Instance, team: Team
) -> None:
    Instance.objects.create(team=other, domain="a.example")
    path = reverse("instance_move", args=[f"a.example~{team.pk}"])
    assert as_owner.post(path, {"team": other.pk}).status_code == 422
    instance.refresh_from_db()
    assert instance.team == team


def test_editors_find_no_way_to_remove_or_move(team: Team, instance: Instance, other: Team) -> None:
    editor = a_member(team, Role.EDITOR)
    html = signed_in(Client(), editor).get(reverse("instance_edit", args=["a.example"])).content.decode()
    assert "/remove/" not in html and "/move/" not in html
