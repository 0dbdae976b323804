"""The alarm about another SSH host key: one mail for each new key, stored with the stop that it tells of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent, User
from fedisec.alerts import outbox
from fedisec.alerts.letter import letter_of
from fedisec.alerts.models import Delivery, MailKind, Notice
from fedisec.alerts.send import claim, send_mail
from fedisec.enrolment import enrol
from fedisec.enrolment.enrol import stop
from fedisec.enrolment.keys import label, new_pair
from fedisec.enrolment.models import SshAccess
from fedisec.enrolment.trial import Trial
from fedisec.instances.models import Instance
from tests.alerts.conftest import Story
from tests.factories import a_subscriber
from tests.smtp import Relay, text_of

OLD, NEW, THIRD = (new_pair()[1] for _ in range(3))


@pytest.fixture
def access(instance: Instance, reader: User) -> SshAccess:
    """Connected, with the host key OLD confirmed."""
    return SshAccess.objects.create(
        instance=instance, sealed_key="x", public_key="y", host_key=OLD, offered_host_key=OLD,
        confirmed_at=timezone.now(),
    )  # fmt: skip


def fresh() -> SshAccess:
    return SshAccess.objects.select_related("instance__team").get()


def tried(shown: str) -> None:
    """Somebody presses "test" while the server shows this key."""
    enrol._keep(fresh(), User.objects.order_by("pk")[0], Trial("x@y", shown))


def keys_told() -> list[str]:
    """What was stored with the stops; from here on the mails are on their way."""
    found = [notice.data["after"] for notice in Notice.objects.order_by("pk")]
    outbox.tick(timezone.now())
    return found


def test_the_alarm_arrives_with_both_keys_and_what_to_do(
    access: SshAccess, relay: Relay, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://fedisec.example"
    assert stop(access, label(NEW))
    outbox.tick(timezone.now())
    mail = Delivery.objects.get()
    send_mail(mail.pk)
    (message,) = relay.taken
    assert relay.recipients == ["reader@example.org"]
    assert message["Subject"] == "[fedisec] good.example: another SSH host key, logins stopped"
    assert message["Message-ID"] == mail.message_id and message["Message-ID"].startswith("<host-key.")
    assert message["Auto-Submitted"] == "auto-generated" and message["In-Reply-To"] is None
    text = text_of(message)
    for part in (
        f"Confirmed:\n   {label(OLD)}\n",
        f"Shown now:\n   {label(NEW)}\n",
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        "https://fedisec.example/instances/good.example/ssh/\n",
        "installed anew",
        "in between",
    ):
        assert part in text, part
    assert Delivery.objects.get().state == "sent"


def test_each_subscriber_is_told_once_for_each_key_and_not_once_a_scan(
    access: SshAccess, instance: Instance
) -> None:
    second = a_subscriber(instance)
    assert stop(access, label(NEW))
    for _ in range(3):  # later scans, and a test that sees the same key
        assert not stop(access, label(NEW))
        tried(NEW)
    assert keys_told() == [label(NEW)] * 2
    assert Delivery.objects.filter(user=second).count() == 1
    assert not AuditEvent.objects.exclude(action__in=("ssh.host_key_changed", "ssh.tested")).exists()
    assert AuditEvent.objects.filter(action="ssh.host_key_changed").count() == 1


def test_a_third_key_is_news_and_the_confirmed_one_is_not(access: SshAccess) -> None:
    stop(access, label(NEW))
    tried(OLD)
    assert (fresh().changed_to, keys_told()) == (label(OLD), [label(NEW)])
    tried(THIRD)
    tried(NEW)
    tried(THIRD)
    assert keys_told() == [label(NEW), label(THIRD)]


def test_after_a_confirmation_the_same_key_is_news_again(access: SshAccess, reader: User) -> None:
    stop(access, label(NEW))
    tried(OLD)
    assert enrol.confirm(fresh(), reader, OLD)  # it was a moment, they say
    assert stop(fresh(), label(NEW))
    assert keys_told() == [label(NEW)] * 2
    assert len(set(Delivery.objects.values_list("message_id", flat=True))) == 2


def test_no_stop_without_its_mail(access: SshAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies before the commit leaves neither; the next scan stops and tells."""

    def dies(*args: object, **more: object) -> None:
        raise SystemExit

    monkeypatch.setattr(Notice.objects, "bulk_create", dies)
    with pytest.raises(SystemExit):
        stop(access, label(NEW))
    assert not fresh().is_stopped and not AuditEvent.objects.exists()
    monkeypatch.undo()
    assert stop(access, label(NEW))
    assert keys_told() == [label(NEW)]


def test_a_sender_that_died_leaves_a_mail_with_the_same_message_id(access: SshAccess, relay: Relay) -> None:
    stop(access, label(NEW))
    outbox.tick(timezone.now())
    mail = Delivery.objects.get()
    held = claim(mail.pk, timezone.now())
    assert held is not None and held.lease_until is not None
    outbox.tick(held.lease_until + timedelta(seconds=1))
    send_mail(mail.pk)
    send_mail(mail.pk)
    assert [message["Message-ID"] for message in relay.taken] == [mail.message_id]


def test_who_confirmed_or_disconnected_meanwhile_still_reads_what_happened(
    access: SshAccess, reader: User, relay: Relay
) -> None:
    stop(access, label(NEW))
    enrol.disconnect(fresh(), reader)
    outbox.tick(timezone.now())
    send_mail(Delivery.objects.get().pk)
    assert label(OLD) in text_of(relay.taken[0]) and label(NEW) in text_of(relay.taken[0])


def test_the_alarm_waits_for_no_other_mail(access: SshAccess, story: Story) -> None:
    story({"lock": "pass"}, {"lock": "fail"}, {"lock": "fail"})
    outbox.tick(timezone.now())
    Delivery.objects.update(next_try_at=timezone.now() + timedelta(hours=1))  # the relay said "later"
    stop(access, label(NEW))
    outbox.tick(timezone.now())
    (due,) = outbox.due(timezone.now())
    assert due.kind == MailKind.HOST_KEY


def test_a_japanese_reader_gets_japanese_in_both_forms(access: SshAccess, reader: User) -> None:
    User.objects.filter(pk=reader.pk).update(language="ja", time_zone="Asia/Tokyo")
    stop(access, label(NEW))
    outbox.tick(timezone.now())
    mail = letter_of(Delivery.objects.get())
    page = str(mail.alternatives[0][0])
    assert 'lang="ja"' in page and "JST" in mail.body
    shown = " ".join(strip_tags(page).split())
    for line in mail.body.splitlines():
        words = line.strip(" -123.")
        assert words in shown or not words or "http" in words, words


def test_what_a_server_calls_its_key_stays_text(access: SshAccess) -> None:
    stop(access, "ssh-ed25519 SHA256:x\r\nBcc: all@example.org <script>\x1b" + "y" * 500)
    outbox.tick(timezone.now())
    mail = letter_of(Delivery.objects.select_related("instance", "user").get())
    assert "<script>" not in str(mail.alternatives[0][0])
    assert not set(mail.body) & {"\x1b", "\r"} and "\nBcc" not in mail.body
    assert mail.message()["Bcc"] is None
