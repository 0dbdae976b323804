"""Invitations: who may make them, what their link does, and what nobody learns from them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts import invitations
from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.accounts.team_models import Invitation
from fedisec.alerts import inviting
from fedisec.alerts.models import Delivery
from tests.accounts.teams.conftest import a_member
from tests.factories import a_user, signed_in

NEW = "new@example.org"
PASSWORD = "a sentence nobody guesses"
FORM = {"password1": PASSWORD, "password2": PASSWORD}
Told = list[tuple[str, str, dict[str, str]]]


def invite(client: Client, team: Team, email: str = NEW, role: str = "editor") -> str:
    """The path of the link that the page shows."""
    answer = client.post(reverse("team_invite", args=[team.pk]), {"email": email, "role": role})
    assert answer.status_code == 200
    found = re.search(r"http://[^<\s]+(/invitation/[\w-]+/)", answer.content.decode())
    assert found is not None
    return found[1]


def test_a_link_makes_an_account_in_the_team_once(
    team: Team, as_owner: Client, owner: User, notices: Told
) -> None:
    link, browser = invite(as_owner, team, "New@Example.org"), Client()
    assert NEW in browser.get(link).content.decode()
    assert not User.objects.filter(email=NEW).exists(), "reading changes nothing"
    assert browser.post(link, FORM)["Location"] == reverse("overview")
    made = User.objects.get(email=NEW)
    assert made.check_password(PASSWORD)
    assert not made.is_superuser and not made.is_staff
    assert Membership.objects.get(user=made).role == Role.EDITOR
    assert browser.get(reverse("team", args=[team.pk])).status_code == 200, "signed in at once"
    assert Client().get(link).status_code == 404
    assert Client().post(link, FORM).status_code == 404
    assert notices == [(owner.email, "member_added", {"who": NEW, "team": "Admins"})]
    lines = AuditEvent.objects.filter(team_id=team.pk).order_by("pk").values_list("action", "actor_name")
    assert [line for line in lines if line[0] != "account.signed_in"] == [
        ("team.invited", owner.email),
        ("account.created", NEW),
        ("team.joined", NEW),
    ]


@pytest.mark.parametrize(
    "form",
    [{"password1": "short", "password2": "short"}, FORM | {"password2": "x"}, {}, {"email": "x@y.example"}],
)
def test_the_rules_for_passwords_hold(team: Team, as_owner: Client, form: dict[str, str]) -> None:
    link = invite(as_owner, team)
    assert Client().post(link, form).status_code == 422
    assert Client().post(link, FORM | {"email": "other@example.org", "is_superuser": "on"}).status_code == 302
    assert not User.objects.get(email=NEW).is_superuser


def test_only_a_hash_is_stored_and_the_token_has_256_bits(team: Team, as_owner: Client) -> None:
    token = invite(as_owner, team).split("/")[2]
    assert len(token) == 43  # 32 bytes in base64
    row = Invitation.objects.values().get()
    assert token not in str(row)
    assert token != invite(as_owner, team, "second@example.org").split("/")[2]


def test_without_the_secret_the_row_opens_nothing(team: Team, as_owner: Client, settings: Settings) -> None:
    link = invite(as_owner, team)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 9
    assert Client().get(link).status_code == 200
    assert invitations.link_for(Invitation.objects.get()).endswith(link)
    settings.SECRET_KEY_FALLBACKS = []
    assert invitations.link_for(Invitation.objects.get()) == ""


def test_seven_days_and_no_longer(team: Team, as_owner: Client) -> None:
    link = invite(as_owner, team)
    Invitation.objects.update(created_at=timezone.now() - timedelta(days=7) + timedelta(minutes=1))
    assert Client().get(link).status_code == 200
    Invitation.objects.update(created_at=timezone.now() - timedelta(days=7))
    assert Client().post(link, FORM).status_code == 404
    assert not User.objects.filter(email=NEW).exists()


def test_revoking_closes_the_link_at_once(team: Team, as_owner: Client) -> None:
    link, row = invite(as_owner, team), Invitation.objects.get()
    revoke = reverse("team_uninvite", args=[team.pk, row.pk])
    assert as_owner.post(revoke).status_code == 302
    assert as_owner.post(revoke).status_code == 404
    assert Client().post(link, FORM).status_code == 404


def test_a_second_invitation_takes_the_place_of_the_first(team: Team, as_owner: Client) -> None:
    first, second = invite(as_owner, team), invite(as_owner, team, role="viewer")
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200
    assert invitations.open_of(team).count() == 1


def test_a_known_and_an_unknown_address_look_the_same(team: Team, as_owner: Client) -> None:
    """To who invites, and to who opens the link without being signed in."""
    a_user(email="known@example.org")

    def seen(email: str) -> list[str]:
        data = {"email": email, "role": "viewer"}
        html = as_owner.post(reverse("team_invite", args=[team.pk]), data).content.decode()
        link = re.findall(r"/invitation/[\w-]+/", html)[0]
        page = Client().get(link).content.decode()
        row = Invitation.objects.get(email=email)
        as_owner.post(reverse("team_uninvite", args=[team.pk, row.pk]))
        plain = [text.replace(email, "…") for text in (html, page)]
        as_owner.get(reverse("team", args=[team.pk]))  # takes the message away
        return [re.sub(r"[\w-]{32,}|/\d+/|<time [^<]*", "", text) for text in plain]

    assert seen("known@example.org") == seen("unknown@example.org")


def test_an_account_is_not_taken_over_by_a_link(team: Team, as_owner: Client) -> None:
    known = a_user(email="known@example.org", password=PASSWORD)
    link, browser = invite(as_owner, team, known.email), Client()
    taken = {"password1": "another sentence of mine", "password2": "another sentence of mine"}
    assert browser.post(link, taken).status_code == 422
    known.refresh_from_db()
    assert known.check_password(PASSWORD)
    assert browser.get(reverse("overview")).status_code == 302, "nobody is signed in by it"
    assert signed_in(browser, known).post(link)["Location"] == reverse("overview")
    assert Membership.objects.get(user=known, team=team).role == Role.EDITOR


def test_it_is_for_that_very_address(team: Team, as_owner: Client) -> None:
    other, browser = a_user(), Client()
    link = invite(as_owner, team)
    assert signed_in(browser, other).post(link).status_code == 422
    assert not Membership.objects.filter(user=other).exists()


def test_who_is_in_the_team_is_not_invited_and_keeps_the_role(team: Team, as_owner: Client) -> None:
    member = a_member(team, Role.VIEWER)
    data = {"email": member.email.upper(), "role": "owner"}
    assert as_owner.post(reverse("team_invite", args=[team.pk]), data).status_code == 422
    assert Membership.objects.get(user=member).role == Role.VIEWER


def test_there_is_a_limit(team: Team, as_owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "A_DAY", 2)
    for number in range(2):
        invite(as_owner, team, f"n{number}@example.org")
    data = {"email": NEW, "role": "viewer"}
    assert as_owner.post(reverse("team_invite", args=[team.pk]), data).status_code == 422
    assert Invitation.objects.count() == 2


def test_a_guesser_is_stopped(db: None) -> None:
    answers = [Client().get(f"/invitation/{number:043}/").status_code for number in range(31)]
    assert answers == [404] * 30 + [429]


@pytest.mark.parametrize("role", ["superuser", "", "OWNER"])
def test_there_are_three_roles(team: Team, as_owner: Client, role: str) -> None:
    data = {"email": NEW, "role": role}
    assert as_owner.post(reverse("team_invite", args=[team.pk]), data).status_code == 422


def test_the_mail_waits_in_the_outbox_and_holds_the_link(
    team: Team, as_owner: Client, owner: User, settings: Settings
) -> None:
    settings.EMAIL_URL = "smtp://relay.example:25"
    link = invite(as_owner, team)
    delivery = Delivery.objects.get()
    assert (delivery.user, delivery.kind) == (owner, inviting.INVITE)
    letter = inviting.letter_of(delivery)
    assert letter.to == [NEW]
    assert str(letter.body).count(settings.PUBLIC_URL + link) == 2, "in both languages"
    assert "招待" in str(letter.body) or "invites you" in str(letter.body)
    assert inviting.may_go(delivery)
    Invitation.objects.update(revoked_at=timezone.now())
    assert not inviting.may_go(delivery)


def test_without_a_relay_nothing_waits(team: Team, as_owner: Client) -> None:
    invite(as_owner, team)
    assert not Delivery.objects.exists()


def test_the_host_of_the_request_is_not_in_the_link(team: Team, as_owner: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    data = {"email": NEW, "role": "viewer"}
    answer = as_owner.post(
        reverse("team_invite", args=[team.pk]),
        data,
        headers={"host": "evil.example", "x-forwarded-host": "evil.example"},
    )
    assert f"{settings.PUBLIC_URL}/invitation/" in answer.content.decode()
    assert "evil.example" not in answer.content.decode()
