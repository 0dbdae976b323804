"""From changes to mails: one per scan and subscriber, none for what nobody needs to hear."""

from __future__ import annotations

import pytest
from django.utils import timezone

from fedisec.accounts.models import User
from fedisec.alerts import outbox
from fedisec.alerts.models import Delivery, MailKind, Subscription
from fedisec.alerts.pack import message_id
from fedisec.alerts.watch import subscribe_creator
from fedisec.instances.models import Instance
from fedisec.scans.models import Change
from tests.alerts.conftest import Story
from tests.factories import a_subscriber, a_user, an_instance

GOOD, BAD = {"lock": "pass"}, {"lock": "fail"}


def collect() -> int:
    outbox.tick(timezone.now())
    return Delivery.objects.count()


def test_a_confirmed_fall_makes_one_mail_for_each_subscriber(
    instance: Instance, reader: User, story: Story
) -> None:
    second = a_subscriber(instance)
    a_subscriber(an_instance())
    story(GOOD, BAD, BAD)
    assert collect() == 2
    assert set(Delivery.objects.values_list("user", flat=True)) == {reader.pk, second.pk}
    assert len(set(Delivery.objects.values_list("message_id", flat=True))) == 2
    assert not Change.objects.filter(processed_at=None).exists()


def test_collecting_twice_makes_no_second_mail(reader: User, story: Story) -> None:
    story(GOOD, BAD, BAD)
    assert collect() == collect() == 1


def test_several_falls_of_one_scan_are_one_mail(reader: User, story: Story) -> None:
    story(
        {}, {"lock": "fail", "bolt": "fail", "bell": "fail"}, {"lock": "fail", "bolt": "fail", "bell": "fail"}
    )
    assert collect() == 1


@pytest.mark.parametrize(
    "looks",
    [
        (BAD,),
        (GOOD, BAD),
        (BAD, GOOD, GOOD),
        (GOOD, {"lock": "unknown"}, {"lock": "unknown"}),
        (GOOD, {"lock": "warn"}, {"lock": "warn"}),
        ({}, {"lamp": "fail"}, {"lamp": "fail"}),  # optional
    ],
    ids=["baseline", "unconfirmed", "baseline recovers", "blind", "warning", "optional"],
)
def test_what_is_no_alarm_makes_no_mail(
    reader: User, story: Story, looks: tuple[dict[str, str], ...]
) -> None:
    story(*looks)
    assert collect() == 0
    assert not Change.objects.filter(processed_at=None).exists()


def test_a_recovery_after_an_alarm_makes_a_mail(reader: User, story: Story) -> None:
    story(GOOD, BAD, BAD)
    collect()
    story(GOOD, GOOD)
    assert collect() == 2


def test_without_subscribers_the_outbox_is_emptied_all_the_same(instance: Instance, story: Story) -> None:
    story(GOOD, BAD, BAD)
    assert collect() == 0
    assert not Change.objects.filter(processed_at=None).exists()


def test_who_left_gets_no_mail(reader: User, story: Story) -> None:
    User.objects.filter(pk=reader.pk).update(is_active=False)
    story(GOOD, BAD, BAD)
    assert collect() == 0


def test_a_fault_while_addressing_leaves_the_outbox_full(
    reader: User, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*args: object, **more: object) -> None:
        raise ZeroDivisionError

    story(GOOD, BAD, BAD)
    monkeypatch.setattr(outbox, "tell", breaks)
    with pytest.raises(ZeroDivisionError):
        collect()
    assert Change.objects.filter(processed_at=None).count() == 1
    monkeypatch.undo()


def test_a_person_gets_the_mails_about_an_instance_in_order(reader: User, story: Story) -> None:
    story(GOOD, BAD, BAD)
    collect()
    story(GOOD, GOOD)
    collect()
    first, second = Delivery.objects.order_by("pk")
    assert list(outbox.due(timezone.now())) == [first]
    Delivery.objects.filter(pk=first.pk).update(state="failed")
    assert list(outbox.due(timezone.now())) == [second]


def test_a_message_id_is_fixed_and_no_other_installations(settings: object) -> None:
    given = (MailKind.REGRESSION, "7", "user 1")
    one = message_id(*given)
    assert one == message_id(*given)
    assert one != message_id(MailKind.REGRESSION, "7", "user 2")
    assert one != message_id(MailKind.HOST_KEY, "7", "user 1")
    settings.SECRET_KEY = "another installation " * 4  # type: ignore[attr-defined]
    assert one != message_id(*given)


def test_who_adds_an_instance_hears_of_it(db: None) -> None:
    owner = a_user()
    added = an_instance(owner)
    subscribe_creator(added)
    subscribe_creator(added)
    assert Subscription.objects.get().user == owner
