"""Asking for a scan, and when the next one is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import ngettext

from fedisec.accounts.models import User
from fedisec.enrolment.models import SshAccess
from fedisec.instances import proof
from fedisec.instances.models import Instance
from fedisec.scans.bell import INSIDE_QUEUE, OUTSIDE_QUEUE, RUN_SCAN, ring
from fedisec.scans.models import ITEM, LIVE, Scan, ScanState, Side

SPREAD_S = 3600


class Asked(StrEnum):
    """What became of a wish for a scan.  LIVE: one is on its way already.  DEMO: made up, never looked at.
    UNPROVEN: the installation asks for a proof first that the domain is the team's."""

    QUEUED = "queued"
    LIVE = "live"
    TOO_SOON = "too_soon"
    DEMO = "demo"
    UNPROVEN = "unproven"


def queue_scan(
    instance: Instance,
    reason: str,
    *,
    due_at: datetime | None = None,
    now: datetime | None = None,
    only: Sequence[str] = (),
    side: Side = Side.BOTH,
    pause_s: int | None = None,
) -> Asked:
    """Queues a scan; at most one is live per instance.  A look that is due now takes the place of a second
    look that waits for its time (what it leaves unconfirmed asks for another), and a look at the whole that
    of single items.  `manual` and `item` are answered with TOO_SOON within `pause_s` of the last
    start.  `only` goes with the reason "item": the ids of the items to look at.  Only scheduled scans look
    from one `side`."""
    assert bool(only) == (reason == ITEM) and (side is Side.BOTH or reason == "scheduled")
    now = now or timezone.now()
    due_at = due_at or now
    if instance.demo:
        return Asked.DEMO
    if not proof.holds(instance, now):
        return Asked.UNPROVEN
    if reason in {"manual", ITEM} and _started_lately(instance, now, pause_s):
        return Asked.TOO_SOON
    with transaction.atomic():
        pk = _instead(instance, reason, due_at) or _insert(instance, reason, due_at, only, side)
        if pk is None:
            return _beside(instance, reason, now)
        Instance.objects.filter(pk=instance.pk, next_scan_at=None).update(
            next_scan_at=round_slot(instance.pk, instance.interval_s, now)
        )
        if due_at <= now:
            transaction.on_commit(lambda: ring_scans(Scan.objects.filter(pk=pk)))
    return Asked.QUEUED


def _instead(instance: Instance, reason: str, due_at: datetime) -> int | None:
    """The key of a queued scan that this wish took the place of.  A second look stays whole when somebody
    asks for one item: it waits for others too."""
    if reason == "confirm":
        return None
    queued = Scan.objects.filter(instance=instance, state=ScanState.QUEUED)
    second = queued.filter(attempt=0, due_at__gt=due_at).exclude(reason=ITEM)
    whole = reason if reason != ITEM else "manual"
    taken = second.update(due_at=due_at, reason=whole, rung_at=None)
    if not taken and reason != ITEM:
        both = {"side": Side.BOTH, "needs_key": _needs_key(instance, Side.BOTH)}
        taken = queued.filter(reason=ITEM).update(due_at=due_at, reason=reason, only=[], rung_at=None, **both)
    return queued.values_list("pk", flat=True).first() if taken else None


def _insert(instance: Instance, reason: str, due_at: datetime, only: Sequence[str], side: Side) -> int | None:
    """The key of the new scan; None where the index that allows one live scan refuses it."""
    scan = Scan(instance=instance, reason=reason, due_at=due_at, only=list(only), side=side)
    scan.needs_key = _needs_key(instance, side)
    try:
        with transaction.atomic():
            scan.save(force_insert=True)
    except IntegrityError:
        return None
    return scan.pk


def _needs_key(instance: Instance, side: Side) -> bool:
    """Whether a scan logs in; a worker without the key file leaves it to others."""
    return side is not Side.OUTSIDE and SshAccess.objects.filter(instance=instance).exists()


def _beside(instance: Instance, reason: str, now: datetime) -> Asked:
    """A scan is live.  Where that is one of single items, a wish for the whole waits for its end: the clock
    takes it up.  A second look wants both sides of the scan that takes its place."""
    if reason == "confirm":
        whole = {"side": Side.BOTH, "needs_key": _needs_key(instance, Side.BOTH)}
        waiting = Scan.objects.filter(instance=instance, state=ScanState.QUEUED)
        waiting.exclude(side=Side.BOTH).exclude(reason=ITEM).update(**whole)
    if reason != ITEM and Scan.objects.filter(instance=instance, state__in=LIVE, reason=ITEM).exists():
        Instance.objects.filter(pk=instance.pk).update(next_scan_at=now)
    return Asked.LIVE


