"""docs/channels.md: its example is what is sent, and its list of services is whole."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_django import Settings

from fedisec.alerts.channels import webhook
from fedisec.alerts.channels.services import SERVICES
from fedisec.alerts.channels.words import KINDS
from fedisec.alerts.letter import summary_of
from fedisec.alerts.letters.reading import read
from fedisec.alerts.letters.summary import facts_of
from fedisec.alerts.models import Delivery, Notice
from fedisec.instances.models import Instance
from fedisec.scans.models import Change
from tests.alerts.channels.conftest import a_webhook
from tests.factories import a_running_scan

PAGE = (Path(__file__).parents[3] / "docs" / "channels.md").read_text("utf-8")
AT = datetime(2026, 11, 21, 6, 4, 5, tzinfo=UTC)


def test_the_example_is_what_a_webhook_receives(instance: Instance, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://fedisec.example.org"
    Instance.objects.filter(pk=instance.pk).update(domain="social.example")
    instance.refresh_from_db()
    channel = a_webhook(instance, "https://hooks.example.org/")
    delivery = Delivery.objects.create(
        kind="regression", about="1", instance=instance, channel=channel, message_id="<1@x>", created_at=AT
    )
    change = Change.objects.create(
        instance=instance,
        scan=a_running_scan(instance, AT),
        item_id="http.hsts",
        kind="regressed",
        before="pass",
        after="fail",
        code="absent",
        evidence=[["GET https://social.example/", "HTTP/1.1 200 OK"]],
        created_at=AT - timedelta(seconds=30),
    )
    Notice.objects.create(
        kind="regression", about="1", instance=instance, change=change, channel=channel, delivery=delivery
    )
    sent = json.loads(webhook.body_of(summary_of(delivery).facts, delivery.created_at))
    found = re.search(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    assert found is not None and json.loads(found[1]) == sent


def test_every_service_is_named() -> None:
    rows = re.findall(r"^\| `([a-z]+)://` \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(schema, service.name) for schema, service in SERVICES.items()]


def test_the_figures_are_those_of_the_code() -> None:
    assert f"at most {webhook.BODY_MAX // 1000} kB" in PAGE
    assert f"within {webhook.DEADLINE_S:g} seconds" in PAGE
    assert f"{webhook.PAUSE_MAX // timedelta(hours=1)} hours at most" in PAGE and webhook.TRIES_OF_4XX == 5


def test_every_type_is_named(instance: Instance) -> None:
    channel, named = a_webhook(instance, "https://hooks.example.org/"), set()
    for kind in sorted({kind for kind, _ in KINDS} | {"host_key", "test"}):
        delivery = Delivery.objects.create(kind=kind, about="1", channel=channel, message_id=f"<{kind}@x>")
        mail = read(delivery)
        named.add(facts_of(mail)["type"])
    found = re.search(r"^\| `type` \| (.*?);", PAGE, re.MULTILINE)
    assert found is not None and set(re.findall(r"`([a-z_.]+)`", found[1])) == named
