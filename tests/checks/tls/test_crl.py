"""The authority's list of revoked certificates: fetched from loopback, made with faults, and judged."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import Reason, TimedOut
from checks.facts import Missing
from checks.facts.tls import Revocation, RevocationList, ServedCertificates, WebCertificate
from checks.parse.tls import Chain
from checks.probes import tls_issuer
from checks.probes.look import Look
from checks.probes.net import Net
from checks.probes.tls_chain import read_chain
from checks.probes.tls_crl import list_urls, look_up, read_list
from checks.target import Limits, Vantage
from tests.checks.tls.made import NOW as THEN
from tests.checks.tls.made import certificate, facts, web
from tests.checks.tls.servers import HOST, ca_key, free_port, signed_again
from tests.checks.tls.test_items import FAIL, PASS, verdict_of
from tests.lab.ca import LabCa

URL = "http://e7.c.lencr.org/1.crl"
NOW, DAY = dt.datetime.now(dt.UTC).replace(microsecond=0), dt.timedelta(days=1)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> LabCa:
    return LabCa(tmp_path_factory.mktemp("ca"))


def points(*urls: str) -> x509.CRLDistributionPoints:
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


@pytest.fixture(scope="module")
def leaf(ca: LabCa) -> x509.Certificate:
    return signed_again(ca, ca.issue(HOST).certificate, points(URL))


def scope(url: str, **changes: Any) -> x509.IssuingDistributionPoint:
    whole = {
        "full_name": [x509.UniformResourceIdentifier(url)], "relative_name": None, "only_contains_user_certs": True,
        "only_contains_ca_certs": False, "only_some_reasons": None, "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }  # fmt: skip
    return x509.IssuingDistributionPoint(**{**whole, **changes})


def made_list(
    ca: LabCa,
    *revoked: int,
    key: ec.EllipticCurvePrivateKey | None = None,
    begins: dt.timedelta = -DAY,
    ends: dt.timedelta = DAY,
    more: tuple[x509.ExtensionType, ...] = (),
) -> bytes:
    builder = x509.CertificateRevocationListBuilder(ca.intermediate.subject, NOW + begins, NOW + ends)
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder(serial, NOW - 2 * DAY).build()
        builder = builder.add_revoked_certificate(entry)
    for extension in more:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key or ca_key(ca), hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_list_says_whether_the_leaf_stands_in_it(ca: LabCa, leaf: x509.Certificate) -> None:
    behind = [ca.root, ca.intermediate]
    for more in ((), (scope(URL),), (scope(URL, full_name=None),)):
        found = read_list(made_list(ca, 5, more=more), URL, leaf, behind, NOW)
        assert found == RevocationList(Revocation.GOOD, NOW - DAY, NOW + DAY, None)
        found = read_list(made_list(ca, 5, leaf.serial_number, more=more), URL, leaf, behind, NOW)
        assert found == RevocationList(Revocation.REVOKED, NOW - DAY, NOW + DAY, NOW - 2 * DAY)


def test_a_list_that_cannot_say_leaves_it_unchecked(
    ca: LabCa, leaf: x509.Certificate, tmp_path: Path
) -> None:
    behind = [ca.intermediate]
    lists = {
        "unsigned": made_list(ca, leaf.serial_number, key=ec.generate_private_key(ec.SECP256R1())),
        "another authority": made_list(LabCa(tmp_path), leaf.serial_number),
        "old": made_list(ca, leaf.serial_number, begins=-3 * DAY, ends=-DAY),
        "early": made_list(ca, leaf.serial_number, begins=DAY, ends=2 * DAY),
        "another part": made_list(ca, more=(scope("http://e7.c.lencr.org/2.crl"),)),
        "authorities": made_list(
            ca, more=(scope(URL, only_contains_user_certs=False, only_contains_ca_certs=True),)
        ),
        "changes alone": made_list(ca, more=(x509.DeltaCRLIndicator(1),)),
        "rubbish": b"not a list",
        "empty": b"",
    }
    for name, body in lists.items():
        found = read_list(body, URL, leaf, behind, NOW)
        assert isinstance(found, Missing), name
        assert found.reason is Reason.MALFORMED, name
    alone = read_list(made_list(ca), URL, leaf, [], NOW)
    assert isinstance(alone, Missing)


@given(
    at=st.integers(0, 2000), value=st.integers(0, 255), cut=st.integers(0, 400), junk=st.binary(max_size=300)
)
@settings(max_examples=200, deadline=None)
def test_no_damage_to_a_list_breaks_the_reader(
    whole: tuple[LabCa, x509.Certificate, bytes], at: int, value: int, cut: int, junk: bytes
) -> None:
    ca, leaf, sound = whole
    damaged = bytearray(sound)
    damaged[at % len(damaged)] = value
    for body in (bytes(damaged), sound[:cut], junk):
        found = read_list(body, URL, leaf, [ca.intermediate], NOW)
        assert isinstance(found, Missing) or body == sound


@pytest.fixture(scope="module")
def whole(ca: LabCa, leaf: x509.Certificate) -> tuple[LabCa, x509.Certificate, bytes]:
    return ca, leaf, made_list(ca, 5)


def looked_up(
    ca: LabCa, leaf: x509.Certificate, answer: bytes, monkeypatch: pytest.MonkeyPatch, *, silent: bool = False,
    staple: Any = None,
) -> tuple[WebCertificate, list[bytes]]:  # fmt: skip
    """What becomes of a certificate on two addresses when its authority answers so; the requests it heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def addresses_of(name: str) -> tuple[str, ...]:
        if silent:
            raise TimedOut(name)
        return ("127.0.0.1",)

    async def run() -> tuple[ServedCertificates, ...]:
        vantage = Vantage(trust_pem=ca.file.read_text(), allow_networks=("127.0.0.0/8",))
        chain = Chain((leaf.public_bytes(Encoding.DER), ca.intermediate.public_bytes(Encoding.DER)))
        one = replace(read_chain(chain, HOST, NOW, vantage.trust_pem), staple=staple)
        dns = SimpleNamespace(addresses_of=addresses_of)
        look = SimpleNamespace(net=Net(vantage, Limits()), vantage=vantage, dns=dns)
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        try:
            served = tuple(ServedCertificates(a, (one,)) for a in ("192.0.2.1", "2001:db8::1"))
            return await look_up(cast(Look, cast(Any, look)), served, NOW)
        finally:
            server.close()

    port = free_port()
    monkeypatch.setattr(tls_issuer, "PORT", port)
    first, second = asyncio.run(run())
    assert isinstance(first.shown, tuple)
    assert first.shown == second.shown
    return first.shown[0], heard


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n\r\n" + body


