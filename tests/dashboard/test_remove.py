"""Removing an instance: typed, told in the trail, and gone for who is asked next."""

from __future__ import annotations

import pytest
from django.test import Client

from fedisec.accounts.models import AuditEvent, User
from fedisec.checklist.models import Note
from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan

PAGE = "/instances/social.example/remove/"

pytestmark = pytest.mark.django_db


def test_the_settings_lead_there(as_alice: Client, scanned: Instance) -> None:
    assert PAGE in as_alice.get("/instances/social.example/settings/").content.decode()


def test_the_domain_has_to_be_typed(as_alice: Client, scanned: Instance) -> None:
    assert as_alice.get(PAGE).status_code == 200
    for word in ("", "social", "other.example"):
        refused = as_alice.post(PAGE, {"domain": word})
        assert refused.status_code == 422
    assert "other.example" in refused.content.decode()
    assert Instance.objects.filter(pk=scanned.pk).exists()


def test_it_goes_with_all_that_belongs_to_it(as_alice: Client, alice: User, scanned: Instance) -> None:
    Note.objects.create(instance=scanned, item_id="http.hsts", by=alice, text="a remark")
    gone = as_alice.post(PAGE, {"domain": " Social.Example "}, follow=True)
    assert gone.redirect_chain == [("/", 302)]
    assert "social.example" in gone.content.decode()
    for model in (Instance, Scan, ItemState, Note, SshAccess):
        assert not model.objects.exists()
    event = AuditEvent.objects.get(action="instance.removed")
    assert (event.instance_name, event.actor_name) == ("social.example", alice.email)
    assert as_alice.get(PAGE).status_code == 404


def test_a_viewer_and_a_stranger_find_nothing(
    as_bob: Client, as_charlie: Client, client: Client, scanned: Instance
) -> None:
    for reader in (as_bob, as_charlie):
        assert reader.get(PAGE).status_code == 404
        assert reader.post(PAGE, {"domain": "social.example"}).status_code == 404
    assert client.post(PAGE, {"domain": "social.example"}).status_code == 302  # to the sign-in
    assert Instance.objects.filter(pk=scanned.pk).exists()
