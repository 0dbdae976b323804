"""A whole scan of the lab's servers: every question goes out once, and all of them fit the budget."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from checks.facts.dns import ChainStatus, Dnssec
from checks.probes import Gathered, dns_zone, gather
from checks.probes import dns as dns_probe
from checks.target import Limits, Target, Vantage
from tests.checks.dns.relay import Asked, relay
from tests.lab.lab import Lab

pytestmark = pytest.mark.lab

BUDGET = 80


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine a question must not be asked again."""
    monkeypatch.setattr(dns_probe, "_TRIES_S", (20.0, 20.0))
    monkeypatch.setattr(dns_zone, "_SERVER_S", (20.0, 20.0))


def scan(lab: Lab, domain: str) -> tuple[Gathered, Counter[Asked]]:
    async def run() -> tuple[Gathered, Counter[Asked]]:
        async with relay(lab.resolver) as between:
            view = Vantage(
                resolver=f"127.0.0.1:{between.port}",
                trust_pem=lab.ca_file.read_text(),
                allow_networks=lab.networks,
                secure_name=lab.secure_name,
                bogus_name=lab.bogus_name,
                anchors=tuple(lab.dnssec_anchor.read_text().splitlines()),
                rdap_bootstrap=str(lab.rdap_bootstrap),
            )
            return await gather(Target(domain), view), between.asked

    return asyncio.run(run())


@pytest.mark.parametrize("host", [Lab.good, Lab.bad])
def test_no_question_goes_out_twice_and_all_fit_the_budget(lab: Lab, host: str) -> None:
    gathered, asked = scan(lab, host)
    assert [question for question, times in asked.items() if times > 1] == []
    to_servers = gathered.connections["dns"] - asked.total()
    assert 1 <= to_servers <= dns_zone.SERVERS_ASKED  # the name servers are asked directly, each once
    assert gathered.connections["dns"] <= Limits().budget["dns"] == BUDGET


def test_the_walk_comes_to_what_the_zones_are(lab: Lab) -> None:
    def statuses(host: str) -> dict[str, ChainStatus]:
        names = scan(lab, host)[0].facts.get(Dnssec).names
        return {name.name: name.chain.status for name in names if name.chain is not None}

    assert set(statuses(Lab.good).values()) == {ChainStatus.SECURE}
    bad = statuses(Lab.bad)
    assert bad[Lab.bad] is ChainStatus.INSECURE
    assert bad["mx.bogus.fedi.test"] is ChainStatus.BOGUS
