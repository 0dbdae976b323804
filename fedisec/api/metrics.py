"""Figures for Prometheus, counted from the database when they are asked for: right whichever process answers,
and after a restart.  Times are the moment something happened; how long ago is for the query.

A token sees the servers that its person sees.  How the installation does, its operator alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, OuterRef, Q, Subquery
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from checks import CHECKS_VERSION
from checks.model import Level
from fedisec.accounts.models import User
from fedisec.alerts.models import Delivery, DeliveryState
from fedisec.api.models import Token
from fedisec.history.standing import MET, applicable
from fedisec.instances.access import instances_for
from fedisec.scans.models import LIVE, Pulse, Scan, ScanState
from fedisec.watch.models import Source

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
KEPT_S = 5.0  # what was counted is given again for so long: two that ask cost one count
_KEPT_MAX = 8
_kept: dict[tuple[int, int | None], tuple[float, bytes]] = {}


def text_for(token: Token) -> bytes:
    """The exposition for what the token sees."""
    key, now = (token.user_id, token.team_id), time.monotonic()
    at, text = _kept.get(key, (0.0, b""))
    if not text or now - at > KEPT_S:
        registry = CollectorRegistry(auto_describe=False)
        lines = _lines(token)
        registry.register(_Figures(token, len(lines)))
        text = generate_latest(registry) + _of_servers(lines).encode()
        while len(_kept) >= _KEPT_MAX:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = (now, text)
    return text


@dataclass(frozen=True, slots=True)
class _Line:
    """One server."""

    domain: str
    team: int
    counts: dict[str, dict[str, int]]
    required_not_met: int
    looked_at: datetime | None
    failed: bool
    unreached: bool
    paused: bool


class _Figures(Collector):
    """What is not of single servers; `count` of them are watched."""

    def __init__(self, token: Token, count: int) -> None:
        self._token, self._count = token, count

    def describe(self) -> Iterable[Metric]:
        return ()  # asked when it is registered: nothing is counted for that

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "fedisec_build",
            "What runs here.",
            value={"version": settings.VERSION, "checks_version": CHECKS_VERSION},
        )
        yield GaugeMetricFamily("fedisec_instances", "Servers that are watched.", value=self._count)
        user: User = self._token.user
        if user.is_superuser and self._token.team_id is None:
            yield from _of_scans()
            yield from _of_mails()
            yield from _of_feeds()
            yield from _of_clock()


def _lines(token: Token) -> list[_Line]:
    mine = instances_for(token.user).filter(demo=False)
    if token.team_id is not None:
        mine = mine.filter(team=token.team_id)
    newest = Scan.objects.filter(instance=OuterRef("pk")).order_by("-pk")
    found = mine.annotate(
        looked_at=Subquery(newest.whole().values("finished_at")[:1]),
        ended=Subquery(newest.exclude(state__in=LIVE).values("state")[:1]),
    )
    rows = found.values_list(
        "domain", "team_id", "paused", "looked_at", "ended",
        "standing__counts", "standing__required_not_met", "glance__unreached_since",
    )  # fmt: skip
    return [
        _Line(domain, team, counts or {}, bad or 0, looked_at, ended == ScanState.FAILED, bool(away), paused)
        for domain, team, paused, looked_at, ended, counts, bad, away in rows.order_by("pk").iterator()
    ]


_SERVERS = {
    "fedisec_items_met": "Items that are met.",
    "fedisec_items_applicable": "Items that count: not set aside.",
    "fedisec_required_not_met": "Required items that are not met.",
    "fedisec_last_scan_timestamp_seconds": "End of the last look at all that ended well.",
    "fedisec_last_scan_failed": "1 where the last look broke off.",
    "fedisec_unreachable": "1 while nothing of the server answers.",
    "fedisec_paused": "1 while it is not looked at.",
}


def _of_servers(lines: Sequence[_Line]) -> str:
    """Eleven samples for each server, written by hand: the library takes ten times as long, and for ten
    thousand servers more than a second."""
    found: dict[str, list[str]] = {name: [] for name in _SERVERS}
    met, applies, bad, seen, failed, away, paused = found.values()
    levels = [level.value for level in Level]
    for line in lines:
        whose = f'domain="{_escaped(line.domain)}",team="{line.team}"'
        for level in levels:
            states = line.counts.get(level, {})
            met.append(f'{{{whose},level="{level}"}} {states.get(MET, 0)}')
            applies.append(f'{{{whose},level="{level}"}} {applicable(states)}')
        bad.append(f"{{{whose}}} {line.required_not_met}")
        if line.looked_at is not None:
            seen.append(f"{{{whose}}} {line.looked_at.timestamp()!r}")
        failed.append(f"{{{whose}}} {int(line.failed)}")
        away.append(f"{{{whose}}} {int(line.unreached)}")
        paused.append(f"{{{whose}}} {int(line.paused)}")
    return "".join(
        f"# HELP {name} {_SERVERS[name]}\n# TYPE {name} gauge\n"
        + "".join(f"{name}{one}\n" for one in samples)
        for name, samples in found.items()
    )


def _escaped(value: str) -> str:
    """A label's value in the text format."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _of_scans() -> Iterator[Metric]:
    now, queued = timezone.now(), Q(state=ScanState.QUEUED)
    due = queued & Q(due_at__lte=now)
    found: dict[str, Any] = Scan.objects.filter(state__in=(ScanState.QUEUED, ScanState.RUNNING)).aggregate(
        queued=Count("pk", filter=queued),
        due=Count("pk", filter=due),
        running=Count("pk", filter=Q(state=ScanState.RUNNING)),
        oldest=Min("due_at", filter=due),
    )
    line = GaugeMetricFamily("fedisec_scans", "Looks that wait, are due, or run.", labels=["state"])
    for state in ("queued", "due", "running"):
        line.add_metric([state], found[state])
    yield line
    oldest = found["oldest"]
    wait_s = max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
    yield GaugeMetricFamily(
        "fedisec_scan_wait_seconds", "How long the oldest due look has waited.", value=wait_s
    )


