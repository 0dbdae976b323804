"""Has the authority revoked the certificate?  Its list (RFC 5280 5) is fetched where no staple says it.

As with missing intermediates the scanned host's certificate says where to look, so only known hosts of public
authorities are asked.  What is too large, too late, or not about this certificate leaves it "not checked".
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from checks.errors import ProbeError, Reason
from checks.facts import Missing
from checks.facts.tls import Revocation, RevocationList, ServedCertificates, WebCertificate
from checks.probes.look import Look
from checks.probes.tls_chain import UNREADABLE, load_all
from checks.probes.tls_issuer import authority_url, fetch

_LIST_BYTES = 1024 * 1024
_LISTS_MAX = 2  # of one scan
Found = RevocationList | Missing


async def look_up(
    look: Look, served: tuple[ServedCertificates, ...], now: datetime
) -> tuple[ServedCertificates, ...]:
    """The same certificates with what their authorities' lists say of them."""
    known: dict[str, Found] = {}
    shown = [one for s in served if not isinstance(s.shown, Missing) for one in s.shown]
    for one in {c.fingerprint: c for c in shown if c.staple is None and c.trusted is True}.values():
        found = await _ask(look, one, now) if len(known) < _LISTS_MAX else None
        if found is not None:
            known[one.fingerprint] = found
    return tuple(_with_lists(s, known) for s in served)


def _with_lists(served: ServedCertificates, known: dict[str, Found]) -> ServedCertificates:
    if isinstance(served.shown, Missing):
        return served
    shown = tuple(replace(one, crl=known.get(one.fingerprint, one.crl)) for one in served.shown)
    return ServedCertificates(served.address, shown)


async def _ask(look: Look, one: WebCertificate, now: datetime) -> Found | None:
    """None where the certificate names no list at a known authority."""
    leaf, *behind = load_all(one.chain)
    for url in list_urls(leaf):
        place = authority_url(url)
        if place is None:
            continue
        try:
            # Not of the budget for the instance's own web server: it is another one that is asked.
            body = await fetch(look, *place, max_bytes=_LIST_BYTES, kind="crl")
        except ProbeError as error:
            return Missing.of(error)
        return read_list(body, url, leaf, behind, now)
    return None


def list_urls(leaf: x509.Certificate) -> list[str]:
    """Where the whole list of the issuer stands, as the certificate says."""
    try:
        points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return []
    whole = (point for point in points if point.reasons is None and point.crl_issuer is None)
    return [str(name.value) for point in whole for name in point.full_name or ()][:4]


def read_list(
    body: bytes, url: str, leaf: x509.Certificate, behind: list[x509.Certificate], now: datetime
) -> Found:
    """What a list says of the leaf.  Missing for one that is not valid now, is not signed by the leaf's
    issuer, or leaves the leaf out by its scope."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _read(body, url, leaf, behind, now)
        except (x509.ExtensionNotFound, *UNREADABLE) as error:
            return Missing(Reason.MALFORMED, f"revocation list: {type(error).__name__}")


def _read(
    body: bytes, url: str, leaf: x509.Certificate, behind: list[x509.Certificate], now: datetime
) -> Found:
    revoked = x509.load_der_x509_crl(body)
    issuer = next((one for one in behind if _has_issued(one, leaf)), None)
    if issuer is None:
        return Missing(Reason.NOT_ASKED, "the issuer's certificate was not sent")
    if revoked.issuer != issuer.subject or not revoked.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
        return Missing(Reason.MALFORMED, "the revocation list is not signed by the issuer")
    begins, ends = revoked.last_update_utc, revoked.next_update_utc
    if ends is None or not begins <= now <= ends:
        return Missing(Reason.MALFORMED, "the revocation list is out of date")
    entry = revoked.get_revoked_certificate_by_serial_number(leaf.serial_number)
    if entry is not None:
        return RevocationList(Revocation.REVOKED, begins, ends, entry.revocation_date_utc)
    if not _covers(revoked, url):
        return Missing(Reason.MALFORMED, "the revocation list is about other certificates")
    return RevocationList(Revocation.GOOD, begins, ends, None)


def _has_issued(issuer: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _covers(revoked: x509.CertificateRevocationList, url: str) -> bool:
    """Whether a leaf that names this URL would stand in it: authorities split lists (RFC 5280 5.2.5)."""
    if any(isinstance(extension.value, x509.DeltaCRLIndicator) for extension in revoked.extensions):
        return False
    try:
        scope = revoked.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return True
    partly = scope.only_contains_ca_certs or scope.only_contains_attribute_certs or scope.only_some_reasons
    names = [str(name.value) for name in scope.full_name or ()]
    return not (partly or scope.indirect_crl or scope.relative_name) and (not names or url in names)
