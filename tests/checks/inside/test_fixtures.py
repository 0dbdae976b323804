"""The readers, held to what real machines said: reports that tests/hosts/fixtures.py recorded on booted Debian machines.

Where a rule changed on purpose: `python -m tests.hosts.fixtures --judge` writes verdicts.json anew."""

from __future__ import annotations

import json
import re

import pytest

from checks.evaluate import judge
from checks.facts import Facts
from checks.items import all_items
from checks.model import INSIDE, Status
from checks.probes.collector import collector_script
from tests.checks.inside.fixtures import FIXTURES, KINDS, RELEASES, judged, names, report
from tests.hosts.faults import FAULTS, Fault

VERDICTS: dict[str, dict[str, str]] = json.loads((FIXTURES / "verdicts.json").read_text("utf-8"))
BAD = [fault for fault in FAULTS if fault.machine == "first" and INSIDE in all_items()[fault.item].settles]
# What only outside can tell, or both together.
FROM_OUTSIDE = {"ssh.password_login_off", "firewall.open_ports"}


@pytest.mark.parametrize("name", names())
def test_each_verdict_is_the_recorded_one(name: str) -> None:
    assert judged(name) == VERDICTS[name]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("fault", BAD, ids=str)
def test_a_planted_fault_is_seen_in_the_report(fault: Fault, release: str) -> None:
    verdict = VERDICTS[f"{release}-bad-sudo"][fault.item]
    if fault.item in FROM_OUTSIDE:
        assert verdict.split()[0] in {"fail", "warn"}
    else:
        assert verdict == f"{fault.status.value} {fault.code}"
    assert not VERDICTS[f"{release}-bad-plain"][fault.item].startswith("pass")
    assert VERDICTS[f"{release}-good-sudo"][fault.item].startswith(fault.twin.value)
    assert VERDICTS[f"{release}-good-plain"][fault.item].split()[0] not in {"fail", "warn"}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_account_says_less_but_nothing_else(release: str, kind: str) -> None:
    """Neither better news than root's, nor worse."""
    root, plain = (VERDICTS[f"{release}-{kind}-{who}"] for who in ("sudo", "plain"))
    sure = {"pass": {"fail", "warn"}, "fail": {"pass"}, "warn": {"pass"}}
    assert [
        item for item, said in plain.items() if said.split()[0] in sure.get(root[item].split()[0], set())
    ] == []


@pytest.mark.parametrize("name", names())
def test_the_reports_are_those_of_this_collector(name: str) -> None:
    """Otherwise: sh tools/hosts.sh .venv/bin/python --fixtures"""
    listed = re.search(r"SECTIONS='([^']*)'", collector_script())
    assert listed
    assert sorted(one.name for one in report(name).sections) == sorted(listed[1].split())


@pytest.mark.parametrize("name", ["bookworm-bad-sudo", "trixie-bad-sudo"])
def test_without_any_one_section_no_item_breaks(name: str) -> None:
    whole = report(name)
    for gone in whole.sections:
        less = type(whole)(1, whole.uid, whole.seen_at, tuple(s for s in whole.sections if s is not gone))
        facts = Facts().with_facts(less)
        broken = [key for key, item in all_items().items() if judge(item, facts).status is Status.ERROR]
        assert broken == [], gone.name


def test_the_reports_are_few_bytes_and_hold_nothing_of_this_workplace() -> None:
    texts = {path.name: path.read_text("utf-8") for path in FIXTURES.glob("*.txt")}
    assert sorted(texts) == sorted(f"{name}.txt" for name in names())
    assert sum(map(len, texts.values())) < 400_000
    for text in texts.values():
        assert re.search(r"kernel Linux 6\.1\.0-40-amd64", text)
        assert not re.search(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|AAAA[BC]3|\b[0-9a-f]{32}\b", text)
