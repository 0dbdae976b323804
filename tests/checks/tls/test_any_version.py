"""The one hello for mail: whatever the server's best version is, it is met, with its certificate."""

from __future__ import annotations

import asyncio

import pytest

from checks.parse.tls import Chain
from checks.probes.net import Net
from checks.probes.tls_flight import Flight, Refusal, exchange
from checks.probes.tls_hello import X25519
from checks.probes.tls_prober import any_version_hello
from checks.target import Limits, Vantage
from tests.checks.tls.servers import HOST, TlsLab, read_hello

VANTAGE = Vantage(allow_networks=("127.0.0.0/8",))


def meet(lab: TlsLab, case: str) -> Flight | Refusal:
    async def run() -> Flight | Refusal:
        stream = await Net(VANTAGE, Limits()).connect(
            lab.addresses[case], lab.port, "smtp", max_bytes=160 * 1024
        )
        try:
            return await exchange(stream, any_version_hello(HOST), group=X25519)
        finally:
            stream.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("case", "version", "sent"),
    [
        ("modern", 0x0304, 2), ("tls13_only", 0x0304, 2), ("tls12_only", 0x0303, 2), ("tls10_only", 0x0301, 2),
        ("p521", 0x0304, 2), ("p384", 0x0304, 2), ("old", 0x0303, 2), ("cbc", 0x0303, 2), ("dhe_2048", 0x0303, 2),
        ("ccm", 0x0304, 2), ("no_intermediate", 0x0304, 1),
    ],
)  # fmt: skip
def test_the_best_version_is_met_with_its_certificate(
    tls_lab: TlsLab, case: str, version: int, sent: int
) -> None:
    answer = meet(tls_lab, case)
    assert isinstance(answer, Flight)
    assert answer.hello.version == version
    assert isinstance(answer.chain, Chain)
    assert len(answer.chain.certificates) == sent
    assert answer.proven


def test_a_refusal_is_called_so(tls_lab: TlsLab) -> None:
    answer = meet(tls_lab, "refuses")
    assert isinstance(answer, Refusal)
    assert answer.why == "alert unrecognized_name"


def test_the_hello_offers_four_versions_and_no_protocol_of_the_web() -> None:
    asked = read_hello(any_version_hello(HOST).record())
    assert asked.extensions[43] == b"\x08\x03\x04\x03\x03\x03\x02\x03\x01"
    assert 16 not in asked.extensions
    assert {0, 5, 10, 11, 13, 23, 35, 0xFF01, 51} <= set(asked.extensions)
    assert len(asked.suites) == 64
    assert set(asked.suites) >= {0x1301, 0x1302, 0xC02F, 0x002F}
