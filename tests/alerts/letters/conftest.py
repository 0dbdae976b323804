"""A reader of one instance, who is told things."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from fedisec.accounts.models import User
from fedisec.instances.models import Instance
from tests.alerts.letters.samples import Post, a_reader
from tests.factories import an_instance


@pytest.fixture
def instance(db: None) -> Instance:
    return an_instance(domain="example.social")


@pytest.fixture
def reader(instance: Instance) -> User:
    return a_reader(instance, email="reader@example.org", time_zone="Europe/Berlin")


@pytest.fixture
def post(reader: User, settings: Settings) -> Post:
    settings.PUBLIC_URL = "https://fedisec.example"
    return Post(reader)
