"""Two teams watch the same domain, and somebody is in both."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from fedisec.accounts.models import Membership, Role, User
from fedisec.checklist.models import Note
from fedisec.instances.models import Instance
from tests.factories import a_user, an_instance, signed_in

DOMAIN = "social.example"
pytestmark = pytest.mark.django_db


@pytest.fixture
def both() -> tuple[User, Instance, Instance]:
    """(somebody who is in both teams, the instance of the older team, that of the younger)."""
    older, younger = an_instance(domain=DOMAIN), an_instance(domain=DOMAIN)
    user = a_user()
    for instance, name in ((older, "Older"), (younger, "Younger")):
        Membership.objects.create(team=instance.team, user=user, role=Role.EDITOR)
        instance.team.name = name
        instance.team.save()
    return user, older, younger


def page(instance: Instance) -> str:
    return f"/instances/{DOMAIN}~{instance.team_id}/"


def test_the_bare_domain_asks_which(both: tuple[User, Instance, Instance], client: Client) -> None:
    user, older, younger = both
    answer = signed_in(client, user).get(f"/instances/{DOMAIN}/changes/?since=2026-11-01")
    assert answer.status_code == 300
    for instance, name in ((older, "Older"), (younger, "Younger")):
        assert f'<a href="{page(instance)}changes/?since=2026-11-01">{name}</a>' in answer.content.decode()


def test_a_form_to_the_bare_domain_changes_nothing(
    both: tuple[User, Instance, Instance], client: Client
) -> None:
    answer = signed_in(client, both[0]).post(f"/instances/{DOMAIN}/items/http.hsts/remark/", {"text": "x"})
    assert answer.status_code == 300
    assert "Nothing was changed." in answer.content.decode()
    assert not Note.objects.exists()


def test_the_address_with_the_team_is_that_teams(
    both: tuple[User, Instance, Instance], client: Client
) -> None:
    user, older, younger = both
    signed_in(client, user)
    for instance in (older, younger):
        path = page(instance)
        client.post(f"{path}items/http.hsts/remark/", {"text": f"of {instance.pk}"})
        assert Note.objects.get(text=f"of {instance.pk}").instance == instance
        html = client.get(path).content.decode()
        assert f"/instances/{DOMAIN}/" not in html, "each link of the page stays with the team"


def test_who_is_in_one_of_them_is_not_asked(both: tuple[User, Instance, Instance], client: Client) -> None:
    _user, older, younger = both
    owner = younger.created_by
    assert owner is not None
    signed_in(client, owner)
    assert client.get(f"/instances/{DOMAIN}/").status_code == 200
    assert client.get(page(younger)).status_code == 200
    for wrong in (
        page(older),
        f"/instances/{DOMAIN}~0/",
        f"/instances/{DOMAIN}~x/",
        f"/instances/{DOMAIN}~/",
    ):
        assert client.get(wrong).status_code == 404, wrong


def test_the_overview_leads_to_each(both: tuple[User, Instance, Instance], client: Client) -> None:
    user, older, younger = both
    html = signed_in(client, user).get(reverse("overview")).content.decode()
    assert page(older) in html and page(younger) in html
    assert f'"/instances/{DOMAIN}/"' not in html
