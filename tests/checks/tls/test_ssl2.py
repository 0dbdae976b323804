"""SSL 2.0: its hello, its answers, and what a reset or silence in its place means."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import ParseError, Reason
from checks.evaluate import evaluate
from checks.facts import Facts, Missing
from checks.facts.tls import TlsEndpoint, TlsOffer, TlsVersion, UnseenEndpoint
from checks.items import all_items
from checks.parse.tls_ssl2 import CIPHERS, Error2, ServerHello2, client_hello, parse_answer2, take_record2
from checks.probes.net import Net
from checks.probes.tls import look_in_full
from checks.probes.tls_findings import read_endpoint
from checks.probes.tls_prober import Prober
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
    record2,
    server_hello,
    server_hello2,
)

VANTAGE = Vantage(allow_networks=("127.0.0.0/8",))
SSL2, TLS12 = TlsVersion.SSL2, 0x0303


def says(data: bytes, *, stays: bool = False) -> Behaviour:
    async def behave(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if stays:
            await reader.read()

    return behave


async def resets(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _tls12(asked: Asked) -> bytes:
    return chosen(asked, (0xC02F,), (TLS12,), b"no certificate")


def _tls13(asked: Asked) -> bytes:
    if asked.highest < 0x0304:
        return alert(70)
    answer = extension(43, b"\x03\x04") + extension(51, b"\x00\x1d\x00\x20" + b"k" * 32)
    return handshake(server_hello(0x0303, 0x1301, answer, session=asked.session))


async def _look(behave: Behaviour, ssl2: Behaviour) -> tuple[Prober, Net]:
    net = Net(VANTAGE, Limits())
    async with fake(behave, ssl2) as port:
        prober = Prober(net, "127.0.0.1", port, probe_s=0.6, slow_s=0.3)
        await look_in_full(prober, HOST)
    return prober, net


def look(behave: Behaviour, ssl2: Behaviour) -> tuple[TlsEndpoint, Net]:
    prober, net = asyncio.run(_look(behave, ssl2))
    found = read_endpoint(prober)
    assert isinstance(found, TlsEndpoint), found
    return found, net


def test_a_server_hello_of_ssl_2_fails_versions_ciphers_and_rating() -> None:
    seen, _ = look(answering(_tls12), says(record2(server_hello2())))
    assert seen.offers(SSL2) is True
    assert seen.ssl2_ciphers == ("SSL_CK_RC4_128_WITH_MD5", "SSL_CK_RC4_128_EXPORT40_WITH_MD5")
    facts = Facts().with_facts(TlsOffer(HOST, (seen,)))
    items = [all_items()["tls.versions"], all_items()["tls.ciphers"]]
    versions, ciphers = evaluate(facts, items).values()
    assert (versions.code, versions.data["versions"]) == ("old", "SSLv2")
    assert "SSL_CK_RC4_128_WITH_MD5" in versions.evidence[0].text
    assert (ciphers.code, ciphers.data["families"]) == ("broken", "SSLv2")


def test_ssl_2_beside_tls_13_is_seen_as_well() -> None:
    seen, _ = look(answering(_tls13), says(record2(server_hello2(b""))))
    assert (seen.offers(SSL2), seen.offers(TlsVersion.TLS13)) == (True, True)
    assert seen.ssl2_ciphers == ()


def test_a_server_with_ssl_2_alone_is_seen() -> None:
    seen, _ = look(answering(lambda asked: alert(40)), says(record2(server_hello2())))
    assert [a.version for a in seen.versions if a.offered is True] == [SSL2]
    facts = Facts().with_facts(TlsOffer(HOST, (seen,)))
    assert evaluate(facts, [all_items()["tls.ciphers"]])["tls.ciphers"].code == "broken"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        alert(70),
        alert(40, level=2),
        record2(b"\0\0\1"),
        handshake(server_hello(TLS12, 0xC02F)),
    ],
    ids=["end", "protocol_version", "handshake_failure", "no cipher", "TLS"],
)
def test_a_refusal_is_a_no(answer: bytes) -> None:
    assert look(answering(_tls12), says(answer))[0].offers(SSL2) is False


UNCLEAR: dict[str, tuple[Behaviour, Reason]] = {
    "silent": (says(b"", stays=True), Reason.TIMEOUT),
    "reset": (resets, Reason.CONNECTION_LOST),
    "garbage": (says(b"\x00garbage"), Reason.MALFORMED),
    "plain http": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Reason.MALFORMED),
    "truncated": (says(record2(server_hello2())[:20]), Reason.CONNECTION_LOST),
    "half an alert": (says(alert(70)[:4]), Reason.CONNECTION_LOST),
    "another version": (says(record2(server_hello2(version=3))), Reason.MALFORMED),
    "oversized": (says(b"\xff\xff\x04" + bytes(40000)), Reason.MALFORMED),
}


@pytest.mark.parametrize("kind", UNCLEAR)
def test_what_is_neither_answer_nor_refusal_is_unknown(kind: str) -> None:
    behave, reason = UNCLEAR[kind]
    seen, net = look(answering(_tls12), behave)
    offered = seen.offers(SSL2)
    assert isinstance(offered, Missing)
    assert offered.reason is reason
    facts = Facts().with_facts(TlsOffer(HOST, (seen,)))
    assert evaluate(facts, [all_items()["tls.versions"]])["tls.versions"].reason is reason
    assert not net._manners["127.0.0.1"].troubles


@pytest.mark.parametrize("kind", UNCLEAR)
def test_with_tls_13_silence_and_resets_are_a_no_and_not_asked_about_again(kind: str) -> None:
    heard = []

    async def counting(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(record)
        await UNCLEAR[kind][0](record, reader, writer)

    seen, _ = look(answering(_tls13), counting)
    assert seen.offers(SSL2) is False
    assert len(heard) == 1


def test_a_server_that_shows_nothing_is_unseen() -> None:
    prober, _ = asyncio.run(_look(answering(lambda asked: alert(40)), resets))
    assert isinstance(read_endpoint(prober), UnseenEndpoint)


def test_the_hello_is_that_of_the_draft() -> None:
    hello = client_hello(b"?" * 16)
    assert hello[:2] == (0x8000 | (len(hello) - 2)).to_bytes(2, "big")
    assert hello[2:5] == b"\x01\x00\x02"
    assert hello[5:11] == b"\x00\x1e\x00\x00\x00\x10"
    assert hello[11:14] == b"\x01\x00\x80"
    assert hello.endswith(b"?" * 16)
    assert len(hello) == 11 + 3 * len(CIPHERS) + 16
    with pytest.raises(ValueError, match="challenge"):
        client_hello(b"short")


def test_answers_are_read() -> None:
    assert parse_answer2(server_hello2()).ciphers[0] == "SSL_CK_RC4_128_WITH_MD5"  # type: ignore[union-attr]
    assert parse_answer2(server_hello2(b"\x12\x34\x56")) == ServerHello2(("0x123456",), b"certificate")
    assert parse_answer2(b"\0\0\1") == Error2(1)
    whole = record2(server_hello2())
    assert all(take_record2(whole[:cut]) is None for cut in range(len(whole)))
    assert take_record2(whole + b"more") == server_hello2()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x04",
        b"\0\0",
        b"\0\0\1\0",
        b"\1" + server_hello2()[1:],
        server_hello2(version=0x0300),
        server_hello2(hit=1),
        server_hello2(certificate=b""),
        server_hello2(ciphers=b"\1\0"),
        server_hello2(connection=b"c" * 33),
        server_hello2() + b"x",
        server_hello2()[:-1],
    ],
)
def test_other_answers_are_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_answer2(body)


@pytest.mark.parametrize("begin", [b"\x00\x10", b"\x16\x03\x01", b"H", b"\x80\x00"])
def test_what_is_no_record_of_ssl_2_is_refused(begin: bytes) -> None:
    with pytest.raises(ParseError):
        take_record2(begin)


@given(data=st.binary(max_size=8192), begin=st.sampled_from([b"", b"\x04\0\1\0\2", b"\x80\x10"]))
@settings(max_examples=500, deadline=None)
def test_no_bytes_break_the_parsers(data: bytes, begin: bytes) -> None:
    began = time.perf_counter()
    for parse in (take_record2, parse_answer2):
        try:
            parse(begin + data)
        except ParseError:
            continue
    assert time.perf_counter() - began < 2  # a safeguard against a loop, not a measure
