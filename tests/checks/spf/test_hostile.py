"""Zones made to cost the most: whatever they say, questions and time stay within their limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from checks.facts import Missing
from checks.facts.dns import Lookup, Outcome
from checks.parse.spf import MAX_RECORD
from checks.parse.spf_eval import MAX_QUESTIONS, Mail, check_host
from checks.parse.spf_walk import MAX_QUESTIONS as WALK_QUESTIONS
from tests.checks.spf.suite import Zone
from tests.checks.spf.test_lint import item_says

CPU_S = 4.0  # of one walk with all its rounds; without its bounds it would take minutes
LONG = MAX_RECORD - 200


def fan(label: str, arms: int, filler: str = "") -> str:
    """A record that includes `arms` new names below its own."""
    return " ".join(f"include:{n}.{label}" for n in range(arms)) + (" " + filler if filler else "")


def padding(word: str) -> str:
    return (word + " ") * (LONG // (len(word) + 1))


# name -> the terms of its record
ZONES: dict[str, Callable[[str], str]] = {
    "redirects to itself": lambda name: f"redirect={name}",
    "includes itself": lambda name: f"include:{name} -all",
    "a chain without end": lambda name: f"include:1.{name} -all",
    "a chain of redirects": lambda name: f"redirect=1.{name}",
    "a chain by macro": lambda name: "include:1.%{d} -all",
    "four arms each": lambda name: fan(name, 4),
    "twenty arms each": lambda name: fan(name, 20),
    "twenty arms, all of them long": lambda name: fan(name, 20, padding("x=")),
    "a long chain": lambda name: f"{padding('ip4:1.2.3.4')} include:1.{name} -all",
    "a long chain of modifiers": lambda name: f"{padding('x=')} redirect=1.{name}",
    "a long chain of IPv6": lambda name: f"{padding('ip6:::1')} include:1.{name} -all",
    "addresses without end": lambda name: " ".join(f"a:{n}.{name}" for n in range(100)),
    "mail hosts without end": lambda name: " ".join(f"mx:{n}.{name}" for n in range(10)) + " -all",
    "ptr without end": lambda name: padding("ptr"),
    "validated names": lambda name: padding("exists:%{p}.%{i}.x.test"),
    "macros without end": lambda name: "exists:" + "%{d}" * (LONG // 4),
    "reversed macros": lambda name: "include:" + "%{d99r-.+,/_=}" * (LONG // 14) + ".x.test",
    "64 KiB": lambda name: "ip4:1.2.3.4 " * 5400,
    "64 KiB in one term": lambda name: "a:" + "x." * 32000 + "test",
    "an explanation of macros": lambda name: f"-all exp={name}",
}


class Hostile(Zone):
    """Every name has the record, a hundred addresses, ten mail hosts and a hundred names."""

    def __init__(self, terms: Callable[[str], str]) -> None:
        super().__init__({})
        object.__setattr__(self, "terms", terms)

    async def ask(self, name: str, rdtype: str, *, cd: bool = False) -> Lookup | Missing:
        self.asked.append((name, rdtype))
        records = {
            "TXT": (f"v=spf1 {self.terms(name)}",),  # type: ignore[attr-defined]
            "A": tuple(f"192.0.2.{n}" for n in range(100)),
            "MX": tuple(f"{n} {n}.mx.{name}" for n in range(10)),
            "PTR": tuple(f"{n}.ptr.test" for n in range(100)),
        }.get(rdtype, ())
        return Lookup(name, rdtype, Outcome.FOUND if records else Outcome.NO_DATA, records)


def cost(work: Awaitable[object]) -> float:
    async def run() -> float:
        begun = time.process_time()
        await work
        return time.process_time() - begun

    return asyncio.run(run())


@pytest.mark.parametrize("name", ZONES)
def test_the_walk_of_a_hostile_zone_ends_soon(name: str) -> None:
    zone = Hostile(ZONES[name])
    assert cost(item_says("a.test", zone)) < CPU_S
    assert len(zone.asked) <= WALK_QUESTIONS


@pytest.mark.parametrize("name", ZONES)
def test_a_mail_from_a_hostile_zone_is_judged_soon(name: str) -> None:
    zone = Hostile(ZONES[name])
    assert cost(check_host(Mail("203.0.113.9", "a.test", "x@a.test"), zone.ask)) < CPU_S
    assert len(zone.asked) <= MAX_QUESTIONS


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("includes itself", "fail:loop"),
        ("a chain without end", "fail:too_many"),
        ("a chain by macro", "fail:too_many"),
        ("four arms each", "fail:too_many"),
        ("addresses without end", "fail:too_many"),
        ("ptr without end", "fail:too_many"),
        ("64 KiB", "unknown:too_large"),
        ("64 KiB in one term", "unknown:too_large"),
    ],
)
def test_what_can_be_said_of_a_hostile_zone_is_said(name: str, said: str) -> None:
    assert asyncio.run(item_says("a.test", Hostile(ZONES[name]))) == said
