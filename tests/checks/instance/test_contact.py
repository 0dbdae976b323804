"""Where mail to the contact address goes: an address that nobody outside can send to is none."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from checks.probes.instance import _has_address
from checks.probes.look import Look
from checks.probes.net import Net
from checks.target import Limits
from tests.checks.dns.server import EMPTY, Say, name_server, resolver, vantage


@pytest.mark.parametrize(
    ("addresses", "wanted"),
    [
        (("93.184.215.14",), True),
        (("127.0.0.1",), False),
        (("10.0.0.1", "93.184.215.14"), True),
        ((), False),
    ],
)
def test_only_an_address_that_may_be_dialled_takes_mail(addresses: tuple[str, ...], wanted: bool) -> None:
    async def run() -> bool:
        async with name_server({("mx.test", "A"): Say(addresses), ("mx.test", "AAAA"): EMPTY}) as server:
            look = SimpleNamespace(dns=resolver(server), net=Net(vantage(server), Limits()))
            return await _has_address(cast(Look, look), "mx.test")

    assert asyncio.run(run()) is wanted
