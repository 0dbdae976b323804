"""Who hears of an instance, and what each wants to hear."""

from __future__ import annotations

import pytest

from checks.model import Level
from fedisec.accounts.models import Membership, User
from fedisec.alerts.models import Channel, MailKind, Preference
from fedisec.alerts.recipients import Wishes, of_instance, operators
from fedisec.instances.models import Instance
from tests.factories import a_subscriber, a_user, an_instance


def hears(instance: Instance) -> set[str]:
    return {one.key for one in of_instance(instance.pk)}


def test_subscribers_of_the_team_hear_and_nobody_else(instance: Instance, reader: User) -> None:
    a_subscriber(an_instance())
    assert hears(instance) == {f"user {reader.pk}"}


def test_who_left_the_team_or_is_switched_off_hears_nothing(instance: Instance, reader: User) -> None:
    other = a_subscriber(instance)
    Membership.objects.filter(user=reader).delete()
    User.objects.filter(pk=other.pk).update(is_active=False)
    assert hears(instance) == set()


def test_channels_hear_of_all_of_the_team_or_of_those_chosen(instance: Instance) -> None:
    everything = Channel.objects.create(team=instance.team, kind="webhook", name="all")
    chosen = Channel.objects.create(team=instance.team, kind="webhook", name="one")
    chosen.instances.add(instance)
    other = Channel.objects.create(team=instance.team, kind="webhook", name="other")
    other.instances.add(Instance.objects.create(team=instance.team, domain="other.example"))
    Channel.objects.create(team=instance.team, kind="webhook", name="off", enabled=False)
    Channel.objects.create(team=an_instance().team, kind="webhook", name="of strangers")
    assert hears(instance) == {f"channel {everything.pk}", f"channel {chosen.pk}"}


def test_nobody_hears_of_a_demo(reader: User, instance: Instance) -> None:
    Instance.objects.filter(pk=instance.pk).update(demo=True)
    assert hears(instance) == set()


def test_operators_run_the_installation(db: None) -> None:
    a_user()
    first = a_user(is_superuser=True)
    assert [one.user for one in operators()] == [first]


def test_a_person_has_what_they_chose(instance: Instance, reader: User) -> None:
    Preference.objects.create(user=reader, levels=["required"], kinds=["regression"], reminder_days=30)
    (one,) = of_instance(instance.pk)
    assert one.wishes.levels == {"required"} and one.wishes.reminder_days == 30


@pytest.mark.parametrize(
    ("kind", "level", "wanted"),
    [
        (MailKind.REGRESSION, Level.REQUIRED, True),
        (MailKind.REGRESSION, Level.RECOMMENDED, False),
        (MailKind.REGRESSION, None, True),
        (MailKind.RECOVERY, Level.REQUIRED, False),
        (MailKind.HOST_KEY, None, True),
        (MailKind.OUTAGE, None, True),
        (MailKind.TEST, None, True),
        (MailKind.DIGEST, None, True),
    ],
)
def test_levels_and_kinds_are_chosen_and_alarms_of_fedisec_always_come(
    kind: MailKind, level: Level | None, wanted: bool
) -> None:
    wishes = Wishes(levels=frozenset({"required"}), kinds=frozenset({"regression"}))
    assert wishes.wants(kind, level) is wanted


def test_optional_items_send_nothing_unless_asked_for() -> None:
    assert not Wishes().wants(MailKind.REGRESSION, Level.OPTIONAL)
    assert Wishes(levels=frozenset({"optional"})).wants(MailKind.REGRESSION, Level.OPTIONAL)
