"""The suite as labelled domains: how many broken records the item finds, how many sound ones it wrongs.

A domain is broken when every test of it must end in permerror, sound when none may.  `+all` is a policy that
the item fails on purpose, though the record is sound: it is counted apart.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from checks.evaluate import judge
from checks.facts import Facts
from checks.items import all_items
from checks.model import Status
from checks.probes.look import Look
from checks.probes.mail import gather_spf
from tests.checks.dns.made import short
from tests.checks.spf.suite import Zone, load, needed

_SOUND = {"pass", "fail", "softfail", "neutral"}
POLICY = "fail:open_to_all"


def _label(results: set[str]) -> str:
    if results == {"permerror"}:
        return "broken"
    if results <= _SOUND:
        return "sound"
    return "either" if results <= _SOUND | {"permerror"} else results.pop()


async def item_says(domain: str, zone: Zone) -> str:
    """What the item shows after the probe has walked the zone."""
    look = SimpleNamespace(target=SimpleNamespace(mail_domain=domain), dns=zone)
    facts = Facts().with_facts(*await gather_spf(cast(Look, look)))
    verdict = judge(all_items()["mail.spf"], facts)
    assert verdict.status is not Status.FAIL or verdict.evidence
    return short(verdict)


@cache
def table() -> dict[str, dict[str, str]]:
    """Label -> "domain (section)" -> what the item says."""
    results: dict[tuple[str, str], set[str]] = {}
    zones: dict[tuple[str, str], Zone] = {}
    for case in load():
        key = case.domain, case.section
        results.setdefault(key, set()).update(case.results)
        zones[key] = case.zone
    rows: dict[str, Any] = {}
    for (domain, section), found in results.items():
        said = asyncio.run(item_says(domain, zones[domain, section]))
        rows.setdefault(_label(found), {})[f"{domain} ({section})"] = said
    return rows


def faults(label: str) -> list[str]:
    """The domains that the item fails for a fault of the record."""
    return [name for name, said in table()[label].items() if said.startswith("fail:") and said != POLICY]


@needed
def test_the_domains_are_labelled_as_counted_before() -> None:
    assert {label: len(rows) for label, rows in table().items()} == {
        "broken": 74,
        "sound": 90,
        "either": 4,
        "none": 7,
        "temperror": 5,
    }
    print()
    for label, rows in sorted(table().items()):
        print(f"{label:9} {len(rows):3}", dict(Counter(rows.values()).most_common()))
    print("broken, not flagged:", sorted(set(table()["broken"]) - set(faults("broken"))))
    print("sound, flagged:", faults("sound"))


@needed
def test_broken_records_are_found() -> None:
    assert len(faults("broken")) >= 72


@needed
def test_sound_records_are_left_in_peace() -> None:
    assert len(faults("sound")) <= 1


@needed
def test_only_records_that_let_everybody_send_fail_for_their_policy() -> None:
    found = {name for rows in table().values() for name, said in rows.items() if said == POLICY}
    assert found == {
        "example8.com (Selecting records)",  # v=spf1 +all
        "e5.example.com (ALL mechanism syntax)",  # v=spf1 all -all
        "e2.example.com (Include mechanism semantics and syntax)",  # v=spf1 include:... all
    }


@needed
def test_a_domain_without_a_record_has_none() -> None:
    names = table()["none"]
    impossible = {
        name for name, said in names.items() if said == "unknown:malformed"
    }  # label empty or too long
    assert {name[0] for name in impossible} == {"a"} and len(impossible) == 2
    assert {said for name, said in names.items() if name not in impossible} == {"fail:none"}


@needed
def test_an_answer_that_did_not_come_is_no_verdict() -> None:
    assert set(table()["temperror"].values()) == {"unknown:timeout"}
