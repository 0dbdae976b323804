"""The address rule: one table, every Python that is here, and a second implementation."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from checks.errors import ForbiddenAddress
from checks.probes.addresses import is_this_machine, may_dial, parse_networks
from checks.probes.net import Net
from checks.target import Limits, Vantage
from tests.targets import second_opinion

HERE = Path(__file__).parent
RULE = HERE.parents[1] / "checks/probes/addresses.py"
TABLE = HERE / "addresses.txt"
RANDOM = 100_000
# The versions that fedisec runs on, and the one before.
WANTED = ("3.10", "3.11", "3.12", "3.13", "3.14")


def pythons() -> list[str]:
    """One interpreter of each version that is installed; the running one always."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {f"{sys.version_info[0]}.{sys.version_info[1]}": sys.executable}
    for version in WANTED:
        for path in (*sorted(versions.glob(f"{version}.*/bin/python")), Path(f"/usr/bin/python{version}")):
            if path.exists():
                found.setdefault(version, str(path))
    return list(found.values())


def test_every_python_here_agrees_with_the_table_and_the_second_opinion() -> None:
    """100,000 random addresses together, each Python others; with FEDISEC_WIDE=all each of them so many."""
    interpreters = pythons()
    each = RANDOM if os.environ.get("FEDISEC_WIDE") == "all" else -(-RANDOM // len(interpreters))
    # -I: no folder of ours on the path, so the rule needs none of our packages.
    asked = [
        subprocess.Popen(
            [python, "-I", second_opinion.__file__, str(RULE), str(TABLE), str(each), str(seed)],
            stdout=subprocess.PIPE,
        )
        for seed, python in enumerate(interpreters)
    ]
    said = [json.loads(one.communicate()[0]) for one in asked]
    assert [one.returncode for one in asked] == [0] * len(asked)
    for one in said:
        assert not one["faults"], one
        assert one["table"] == len(second_opinion.rows(str(TABLE))) > 100
        assert one["random"] / 5 < one["public"] < one["random"] / 2, "the random ones lie on both sides"


def test_the_comparison_finds_a_rule_with_one_network_less(tmp_path: Path) -> None:
    source = RULE.read_text()
    for left_out in ('"100.64.0.0/10", ', '"198.51.100.0/24", ', '"2001::/23", ', ', "3fff::/20"'):
        assert left_out in source
        broken = tmp_path / "addresses.py"
        broken.write_text(source.replace(left_out, "", 1))
        assert second_opinion.main(str(broken), str(TABLE), 0, 0)["faults"], left_out
        rule, rng = second_opinion.load(str(broken)), random.Random(1)
        drawn = map(second_opinion.shown, second_opinion.spread(rng, 5000))
        assert any(rule.is_public(one) and not may_dial(one, ()) for one in drawn), left_out


DENIED = parse_networks(["8.8.8.0/24", "2606:4700::/32"])


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2606:4700::1111"]
)
def test_what_the_operator_denies_is_dialled_in_no_form(address: str) -> None:
    everything = parse_networks(["0.0.0.0/0", "::/0"])
    assert may_dial(address, ())
    assert not may_dial(address, (), DENIED)
    assert not may_dial(address, everything, DENIED), "even where another setting allows it"


def test_an_own_address_is_dialled_only_where_it_is_allowed() -> None:
    own = parse_networks(["1.2.3.4", "2a00:1:2::/64"])
    assert not may_dial("1.2.3.4", (), (), own) and not may_dial("::ffff:1.2.3.4", (), (), own)
    assert not may_dial("2a00:1:2::9", (), (), own) and may_dial("1.2.3.5", (), (), own)
    assert may_dial("1.2.3.4", parse_networks(["1.2.3.4/32"]), (), own)


def test_the_kernel_knows_its_own_addresses() -> None:
    assert is_this_machine("127.0.0.1")
    assert not is_this_machine("8.8.8.8") and not is_this_machine("no address")


def test_the_dialler_spares_the_machine_that_it_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.probes.net.is_this_machine", lambda address: address == "9.9.9.9")
    for vantage, may in (
        (Vantage(), True),
        (Vantage(spares_itself=True), False),
        (Vantage(spares_itself=True, allow_networks=("9.9.9.9",)), True),
        (Vantage(spares_itself=True, allow_networks=("9.9.9.9",), deny_networks=("9.0.0.0/8",)), False),
        (Vantage(own_networks=("9.9.9.9",)), False),
        (Vantage(deny_networks=("9.9.9.9",)), False),
    ):
        net = Net(vantage, Limits())
        assert net.may_dial("9.9.9.9") is may, vantage
        assert net.may_dial("9.9.9.10") is (vantage.deny_networks != ("9.0.0.0/8",))
        if not may:
            with pytest.raises(ForbiddenAddress):
                net.vet("9.9.9.9")
