"""Who is told: people who hear of an instance, channels of its team, operators; and what each wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet

from checks.model import Level
from fedisec.accounts.models import User
from fedisec.alerts.confirming import may_be_mailed
from fedisec.alerts.models import ALWAYS, Channel, MailKind, Preference, chosen_kinds, chosen_levels
from fedisec.instances.models import Instance
from fedisec.lib.middleware import zone


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one recipient wants to hear, and when.  Quiet hours: `quiet_from` is inside, `quiet_to` is not;
    they may go over midnight; the same time twice is no quiet at all."""

    levels: frozenset[str] = frozenset(chosen_levels())
    kinds: frozenset[str] = frozenset(chosen_kinds())
    reminder_days: int = 7
    remind_recommended: bool = False
    digest: bool = True
    digest_day: int = 0
    digest_hour: int = 8
    quiet_from: time | None = None
    quiet_to: time | None = None
    snoozed_until: datetime | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo(settings.TIME_ZONE))

    def wants(self, kind: MailKind, level: Level | None = None) -> bool:
        """`level`: of the item it is about, if it is about one."""
        if kind in ALWAYS:
            return True
        if kind is MailKind.DIGEST:
            return self.digest
        return kind.value in self.kinds and (level is None or level.value in self.levels)

    def reminds_after(self, level: Level) -> timedelta | None:
        """The pause between reminders of an item of `level`; None for no reminder."""
        wanted = level is Level.REQUIRED or (level is Level.RECOMMENDED and self.remind_recommended)
        return timedelta(days=self.reminder_days) if self.reminder_days and wanted else None

    def held_until(self, now: datetime) -> datetime | None:
        """Until when nothing but the most urgent is delivered; None when it may be delivered now."""
        ends = [end for end in (self.snoozed_until, self._quiet_until(now)) if end is not None and end > now]
        return max(ends, default=None)

    def _quiet_until(self, now: datetime) -> datetime | None:
        """From moment to moment and not by the clock on the wall: in a night that has an hour twice, quiet
        begins once and ends once."""
        if self.quiet_from is None or self.quiet_to is None or self.quiet_from == self.quiet_to:
            return None
        today = now.astimezone(self.zone).date()
        nights = timedelta(days=1 if self.quiet_to < self.quiet_from else 0)
        for day in (today - timedelta(days=1), today):
            start = datetime.combine(day, self.quiet_from, tzinfo=self.zone).astimezone(UTC)
            end = datetime.combine(day + nights, self.quiet_to, tzinfo=self.zone).astimezone(UTC)
            if start <= now < end:
                return end
        return None


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person or a channel, never both."""

    user: User | None = None
    channel: Channel | None = None
    wishes: Wishes = field(default_factory=Wishes)

    @property
    def key(self) -> str:
        """Different for each recipient, and the same for ever."""
        return f"user {self.user.pk}" if self.user is not None else f"channel {self.channel_id}"

    @property
    def user_id(self) -> int | None:
        return self.user.pk if self.user is not None else None

    @property
    def channel_id(self) -> int | None:
        return self.channel.pk if self.channel is not None else None


def of_instance(instance_id: int) -> list[Recipient]:
    """Who hears of an instance: subscribed members of its team whose address is confirmed, and channels."""
    instance = Instance.objects.select_related("team").get(pk=instance_id)
    if instance.demo:
        return []
    members = Q(memberships__team=instance.team_id)
    people = _reached(User.objects.filter(members, subscriptions__instance=instance_id)).distinct()
    channels = Channel.objects.filter(team=instance.team_id, enabled=True)
    channels = channels.filter(Q(instances=None) | Q(instances=instance_id)).distinct()
    return [*of_people(people), *(of_channel(channel) for channel in channels)]


def operators() -> list[Recipient]:
    """Those who run the installation."""
    return of_people(_reached(User.objects.filter(is_superuser=True)))


def of_people(people: QuerySet[User]) -> list[Recipient]:
    """Each with what they want to hear; one query."""
    return [of_person(user) for user in people.select_related("preference").order_by("pk")]


def of_person(user: User) -> Recipient:
    return Recipient(user=user, wishes=wishes_of(user))


def of_channel(channel: Channel) -> Recipient:
    """A channel holds nothing back: who wants quiet hours there has them at the other end."""
    wishes = Wishes(
        levels=frozenset(channel.levels),
        kinds=frozenset(channel.kinds),
        reminder_days=0,
        digest=False,
        zone=_zone_of(channel.time_zone),
    )
    return Recipient(channel=channel, wishes=wishes)


def wishes_of(user: User) -> Wishes:
    """What is stored for a person, or the defaults."""
    stored: Preference | None = getattr(user, "preference", None)
    if stored is None:
        return Wishes(zone=_zone_of(user.time_zone))
    return Wishes(
        frozenset(stored.levels),
        frozenset(stored.kinds),
        stored.reminder_days,
        stored.remind_recommended,
        stored.digest,
        stored.digest_day,
        stored.digest_hour,
        stored.quiet_from,
        stored.quiet_to,
        stored.snoozed_until,
        _zone_of(user.time_zone),
    )


def _zone_of(name: str) -> ZoneInfo:
    return zone(name) or ZoneInfo(settings.TIME_ZONE)


def _reached(people: QuerySet[User]) -> QuerySet[User]:
    """Those who may be mailed: active, under an address that they confirmed."""
    return may_be_mailed(people.filter(is_active=True))
