"""The prober against servers that nothing installed can be: broken, ancient, ahead of their time, hostile."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import Counter

import pytest

from checks.data.tls_suites import everything
from checks.errors import Reason
from checks.facts import Missing
from checks.facts.tls import (
    Negotiated,
    SuiteFamily,
    TlsEndpoint,
    TlsOffer12,
    TlsVersion,
    UnseenEndpoint,
)
from checks.parse.tls import RETRY_RANDOM
from checks.probes.net import Net, Stream
from checks.probes.tls import look_in_full
from checks.probes.tls_findings import read_endpoint
from checks.probes.tls_flight import Flight, exchange
from checks.probes.tls_hello import TLS12, X25519MLKEM768, Hello
from checks.probes.tls_prober import Prelude, Prober
from checks.target import Limits, Vantage
from tests.checks.tls.servers import (
    HOST,
    Asked,
    Behaviour,
    alert,
    answering,
    chosen,
    extension,
    fake,
    handshake,
    server_hello,
)

VANTAGE = Vantage(allow_networks=("127.0.0.0/8",))
SSL3, TLS10, TLS11 = 0x0300, 0x0301, 0x0302
RSA_RC4, RSA_3DES, RSA_EXPORT, RSA_DES, RSA_AES, ECDHE_GCM = 0x0005, 0x000A, 0x0003, 0x0009, 0x002F, 0xC02F


async def _look(
    behave: Behaviour, prelude: Prelude | None = None, probe_s: float = 2.0
) -> tuple[Prober, Net]:
    net = Net(VANTAGE, Limits())
    async with fake(behave) as port:
        prober = Prober(net, "127.0.0.1", port, prelude, probe_s=probe_s, slow_s=probe_s)
        await look_in_full(prober, HOST)
    return prober, net


def endpoint(behave: Behaviour, probe_s: float = 2.0) -> TlsEndpoint:
    prober, _ = asyncio.run(_look(behave, None, probe_s))
    found = read_endpoint(prober)
    assert isinstance(found, TlsEndpoint), found
    return found


def fixed(suites: tuple[int, ...], versions: tuple[int, ...]) -> Behaviour:
    return answering(lambda asked: chosen(asked, suites, versions, b"no certificate"))


@pytest.mark.parametrize(
    ("suites", "versions", "offered", "family"),
    [
        ((RSA_RC4,), (SSL3,), {TlsVersion.SSL3}, SuiteFamily.RC4),
        ((RSA_3DES,), (TLS10,), {TlsVersion.TLS10}, SuiteFamily.TRIPLE_DES),
        ((RSA_EXPORT,), (TLS10,), {TlsVersion.TLS10}, SuiteFamily.EXPORT),
        ((RSA_DES,), (TLS11,), {TlsVersion.TLS11}, SuiteFamily.DES),
        ((RSA_3DES,), (TLS10, TLS12), {TlsVersion.TLS10, TlsVersion.TLS12}, SuiteFamily.TRIPLE_DES),
    ],
)
def test_what_only_ancient_servers_have_is_seen(
    suites: tuple[int, ...], versions: tuple[int, ...], offered: set[TlsVersion], family: SuiteFamily
) -> None:
    seen = endpoint(fixed(suites, versions))
    assert {a.version for a in seen.versions if a.offered is True} == offered
    assert {a.version for a in seen.versions if a.offered is False} == set(TlsVersion) - offered
    taken = {a.family for a in seen.suites if isinstance(a.chosen, Negotiated)}
    assert family in taken
    assert taken <= {family, SuiteFamily.RSA}


def _hybrid_only(asked: Asked) -> bytes:
    if asked.highest < 0x0304 or X25519MLKEM768 not in asked.groups:
        return alert(40)
    answer = extension(43, b"\x03\x04") + extension(51, X25519MLKEM768.to_bytes(2, "big"))
    return handshake(server_hello(0x0303, 0x1301, answer, session=asked.session, random=RETRY_RANDOM))


def test_a_server_with_nothing_but_the_hybrid_group_shows_tls_13() -> None:
    seen = endpoint(answering(_hybrid_only))
    assert seen.offers(TlsVersion.TLS13) is True
    assert seen.post_quantum is True
    assert seen.group13 == "X25519MLKEM768"
    assert seen.older is None


def test_an_alert_to_the_hybrid_group_is_a_no() -> None:
    def reply(asked: Asked) -> bytes:
        if asked.highest < 0x0304 or 0x1D not in asked.groups:
            return alert(40)
        share = b"\x00\x1d\x00\x20" + b"k" * 32
        answer = extension(43, b"\x03\x04") + extension(51, share)
        return handshake(server_hello(0x0303, 0x1301, answer, session=asked.session))

    seen = endpoint(answering(reply))
    assert (seen.post_quantum, seen.group13, seen.suite13) == (False, "x25519", "TLS_AES_128_GCM_SHA256")


def test_compression_and_unprotected_renegotiation_are_seen() -> None:
    def reply(asked: Asked) -> bytes:
        if asked.highest != TLS12 or ECDHE_GCM not in asked.suites:
            return alert(70)
        return handshake(server_hello(TLS12, ECDHE_GCM, compression=1), (14, b""))

    older = endpoint(answering(reply)).older
    assert isinstance(older, TlsOffer12)
    assert older.compression
    assert not older.secure_renegotiation
    assert not older.extended_master_secret


def test_a_server_hello_is_proof_even_if_nothing_follows() -> None:
    async def behave(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(handshake(server_hello(TLS10, RSA_AES), version=TLS10))
        await reader.read()

    seen = endpoint(behave, 0.3)
    assert seen.offers(TlsVersion.TLS10) is True
    assert isinstance(seen.older, TlsOffer12)


def test_a_warning_before_the_server_hello_is_passed_over() -> None:
    def reply(asked: Asked) -> bytes:
        return alert(112, level=1) + chosen(asked, (RSA_AES,), (TLS12,), b"x")

    assert endpoint(answering(reply)).offers(TlsVersion.TLS12) is True


def test_a_suite_that_was_never_registered_is_shown_by_its_number() -> None:
    def reply(asked: Asked) -> bytes:
        return handshake(server_hello(TLS12, 0xFAFA), (14, b"")) if asked.highest == TLS12 else alert(70)

    older = endpoint(answering(reply)).older
    assert isinstance(older, TlsOffer12)
    assert older.preferred == "0xFAFA"


async def _silent(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _reset(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    found = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _drip(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in handshake(server_hello(TLS12, ECDHE_GCM)):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def _flood(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\x16\x03\x03\x40\x00" + b"\x0b" + b"\xff" * 16383)
        await writer.drain()


async def _empty_records(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\x16\x03\x03\x00\x00" * 1000)
        await writer.drain()


async def _warnings(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(alert(112, level=1) * 1000)
        await writer.drain()


async def _long_chain(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(handshake(server_hello(TLS12, ECDHE_GCM)))
    writer.write(b"\x16\x03\x03\x40\x00" + b"\x0b\x01\xff\x00" + bytes(16380))
    for _ in range(20):
        writer.write(b"\x16\x03\x03\x40\x00" + bytes(16384))
    await writer.drain()


HOSTILE: dict[str, tuple[Behaviour, set[Reason]]] = {
    "silent": (_silent, {Reason.TIMEOUT}),
    "reset": (_reset, {Reason.CONNECTION_LOST}),
    "drip": (_drip, {Reason.TIMEOUT}),
    "flood": (_flood, {Reason.MALFORMED, Reason.TOO_LARGE}),
    "empty records": (_empty_records, {Reason.MALFORMED}),
    "warnings": (_warnings, {Reason.MALFORMED}),
    "garbage": (answering(lambda asked: b"\x00garbage" * 100), {Reason.MALFORMED}),
    "plain http": (answering(lambda asked: b"HTTP/1.1 400 Bad Request\r\n\r\n"), {Reason.MALFORMED}),
    "truncated": (answering(lambda asked: handshake(server_hello(TLS12, ECDHE_GCM))[:20]), {Reason.CONNECTION_LOST}),
    "wrong message": (answering(lambda asked: handshake((1, b"x" * 50))), {Reason.MALFORMED}),
    "version from the future": (answering(lambda asked: handshake(server_hello(0x0399, 1))), {Reason.MALFORMED}),
    "every alert": (answering(lambda asked: alert(40)), {Reason.WITHHELD}),
    "closes": (answering(lambda asked: b""), {Reason.WITHHELD}),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_server_that_shows_nothing_is_unseen_and_never_without_old_versions(kind: str) -> None:
    behave, reasons = HOSTILE[kind]
    began = time.perf_counter()
    prober, net = asyncio.run(_look(behave, None, 0.3))
    found = read_endpoint(prober)
    assert isinstance(found, UnseenEndpoint), found
    assert found.gap.reason in reasons
    assert net.used["tls"] <= 22
    assert time.perf_counter() - began < 8


def test_nobody_at_the_door_is_refused() -> None:
    async def run() -> TlsEndpoint | UnseenEndpoint:
        async with fake(_silent) as port:
            pass
        prober = Prober(Net(VANTAGE, Limits()), "127.0.0.1", port)
        await look_in_full(prober, HOST)
        return read_endpoint(prober)

    found = asyncio.run(run())
    assert isinstance(found, UnseenEndpoint)
    assert found.gap.reason is Reason.REFUSED


def test_a_message_over_the_cap_leaves_the_proof_and_no_certificate() -> None:
    async def run() -> Flight | object:
        net = Net(VANTAGE, Limits())
        async with fake(_long_chain) as port:
            stream = await net.connect("127.0.0.1", port, "tls", max_bytes=160 * 1024)
            try:
                return await exchange(stream, Hello(HOST, TLS12, everything()))
            finally:
                stream.close()

    answer = asyncio.run(run())
    assert isinstance(answer, Flight)
    assert isinstance(answer.chain, Missing)


def _after(count: int, then: Behaviour) -> Behaviour:
    """A good server for the first connections, then something else."""
    heard: Counter[str] = Counter()
    good = fixed((ECDHE_GCM,), (TLS12,))

    async def behave(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard["connections"] += 1
        await (good if heard["connections"] <= count else then)(record, reader, writer)

    return behave


def test_a_ban_in_mid_scan_is_called_so_and_passes_nothing() -> None:
    prober, net = asyncio.run(_look(_after(3, _reset)))
    seen = read_endpoint(prober)
    assert isinstance(seen, TlsEndpoint)
    gaps = [a.offered for a in seen.versions if isinstance(a.offered, Missing)]
    assert gaps
    assert {gap.reason for gap in gaps} == {Reason.BANNED}
    assert net.used["tls"] <= 22


def test_a_server_that_resets_old_hellos_is_not_taken_for_one_that_bans(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("checks.probes.net._BACK_OFF_S", (0.01,))
    good = fixed((ECDHE_GCM,), (TLS12,))

    async def behave(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        offered = int.from_bytes(record[9:11], "big")
        await (good if offered >= TLS12 else _reset)(record, reader, writer)

    prober, net = asyncio.run(_look(behave))
    seen = read_endpoint(prober)
    assert isinstance(seen, TlsEndpoint)
    old = [seen.offers(version) for version in (TlsVersion.SSL3, TlsVersion.TLS10, TlsVersion.TLS11)]
    assert [o.reason for o in old if isinstance(o, Missing)] == [Reason.CONNECTION_LOST] * 3
    assert seen.offers(TlsVersion.TLS12) is True
    assert net.used["tls"] <= 22


def test_one_lost_answer_is_made_good_by_the_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.probes.net._BACK_OFF_S", (0.01,))
    good, lost = fixed((ECDHE_GCM,), (TLS12,)), Counter[int]()

    async def behave(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        offered = int.from_bytes(record[9:11], "big")
        lost[offered] += 1
        first = offered == TLS10 and lost[offered] == 1
        await (_reset if first else good)(record, reader, writer)

    prober, _ = asyncio.run(_look(behave))
    seen = read_endpoint(prober)
    assert isinstance(seen, TlsEndpoint)
    assert seen.offers(TlsVersion.TLS10) is False


def test_a_prelude_brings_the_connection_to_where_tls_begins() -> None:
    async def prelude(stream: Stream) -> None:
        await stream.write(b"\x00\x00\x00\x00\x05HELLO")
        assert await stream.read_exactly(2) == b"OK"

    async def behave(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert record.endswith(b"HELLO")
        writer.write(b"OK")
        head = await reader.readexactly(5)
        body = await reader.readexactly(int.from_bytes(head[3:], "big"))
        await fixed((ECDHE_GCM,), (TLS12,))(head + body, reader, writer)

    prober, _ = asyncio.run(_look(behave, prelude))
    seen = read_endpoint(prober)
    assert isinstance(seen, TlsEndpoint)
    assert seen.offers(TlsVersion.TLS12) is True
