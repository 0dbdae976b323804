"""A receiver with a certificate of its own, on loopback, and channels whose addresses hold canaries."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from django.utils import timezone
from pytest_django import Settings

from fedisec.alerts.channels.sealing import put_address, put_new_secret
from fedisec.alerts.models import Channel, ChannelKind, Delivery, Notice
from fedisec.instances.models import Instance
from tests.enrolment.conftest import key_file
from tests.factories import an_instance
from tests.watch.site import Site, site

__all__ = ["key_file"]

CANARY = "cAnary-7f3e9b"  # stands in the path and the query of every address here
AUTHORITY = trustme.CA()


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture(scope="session")
def _served() -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with site(context) as served:
        yield served


@pytest.fixture
def receiver(_served: Site, settings: Settings, authority_file: Path) -> Site:
    """A web server over TLS, in a network that the operator allows."""
    settings.ALLOW_NETWORKS = ("127.0.0.1/32",)
    settings.TRUST_CA = str(authority_file)
    _served.replies.clear()
    _served.asked.clear()
    _served.fallback = b""
    return _served


@pytest.fixture
def instance(db: None, fake_items: None) -> Instance:
    return an_instance(domain="good.example")


@pytest.fixture
def channel(receiver: Site, instance: Instance) -> Channel:
    return a_webhook(instance, receiver.say(f"/in/{CANARY}?token={CANARY}", b"thanks"))


def a_webhook(instance: Instance, address: str) -> Channel:
    channel = Channel.objects.create(team=instance.team, kind=ChannelKind.WEBHOOK, name="Ops")
    put_address(channel, address)
    put_new_secret(channel, timezone.now())
    channel.save()
    return channel


def a_delivery(channel: Channel, instance: Instance, number: int = 1) -> Delivery:
    """A call that a worker has just claimed, about one change."""
    delivery = Delivery.objects.create(
        kind="unreachable",
        about=f"{number}",
        instance=instance,
        channel=channel,
        message_id=f"<unreachable.{number}@fedisec.example>",
        state="sending",
        attempts=1,
    )
    Notice.objects.create(
        kind="unreachable", about=f"{number}", instance=instance, channel=channel, delivery=delivery
    )
    return delivery
