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
from tests.hosts.faults import FAULTS, MACHINES, RELEASES, TWIN, Fault, planted
from tests.hosts.look import good, judge_all, look_at
from tests.hosts.machines import BootError, Machine, booted

_TREES = os.environ.get("FEDISEC_HOSTS", "")

pytestmark = pytest.mark.skipif(not _TREES, reason="needs booted machines: make test-hosts")


class Hosts:
    """The machines of one release.  Each is started when it is first asked for, and looked at once."""

    def __init__(self, release: str, folder: Path, stack: ExitStack) -> None:
        self._release, self._folder, self._stack = release, folder, stack
        self._broken: set[str] = set()
        self.machine = cache(self._boot)
        self.verdicts = cache(self._judge)

    def _boot(self, name: str) -> Machine:
        """A machine that did not come up once is not tried again."""
        if name in self._broken:
            pytest.fail(f"{name} did not come up, see above")
        try:
            return self._start(name)
        except BootError:
            self._broken.add(name)
            raise

    def _start(self, name: str) -> Machine:
        before, live = planted(self._release, name)
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


@pytest.fixture(scope="module")
def hosts_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Hosts]]:
    with ExitStack() as stack:
        yield {one: Hosts(one, tmp_path_factory.mktemp(one), stack) for one in RELEASES}


@pytest.fixture
def hosts(hosts_of: Mapping[str, Hosts], release: str) -> Hosts:
    return hosts_of[release]


_PLANTED = pytest.mark.parametrize(
    ("release", "fault"),
    [(release, fault) for release in RELEASES for fault in FAULTS if release in fault.releases],
    ids=str,
)
_EACH_RELEASE = pytest.mark.parametrize("release", RELEASES)


@_PLANTED
def test_a_planted_fault_is_found(hosts: Hosts, fault: Fault) -> None:
    verdict = hosts.verdicts(fault.machine)[fault.item]
    found = (verdict.status, verdict.code) == (fault.status, fault.code)
    if fault.overlooked:
        assert not found, "it is found now: delete `overlooked`"
        pytest.xfail(fault.overlooked)
    assert found, verdict


@_PLANTED
def test_the_twin_has_it_in_order(hosts: Hosts, fault: Fault) -> None:
    verdict = hosts.verdicts(TWIN)[fault.item]
    assert verdict.status is fault.twin, verdict


@_EACH_RELEASE
@pytest.mark.parametrize("name", MACHINES)
def test_no_check_breaks(hosts: Hosts, name: str) -> None:
    broken = {key: one for key, one in hosts.verdicts(name).items() if one.status is Status.ERROR}
    assert not broken


@_EACH_RELEASE
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


@_EACH_RELEASE
def test_a_setting_without_its_effect_is_no_proof_to_a_plain_account(hosts: Hosts) -> None:
    """ufw.conf says yes, but its unit was never started: only root can see that no rule is there."""
    verdict = hosts.verdicts("fourth", "plain", forced=False)["firewall.host_enabled"]
    assert verdict.status is not Status.PASS, verdict


@_EACH_RELEASE
@pytest.mark.parametrize("name", MACHINES)
def test_a_plain_account_says_less_but_nothing_else(hosts: Hosts, name: str) -> None:
    """What root sees as a fault is no pass to an account without rights, and what root passes is no fault."""
    root, plain = hosts.verdicts(name), hosts.verdicts(name, "plain", forced=False)
    against = {Status.PASS: {Status.FAIL}, Status.FAIL: {Status.PASS}, Status.WARN: {Status.PASS}}
    assert {
        key: (root[key].code, one.code)
        for key, one in plain.items()
        if one.status in against.get(root[key].status, set())
    } == {}
