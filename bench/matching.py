"""How long does it take to match a thousand inventories with all advisories and five thousand warnings?

python -m bench.matching [--instances 1000] [--products 20] [--entries 5000] [--named 0.1] [--postgres]

Prints a table; exits 1 when it is over the bar.  Counted is the processor's time of this process and, with
--postgres, of the server's as well: one core, whatever else runs beside.  --named: the share of warnings that
are about a product which some server runs; of JVN iPedia's it is a few in a hundred.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

BAR_S = 10.0
_CLOCK_HZ = os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--products", type=int, default=20, help="of each instance")
    parser.add_argument("--entries", type=int, default=5000)
    parser.add_argument("--named", type=float, default=0.1)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own, not on SQLite")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fedisec-bench-") as made, _database(Path(made), given) as pid:
        return _measure(given, pid)


@contextmanager
def _database(folder: Path, given: argparse.Namespace) -> Iterator[int]:
    """The program's own tables in a new database; the id of the server's first process, 0 for SQLite."""
    from tests.running.servers import Postgres

    os.environ |= {"FEDISEC_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "fedisec.settings"}
    os.environ.setdefault("FEDISEC_SECRET_KEY", secrets.token_urlsafe(60))
    with ExitStack() as stack:
        server = Postgres() if given.postgres else None
        if server is not None:
            stack.callback(server.stop)
            os.environ["DATABASE_URL"] = server.new_database("bench")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from fedisec.watch import catalogue

        call_command("migrate", verbosity=0)
        catalogue.sync()
        stack.callback(connection.close)
        yield int((server._folder / "data" / "postmaster.pid").read_text().split()[0]) if server else 0


def _fill(given: argparse.Namespace) -> None:
    from django.utils import timezone

    from fedisec.accounts.models import Team
    from fedisec.instances.models import Instance
    from fedisec.watch import stories
    from fedisec.watch.matching import _products
    from fedisec.watch.models import Entry, Source, SourceKind, Stack

    dice, now = Random(1), timezone.now()
    products = _products()
    names = [product.name for product in products]
    others = names[10:]
    team = Team.objects.create(name="bench")
    instances = Instance.objects.bulk_create(
        Instance(team=team, domain=f"i{number}.example") for number in range(given.instances)
    )
    Stack.objects.bulk_create(
        Stack(
            instance=instance,
            software=(software := dice.choice(names[:10])),
            family=software,
            version=f"{dice.randint(1, 4)}.{dice.randint(0, 9)}.{dice.randint(0, 20)}",
            products=[[name, "1.0"] for name in dice.sample(others, min(given.products, len(others)))],
            distribution=dice.choice(["debian", "ubuntu", "fedora"]),
            made_at=now,
        )
        for instance in instances
    )
    sources = list(Source.objects.filter(kind=SourceKind.WARNINGS, about="", language="ja")[:2])
    entries = [_entry(number, dice, products, given.named, sources, now) for number in range(given.entries)]
    for source in sources:
        mine = [entry for entry in entries if entry.source == source]
        stories.tell_apart(mine, source)
    Entry.objects.bulk_create(entries)


def _entry(number: int, dice: Random, products: Any, named: float, sources: Any, now: Any) -> Any:
    """Titles and products as JVN iPedia has them: half by CPE, half by the words of the title."""
    from fedisec.watch.models import Entry

    product = dice.choice(products)
    known, by_cpe = dice.random() < named, dice.random() < 0.5
    title = (
        f"{product.name if known else f'Product{number} for WordPress'} における認証に関する脆弱性 {number}"
    )
    cpe = (sorted(product.cpes)[0] if known else f"vendor{number}:product{number}") if by_cpe else ""
    return Entry(
        source=dice.choice(sources),
        guid=f"JVNDB-2026-{number:06}",
        title=title,
        published_at=now - timedelta(minutes=number),
        data={"ids": [f"CVE-2026-{number:05}"], "cpe": [cpe] if cpe else []},
    )


def _advisories() -> int:
    """The advisories that apply to each instance's software, all of them asked anew."""
    from checks.data.tables import advisories
    from checks.parse.advisories import applying
    from fedisec.watch.models import Stack

    known = advisories()
    rows = Stack.objects.values_list("family", "version")
    return sum(len(applying(known, family, version)) for family, version in rows)


def _measure(given: argparse.Namespace, pid: int) -> int:
    from django.db import connection
    from django.utils import timezone

    from fedisec.watch.matching import match_new
    from fedisec.watch.models import Concern

    _fill(given)
    profile = cProfile.Profile()
    wall, cpu, servers = time.perf_counter(), time.process_time(), _cpu_of(pid)
    with profile if given.profile else nullcontext():
        hits = _advisories()
        advisories_s = time.process_time() - cpu
        match_new(timezone.now())
    whole_s = time.process_time() - cpu + _cpu_of(pid) - servers
    rows = (
        (f"{given.instances} inventories x {given.products} products, {connection.vendor}", ""),
        ("advisories that apply", f"{hits} in {advisories_s:.2f} s"),
        (
            f"{given.entries} warnings, {given.named:.0%} of products in use",
            f"{Concern.objects.count()} lines",
        ),
        (f"processor, all together (bar {BAR_S:g} s)", f"{whole_s:.2f} s"),
        ("by the clock on the wall", f"{time.perf_counter() - wall:.2f} s"),
    )
    for name, figure in rows:
        print(f"{name:60} {figure}")
    if given.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(30)
    return int(whole_s > BAR_S)


def _cpu_of(pid: int) -> float:
    """Seconds that a server and its children have taken, those that ended included."""
    if not pid:
        return 0.0
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            cells = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid:
            ticks += sum(int(cells[n]) for n in (11, 12, 13, 14))
        elif int(cells[1]) == pid:
            ticks += int(cells[11]) + int(cells[12])
    return ticks / _CLOCK_HZ


if __name__ == "__main__":
    sys.exit(main())
