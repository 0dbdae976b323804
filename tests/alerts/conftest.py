"""An instance that somebody hears of, and a story of looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import User
from fedisec.alerts.models import Delivery
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan
from tests.factories import a_recorded_scan, a_subscriber, an_instance
from tests.fakes import facts
from tests.smtp import Relay, a_relay

Story = Callable[..., Scan]


@pytest.fixture
def instance(db: None, fake_items: None) -> Instance:
    return an_instance(domain="good.example")


@pytest.fixture
def reader(instance: Instance) -> User:
    return a_subscriber(instance, email="reader@example.org")


@pytest.fixture
def story(instance: Instance) -> Story:
    """`story({"lock": "pass"}, {"lock": "fail"}, …)`: each look is ten minutes after the one before."""
    start = timezone.now().replace(microsecond=0) - timedelta(days=1)
    looks = 0

    def tell(*statuses: dict[str, str], evidence: str = "what was seen") -> Scan:
        nonlocal looks
        for status in statuses:
            scan = a_recorded_scan(instance, facts(evidence, **status), start + timedelta(minutes=10 * looks))
            looks += 1
        return scan

    return tell


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    """A relay that the settings point to."""
    with a_relay() as (running, port):
        settings.EMAIL_BACKEND = "fedisec.alerts.relay.Backend"
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        yield running


def the_mail() -> Delivery:
    return Delivery.objects.get()
