"""What stands in for `checks.probes.gather` in processes under test.

The name of the instance says how a look goes: `n3.example` takes a moment, `slow4.example` takes 4 seconds,
`stuck.example` never comes back.  What the n-th look sees follows from the sequence below, whoever looks;
`calm…` is always well, `falls…` at the first look only, `flaps…` twice well, twice not, and so on.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from django.db import connection

from checks.model import Status
from checks.probes import Gathered, Progress
from checks.target import Limits, Target, Vantage
from tests.fakes import facts

# Falls, recoveries, gaps; chosen so that each length of a run occurs.
SEQUENCE = "PPFFFPPFUFPPNFPFFUPUPFFWWFFP"
# The second look that confirms the fall of this instance is its third; with the sixth it is well again.
FALLS, LOOKS_BEFORE = "n1.example", 2
_STATUSES = {"P": "pass", "W": "warn", "F": "fail", "U": "unknown", "N": "not_applicable"}


def status_of(domain: str, number: int) -> Status:
    """What the look after `number` finished ones sees."""
    if domain.startswith("calm"):
        return Status.PASS
    if domain.startswith("falls"):
        return Status.FAIL if number else Status.PASS
    if domain.startswith("flaps"):
        return Status.FAIL if number % 4 in (2, 3) else Status.PASS
    shift = int(re.sub(r"\D", "", domain) or 0)
    return Status(_STATUSES[SEQUENCE[(number + shift) % len(SEQUENCE)]])


async def gather(
    target: Target,
    vantage: Vantage | None = None,
    limits: Limits | None = None,
    *,
    progress: Progress | None = None,
) -> Gathered:
    number = await asyncio.to_thread(_begin, target.domain)
    if target.domain.startswith("stuck"):
        sum(range(10**13))  # one C call: no signal gets in
    if progress is not None:
        progress("dns", 1, 1)
    slow = re.match(r"slow(\d+)\.", target.domain)
    await asyncio.sleep(int(slow[1]) if slow else float(os.environ.get("TEST_LOOK_S", "0.15")))
    if progress is not None:
        progress("web", 1, 1)
    return Gathered(facts(lock=status_of(target.domain, number).value), {"dns": 1})


def _begin(domain: str) -> int:
    """Notes that a look began; returns how many were finished before."""
    from fedisec.scans.models import Scan

    with open(Path(os.environ["FEDISEC_DATA"]) / "looks.txt", "a") as log:
        log.write(f"{domain} {os.getpid()}\n")
    try:
        return Scan.objects.filter(instance__domain=domain, state="done").count()
    finally:
        connection.close()


def no_self_facts(instance: object) -> tuple[()]:
    """A test that pauses an instance is not to be told that nobody watches its certificate."""
    return ()
