"""Which address the login goes to, and that none is dialled that the rule refuses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.inside import Inside
from checks.probes import gather, inside
from checks.target import Access, Limits, Target, Vantage
from tests.checks.inside.servers import KEY, ME, REPORT, Enrolled, enrolled
from tests.checks.ssh.servers import LOOPBACK, VANTAGE, at_address, free_port
from tests.lab.lab import Lab


def gap_at(access: Access, *v4: str, origins: tuple[str, ...] = (), vantage: Vantage = VANTAGE) -> Missing:
    """Why nothing was seen, where the instance's name leads to `v4`."""
    target = Target("instance.example", origins=origins, access=access)
    probes = (at_address(*v4), *inside.PROBES)
    return asyncio.run(gather(target, vantage, Limits(), probes=probes)).facts.missing[Inside]


def closed(host: str) -> Access:
    return replace(Enrolled(free_port(), KEY.public, Path()).access(), host=host)


def test_without_a_host_it_is_the_instance_s_own_address() -> None:
    access = closed("")
    assert gap_at(access, LOOPBACK) == Missing(Reason.REFUSED, f"{LOOPBACK} port {access.port}")
    assert gap_at(access).reason is Reason.NO_IPV6


def test_behind_a_cdn_it_is_the_first_origin_or_none() -> None:
    access = closed("")
    assert gap_at(access, "104.16.1.1", origins=(LOOPBACK,)).detail == f"{LOOPBACK} port {access.port}"
    gap = gap_at(access, "104.16.1.1")
    assert gap == Missing(Reason.NOT_ASKED, "Cloudflare stands in front, no origin is named")


def test_a_named_host_is_looked_up_and_an_address_is_taken_as_it_is(lab: Lab) -> None:
    place = Vantage(resolver=lab.resolver, allow_networks=lab.networks)
    access = closed("good.fedi.test")
    assert gap_at(access, "192.0.2.1", vantage=place).detail == f"127.66.0.10 port {access.port}"
    assert gap_at(closed("nothing.good.fedi.test"), vantage=place).reason is Reason.NO_SUCH_NAME
    with enrolled("ForceCommand printf '" + REPORT.replace("\n", "\\n") + "'") as server:
        assert server.access(user=ME).host == LOOPBACK
        target = Target("instance.example", access=server.access())
        gathered = asyncio.run(gather(target, VANTAGE, Limits(), probes=inside.PROBES))
    assert Inside in gathered.facts.found


def test_a_private_address_is_not_dialled() -> None:
    gap = gap_at(closed("10.1.2.3"))
    assert gap == Missing(Reason.FORBIDDEN_ADDRESS, "10.1.2.3")
    assert gap_at(closed(LOOPBACK), vantage=Vantage(resolver="127.0.0.9")).reason is Reason.FORBIDDEN_ADDRESS
