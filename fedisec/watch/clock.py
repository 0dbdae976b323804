"""What the hours bring for feeds: those that somebody needs are woken, workers are told of those that are
due.  Any number of clocks may tick; without a broker the runners look for themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from fedisec.scans.bell import OUTSIDE_QUEUE, ring
from fedisec.watch import advisory_news, matching, stacks, telling
from fedisec.watch.claiming import due
from fedisec.watch.fetching import FETCH_FEED
from fedisec.watch.models import Source
from fedisec.watch.tasks import fetch

BATCH = 20
RING_AGAIN_S = 60


def tick(now: datetime) -> None:
    """One round; a few indexed queries when nothing is due."""
    if not settings.FEEDS:
        return
    matching.match_stacks(stacks.refresh(), now)
    advisory_news.weigh(now)
    wake(now)
    telling.tick(now)
    ring_unheard(now)


def wake(now: datetime) -> None:
    """Feeds that sleep and that an instance needs by now."""
    asleep = list(Source.objects.filter(enabled=True, next_fetch_at=None))
    needs = stacks.needs() if asleep else None
    wanted = [source.pk for source in asleep if needs is not None and needs.names(source)]
    if wanted:
        Source.objects.filter(pk__in=wanted, next_fetch_at=None).update(next_fetch_at=now)


def next_job(now: datetime, waited_s: int) -> Callable[[], None] | None:
    """The reading of a feed that has been due for that long, for a runner."""
    pk = due(now - timedelta(seconds=waited_s)).values_list("pk", flat=True).first()
    return (lambda: fetch(pk)) if pk is not None else None


def ring_unheard(now: datetime) -> None:
    if not settings.REDIS_URL:
        return
    quiet = Q(rung_at=None) | Q(rung_at__lt=now - timedelta(seconds=RING_AGAIN_S))
    for pk in due(now).filter(quiet).values_list("pk", flat=True)[:BATCH]:
        if ring(FETCH_FEED, pk, queue=OUTSIDE_QUEUE):
            Source.objects.filter(pk=pk).update(rung_at=now)
