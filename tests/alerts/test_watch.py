"""What fedisec says of its own watch over an instance."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from checks.facts.fedisec import CertificateWatch
from fedisec.accounts.models import Team, User
from fedisec.alerts.watch import self_facts, subscribe_creator
from fedisec.instances.models import Instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def instance() -> Instance:
    user = User.objects.create_user("alice@example.org", "a sentence nobody guesses")
    return Instance.objects.create(
        team=Team.objects.create(name="t"), domain="social.example", created_by=user
    )


def test_who_adds_an_instance_watches_it(instance: Instance, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://relay.example"
    subscribe_creator(instance)
    subscribe_creator(instance)
    assert self_facts(instance) == (CertificateWatch(watching=True, confirmed_recipients=1),)


def test_a_paused_instance_is_not_watched(instance: Instance) -> None:
    instance.paused = True
    assert self_facts(instance) == (CertificateWatch(watching=False, confirmed_recipients=0),)


def test_nobody_hears_while_mails_go_to_a_folder(instance: Instance, settings: Settings) -> None:
    settings.EMAIL_URL = ""
    subscribe_creator(instance)
    assert self_facts(instance) == (CertificateWatch(watching=True, confirmed_recipients=0),)
