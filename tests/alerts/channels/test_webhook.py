"""A webhook: signed so that others can verify it, retried with the same id, and never into the house."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from fedisec.accounts.models import AuditEvent
from fedisec.alerts import relay
from fedisec.alerts.channels import webhook
from fedisec.alerts.channels.calling import NotTaken, call
from fedisec.alerts.channels.sealing import address_of, put_address, put_new_secret, secrets_of
from fedisec.alerts.models import Channel, Delivery, MailServer
from fedisec.instances.models import Instance
from fedisec.lib.sealed import put
from fedisec.lib.secrets import CannotOpen
from tests.alerts.channels.conftest import CANARY, a_delivery, a_webhook
from tests.watch.site import Asked, Site, drip

PATH = f"/in/{CANARY}?token={CANARY}"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _refused(delivery: Delivery) -> NotTaken:
    with pytest.raises(NotTaken) as caught:
        call(delivery)
    return caught.value


def _again(delivery: Delivery) -> Delivery:
    """The same delivery as the next worker claims it."""
    Delivery.objects.filter(pk=delivery.pk).update(attempts=delivery.attempts + 1)
    return Delivery.objects.select_related("channel", "instance").get(pk=delivery.pk)


def _verify(channel: Channel, asked: Asked) -> object:
    secret = secrets_of(Channel.objects.get(pk=channel.pk), timezone.now())[0]
    return Webhook(secret).verify(asked.body, asked.headers)


def test_what_arrives_is_verified_by_the_library_of_the_standard(
    receiver: Site, channel: Channel, instance: Instance
) -> None:
    assert call(a_delivery(channel, instance)) == "200 OK: thanks"
    [asked] = receiver.asked
    assert (asked.method, asked.path) == ("POST", PATH)
    told = _verify(channel, asked)
    assert isinstance(told, dict) and list(told) == ["type", "timestamp", "data"]
    assert told["data"]["instance"] == "good.example"
    assert asked.headers["content-type"] == "application/json"


def test_one_changed_byte_is_noticed(receiver: Site, channel: Channel, instance: Instance) -> None:
    call(a_delivery(channel, instance))
    [asked] = receiver.asked
    asked.body = asked.body.replace(b"good.example", b"evil.example")
    with pytest.raises(WebhookVerificationError):
        _verify(channel, asked)


def test_every_try_has_the_same_id_and_body_and_a_time_of_its_own(
    receiver: Site, channel: Channel, instance: Instance
) -> None:
    receiver.say(PATH, b"later", 503)
    first = a_delivery(channel, instance)
    _refused(first)
    receiver.say(PATH, b"")
    assert call(_again(first)) == "200 OK"
    one, two = receiver.asked
    assert one.headers["webhook-id"] == two.headers["webhook-id"] and one.body == two.body
    assert "." not in one.headers["webhook-id"]
    call(a_delivery(channel, instance, 2))
    assert receiver.asked[2].headers["webhook-id"] != one.headers["webhook-id"]


def test_both_secrets_sign_for_a_day_after_a_change(
    receiver: Site, channel: Channel, instance: Instance
) -> None:
    now = timezone.now()
    before = secrets_of(channel, now)[0]
    put_new_secret(channel, now - timedelta(hours=23, minutes=59))
    channel.save()
    call(a_delivery(channel, instance))
    [asked] = receiver.asked
    assert Webhook(before).verify(asked.body, asked.headers) == _verify(channel, asked)
    channel.secret_made_at = now - timedelta(hours=24, minutes=1)
    channel.save()
    call(a_delivery(channel, instance, 2))
    assert len(receiver.asked[1].headers["webhook-signature"].split()) == 1
    with pytest.raises(WebhookVerificationError):
        Webhook(before).verify(receiver.asked[1].body, receiver.asked[1].headers)
    channel.refresh_from_db()
    assert channel.sealed_secret_before == "", "what no longer signs is not kept"


def test_a_secret_is_long_enough_for_the_standard(channel: Channel) -> None:
    import base64

    [secret] = secrets_of(channel, timezone.now())
    assert secret.startswith("whsec_") and 24 <= len(base64.b64decode(secret[6:])) <= 64


@pytest.mark.parametrize(
    ("status", "attempts", "final"),
    [(400, 1, False), (404, 4, False), (401, 5, True), (404, 9, True), (500, 9, False), (302, 9, False),
     (429, 9, False), (503, 9, False), (410, 1, True)],
)  # fmt: skip
def test_which_answers_end_the_tries(
    receiver: Site, channel: Channel, instance: Instance, status: int, attempts: int, final: bool
) -> None:
    receiver.say(PATH, status=status, Location=receiver.url("/elsewhere"))
    delivery = a_delivery(channel, instance)
    delivery.attempts = attempts
    assert _refused(delivery).final is final
    assert [asked.path for asked in receiver.asked] == [PATH], "no redirect is followed"


def test_a_receiver_that_is_gone_switches_its_channel_off(
    receiver: Site, channel: Channel, instance: Instance
) -> None:
    receiver.say(PATH, b"", 410)
    _refused(a_delivery(channel, instance))
    channel.refresh_from_db()
    assert (channel.enabled, channel.stopped_why) == (False, "gone")
    event = AuditEvent.objects.get(action="channel.stopped")
    assert event.actor_id is None and event.before == "Ops"


@pytest.mark.parametrize(
    ("header", "pause"),
    [("120", 120), ("0", 0), ("999999999999", 21600), (format_datetime(NOW + timedelta(minutes=3)), 180),
     ("Sat, 21 Nov 2020 12:00:00 GMT", 0), ("Sat, 21 Nov 2099 12:00:00 GMT", 21600), ("soon", None),
     ("-5", None), ("", None), ("Sat, 99 Nov 2020 99:00:00", None)],
)  # fmt: skip
def test_a_pause_that_the_receiver_wants_is_kept_within_bounds(header: str, pause: int | None) -> None:
    found = webhook.pause_of(header, NOW)
    assert found == (None if pause is None else timedelta(seconds=pause))


def test_the_pause_of_an_answer_reaches_the_queue(
    receiver: Site, channel: Channel, instance: Instance
) -> None:
    receiver.say(PATH, b"", 429, Retry_After="600")
    assert _refused(a_delivery(channel, instance)).pause == timedelta(minutes=10)


def test_the_body_stays_small_and_says_what_it_leaves_out() -> None:
    items = [{"id": f"item.{n}", "evidence": "長" * 200} for n in range(100)]
    body = webhook.body_of({"type": "instance.regressed", "items": items, "counts": {"fail": 100}}, NOW)
    told = json.loads(body)
    assert len(body) <= 20_000
    assert len(told["data"]["items"]) + told["data"]["left_out"] == 100
    assert told["data"]["items"] == items[: len(told["data"]["items"])] and len(told["data"]["items"]) > 10
    assert told["timestamp"] == "2026-11-21T12:00:00+00:00" and told["data"]["counts"] == {"fail": 100}


def test_a_failure_is_remembered_until_a_call_is_taken(
    receiver: Site, channel: Channel, instance: Instance
) -> None:
    receiver.say(PATH, b"", 500)
    delivery = a_delivery(channel, instance)
    assert _refused(delivery).maybe_arrived
    channel.refresh_from_db()
    since = channel.failing_since
    assert since is not None
    _refused(_again(delivery))
    channel.refresh_from_db()
    assert channel.failing_since == since, "since the first failure, not the last"
    receiver.say(PATH, b"", 204)
    assert call(_again(delivery)) == "204 No Content"
    channel.refresh_from_db()
    assert channel.failing_since is None


def test_a_long_answer_is_cut_and_clean(receiver: Site, channel: Channel, instance: Instance) -> None:
    receiver.say(PATH, b"\x1b[31m<script>\x00" + b"x" * 300_000)
    said = call(a_delivery(channel, instance))
    assert len(said) <= 300 and said.startswith("200 OK: ") and said.isprintable()


def _echo(asked: Site, path: str) -> None:
    """The receiver repeats the whole address and its headers, as an error page may."""
    asked.say(path, f"no such page: https://127.0.0.1{path} {CANARY.upper()}", 404)


@pytest.mark.parametrize(
    "failure", ["echo", "redirect", "refused", "certificate", "forbidden", "drip", "key"]
)
def test_no_failure_tells_the_address_or_the_secret(
    receiver: Site,
    channel: Channel,
    instance: Instance,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    failure: str,
) -> None:
    caplog.set_level(logging.INFO)
    _echo(receiver, PATH)
    if failure == "redirect":
        receiver.say(PATH, b"", 302, Location=receiver.url(PATH))
    elif failure == "refused":
        put_address(channel, f"https://127.0.0.1:1025{PATH}")
    elif failure == "certificate":
        settings.TRUST_CA = ""
    elif failure == "forbidden":
        settings.ALLOW_NETWORKS = ()
    elif failure == "drip":
        monkeypatch.setattr(webhook, "DEADLINE_S", 0.3)
        receiver.be_rude(PATH, drip(b"HTTP/1.1 200 OK\r\nX: ", b"y", receiver.over))
    elif failure == "key":
        channel.pk, secret = channel.pk, channel.sealed_secret
        channel.sealed_address = secret
    channel.save()
    secrets = secrets_of(channel, timezone.now())
    delivery = a_delivery(channel, instance)
    error = _refused(delivery)
    assert error.answer and error.__cause__ is None
    shown = " ".join([str(error), repr(error), error.answer, caplog.text, *_trail()])
    for word in (CANARY, *secrets, secrets[0][6:]):
        assert word.lower() not in shown.lower()


def _trail() -> list[str]:
    return [str(row) for row in AuditEvent.objects.values_list()]


@pytest.mark.parametrize(
    "address",
    ["https://10.0.0.1/x", "https://169.254.169.254/latest/", "https://[::1]/", "https://[64:ff9b::7f00:1]/",
     "http://127.0.0.1:6379/", "http://1.1.1.1/", "ftp://127.0.0.1/", "https://0x7f.1/"],
)  # fmt: skip
def test_nothing_is_dialled_outside_the_rule(
    settings: Settings, instance: Instance, receiver: Site, address: str
) -> None:
    settings.ALLOW_NETWORKS = ("192.0.2.0/24",)
    settings.RESOLVER = "127.0.0.1:9"
    _refused(a_delivery(a_webhook(instance, address), instance))


def test_plain_http_goes_to_a_network_of_the_operator_alone(settings: Settings, instance: Instance) -> None:
    from tests.watch.site import site

    with site() as plain:
        channel = a_webhook(instance, plain.say("/in", b"ok"))
        settings.ALLOW_NETWORKS = ("127.0.0.1/32",)
        assert call(a_delivery(channel, instance)) == "200 OK: ok"
        settings.ALLOW_NETWORKS = ("192.0.2.0/24",)
        _refused(a_delivery(channel, instance, 2))
        assert len(plain.asked) == 1


def test_what_is_sealed_opens_for_its_own_row_and_purpose_alone(channel: Channel, instance: Instance) -> None:
    other = a_webhook(instance, "https://other.example/hook")
    assert address_of(other) == "https://other.example/hook" and CANARY not in channel.sealed_address
    other.sealed_address = channel.sealed_address
    with pytest.raises(CannotOpen):
        address_of(other)


def test_a_rotation_lets_the_old_key_go(channel: Channel, key_file: Path, settings: Settings) -> None:
    server = MailServer.objects.create(host="mail.example.org", sender="a@example.org", username="u")
    put(server, "sealed_password", CANARY)
    server.save()
    before = secrets_of(channel, timezone.now())
    settings.KEYS_SETTLE_S = 0
    call_command("rotate_keys", "--drop-old", stdout=StringIO())
    assert "k" * 43 not in key_file.read_text()
    channel.refresh_from_db()
    server.refresh_from_db()
    assert CANARY in address_of(channel) and secrets_of(channel, timezone.now()) == before
    assert relay.server_of(server).password == CANARY
    key_file.unlink()
    key_file.write_text("x" * 43)
    with pytest.raises(
        CommandError, match=r"no key opens alerts_channel\.sealed_address \d+, .* \(3 in all\)"
    ):
        call_command("rotate_keys", stdout=StringIO())
