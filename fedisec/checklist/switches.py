"""Items that a setting of fedisec settles: the setting stands on the item's page, and turning it judges the
item anew at once, by the same check that a scan uses."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from checks import CHECKS_VERSION
from checks.facts import Facts
from checks.model import Item
from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.checklist.answers import looked
from fedisec.instances.models import Instance
from fedisec.scans.models import ITEM, Scan, ScanState
from fedisec.scans.queue import queue_scan
from fedisec.scans.record import judge_one, move_states
from fedisec.scans.run import with_self_facts

MAILS = "tls.expiry_alert"
# Item -> the field of an instance that says whether these news are read for it.
FOLLOWS = {"updates.sources_followed": "follow_sources", "updates.releases_followed": "follow_releases"}


@dataclass(frozen=True)
class Switch:
    """Whether the reader gets this instance's mails, and who else does."""

    on: bool
    others: tuple[str, ...]  # addresses
    paused: bool


@dataclass(frozen=True)
class Follow:
    """Whether news are read for the instance: `releases`, or else warnings of vulnerabilities."""

    on: bool
    releases: bool


def switch_of(instance: Instance, item: Item, user: User) -> Switch | None:
    """The switch of the item about mails, as its reader finds it; None for another item.  One query."""
    if item.id != MAILS:
        return None
    told = instance.subscriptions.filter(user__is_active=True).order_by("user__email")
    hears = dict(told.values_list("user_id", "user__email"))
    others = tuple(email for pk, email in hears.items() if pk != user.pk)
    return Switch(user.pk in hears, others, instance.paused)


def follow_of(instance: Instance, item: Item) -> Follow | None:
    """The switch of an item about news; None for another item.  No query."""
    field = FOLLOWS.get(item.id)
    return Follow(getattr(instance, field), field == "follow_releases") if field else None


def turn(instance: Instance, user: User, *, on: bool) -> None:
    """Starts or ends the mails about `instance` to `user`, and judges the item anew."""
    with transaction.atomic():
        Instance.objects.select_for_update().get(pk=instance.pk)
        mine = instance.subscriptions.filter(user=user)
        if mine.exists() == on:
            return
        if on:
            instance.subscriptions.create(user=user)
        else:
            mine.delete()
        _note("alert.joined" if on else "alert.left", instance, user, MAILS, on=on)
        rejudge(instance, MAILS)


def follow(instance: Instance, user: User, item_id: str, *, on: bool) -> None:
    """Starts or ends the reading of news for `instance`, for everybody who hears of it, and judges the item
    anew.  `item_id`: a key of FOLLOWS."""
    field = FOLLOWS[item_id]
    with transaction.atomic():
        found = Instance.objects.select_for_update().get(pk=instance.pk)
        if getattr(found, field) == on:
            return
        Instance.objects.filter(pk=instance.pk).update(**{field: on})
        setattr(instance, field, on)
        _note("feeds.followed" if on else "feeds.left", instance, user, item_id, on=on)
        rejudge(instance, item_id)


def _note(action: str, instance: Instance, user: User, item_id: str, *, on: bool) -> None:
    words = ("off", "on") if on else ("on", "off")
    audit.record(
        action,
        team=instance.team,
        by=user,
        instance=instance,
        item_id=item_id,
        before=words[0],
        after=words[1],
    )


def rejudge(instance: Instance, item_id: str, seen: Facts | None = None, *, heard: bool = False) -> None:
    """A look at fedisec's own settings alone, beside what was `seen` last, inside the caller's transaction.
    `heard`: people are told in another way what follows from it.  Before the first scan nothing is there to
    move."""
    if not Scan.objects.whole().filter(instance=instance).exists():
        return
    now = timezone.now()
    judged = judge_one(item_id, with_self_facts(seen or Facts(), instance))
    scan = Scan.objects.create(
        instance=instance,
        state=ScanState.DONE,
        reason=ITEM,
        only=[item_id],
        finished_at=now,
        counts=judged.counts,
        checks_version=CHECKS_VERSION,
    )
    confirm_at = move_states(scan, judged, began=now, now=now, heard=[item_id] if heard else ())
    if confirm_at is not None:
        queue_scan(instance, "confirm", due_at=confirm_at, now=now)
    looked(instance, now, scanned=False)
