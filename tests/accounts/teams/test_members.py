"""Who is in a team, and how that changes."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from fedisec.accounts import invitations, teams
from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.accounts.team_models import Invitation
from tests.accounts.teams.conftest import a_member
from tests.factories import a_user, an_instance, signed_in

Told = list[tuple[str, str, dict[str, str]]]


def of(team: Team, user: User) -> Membership:
    return Membership.objects.get(team=team, user=user)


def path(name: str, team: Team, *more: int) -> str:
    return reverse(name, args=[team.pk, *more])


def actions() -> list[str]:
    return list(AuditEvent.objects.filter(action__startswith="team.").values_list("action", flat=True))


@pytest.mark.django_db
def test_somebody_makes_a_team_and_owns_it(client: Client) -> None:
    user = a_user()
    answer = signed_in(client, user).post(reverse("teams"), {"name": "  Night\u202e shift "})
    made = Team.objects.get()
    assert answer["Location"] == path("team", made)
    assert "\u202e" not in made.name
    assert of(made, user).role == Role.OWNER
    assert actions() == ["team.created"]


@pytest.mark.django_db
def test_nobody_makes_teams_without_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "TEAMS_MAX", 1)
    signed_in(client, a_user())
    assert client.post(reverse("teams"), {"name": "One"}).status_code == 302
    assert client.post(reverse("teams"), {"name": "Two"}).status_code == 422
    assert Team.objects.count() == 1


def test_the_page_shows_members_to_members(team: Team, owner: User, client: Client) -> None:
    viewer = a_member(team, Role.VIEWER)
    html = signed_in(client, viewer).get(path("team", team)).content.decode()
    assert owner.email in html
    assert "<form" not in html.split("<main")[1], "a viewer finds nothing to press"


def test_an_owner_renames(team: Team, as_owner: Client) -> None:
    assert as_owner.post(path("team_rename", team), {"name": "Crew"}).status_code == 302
    team.refresh_from_db()
    assert team.name == "Crew"
    assert as_owner.post(path("team_rename", team), {"name": "\x00"}).status_code == 422


def test_a_role_counts_at_the_next_request(team: Team, owner: User, as_owner: Client, notices: Told) -> None:
    viewer = a_member(team, Role.VIEWER)
    instance = an_instance(domain="a.example")
    instance.team = team
    instance.save()
    browser, settings_page = signed_in(Client(), viewer), reverse("instance_edit", args=["a.example"])
    assert browser.get(settings_page).status_code == 404
    as_owner.post(path("member_role", team, of(team, viewer).pk), {"role": "editor"})
    assert browser.get(settings_page).status_code == 200
    as_owner.post(path("member_role", team, of(team, viewer).pk), {"role": "viewer"})
    assert browser.get(settings_page).status_code == 404
    assert actions() == ["team.role_changed"] * 2
    assert [(who, kind) for who, kind, _data in notices] == [(owner.email, "member_changed")] * 2


def test_who_is_removed_is_out_at_once(team: Team, as_owner: Client, notices: Told) -> None:
    editor = a_member(team, Role.EDITOR)
    browser = signed_in(Client(), editor)
    member = of(team, editor)
    assert as_owner.get(path("member_remove", team, member.pk)).status_code == 200
    assert Membership.objects.filter(pk=member.pk).exists(), "the page asks first"
    assert as_owner.post(path("member_remove", team, member.pk)).status_code == 302
    assert browser.get(path("team", team)).status_code == 404
    assert actions() == ["team.removed"]
    assert {who for who, kind, _data in notices} == {"owner@example.org", editor.email}


def test_a_member_leaves(team: Team, owner: User, client: Client) -> None:
    viewer = a_member(team, Role.VIEWER)
    assert signed_in(client, viewer).post(path("team_leave", team)).status_code == 302
    assert list(team.members.all()) == [owner]
    assert actions() == ["team.left"]


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_the_last_owner_stays_one(team: Team, owner: User, as_owner: Client, role: str) -> None:
    a_member(team, Role.EDITOR)
    gone = a_member(team, Role.OWNER)
    gone.is_active = False
    gone.save()
    as_owner.post(path("member_role", team, of(team, owner).pk), {"role": role})
    assert as_owner.post(path("team_leave", team)).status_code == 422
    assert as_owner.post(path("member_remove", team, of(team, owner).pk)).status_code == 422
    assert of(team, owner).role == Role.OWNER
    assert actions() == []


def test_with_a_second_owner_the_first_may_go(team: Team, owner: User, as_owner: Client) -> None:
    a_member(team, Role.OWNER)
    assert as_owner.post(path("team_leave", team)).status_code == 302
    assert not Membership.objects.filter(user=owner).exists()


def test_only_an_empty_team_is_deleted(team: Team, as_owner: Client) -> None:
    instance = an_instance()
    instance.team = team
    instance.save()
    assert as_owner.post(path("team_delete", team), {"name": "admins"}).status_code == 422
    instance.delete()
    assert as_owner.post(path("team_delete", team), {"name": "another"}).status_code == 422
    assert as_owner.post(path("team_delete", team), {"name": "admins"}).status_code == 302
    assert not Team.objects.filter(pk=team.pk).exists()
    assert actions() == ["team.deleted"]


def test_the_operator_saves_a_team_without_owners(team: Team, client: Client) -> None:
    lonely = a_member(team, Role.VIEWER)
    operator = a_user(is_superuser=True)
    signed_in(client, operator)
    assert team.name in client.get(reverse("teams")).content.decode()
    assert client.post(path("member_role", team, of(team, lonely).pk), {"role": "owner"}).status_code == 302
    assert of(team, lonely).role == Role.OWNER
    assert client.post(path("team_rename", team), {"name": "x"}).status_code == 404, "that is the owners'"


def test_members_of_another_team_are_none_here(team: Team, as_owner: Client) -> None:
    other = Team.objects.create(name="Other")
    stranger = a_member(other, Role.VIEWER)
    member = of(other, stranger).pk
    assert as_owner.post(path("member_role", team, member), {"role": "owner"}).status_code == 404
    assert as_owner.post(path("member_remove", team, member)).status_code == 404
    assert as_owner.get(path("team", other)).status_code == 404


@pytest.mark.parametrize(
    "name", ["member_role", "member_remove", "team_delete", "team_invite", "team_uninvite"]
)
def test_who_signed_in_long_ago_proves_it_again(team: Team, owner: User, name: str) -> None:
    owner.set_password("a sentence nobody guesses")
    owner.save()
    viewer = of(team, a_member(team, Role.VIEWER))
    open_one, _link = invitations.invite(team, "guest@example.org", Role.VIEWER, owner)
    more = {"member_role": [viewer.pk], "member_remove": [viewer.pk], "team_uninvite": [open_one.pk]}
    sent = {"name": "admins", "role": "owner", "email": "other@example.org"}
    before = everything()
    answer = signed_in(Client(), owner, lately=False).post(path(name, team, *more.get(name, [])), sent)
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert everything() == before


def everything() -> list[object]:
    models = (Team, Membership, Invitation)
    return [list(model._default_manager.order_by("pk").values()) for model in models]
