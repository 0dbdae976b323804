"""How quick are the pages with a thousand instances and a year of daily scans, on SQLite?  How big is it?

python -m bench.pages [--instances 1000] [--days 365] [--data FOLDER] [--requests 40]

Prints a table; exits 1 when a page is slower, or the database bigger, than the bar.  A FOLDER that was filled
before is used again.  Times are of the process's own CPU: SQLite runs in it, and a busy machine adds nothing.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

P95_MS, SIZE_GB = 150.0, 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--requests", type=int, default=40, help="of each page")
    parser.add_argument("--data", type=Path, help="keep the database here, or use the one that is")
    parser.add_argument("--profile", default="", metavar="PAGE", help="print where the time of one page goes")
    given = parser.parse_args()
    with _folder(given.data) as folder:
        _set_up(folder)
        return _measure(given, folder)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="fedisec-bench-") as made:
        yield Path(made)


def _set_up(folder: Path) -> None:
    os.environ |= {"FEDISEC_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "fedisec.settings"}
    os.environ.setdefault("FEDISEC_SECRET_KEY", secrets.token_urlsafe(60))
    import django

    django.setup()
    from fedisec.lib.prepare import prepare

    prepare()


def _measure(given: argparse.Namespace, folder: Path) -> int:
    from django.utils import timezone

    from bench.pages_data import fill
    from fedisec.accounts.models import User
    from fedisec.lib.memory import settle
    from fedisec.scans.models import Scan, Span

    owner = User.objects.filter(email="bench@example.org").first()
    if owner is None:
        begun = time.monotonic()
        owner = fill(given.instances, given.days, timezone.now())
        print(f"filled in {time.monotonic() - begun:.0f} s")
    settle()  # as the web process does
    pages = Pages(owner, given.requests)
    if given.profile:
        pages.profile(given.profile)
        return 0
    size = _size(folder) / 1e9
    print(
        f"{Scan.objects.count()} scans, {Span.objects.count()} spans, {size:.2f} GB (bar: {SIZE_GB:.0f} GB)\n"
    )
    print(f"{'page':24} {'p50 ms':>7} {'p95 ms':>7} {'worst':>7} {'wall p50':>9} {'queries':>8} {'kB':>6}")
    slow = [name for name in pages.pages if not pages.timed(name)]
    print(
        f"\nbar: p95 {P95_MS:.0f} ms" + (f"; over it: {', '.join(slow)}" if slow else ": held by every page")
    )
    return 1 if slow or size > SIZE_GB else 0


def _size(folder: Path) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in folder.glob("fedisec.sqlite3*"))


class Pages:
    """The pages as a signed-in owner of all instances asks for them, each time of another instance."""

    def __init__(self, owner: Any, requests: int) -> None:
        from django.conf import settings
        from django.test import Client

        from fedisec.instances.models import Instance
        from fedisec.scans.models import Scan

        self.client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
        self.client.force_login(owner)
        self.requests, self.dice = requests, Random(7)
        self.domains = dict(Instance.objects.values_list("pk", "domain"))
        self._scans = Scan.objects
        self.pages: dict[str, Callable[[], str]] = {
            "overview": lambda: "/",
            "overview, last page": lambda: "/?page=last",
            "overview, words": lambda: f"/?q=server0{self.dice.randint(0, 9)}",
            "overview, a tag": lambda: f"/?tag={self.dice.choice(('mine', 'friends', 'club'))}",
            "instance": lambda: f"/instances/{self._one()}/",
            "instance, a filter": lambda: f"/instances/{self._one()}/?state=not_met&level=required",
            "item": lambda: f"/instances/{self._one()}/items/http.hsts/",
            "scan list": lambda: f"/instances/{self._one()}/scans/",
            "compare a year": self._compare,
            "changes, last scan": lambda: f"/instances/{self._one()}/changes/",
            "trend, 90 days": lambda: f"/instances/{self._one()}/trend/?days=90",
            "trend, 365 days": lambda: f"/instances/{self._one()}/trend/?days=365",
        }

    def _one(self) -> str:
        return self.dice.choice(list(self.domains.values()))

    def _compare(self) -> str:
        pk = self.dice.choice(list(self.domains))
        keys = self._scans.filter(instance=pk).order_by("pk").values_list("pk", flat=True)
        return f"/instances/{self.domains[pk]}/compare/?from={keys[0]}&to={keys.last()}"

    def timed(self, name: str) -> bool:
        """Prints the figures of one page; True when it holds the bar."""
        self._get(name)  # templates and translations are loaded once per process
        took, walls, sizes = zip(*(self._get(name) for _ in range(self.requests)), strict=True)
        p95 = statistics.quantiles(took, n=20)[-1]
        figures = (
            f"{statistics.median(took):7.0f} {p95:7.0f} {max(took):7.0f} {statistics.median(walls):9.0f}"
        )
        print(f"{name:24} {figures} {self._queries(name):8} {max(sizes) / 1000:6.0f}", flush=True)
        return bool(p95 <= P95_MS)

    def _get(self, name: str) -> tuple[float, float, int]:
        """(milliseconds of CPU, milliseconds on the clock, bytes) of one request."""
        address = self.pages[name]()
        begun, clock = time.process_time(), time.perf_counter()
        answer = self.client.get(address)
        took, wall = time.process_time() - begun, time.perf_counter() - clock
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
        return 1000 * took, 1000 * wall, len(answer.content)

    def _queries(self, name: str) -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as seen:
            self._get(name)
        return len(seen)

    def profile(self, name: str) -> None:
        """Prints the functions in which a page spends its time, and its queries with theirs."""
        import cProfile
        import pstats

        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        self._get(name)
        with CaptureQueriesContext(connection) as seen:
            self._get(name)
        for query in sorted(seen.captured_queries, key=lambda q: -float(q["time"])):
            print(query["time"], query["sql"][:300])
        with cProfile.Profile() as profile:
            for _ in range(10):
                self._get(name)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    sys.exit(main())
