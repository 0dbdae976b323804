"""A channel in the queue of deliveries: told of what mails tell, tried again, given up, and never sent twice."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from fedisec.alerts.models import Channel, Delivery
from fedisec.alerts.outbox import due, tick
from fedisec.alerts.send import send_mail
from fedisec.instances.models import Instance
from tests.alerts.channels.conftest import CANARY
from tests.alerts.conftest import Story, story
from tests.watch.site import Site

__all__ = ["story"]

PATH = f"/in/{CANARY}?token={CANARY}"


def _call() -> Delivery:
    return Delivery.objects.get(channel__isnull=False)


def _send(delivery: Delivery) -> Delivery:
    """The next try, whenever it is due."""
    Delivery.objects.filter(pk=delivery.pk).update(next_try_at=timezone.now())
    send_mail(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def test_what_a_scan_found_reaches_the_receiver_once(
    receiver: Site, channel: Channel, instance: Instance, story: Story
) -> None:
    story({"lock": "pass"}, {"lock": "fail"}, {"lock": "fail"})
    tick(timezone.now())
    assert _send(_call()).state == "sent"
    send_mail(_call().pk)
    tick(timezone.now())
    [asked] = receiver.asked
    assert b'"type":"instance.regressed"' in asked.body and b'"instance":"good.example"' in asked.body
    assert _call().answer == "200 OK: thanks"


def test_a_refusal_is_tried_again_at_the_pause_that_was_asked_for(
    receiver: Site, channel: Channel, instance: Instance, story: Story
) -> None:
    receiver.say(PATH, b"", 503, Retry_After="1800")
    story({"lock": "pass"}, {"lock": "fail"}, {"lock": "fail"})
    tick(timezone.now())
    call, now = _send(_call()), timezone.now()
    assert call.state == "pending" and not call.maybe_arrived
    assert timedelta(minutes=29) < call.next_try_at - now < timedelta(minutes=31)
    receiver.say(PATH, b"", 500)
    assert _send(call).maybe_arrived, "what a receiver answers 500 to, it may have stored"
    Delivery.objects.update(created_at=now - timedelta(days=3, minutes=1))
    assert _send(call).state == "failed", "given up after three days"


def test_a_channel_that_was_switched_off_is_told_nothing(
    receiver: Site, channel: Channel, instance: Instance, story: Story
) -> None:
    story({"lock": "pass"}, {"lock": "fail"}, {"lock": "fail"})
    tick(timezone.now())
    Channel.objects.update(enabled=False)
    assert _send(_call()).state == "failed"
    assert not receiver.asked and not due(timezone.now()).exists()
