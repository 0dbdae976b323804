"""How quick are the lists of the API and the metrics with ten thousand instances, on SQLite?

python -m bench.api [--instances 10000] [--scans 30] [--data FOLDER] [--requests 40]

Prints a table; exits 1 when something is slower than the bar.  Times are of the process's own CPU, as in
bench.pages.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from bench.pages import _folder, _set_up

LIST_MS, METRICS_MS = 100.0, 1000.0
_BATCH = 5000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=10_000)
    parser.add_argument("--scans", type=int, default=30, help="of each instance")
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--data", type=Path, help="keep the database here, or use the one that is")
    given = parser.parse_args()
    os.environ["FEDISEC_API_RATE"] = "100000"
    with _folder(given.data) as folder:
        _set_up(folder)
        return _measure(given)


def _measure(given: argparse.Namespace) -> int:
    from fedisec.accounts.models import User
    from fedisec.api import metrics, tokens
    from fedisec.history.models import Standing
    from fedisec.history.standing import RULES
    from fedisec.instances.models import Instance
    from fedisec.lib.memory import settle

    owner = User.objects.filter(email="bench@example.org").first()
    if owner is None:
        begun = time.monotonic()
        owner = _fill(given.instances, given.scans)
        print(f"filled in {time.monotonic() - begun:.0f} s")
    Standing.objects.update(rules=RULES, good_until=None)  # as the clock keeps them
    settle()
    reader, meter = (tokens.make(owner, name, [name], None, None) for name in ("read", "metrics"))
    metrics.KEPT_S = 0.0
    keys, dice = list(Instance.objects.values_list("pk", flat=True)), Random(7)
    cursors = _cursors(keys)
    asked: list[tuple[str, float, str, Any]] = [
        (
            "instances, 100 of them",
            LIST_MS,
            reader,
            lambda: f"/api/v1/instances?cursor={dice.choice(cursors)}",
        ),
        ("an instance", LIST_MS, reader, lambda: f"/api/v1/instances/{dice.choice(keys)}"),
        ("items of one", LIST_MS, reader, lambda: f"/api/v1/instances/{dice.choice(keys)}/items"),
        ("scans of one", LIST_MS, reader, lambda: f"/api/v1/instances/{dice.choice(keys)}/scans"),
        ("changes", LIST_MS, reader, lambda: "/api/v1/changes"),
        ("metrics", METRICS_MS, meter, lambda: "/metrics"),
    ]
    print(f"\n{'':24} {'p50 ms':>7} {'p95 ms':>7} {'worst':>7} {'wall p50':>9} {'queries':>8} {'kB':>6} bar")
    slow = [name for name, bar, token, of in asked if not _timed(name, bar, token, of, given.requests)]
    print(f"\nover the bar: {', '.join(slow)}" if slow else "\nheld by everything")
    return 1 if slow else 0


def _cursors(keys: list[int]) -> list[str]:
    from fedisec.api.v1.paging import cursor_of

    return [cursor_of(key) for key in keys[: -100 or None : 997]]


def _timed(name: str, bar: float, token: str, address: Any, requests: int) -> bool:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": settings.ALLOWED_HOSTS[0], "authorization": f"Bearer {token}"})

    def ask() -> tuple[float, float, int]:
        url = address()
        begun, clock = time.process_time(), time.perf_counter()
        answer = client.get(url)
        took, wall = time.process_time() - begun, time.perf_counter() - clock
        if answer.status_code != 200:
            raise SystemExit(f"{url}: {answer.status_code}")
        return 1000 * took, 1000 * wall, len(answer.content)

    ask()
    took, walls, sizes = zip(*(ask() for _ in range(requests)), strict=True)
    with CaptureQueriesContext(connection) as seen:
        ask()
    p95 = statistics.quantiles(took, n=20)[-1]
    figures = f"{statistics.median(took):7.0f} {p95:7.0f} {max(took):7.0f} {statistics.median(walls):9.0f}"
    print(f"{name:24} {figures} {len(seen):8} {max(sizes) / 1000:6.0f} {bar:6.0f}", flush=True)
    return bool(p95 <= bar)


def _fill(instances: int, scans: int) -> Any:
    """What the lists read: instances with their counts, tags and looks.  One of them has all items."""
    from allauth.mfa.models import Authenticator
    from django.utils import timezone

    from bench.pages_data import fill
    from fedisec.history.models import Standing
    from fedisec.instances.models import Glance, Instance, Tag
    from fedisec.scans.models import Scan

    now = timezone.now()
    owner = fill(1, 2, now)
    Authenticator.objects.create(user=owner, type="totp", data={"secret": "sealed"})
    one = Instance.objects.get()
    standing, glance = Standing.objects.get(instance=one), Glance.objects.get(instance=one)
    soon = now + timedelta(hours=9)
    made = Instance.objects.bulk_create(
        (
            Instance(team=one.team, domain=f"more{n:05}.example", created_by=owner, next_scan_at=soon)
            for n in range(instances - 1)
        ),
        batch_size=_BATCH,
    )
    Tag.objects.bulk_create(
        (Tag(instance=each, name=("mine", "friends", "club")[n % 3]) for n, each in enumerate(made)),
        batch_size=_BATCH,
    )
    _copy(standing, made, now)
    _copy(glance, made, now)
    for number in range(scans):
        at = now - timedelta(days=scans - number)
        Scan.objects.bulk_create(
            (
                Scan(
                    instance=each, state="done", reason="scheduled", started_at=at, finished_at=at, due_at=at
                )
                for each in made
            ),
            batch_size=_BATCH,
        )
    return owner


def _copy(row: Any, made: list[Any], now: Any) -> None:
    names = [field.attname for field in row._meta.concrete_fields if not field.primary_key]
    values = {name: getattr(row, name) for name in names}
    type(row).objects.bulk_create((type(row)(instance=each, **values) for each in made), batch_size=_BATCH)


if __name__ == "__main__":
    sys.exit(main())
