"""What a run costs, and how costs become a table."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from bench.link import Link, Sent


@dataclass(frozen=True)
class Cost:
    """What one run used.  Times in seconds; connections and questions are counted on the link."""

    wall_s: float
    cpu_s: float
    tcp: int
    web: int  # of them to port 443 of the instance, all its addresses together
    dns: int


def here(link: Link, web: Container[str], run: Callable[[], object]) -> Cost:
    """The cost of a function of this process."""
    before, wall, cpu = link.counters(), time.perf_counter(), time.process_time()
    run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return _cost(link, before, web, wall, cpu)


def process(
    link: Link, web: Container[str], command: Sequence[str], env: dict[str, str] | None = None
) -> Cost:
    """The cost of a program, its start included."""
    usage, before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), link.counters(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    cpu = after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime
    return _cost(link, before, web, wall, cpu)


def _cost(link: Link, before: Sent, web: Container[str], wall: float, cpu: float) -> Cost:
    sent = link.counters() - before
    return Cost(wall, cpu, sum(sent.tcp.values()), sent.to(web, 443), sent.dns)


def median(costs: Sequence[Cost]) -> Cost:
    """Each figure's own median."""

    def middle(of: Callable[[Cost], float]) -> float:
        return statistics.median(of(cost) for cost in costs)

    return Cost(
        middle(lambda c: c.wall_s),
        middle(lambda c: c.cpu_s),
        round(middle(lambda c: c.tcp)),
        round(middle(lambda c: c.web)),
        round(middle(lambda c: c.dns)),
    )


def loop_ms() -> float:
    """How long this machine needs just now for a fixed piece of Python: what other tenants take shows here.
    The CPU figures of two runs compare only where this one is alike."""
    return min(_loop_ms() for _ in range(5))


def _loop_ms() -> float:
    begun = time.process_time()
    sum(i * i % 7 for i in range(200_000))
    return 1000 * (time.process_time() - begun)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
