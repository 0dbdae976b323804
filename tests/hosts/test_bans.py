"""fedisec's login is none of the things that servers ban for: 50 scans in a row, on machines with real ban tools."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.facts.inside import Inside
from tests.hosts.bans import (
    GUARDED,
    STRICT_PENALTIES,
    await_ban,
    await_guards,
    banned,
    dropped,
    guess_passwords,
    turn_back_until_dropped,
)
from tests.hosts.faults import RELEASES
from tests.hosts.look import good, log_in
from tests.hosts.machines import Machine, booted

_TREES = os.environ.get("FEDISEC_HOSTS", "")
_SCANS = 50

pytestmark = pytest.mark.skipif(not _TREES, reason="needs booted machines: make test-hosts")


@pytest.fixture(scope="module")
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    release, trees = request.param, Path(_TREES)
    number = 14 + RELEASES.index(release)
    folder = tmp_path_factory.mktemp(f"{release}-bans")
    script = f"{good()}\n{GUARDED}"
    with booted(trees / release, f"{release}-bans", number, script, folder, trees / f"{release}-more") as one:
        await_guards(one)
        one.run("/usr/local/sbin/fedisec-collect >/srv/report")
        yield one


@pytest.mark.parametrize("machine", RELEASES, indirect=True)
def test_fifty_scans_in_a_row_are_no_attack(machine: Machine) -> None:
    """The peer that guesses passwords afterwards is banned, and by then the tools have read what we did as well."""
    assert log_in(machine).get(Inside).as_root
    for _ in range(_SCANS):
        assert log_in(machine, "quick").get(Inside).as_root
    peer = machine.further_peer("c")
    guess_passwords(machine, peer)
    await_ban(machine, peer)
    for addresses in banned(machine):
        assert peer in addresses.split()
        assert machine.peer not in addresses.split()


@pytest.mark.parametrize("machine", ["trixie"], indirect=True)
def test_the_strictest_penalties_of_sshd_do_not_meet_a_login(machine: Machine) -> None:
    """PerSourcePenalties came with OpenSSH 9.8."""
    machine.run(STRICT_PENALTIES)
    for _ in range(_SCANS):
        assert log_in(machine, "quick").get(Inside).as_root
    assert not dropped(machine, machine.peer)
    peer = machine.further_peer("d")
    turn_back_until_dropped(machine, peer)
