"""What a person changes of what they hear: each change in one transaction with its line in the trail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction

from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.alerts import digest
from fedisec.alerts.models import MailKind, Preference, Subscription
from fedisec.checklist import switches
from fedisec.instances.models import Instance
from fedisec.scans.models import Incident

SNOOZES = {  # by the word that a form sends
    "1h": timedelta(hours=1),
    "8h": timedelta(hours=8),
    "1d": timedelta(days=1),
    "1w": timedelta(days=7),
}
_DIGEST = frozenset({"digest", "digest_day", "digest_hour"})


def choose(user: User, now: datetime, **wanted: Any) -> bool:
    """Stores fields of `Preference`; True where something became different."""
    with transaction.atomic():
        stored = _preference(user)
        had = {name: getattr(stored, name) for name in wanted}
        changed = [name for name, value in wanted.items() if value != had[name]]
        if not changed:
            return False
        for name in changed:
            setattr(stored, name, wanted[name])
        stored.save(update_fields=changed)
        if _DIGEST.intersection(changed) and stored.digest:
            user.preference = stored
            digest.skip_past(user, now)
        before, after = ("; ".join(f"{n}: {_plain(side[n])}" for n in changed) for side in (had, wanted))
        _record("alert.chosen", user, before=before, after=after)
    return True


def snooze(user: User, until: datetime | None) -> None:
    """Holds everything but the most urgent until then; None ends that."""
    with transaction.atomic():
        stored = _preference(user)
        if stored.snoozed_until == until:
            return
        stored.snoozed_until = until
        stored.save(update_fields=["snoozed_until"])
        _record(_snoozed(until), user, after=_until(until))


def snooze_instance(user: User, instance: Instance, until: datetime | None) -> bool:
    """The same for one instance.  False where the person does not hear of it anyway."""
    with transaction.atomic():
        mine = Subscription.objects.filter(user=user, instance=instance)
        if mine.update(snoozed_until=until) != 1:
            return False
        audit.record(_snoozed(until), team=instance.team, by=user, instance=instance, after=_until(until))
    return True


def hear(user: User, instance: Instance, *, on: bool) -> None:
    """Starts or ends the mails about an instance."""
    switches.turn(instance, user, on=on)


def end_kinds(user: User, kinds: Iterable[MailKind], purpose: str) -> None:
    """Takes kinds out of what a person hears, by a link in a mail."""
    with transaction.atomic():
        stored = _preference(user)
        ended = {kind.value for kind in kinds}
        left = [kind for kind in stored.kinds if kind not in ended]
        if left == stored.kinds:
            return
        stored.kinds = left
        stored.save(update_fields=["kinds"])
        _record("alert.unsubscribed", user, after=purpose)


def end_digest(user: User, purpose: str) -> None:
    with transaction.atomic():
        stored = _preference(user)
        if not stored.digest:
            return
        stored.digest = False
        stored.save(update_fields=["digest"])
        _record("alert.unsubscribed", user, after=purpose)


def end_instance(user: User, instance_id: int, purpose: str) -> None:
    """Ends the mails about an instance by a link in one of them; nothing where none go out."""
    with transaction.atomic():
        mine = Subscription.objects.filter(user=user, instance=instance_id)
        found = mine.select_related("instance__team").first()
        if found is None:
            return
        instance = found.instance
        audit.record("alert.unsubscribed", team=instance.team, by=user, instance=instance, after=purpose)
        switches.turn(instance, user, on=False)


def acknowledge(incident: Incident, user: User, why: str, now: datetime) -> bool:
    """Ends its reminders, for everybody.  False where it is over, or somebody was first."""
    with transaction.atomic():
        mine = Incident.objects.filter(pk=incident.pk, closed_at=None, acknowledged_at=None)
        if mine.update(acknowledged_at=now, acknowledged_by=user, acknowledged_why=why) != 1:
            return False
        _told("incident.acknowledged", incident, user, why)
    return True


def take_back(incident: Incident, user: User) -> bool:
    """Brings the reminders back.  False where nobody had acknowledged it."""
    with transaction.atomic():
        mine = Incident.objects.filter(pk=incident.pk, closed_at=None, acknowledged_at__isnull=False)
        if mine.update(acknowledged_at=None, acknowledged_by=None, acknowledged_why="") != 1:
            return False
        _told("incident.taken_back", incident, user, "")
    return True


def _told(action: str, incident: Incident, user: User, why: str) -> None:
    instance = incident.instance
    audit.record(action, team=instance.team, by=user, instance=instance, item_id=incident.item_id, why=why)


def _preference(user: User) -> Preference:
    """The row of a person, made where there is none; nobody else changes it in this transaction."""
    return Preference.objects.select_for_update().get_or_create(user=user)[0]


def _snoozed(until: datetime | None) -> str:
    return "alert.snoozed" if until is not None else "alert.resumed"


def _until(until: datetime | None) -> str:
    return until.isoformat(timespec="minutes") if until is not None else ""


def _record(action: str, user: User, *, before: str = "", after: str = "") -> None:
    """What is a person's own is no team's business: the person and the operator read it."""
    audit.record(action, team=None, by=user, before=before, after=after)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return value.isoformat(timespec="minutes") if isinstance(value, time) else str(value)
