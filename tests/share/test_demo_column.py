"""A demo server is made up: nothing may ever look at it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from fedisec.scans.clock import tick
from fedisec.scans.models import Scan
from fedisec.scans.queue import Asked, queue_scan
from tests.factories import an_instance, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("reason", ["first", "scheduled", "manual", "confirm"])
def test_no_scan_of_a_demo_server_is_queued(reason: str) -> None:
    made_up = an_instance(demo=True)
    assert queue_scan(made_up, reason) is Asked.DEMO
    assert not Scan.objects.exists()


def test_the_clock_leaves_a_demo_server_alone() -> None:
    an_instance(demo=True, next_scan_at=timezone.now())
    tick(timezone.now())
    assert not Scan.objects.exists()


def test_who_asks_for_a_look_is_told_why_there_is_none(client: Client) -> None:
    made_up = an_instance(demo=True, paused=True, domain="demo-good.example")
    assert made_up.created_by is not None
    signed_in(client, made_up.created_by)
    answer = client.post("/instances/demo-good.example/scan/", follow=True)
    assert "made up" in answer.content.decode()
    assert not Scan.objects.exists()
