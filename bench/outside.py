"""One outside scan of the lab's good server, and sslyze on the same target in the same minute, as a table.

Run by `make bench`, inside a network namespace.  sslyze lives in an environment of its own (bench/.env): it
is a peer to measure beside, not a dependency.  Connections are counted by the kernel (ActiveOpens of the
namespace), so both sides are counted the same way; DNS queries are fedisec's own count.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.evaluate import evaluate
from checks.probes import gather
from checks.target import Target, Vantage
from tests.lab.lab import Lab
from tests.lab.places import GOOD_IP

HERE = Path(__file__).parent
RUNS = 5


@dataclass(frozen=True)
class Cost:
    """What one run used."""

    wall_s: float
    cpu_s: float
    tcp: int
    dns: int | None


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="fedisec-bench-") as folder, Lab(Path(folder)) as lab:
        rows = [
            ("fedisec, whole outside scan, new process", _repeat(lambda: _scan_process(lab))),
            ("fedisec, whole outside scan, in process", _repeat(lambda: _scan_here(lab))),
        ]
        sslyze = _sslyze()
        if sslyze is None:
            print("bench/.env has no sslyze; its row is left out (start with `make bench`)", file=sys.stderr)
        else:
            rows.append(("sslyze 6.3.1, TLS only", _repeat(lambda: _sslyze_process(sslyze, lab), 3)))
    _print(rows)
    return 0


def _repeat(run: Callable[[], Cost], times: int = RUNS) -> list[Cost]:
    return [run() for _ in range(times)]


def _scan_process(lab: Lab) -> Cost:
    networks = [word for network in lab.networks for word in ("--allow-network", network)]
    command = [sys.executable, "-m", "checks", "scan", lab.good, "--json", "--resolver", lab.resolver]
    command += ["--trust-ca", str(lab.ca_file), "--dnssec-names", lab.secure_name, lab.bogus_name, *networks]
    output, cost = _measured(command, accept=(0, 1))
    return Cost(cost.wall_s, cost.cpu_s, cost.tcp, json.loads(output)["connections"].get("dns", 0))


def _scan_here(lab: Lab) -> Cost:
    vantage = Vantage(
        lab.resolver,
        lab.ca_file.read_text(),
        tuple(lab.networks),
        secure_name=lab.secure_name,
        bogus_name=lab.bogus_name,
    )
    opened, wall, cpu = _active_opens(), time.perf_counter(), time.process_time()
    gathered = asyncio.run(gather(Target(lab.good), vantage))
    evaluate(gathered.facts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(wall, cpu, _active_opens() - opened, gathered.connections.get("dns", 0))


def _sslyze() -> Path | None:
    """The sslyze of the bench environment, which `make bench` installs before it enters the namespace."""
    program = HERE / ".env" / "bin" / "sslyze"
    return program if program.exists() else None


def _sslyze_process(program: Path, lab: Lab) -> Cost:
    command = [str(program), f"{lab.good}:443{{{GOOD_IP}}}"]
    _, cost = _measured(command, accept=(0, 1))
    return cost


def _measured(command: Sequence[str], accept: tuple[int, ...]) -> tuple[str, Cost]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    opened, wall = _active_opens(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=dict(os.environ))
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in accept:
        raise SystemExit(f"{command[0]} ended with {done.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, Cost(wall, cpu, _active_opens() - opened, None)


def _active_opens() -> int:
    """TCP connections opened in this network namespace so far (RFC 4022 tcpActiveOpens)."""
    names, values = (
        line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:")
    )
    return int(values[names.index("ActiveOpens")])


def _print(rows: Sequence[tuple[str, list[Cost]]]) -> None:
    print("| what | runs | wall, median s | CPU, median s | TCP connections | DNS queries |")
    print("|---|---|---|---|---|---|")
    for name, costs in rows:
        wall = statistics.median(c.wall_s for c in costs)
        cpu = statistics.median(c.cpu_s for c in costs)
        tcp = statistics.median(c.tcp for c in costs)
        dns = "–" if costs[0].dns is None else str(costs[0].dns)
        print(f"| {name} | {len(costs)} | {wall:.3f} | {cpu:.3f} | {tcp:.0f} | {dns} |")


if __name__ == "__main__":
    sys.exit(main())
