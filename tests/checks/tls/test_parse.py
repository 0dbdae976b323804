"""The parsers of a first flight: well-formed bytes are read, all others are refused, none breaks them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.data.tls_suites import OFFERED_MAX, everything, family, name_of, suite_called, suites
from checks.errors import ParseError
from checks.facts.tls import SuiteFamily
from checks.parse import tls as wire
from checks.probes.tls_hello import P384, SSL3, TLS10, TLS12, X25519, Hello, hello13
from tests.checks.tls.servers import HOST, extension, handshake, read_hello, server_hello

PARSERS: tuple[Callable[[bytes], object], ...] = (
    wire.take_record,
    wire.take_message,
    wire.parse_alert,
    wire.parse_server_hello,
    wire.parse_extensions,
    wire.parse_encrypted_extensions,
    wire.parse_alpn,
    lambda data: wire.parse_chain(data, tls13=False),
    lambda data: wire.parse_chain(data, tls13=True),
    wire.parse_logs,
    wire.parse_staple,
    wire.parse_certificate_verify,
    *(
        (lambda data, kind=kind, version=version: wire.parse_signed(data, kind, version))
        for kind in ("ECDHE_RSA", "DHE_DSS", "RSA_EXPORT", "DH_anon", "")
        for version in (TLS10, TLS12)
    ),
    lambda data: wire.parse_key_exchange(data, "ECDHE_RSA"),
    lambda data: wire.parse_key_exchange(data, "DHE_RSA"),
)


@given(data=st.binary(max_size=8192), which=st.sampled_from(PARSERS))
@settings(max_examples=600, deadline=None)
def test_no_bytes_break_a_parser(data: bytes, which: Callable[[bytes], object]) -> None:
    began = time.perf_counter()
    try:
        which(data)
    except ParseError as error:
        assert str(error)
    assert time.perf_counter() - began < 0.05


@given(at=st.integers(0, 200), value=st.integers(0, 255), cut=st.integers(0, 200))
@settings(deadline=None)
def test_no_damage_to_a_server_hello_breaks_its_parser(at: int, value: int, cut: int) -> None:
    body = bytearray(server_hello(TLS12, 0xC02F, extension(0xFF01, b"\0") + extension(16, b"\0\3\2h2"))[1])
    body[at % len(body)] = value
    for data in (bytes(body), bytes(body[: cut % len(body)])):
        try:
            found = wire.parse_server_hello(data)
        except ParseError:
            continue
        assert 0x0300 <= found.version <= 0x0304


def test_a_server_hello_is_read() -> None:
    body = server_hello(TLS12, 0xC02F, extension(16, b"\0\3\2h2") + extension(23, b""), session=b"s" * 32)[1]
    hello = wire.parse_server_hello(body)
    assert (hello.version, hello.suite, hello.compression, hello.session_id) == (TLS12, 0xC02F, 0, b"s" * 32)
    assert hello.extension(wire.MASTER_SECRET) == b""
    assert wire.parse_alpn(hello.extension(wire.ALPN) or b"") == b"h2"
    assert hello.extension(wire.SESSION_TICKET) is None


def test_a_retry_names_its_group() -> None:
    extensions = extension(43, b"\3\4") + extension(51, b"\x11\xec")
    hello = wire.parse_server_hello(server_hello(TLS12, 0x1301, extensions, random=wire.RETRY_RANDOM)[1])
    assert (hello.is_retry, hello.version, hello.group, hello.share) == (True, 0x0304, 0x11EC, b"")


def _entry(data: bytes, tls13: bool, extensions: bytes = b"") -> bytes:
    whole = len(data).to_bytes(3, "big") + data
    return whole + (len(extensions).to_bytes(2, "big") + extensions if tls13 else b"")


def test_chains_are_read_in_both_forms() -> None:
    old = _entry(b"leaf", False) + _entry(b"middle", False)
    assert wire.parse_chain(len(old).to_bytes(3, "big") + old, tls13=False) == wire.Chain(
        (b"leaf", b"middle")
    )
    one, other = (b"\0\x23\0" + log * 32 + b"ab" for log in (b"1", b"2"))
    scts = (0x25 * 3).to_bytes(2, "big") + one + other + one
    beside = extension(5, b"\1\0\0\6staple") + extension(18, scts)
    new = _entry(b"leaf", True, beside) + _entry(b"middle", True)
    found = wire.parse_chain(b"\0" + len(new).to_bytes(3, "big") + new, tls13=True)
    assert found == wire.Chain((b"leaf", b"middle"), b"staple", (b"1" * 32, b"2" * 32))


@pytest.mark.parametrize(
    "body",
    [
        b"\0\0\0",
        b"\0\0\3\0\0\0",
        b"\0\0\5\0\0\5le",
        (17 * 4).to_bytes(3, "big") + b"\0\0\1x" * 17,
    ],
)
def test_a_chain_without_certificates_or_with_too_many_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        wire.parse_chain(body, tls13=False)


@pytest.mark.parametrize(
    ("bytes_", "message"),
    [
        (b"HTTP/1.1 400", "no TLS record"),
        (b"\x16\x05\x00", "no TLS version"),
        (b"\x16\x03\x03\x48\x01", "record too long"),
    ],
)
def test_what_is_no_record_is_refused(bytes_: bytes, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        wire.take_record(bytes_)


def test_a_message_over_the_cap_is_refused_before_it_is_read() -> None:
    with pytest.raises(ParseError, match="too long"):
        wire.take_message(b"\x0b\x02\x00\x01")


def test_records_and_messages_wait_until_they_are_whole() -> None:
    whole = handshake((14, b"abc"))
    assert all(wire.take_record(whole[:cut]) is None for cut in range(len(whole)))
    record = wire.take_record(whole + b"more")
    assert record is not None
    assert record.size == len(whole)
    assert all(wire.take_message(record.body[:cut]) is None for cut in range(len(record.body)))
    assert wire.take_message(record.body) == wire.Message(14, b"abc", record.body)


@pytest.mark.parametrize(
    ("body", "expected"), [(b"\x02\x28", (True, 40)), (b"\x01\x70", (False, 112)), (b"\x01\0", (True, 0))]
)
def test_an_alert_is_read(body: bytes, expected: tuple[bool, int]) -> None:
    assert wire.parse_alert(body) == expected


def test_the_size_of_p_is_counted_without_leading_zeros() -> None:
    body = (129).to_bytes(2, "big") + b"\0" + b"\xff" * 128 + b"\0\1\2\0\1\3"
    assert wire.parse_key_exchange(body, "DHE_RSA").dh_bits == 1024
    assert wire.parse_key_exchange(b"\3\0\x18\x41", "ECDHE_ECDSA").curve == P384
    with pytest.raises(ParseError):
        wire.parse_key_exchange(b"\1\0\x18", "ECDHE_ECDSA")


@pytest.mark.parametrize("version", [SSL3, TLS10, TLS12])
def test_a_hello_says_what_it_was_told(version: int) -> None:
    asked = read_hello(Hello(HOST, version, everything()).record())
    assert (asked.version, asked.highest, asked.suites) == (version, version, everything())
    assert (0 in asked.extensions) is (version != SSL3)


def test_a_hello_is_never_of_the_length_that_old_load_balancers_hang_on() -> None:
    for count in range(1, OFFERED_MAX + 1):
        message = Hello(HOST, TLS12, everything()[:count]).message()
        assert not 256 <= len(message) < 512


def test_a_hello_for_tls_13_offers_nothing_older_and_no_compression() -> None:
    asked = read_hello(hello13(HOST, (0x1301,), (X25519,)).record())
    assert asked.extensions[43] == b"\2\3\4"
    assert asked.extensions[51] == b"\0\0"
    assert asked.groups == (X25519,)


def test_families_hold_what_they_say_and_fit_one_hello() -> None:
    words = {
        SuiteFamily.NULL: "_NULL_", SuiteFamily.ANONYMOUS: "_anon_", SuiteFamily.EXPORT: "EXPORT",
        SuiteFamily.RC4: "_RC4_128_", SuiteFamily.TRIPLE_DES: "_3DES_", SuiteFamily.RSA: "TLS_RSA_WITH_",
        SuiteFamily.DHE: "TLS_DHE_", SuiteFamily.CBC: "_CBC_",
    }  # fmt: skip
    for kind in SuiteFamily:
        names = [name_of(number) for number in family(kind)]
        assert 1 <= len(names) <= OFFERED_MAX
        assert all(words.get(kind, "TLS_") in name for name in names), kind
    assert all(suites()[n].is_aead and suites()[n].has_forward_secrecy for n in family(SuiteFamily.AEAD))
    assert not {n for n in family(SuiteFamily.CBC) if suites()[n].has_small_blocks}


def test_every_family_is_among_everything() -> None:
    assert len(everything()) == OFFERED_MAX
    assert all(set(family(kind)) & set(everything()) for kind in SuiteFamily)


@pytest.mark.parametrize(
    ("name", "bits", "aead", "cbc", "secret"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 128, True, False, True),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", 256, True, False, True),
        ("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 256, True, False, True),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", 112, False, True, False),
        ("TLS_RSA_WITH_DES_CBC_SHA", 56, False, True, False),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", 40, False, False, False),
        ("TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", 40, False, True, False),
        ("TLS_RSA_WITH_RC4_128_MD5", 128, False, False, False),
        ("TLS_ECDH_anon_WITH_NULL_SHA", 0, False, False, False),
        ("TLS_AES_256_GCM_SHA384", 256, True, False, True),
    ],
)
def test_a_suite_is_read_off_its_name(name: str, bits: int, aead: bool, cbc: bool, secret: bool) -> None:
    suite = suite_called(name)
    assert suite is not None
    assert (suite.bits, suite.is_aead, suite.is_cbc, suite.has_forward_secrecy) == (bits, aead, cbc, secret)


def test_the_best_suites_stand_first_and_the_broken_last() -> None:
    order = [name_of(number) for number in everything()]
    assert order[0].startswith("TLS_ECDHE")
    assert "GCM" in order[0]
    assert order.index("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256") < order.index(
        "TLS_RSA_WITH_AES_128_GCM_SHA256"
    )
    assert order.index("TLS_RSA_WITH_3DES_EDE_CBC_SHA") < order.index("TLS_RSA_EXPORT_WITH_RC4_40_MD5")
