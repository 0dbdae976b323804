"""A chain that ends nowhere: does it end at a root once the certificate is fetched that it points to?

Browsers do this by themselves (RFC 5280 4.2.2.1), apps and other servers do not.  The certificate says where
to look, and the scanned host says the certificate: so only known hosts of public authorities are asked.
"""

from __future__ import annotations

import asyncio
import re
import warnings
from dataclasses import replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from cryptography.x509.oid import AuthorityInformationAccessOID

from checks.errors import NoSuchName, ProbeError
from checks.facts import Missing
from checks.facts.tls import ServedCertificates, TrustProblem, WebCertificate
from checks.parse.greetings import http_status
from checks.probes.look import Look
from checks.probes.tls_chain import UNREADABLE, find_path, load_all

PORT = 80
_BYTES_MAX = 64 * 1024
_WITHIN_S = 8.0
_URL = re.compile(r"http://([a-z0-9.-]{1,253})(/[!-~]{0,500})", re.IGNORECASE)
# As their certificates in the CCADB name them; seen 2026-11-21.
AUTHORITY_HOSTS = (
    "lencr.org", "pki.goog", "sectigo.com", "usertrust.com", "comodoca.com", "digicert.com", "globalsign.com",
    "amazontrust.com", "godaddy.com", "starfieldtech.com", "ssl.com", "entrust.net", "identrust.com",
    "certum.pl", "secomtrust.net", "actalis.it", "harica.gr", "swisssign.net", "buypass.com",
)  # fmt: skip


async def complete(look: Look, served: ServedCertificates, now: datetime) -> ServedCertificates:
    """The same certificates; those that are only incomplete are called so, and those for which nobody can
    say, as the authority did not answer, are neither trusted nor distrusted."""
    if isinstance(served.shown, Missing):
        return served
    shown = await asyncio.gather(*(_complete(look, one, now) for one in served.shown))
    return ServedCertificates(served.address, tuple(shown))


async def _complete(look: Look, one: WebCertificate, now: datetime) -> WebCertificate:
    if one.problem is not TrustProblem.UNKNOWN_AUTHORITY:
        return one
    leaf, *behind = load_all(one.chain)
    url = issuer_url(behind[-1] if behind else leaf)
    if url is None:
        return one
    try:
        body = await fetch(look, *url)
    except NoSuchName:
        return one
    except ProbeError as error:
        return replace(one, trusted=Missing.of(error))
    found = read_issuers(body)
    trust = find_path(leaf, [*behind, *found], now, look.vantage.trust_pem)
    if trust.problem is not TrustProblem.NONE:
        return one
    return replace(one, problem=TrustProblem.INCOMPLETE, public_root=trust.public_root)


def issuer_url(certificate: x509.Certificate) -> tuple[str, str] | None:
    """(host, path) of the issuer's certificate; None where there is none, or not at a known authority."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
    for entry in access:
        location = entry.access_location
        if entry.access_method != AuthorityInformationAccessOID.CA_ISSUERS:
            continue
        found = authority_url(location.value) if isinstance(location.value, str) else None
        if found is not None:
            return found
    return None


def authority_url(url: str) -> tuple[str, str] | None:
    """(host, path) of a plain http URL at a known authority; None for every other one."""
    found = _URL.fullmatch(url)
    if found and any(f".{found[1].lower()}".endswith(f".{host}") for host in AUTHORITY_HOSTS):
        return found[1].lower(), found[2]
    return None


async def fetch(
    look: Look, host: str, path: str, *, max_bytes: int = _BYTES_MAX, kind: str = "http"
) -> bytes:
    """The body of a 200 answer; b"" for another one.  Raises ProbeError kinds where none came.  `kind`: the
    budget that pays."""
    address = (await look.dns.addresses_of(host))[0]
    look.net.spend(kind)
    async with look.net.politely(address):
        stream = await look.net.connect(address, PORT, "web", timeout_s=_WITHIN_S, max_bytes=max_bytes)
        try:
            # HTTP/1.0: the answer ends with the connection and comes in one piece.
            request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: {look.net.user_agent}\r\n\r\n"
            await stream.write(request.encode("ascii"))
            parts = bytearray()
            while more := await stream.read(timeout_s=_WITHIN_S):
                parts += more
            heard = bytes(parts)
        finally:
            stream.close()
    return heard.partition(b"\r\n\r\n")[2] if http_status(heard) == 200 else b""


def read_issuers(body: bytes) -> list[x509.Certificate]:
    """One certificate in DER, or a bag of them in PKCS #7; empty for anything else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_all([body])
        if found or not body:
            return found
        try:
            return load_der_pkcs7_certificates(body)[:8]
        except UNREADABLE:
            return []
