"""A look at a machine with fedisec's own probes, as a scan does it: SSH and ports from outside, the login, the items."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from pathlib import Path

from checks.evaluate import evaluate
from checks.facts import Facts
from checks.model import Verdict
from checks.probes import gather, inside, ports, ssh
from checks.probes.collector import collector_script
from checks.probes.look import Probe
from checks.target import Access, Limits, Target, Vantage
from tests.checks.inside.servers import Pair
from tests.checks.ssh.servers import at_address
from tests.hosts.machines import Machine

KEY = Pair.new()
_VANTAGE = Vantage(resolver="127.0.0.1:9", allow_networks=("fd66::/64",))


def good() -> str:
    """The script that makes a well-kept server of a base tree."""
    given = f"KEY={shlex.quote(KEY.public)}\nCOLLECTOR={shlex.quote(collector_script())}\n"
    return given + (Path(__file__).parent / "good.sh").read_text()


def look_at(machine: Machine, *, user: str = "fedisec", forced: bool = True) -> Facts:
    """What is seen of a machine; "plain" with forced=False is sent the collector and has no rights."""
    return _look(machine, user, forced, (*ssh.PROBES, *ports.PROBES, *inside.PROBES))


def log_in(machine: Machine, user: str = "fedisec", *, forced: bool = True, address: str = "") -> Facts:
    """What the login alone tells; `address`: another one of the machine."""
    return _look(machine, user, forced, inside.PROBES, address)


def _look(machine: Machine, user: str, forced: bool, probes: tuple[Probe, ...], address: str = "") -> Facts:
    address = address or machine.address
    access = Access(address, 22, user, KEY.private, machine.host_key, forced)
    target = Target("host.fedi.test", ssh_user=user, access=access)
    probes = (at_address(v6=(address,)), *probes)
    return asyncio.run(gather(target, _VANTAGE, Limits(), probes=probes)).facts


def judge_all(facts: Facts) -> Mapping[str, Verdict]:
    return evaluate(facts)