def ring_scans(due: QuerySet[Scan]) -> None:
    """Tells workers of scans that are due, and notes when; those that hold the keys where they are needed."""
    rung = [
        pk
        for pk, needs_key in due.values_list("pk", "needs_key")
        if ring(RUN_SCAN, pk, queue=INSIDE_QUEUE if needs_key else OUTSIDE_QUEUE)
    ]
    if rung:
        Scan.objects.filter(pk__in=rung, state=ScanState.QUEUED).update(rung_at=timezone.now())


def pause_of(user: User) -> int:
    """Seconds that somebody has to wait from one scan of a server to the next."""
    return settings.SCAN_NOW_PAUSE_OPERATOR_S if user.is_superuser else settings.SCAN_NOW_PAUSE_S


def too_soon(pause_s: int) -> str:
    """What to say to TOO_SOON."""
    return ngettext(
        "The last scan was less than a minute ago. Try again in a moment.",
        "The last scan was less than %(count)d minutes ago. Try again later.",
        -(-pause_s // 60),
    ) % {"count": -(-pause_s // 60)}


def waits_longest(scan_id: int) -> int | None:
    """The key of the scan to do next by a worker that was rung for `scan_id`: the one that has been due for
    longest, of those that need the key file as that one does, and whose turn it is."""
    rung = Scan.objects.filter(pk=scan_id).values_list("needs_key", flat=True).first()
    due = Scan.objects.filter(state=ScanState.QUEUED, due_at__lte=timezone.now(), needs_key=bool(rung))
    return in_turn(due).order_by("due_at", "pk").values_list("pk", flat=True).first()


def in_turn(due: QuerySet[Scan]) -> QuerySet[Scan]:
    """Of the scans that are due, those of teams that have their share running are left out while another
    team waits: one that added a hundred servers must not keep the others waiting."""
    teams = Scan.objects.filter(state=ScanState.RUNNING).values("instance__team")
    teams = teams.annotate(running=Count("pk")).filter(running__gte=settings.TEAM_SCANS)
    # Asked once: a team that becomes busy between two questions would wait for nobody.
    busy = list(teams.values_list("instance__team", flat=True))
    if not busy:
        return due
    others = due.exclude(instance__team__in=busy)
    return others if others.exists() else due


def _started_lately(instance: Instance, now: datetime, pause_s: int | None) -> bool:
    since = now - timedelta(seconds=settings.SCAN_NOW_PAUSE_S if pause_s is None else pause_s)
    return Scan.objects.filter(instance=instance, started_at__gt=since, started_at__lte=now).exists()


def first_slot(instance: Instance, base: datetime) -> datetime:
    """`base` plus a share of the hour (or of a shorter interval) that is fixed per instance, so that servers
    that were never looked at are not all looked at in the same moment."""
    return base + timedelta(seconds=min(SPREAD_S, instance.interval_s) * _share(instance.pk))


def round_slot(pk: int, interval_s: int, now: datetime) -> datetime:
    """A slot half an interval from `now` or later, and before one and a half: servers that were added
    together are spread evenly over the whole interval, each at its place for ever."""
    return now + timedelta(seconds=interval_s * (0.5 + _share(pk)))


def set_pace(instance: Instance, changed: Sequence[str]) -> None:
    """New slots where a pace was changed (names of fields): at the instance's place in the new round, the
    first within one interval.  Inside the caller's transaction."""
    now, slots = timezone.now(), {}
    for name, slot, pace_s in (
        ("interval_s", "next_scan_at", instance.interval_s),
        ("inside_interval_s", "next_inside_at", instance.inside_interval_s),
    ):
        if name in changed:
            slots[slot] = now + timedelta(seconds=pace_s * _share(instance.pk)) if pace_s else None
    if slots:
        Instance.objects.filter(pk=instance.pk).update(**slots)


def _share(pk: int) -> float:
    """From 0 to 1, as even as can be for numbers that follow each other (Knuth's multiplicative hash)."""
    return pk * 2654435769 % 2**32 / 2**32


def next_slot(slot: datetime, interval_s: int, now: datetime) -> datetime:
    """The first slot after `now` on the grid of `slot`: missed ones collapse into the one being taken."""
    step = timedelta(seconds=interval_s)
    return slot + step * ((now - slot) // step + 1)
