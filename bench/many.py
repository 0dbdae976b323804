"""Many scans at once in one process: how many a minute, and how much memory.  Prints JSON.

python -m bench.many VANTAGE.json SCANS
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from checks.evaluate import evaluate
from checks.model import Status
from checks.probes import gather
from checks.target import Target, Vantage


async def _scans(target: Target, vantage: Vantage, count: int) -> int:
    """How many came out whole: of a scan that starves, much is unknown."""

    async def one() -> int:
        found = await gather(target, vantage)
        return sum(verdict.status is Status.PASS for verdict in evaluate(found.facts).values())

    return min(await asyncio.gather(*(one() for _ in range(count))))


def main() -> int:
    written = json.loads(Path(sys.argv[1]).read_text())
    count = int(sys.argv[2])
    fields: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in written["vantage"].items()
    }
    vantage = Vantage(**fields)
    target = Target(written["domain"], dkim_selectors=("fedi",))
    alone = asyncio.run(_scans(target, vantage, 1))
    begun, cpu = time.perf_counter(), time.process_time()
    fewest = asyncio.run(_scans(target, vantage, count))
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(
        json.dumps(
            {
                "wall_s": wall,
                "per_minute": 60 * count / wall,
                "cpu_ms": 1000 * cpu / count,
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "passes_alone": alone,
                "passes_fewest": fewest,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
