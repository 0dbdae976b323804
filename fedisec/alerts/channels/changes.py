"""Adding, changing, switching and removing a channel: each in one transaction with its line in the trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from fedisec.accounts import audit
from fedisec.accounts.models import Team, User
from fedisec.alerts.channels.entry import shown
from fedisec.alerts.channels.sealing import put_address, put_new_secret
from fedisec.alerts.models import Channel, ChannelKind
from fedisec.instances.models import Instance
from fedisec.lib import bounds


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form says.  `address`: "" leaves the one that is stored.  `instances`: none for all."""

    name: str
    address: str
    levels: tuple[str, ...]
    kinds: tuple[str, ...]
    instances: tuple[Instance, ...]
    language: str
    time_zone: str


def add(team: Team, kind: ChannelKind, wanted: Wanted, user: User, now: datetime) -> Channel:
    """A channel that is on.  CannotOpen without a key file; nothing is stored then."""
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        bounds.room("channels", Channel.objects.filter(team=team))
        channel = Channel.objects.create(team=team, kind=kind.value, created_by=user, created_at=now)
        _set(channel, wanted)
        if kind is ChannelKind.WEBHOOK:
            put_new_secret(channel, now)
        channel.save()
        _note(channel, "channel.added", user, after=_told(channel, wanted.instances))
    return channel


def change(channel: Channel, wanted: Wanted, user: User) -> None:
    with transaction.atomic():
        channel = _locked(channel)
        before = _told(channel, channel.instances.all())
        _set(channel, wanted)
        channel.save()
        extra = "another address" if wanted.address else ""
        after = "; ".join(filter(None, (_told(channel, wanted.instances), extra)))
        if before != after:
            _note(channel, "channel.changed", user, before=before, after=after)


def switch(channel: Channel, user: User, *, on: bool) -> bool:
    """False where it is so already.  What waits for a channel that is off is not sent."""
    with transaction.atomic():
        other = Channel.objects.filter(pk=channel.pk, enabled=not on)
        if other.update(enabled=on, stopped_why="", failing_since=None) != 1:
            return False
        _note(channel, "channel.switched_on" if on else "channel.switched_off", user)
    return True


def rotate(channel: Channel, user: User, now: datetime) -> None:
    """Another signing secret; the one before signs for a day more."""
    with transaction.atomic():
        channel = _locked(channel)
        put_new_secret(channel, now)
        channel.save(update_fields=["sealed_secret", "sealed_secret_before", "secret_made_at"])
        _note(channel, "channel.rotated", user)


def note_shown(channel: Channel, user: User) -> None:
    """Somebody had the secret shown."""
    _note(channel, "channel.secret_shown", user)


def remove(channel: Channel, user: User) -> None:
    """With what it was told, and what waited for it."""
    with transaction.atomic():
        _note(channel, "channel.removed", user, before=_told(channel, channel.instances.all()))
        channel.delete()


def _set(channel: Channel, wanted: Wanted) -> None:
    channel.name, channel.language, channel.time_zone = wanted.name, wanted.language, wanted.time_zone
    channel.levels, channel.kinds = list(wanted.levels), list(wanted.kinds)
    channel.instances.set(wanted.instances)
    if wanted.address:
        put_address(channel, wanted.address)
        channel.shown = shown(channel.kind, wanted.address)
        channel.failing_since = None


def _locked(channel: Channel) -> Channel:
    return Channel.objects.select_for_update().select_related("team").get(pk=channel.pk)


def _told(channel: Channel, instances: Iterable[Instance]) -> str:
    """What the trail keeps: no more of the address than pages show."""
    where = ", ".join(sorted(one.domain for one in instances)) or "all instances"
    parts = (channel.name, channel.shown, ", ".join(channel.levels), ", ".join(channel.kinds), where)
    return "; ".join(part for part in (*parts, channel.language, channel.time_zone) if part)


def _note(channel: Channel, action: str, user: User, *, before: str = "", after: str = "") -> None:
    audit.record(
        action,
        team=channel.team,
        by=user,
        before=before,
        after=after,
        data={"channel": channel.name, "kind": channel.kind},
    )