def _of_mails() -> Iterator[Metric]:
    """Mails and calls of channels.  Old ones are tidied away, so these are no counters."""
    found = dict(Delivery.objects.order_by().values_list("state").annotate(n=Count("pk")))
    line = GaugeMetricFamily(
        "fedisec_deliveries", "Mails and calls that are kept, by state.", labels=["state"]
    )
    for state in DeliveryState:
        line.add_metric([state.value], found.get(state.value, 0))
    yield line
    now = timezone.now()
    late = Delivery.objects.filter(state=DeliveryState.PENDING, next_try_at__lte=now)
    oldest = late.aggregate(at=Min("next_try_at"))["at"]
    wait_s = max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
    yield GaugeMetricFamily(
        "fedisec_delivery_wait_seconds", "How long the oldest due one has waited.", value=wait_s
    )


def _of_feeds() -> Iterator[Metric]:
    line = GaugeMetricFamily(
        "fedisec_feed_last_ok_timestamp_seconds", "Last answer that was believed.", labels=["feed"]
    )
    failing = GaugeMetricFamily("fedisec_feed_failures", "Tries in a row that failed.", labels=["feed"])
    needed = Source.objects.filter(enabled=True).exclude(next_fetch_at=None)
    for slug, at, failures in needed.order_by("slug").values_list("slug", "last_ok_at", "failures"):
        if at is not None:
            line.add_metric([slug], at.timestamp())
        failing.add_metric([slug], failures)
    yield from (line, failing)


def _of_clock() -> Iterator[Metric]:
    at = Pulse.objects.aggregate(at=Max("at"))["at"]
    if at is not None:
        yield GaugeMetricFamily(
            "fedisec_clock_timestamp_seconds",
            "The clock's last beat; it beats twice a minute.",
            value=at.timestamp(),
        )
