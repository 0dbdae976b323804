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
from fedisec.scans.record import judge, move_states
from fedisec.scans.run import with_self_facts

MAILS = "tls.expiry_alert"
# What fedisec is to do one day and does not do yet.  An item whose check exists is no longer among them.
FEEDS = frozenset({"updates.sources_followed", "updates.releases_followed"})


@dataclass(frozen=True)
class Switch:
    """Whether the reader gets this instance's mails, and who else does."""

    on: bool
    others: tuple[str, ...]  # addresses
    paused: bool


def switch_of(instance: Instance, item: Item, user: User) -> Switch | None:
    """The switch of an item, as its reader finds it; None for an item without one.  One query."""
    if item.id != MAILS:
        return None
    told = instance.subscriptions.filter(user__is_active=True).order_by("user__email")
    hears = dict(told.values_list("user_id", "user__email"))
    others = tuple(email for pk, email in hears.items() if pk != user.pk)
    return Switch(user.pk in hears, others, instance.paused)


def is_still_manual(item: Item) -> bool:
    """True where a person answers because fedisec does not look yet."""
    return item.id in FEEDS and item.check_function is None


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
        words = ("off", "on") if on else ("on", "off")
        audit.record(
            "alert.joined" if on else "alert.left",
            team=instance.team,
            by=user,
            instance=instance,
            item_id=MAILS,
            before=words[0],
            after=words[1],
        )
        _judge(instance)


def _judge(instance: Instance) -> None:
    """A look at fedisec's own settings alone.  Before the first scan nothing is there to move."""
    if not Scan.objects.whole().filter(instance=instance).exists():
        return
    now = timezone.now()
    judged = judge(with_self_facts(Facts(), instance)).single([MAILS])
    scan = Scan.objects.create(
        instance=instance,
        state=ScanState.DONE,
        reason=ITEM,
        only=[MAILS],
        finished_at=now,
        counts=judged.counts,
        checks_version=CHECKS_VERSION,
    )
    confirm_at = move_states(scan, judged, began=now, now=now)
    if confirm_at is not None:
        queue_scan(instance, "confirm", due_at=confirm_at, now=now)
    looked(instance, now, scanned=False)
