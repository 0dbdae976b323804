"""A channel that is not taken is told on every page to those who can do something about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from fedisec.accounts.models import User
from fedisec.alerts.channels import banner
from fedisec.alerts.models import Channel
from fedisec.instances.models import Instance
from tests.alerts.channels.conftest import a_webhook
from tests.dashboard.conftest import alice, as_alice, as_bob, as_charlie, bob, charlie, instance

__all__ = ["alice", "as_alice", "as_bob", "as_charlie", "bob", "charlie", "instance"]

WORDS = "The channel “Ops” has not been taken since"


@pytest.fixture
def broken(instance: Instance) -> Channel:
    banner.forget()
    channel = a_webhook(instance, "https://hooks.example.org/")
    Channel.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
    return channel


def _page(client: Client) -> str:
    return client.get("/channels/").content.decode()


def test_editors_hear_of_it_and_nobody_else(
    as_alice: Client, as_bob: Client, as_charlie: Client, broken: Channel
) -> None:
    assert WORDS in _page(as_alice) and f"/channels/{broken.pk}/" in _page(as_alice)
    assert WORDS not in _page(as_bob) and WORDS not in _page(as_charlie)


def test_an_operator_hears_of_all(as_charlie: Client, charlie: User, broken: Channel) -> None:
    User.objects.filter(pk=charlie.pk).update(is_superuser=True)
    page = _page(as_charlie)
    assert WORDS in page and f"/channels/{broken.pk}/" not in page, "but may not open what is not theirs"


def test_it_waits_a_little_and_ends_by_itself(as_alice: Client, broken: Channel) -> None:
    Channel.objects.update(failing_since=timezone.now() - timedelta(minutes=9))
    assert WORDS not in _page(as_alice)
    Channel.objects.update(failing_since=timezone.now() - timedelta(days=2), enabled=False)
    assert WORDS not in _page(as_alice), "somebody switched it off"
    Channel.objects.update(stopped_why="gone")
    assert "The channel “Ops” was switched off: its receiver is gone." in _page(as_alice)
    Channel.objects.update(failing_since=timezone.now() - timedelta(days=8))
    assert "switched off: its" not in _page(as_alice)
