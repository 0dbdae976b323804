"""Whatever is wrong with the DNS on our side, nothing passes and nothing fails: it is unknown."""

from __future__ import annotations

import asyncio

import pytest

from checks.evaluate import evaluate
from checks.items import all_items
from checks.model import Status
from checks.probes import dns as dns_probe
from checks.probes import gather, mail
from checks.target import Target
from tests.checks.dns.made import short
from tests.checks.dns.server import SERVFAIL, SILENT, Say, name_server, vantage

ITEMS = [i for i in all_items().values() if i.topic in ("domain", "mail") and i.id != "domain.permanent"]

FAULTS = {
    "servfail": SERVFAIL,
    "refused": Say(rcode="REFUSED"),
    "silent": SILENT,
    "garbage": Say(garbage=b"\x00\x01\x02"),
    "another protocol": Say(garbage=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "cut over TCP": Say(cut_udp=True, cut_tcp=True),
    "alias alone": Say(chain=("cdn.test.",), soa=False),
    "alias without end": Say(chain=("a.test.", "b.test.", "a.test.")),
    "referral": Say(referral=True),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("selectors", [(), ("s",)], ids=["no selector", "selector"])
def test_a_fault_of_the_resolver_is_no_verdict(
    fault: str, selectors: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns_probe, "_TRIES_S", (0.05, 0.05))

    async def run() -> dict[str, str]:
        async with name_server({}, FAULTS[fault]) as server:
            target = Target("a.test", dkim_selectors=selectors)
            seen = await gather(target, vantage(server), probes=(*dns_probe.PROBES, *mail.PROBES))
            made = evaluate(seen.facts, ITEMS)
            allowed = {Status.UNKNOWN, Status.MANUAL}
            return {key: short(verdict) for key, verdict in made.items() if verdict.status not in allowed}

    assert asyncio.run(run()) == {}