def test_the_list_is_fetched_once_for_all_addresses(
    ca: LabCa, leaf: x509.Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, heard = looked_up(ca, leaf, ok(made_list(ca, leaf.serial_number)), monkeypatch)
    assert isinstance(found.crl, RevocationList)
    assert found.revoked_at == NOW - 2 * DAY
    assert len(heard) == 1
    assert heard[0].startswith(b"GET /1.crl HTTP/1.0\r\nHost: e7.c.lencr.org\r\n")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\ngone", Reason.MALFORMED),
        (b"nonsense", Reason.MALFORMED),
        (ok(bytes(2_000_000)), Reason.TOO_LARGE),
    ],
    ids=["404", "nonsense", "too large"],
)
def test_an_answer_that_is_no_list_leaves_it_unchecked(
    ca: LabCa, leaf: x509.Certificate, monkeypatch: pytest.MonkeyPatch, answer: bytes, reason: Reason
) -> None:
    found, _ = looked_up(ca, leaf, answer, monkeypatch)
    assert isinstance(found.crl, Missing)
    assert found.crl.reason is reason


def test_an_authority_that_is_silent_leaves_it_unchecked(
    ca: LabCa, leaf: x509.Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, heard = looked_up(ca, leaf, b"", monkeypatch, silent=True)
    assert isinstance(found.crl, Missing)
    assert found.crl.reason is Reason.TIMEOUT
    assert heard == []


@pytest.mark.parametrize(
    "url", ["http://attacker.example/1.crl", "https://e7.c.lencr.org/1.crl", "ldap://e7.c.lencr.org/1"]
)
def test_only_known_authorities_are_asked(ca: LabCa, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    elsewhere = signed_again(ca, ca.issue("elsewhere.test").certificate, points(url))
    found, heard = looked_up(ca, elsewhere, ok(b""), monkeypatch)
    assert (found.crl, heard) == (Missing(Reason.NOT_ASKED), [])


def test_with_a_staple_no_list_is_fetched(
    ca: LabCa, leaf: x509.Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, heard = looked_up(ca, leaf, ok(b""), monkeypatch, staple=Missing(Reason.MALFORMED))
    assert (found.crl, heard) == (Missing(Reason.NOT_ASKED), [])


def test_a_certificate_without_a_place_has_no_list(ca: LabCa) -> None:
    assert list_urls(ca.issue("bare.test").certificate) == []


def test_a_revoked_certificate_fails_and_is_not_trusted() -> None:
    revoked = RevocationList(Revocation.REVOKED, THEN - DAY, THEN + DAY, THEN - 3 * DAY)
    good = RevocationList(Revocation.GOOD, THEN - DAY, THEN + DAY, None)
    verdict = verdict_of("tls.certificate_valid", facts(web(certificate(crl=revoked))))
    assert (verdict.status, verdict.code) == (FAIL, "revoked")
    assert verdict.data["date"] == "2026-11-18"
    assert "revocation list: revoked" in verdict.evidence[0].text
    assert verdict_of("tls.rating", facts(web(certificate(crl=revoked)))).data["grade"] == "T"
    assert verdict_of("tls.certificate_valid", facts(web(certificate(crl=good)))).status is PASS
