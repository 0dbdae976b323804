"""What fedisec says of its own watch over an instance."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from pytest_django import Settings

from checks.facts.fedisec import CertificateWatch
from fedisec.alerts.models import Channel, Delivery
from fedisec.alerts.watch import self_facts, subscribe_creator
from fedisec.instances.models import Instance
from tests.factories import an_instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def instance() -> Instance:
    return an_instance(domain="social.example")


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


def test_an_address_that_was_never_confirmed_hears_nothing(instance: Instance, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://relay.example"
    subscribe_creator(instance)
    EmailAddress.objects.update(verified=False)
    assert self_facts(instance) == (CertificateWatch(watching=True, confirmed_recipients=0),)


def test_a_channel_counts_once_it_has_taken_something(instance: Instance) -> None:
    channel = Channel.objects.create(team=instance.team, kind="webhook", name="ops")
    call = Delivery.objects.create(kind="test", about="1", channel=channel, message_id="<1@x>")
    assert self_facts(instance) == (CertificateWatch(watching=True, confirmed_recipients=0),)
    Delivery.objects.filter(pk=call.pk).update(state="sent")
    assert self_facts(instance) == (CertificateWatch(watching=True, confirmed_recipients=1),)
