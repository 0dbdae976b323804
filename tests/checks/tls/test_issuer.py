"""Fetching the intermediate that a server forgot, from a small web server on loopback."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates
from cryptography.x509.oid import AuthorityInformationAccessOID

from checks.errors import NoSuchName, Reason, TimedOut
from checks.facts import Missing
from checks.facts.tls import ServedCertificates, TrustProblem, WebCertificate
from checks.parse.tls import Chain
from checks.probes import tls_issuer
from checks.probes.look import Look
from checks.probes.net import Net
from checks.probes.tls_chain import read_chain
from checks.target import Limits, Vantage
from tests.checks.tls.servers import HOST, free_port
from tests.lab.ca import LabCa

URL = "http://e7.i.lencr.org/"
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def ca(tmp_path: Path) -> LabCa:
    return LabCa(tmp_path)


def leaf_with(ca: LabCa, url: str) -> x509.Certificate:
    """A leaf of the lab that says where its issuer is."""
    issued = ca.issue(HOST).certificate
    place = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url)
    )
    builder = x509.CertificateBuilder(
        issued.issuer, issued.subject, issued.public_key(), issued.serial_number,
        issued.not_valid_before_utc, issued.not_valid_after_utc,
    )  # fmt: skip
    for extension in issued.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    key = ca._key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    access = x509.AuthorityInformationAccess([place])
    return builder.add_extension(access, critical=False).sign(key, hashes.SHA256())


def seen(ca: LabCa, url: str = URL) -> WebCertificate:
    chain = Chain((leaf_with(ca, url).public_bytes(Encoding.DER),))
    return read_chain(chain, HOST, NOW, ca.file.read_text())


def completed(
    ca: LabCa,
    one: WebCertificate,
    answer: bytes,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None = None,
) -> tuple[WebCertificate, list[bytes]]:
    """What becomes of a certificate when its authority answers so; and the requests it heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def addresses_of(name: str) -> tuple[str, ...]:
        if error is not None:
            raise error
        return ("127.0.0.1",)

    async def run() -> WebCertificate:
        vantage = Vantage(trust_pem=ca.file.read_text(), allow_networks=("127.0.0.0/8",))
        look = SimpleNamespace(
            net=Net(vantage, Limits()), vantage=vantage, dns=SimpleNamespace(addresses_of=addresses_of)
        )
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        try:
            served = ServedCertificates("192.0.2.1", (one,))
            found = await tls_issuer.complete(cast(Look, cast(Any, look)), served, NOW)
        finally:
            server.close()
        assert isinstance(found.shown, tuple)
        return found.shown[0]

    port = free_port()
    monkeypatch.setattr(tls_issuer, "PORT", port)
    return asyncio.run(run()), heard


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/pkix-cert\r\n\r\n" + body


@pytest.mark.parametrize("form", ["der", "pkcs7"])
def test_a_chain_that_the_fetched_certificate_completes_is_incomplete(
    ca: LabCa, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    middle = ca.intermediate
    body = (
        middle.public_bytes(Encoding.DER) if form == "der" else serialize_certificates([middle], Encoding.DER)
    )
    one = seen(ca)
    assert one.problem is TrustProblem.UNKNOWN_AUTHORITY
    found, heard = completed(ca, one, ok(body), monkeypatch)
    assert (found.problem, found.trusted) == (TrustProblem.INCOMPLETE, False)
    assert heard[0].startswith(b"GET / HTTP/1.0\r\nHost: e7.i.lencr.org\r\n")


@pytest.mark.parametrize(
    "answer",
    [ok(b"not a certificate"), ok(b""), b"HTTP/1.1 404 Not Found\r\n\r\ngone", b"nonsense"],
)
def test_an_answer_that_completes_nothing_leaves_the_authority_unknown(
    ca: LabCa, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    one = seen(ca)
    assert completed(ca, one, answer, monkeypatch)[0] == one


def test_another_authoritys_certificate_completes_nothing(
    ca: LabCa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = LabCa(tmp_path / "other").intermediate.public_bytes(Encoding.DER)
    one = seen(ca)
    assert completed(ca, one, ok(other), monkeypatch)[0] == one


def test_an_authority_that_does_not_answer_leaves_it_open(ca: LabCa, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = completed(ca, seen(ca), b"", monkeypatch, TimedOut("lencr.org"))
    assert isinstance(found.trusted, Missing)
    assert found.trusted.reason is Reason.TIMEOUT


def test_an_authority_whose_name_does_not_exist_is_none(ca: LabCa, monkeypatch: pytest.MonkeyPatch) -> None:
    one = seen(ca)
    assert completed(ca, one, b"", monkeypatch, NoSuchName("lencr.org"))[0] == one


@pytest.mark.parametrize(
    "url",
    [
        "http://attacker.example/",
        "http://lencr.org.attacker.example/",
        "http://evillencr.org/",
        "https://e7.i.lencr.org/",
        "http://e7.i.lencr.org:8080/",
        "http://user@e7.i.lencr.org/",
        "http://e7.i.lencr.org/a b",
        "ldap://e7.i.lencr.org/",
    ],
)
def test_only_known_authorities_are_asked(ca: LabCa, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    one = seen(ca, url)
    found, heard = completed(ca, one, ok(b""), monkeypatch)
    assert (found, heard) == (one, [])
