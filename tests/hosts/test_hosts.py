"""Verdicts on booted Debian machines, each gathered over SSH as a scan does it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from checks.errors import Reason
from checks.facts.inside import Inside
from checks.model import Status, Verdict
from tests.hosts.faults import FAULTS, MACHINES, TWIN, Fault, planted
from tests.hosts.look import good, judge_all, look_at
from tests.hosts.machines import Machine, booted

RELEASES = ("bookworm", "trixie")
_TREES = os.environ.get("FEDISEC_HOSTS", "")

pytestmark = pytest.mark.skipif(not _TREES, reason="needs booted machines: make test-hosts")


class Hosts:
    """The machines of one release.  Each is started when it is first asked for, and looked at once."""

    def __init__(self, release: str, folder: Path, stack: ExitStack) -> None:
        self._release, self._folder, self._stack = release, folder, stack
        self.machine = cache(self._boot)
        self.verdicts = cache(self._judge)

    def _boot(self, name: str) -> Machine:
        before, live = planted(name)
        number = 1 + len(MACHINES) * RELEASES.index(self._release) + MACHINES.index(name)
        tree, folder = Path(_TREES) / self._release, self._folder / name
        script = f"{good()}\n{before}\n"
        machine = self._stack.enter_context(booted(tree, f"{self._release}-{name}", number, script, folder))
        machine.run(live)
        return machine

    def _judge(self, name: str, user: str = "fedisec", forced: bool = True) -> Mapping[str, Verdict]:
        facts = look_at(self.machine(name), user=user, forced=forced)
        assert facts.get(Inside).as_root == forced
        return judge_all(facts)


@pytest.fixture(scope="module", params=RELEASES)
def hosts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with ExitStack() as stack:
        yield Hosts(request.param, tmp_path_factory.mktemp(request.param), stack)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_planted_fault_is_found(hosts: Hosts, fault: Fault) -> None:
    verdict = hosts.verdicts(fault.machine)[fault.item]
    assert (verdict.status, verdict.code) == (fault.status, fault.code), verdict


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_twin_has_it_in_order(hosts: Hosts, fault: Fault) -> None:
    verdict = hosts.verdicts(TWIN)[fault.item]
    assert verdict.status is fault.twin, verdict


@pytest.mark.parametrize("name", MACHINES)
def test_no_check_breaks(hosts: Hosts, name: str) -> None:
    broken = {key: one for key, one in hosts.verdicts(name).items() if one.status is Status.ERROR}
    assert not broken


@pytest.mark.parametrize(
    "item",
    (
        "host.admin_logins_clean",
        "firewall.egress_restricted",
        "app.dangerous_switches_off",
        "data.backup_offsite",
    ),
)
def test_what_a_plain_account_cannot_see_is_unknown(hosts: Hosts, item: str) -> None:
    verdict = hosts.verdicts(TWIN, "plain", forced=False)[item]
    assert (verdict.status, verdict.reason) == (Status.UNKNOWN, Reason.DENIED), verdict
