"""The letter that SSL Labs' published rating guide (version 2009r) gives, computed from what was seen.

What the guide takes from attacks that fedisec does not send (Heartbleed, ROBOT, …) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from checks.data.tls_suites import Suite, suite_called
from checks.errors import Reason
from checks.facts import Missing
from checks.facts.tls import (
    KeyKind,
    Negotiated,
    SuiteFamily,
    TlsEndpoint,
    TlsOffer12,
    TlsVersion,
    TrustProblem,
    WebCertificate,
)

GRADES = ("A+", "A", "A-", "B", "C", "D", "E", "F", "T", "M")  # T: not trusted, M: another name
_PROTOCOL = {
    TlsVersion.SSL2: 0, TlsVersion.SSL3: 80, TlsVersion.TLS10: 90, TlsVersion.TLS11: 95,
    TlsVersion.TLS12: 100, TlsVersion.TLS13: 100,
}  # fmt: skip
_LETTERS = ((80, "A"), (65, "B"), (50, "C"), (35, "D"), (20, "E"))
_RSA_OF_CURVE = {192: 1536, 224: 2048, 256: 3072, 384: 7680, 448: 7680, 512: 15360, 521: 15360}


@dataclass(frozen=True, slots=True)
class Cap:
    """A rule of the guide that limits the grade."""

    grade: str
    why: str


@dataclass(frozen=True, slots=True)
class Rating:
    """`gaps`: inputs that were not seen; the grade is then the best that it can be."""

    grade: str
    score: int
    protocol: int
    key_exchange: int
    cipher: int
    caps: tuple[Cap, ...]
    gaps: tuple[Missing, ...]


def rate(
    endpoint: TlsEndpoint, certificates: tuple[WebCertificate, ...], now: datetime, *, hsts: bool
) -> Rating:
    """The grade of one address.  `hsts`: on for six months or more, which A+ asks for."""
    protocol, key, cipher = _protocol(endpoint), _key_exchange(endpoint, certificates), _cipher(endpoint)
    score = 0 if 0 in (protocol, key, cipher) else round(0.3 * protocol + 0.3 * key + 0.4 * cipher)
    base = next((letter for least, letter in _LETTERS if score >= least), "F")
    caps = (*_version_caps(endpoint), *_suite_caps(endpoint), *_certificate_caps(certificates, now))
    grade = max([base, *(cap.grade for cap in caps)], key=GRADES.index)
    if grade == "A" and hsts and not caps:
        grade = "A+"
    return Rating(grade, score, protocol, key, cipher, caps, _gaps(endpoint))


def rating_text(rating: Rating) -> str:
    """The inputs as lines."""
    lines = [
        f"protocols {rating.protocol}, key exchange {rating.key_exchange}, ciphers {rating.cipher}: "
        f"score {rating.score}"
    ]
    lines += [f"at most {cap.grade}: {cap.why}" for cap in rating.caps]
    return "\n".join(lines)


def _offered(endpoint: TlsEndpoint) -> list[TlsVersion]:
    return [version for version in TlsVersion if endpoint.offers(version) is True]


def _taken(endpoint: TlsEndpoint, kind: SuiteFamily) -> Negotiated | None:
    chosen = endpoint.chosen_from(kind)
    return chosen if isinstance(chosen, Negotiated) else None


def _suites(endpoint: TlsEndpoint) -> Iterator[Suite]:
    """Every suite that was seen chosen."""
    names: list[str | Missing | None] = [endpoint.suite13]
    names += [a.chosen.suite for a in endpoint.suites if isinstance(a.chosen, Negotiated)]
    if isinstance(endpoint.older, TlsOffer12):
        names += [endpoint.older.preferred, endpoint.older.last_resort]
    for name in names:
        suite = suite_called(name) if isinstance(name, str) else None
        if suite is not None:
            yield suite


def _protocol(endpoint: TlsEndpoint) -> int:
    points = [_PROTOCOL[version] for version in _offered(endpoint)]
    return (max(points) + min(points)) // 2 if points else 0


def _key_exchange(endpoint: TlsEndpoint, certificates: tuple[WebCertificate, ...]) -> int:
    if _taken(endpoint, SuiteFamily.ANONYMOUS):
        return 0
    if _taken(endpoint, SuiteFamily.EXPORT):
        return 40
    sizes = [_rsa_equivalent(certificate) for certificate in certificates]
    sizes += [endpoint.dh_bits] if isinstance(endpoint.dh_bits, int) else []
    sizes += [_RSA_OF_CURVE.get(endpoint.curve_bits, 0)] if isinstance(endpoint.curve_bits, int) else []
    smallest = min(sizes, default=3072)  # TLS 1.3 alone: X25519 or P-256 at the least
    steps = ((512, 20), (1024, 40), (2048, 80), (4096, 90))
    return next((points for below, points in steps if smallest < below), 100)


def _rsa_equivalent(certificate: WebCertificate) -> int:
    if certificate.key_kind in {KeyKind.RSA, KeyKind.DSA}:
        return certificate.key_bits
    return _RSA_OF_CURVE.get(certificate.key_bits, 3072)


def _cipher(endpoint: TlsEndpoint) -> int:
    bits = [suite.bits for suite in _suites(endpoint)]
    if not bits:
        return 0
    return (_cipher_points(max(bits)) + _cipher_points(min(bits))) // 2


def _cipher_points(bits: int) -> int:
    return 0 if not bits else 20 if bits < 128 else 80 if bits < 256 else 100


def _version_caps(endpoint: TlsEndpoint) -> Iterator[Cap]:
    offered = _offered(endpoint)
    if TlsVersion.SSL2 in offered:
        yield Cap("F", "SSL 2.0 is offered (DROWN)")
    if TlsVersion.SSL3 in offered:
        yield Cap("C", "SSL 3.0 is offered (POODLE)")
    if not {TlsVersion.TLS12, TlsVersion.TLS13} & set(offered):
        yield Cap("C", "neither TLS 1.2 nor TLS 1.3 is offered")
    for version in (TlsVersion.TLS10, TlsVersion.TLS11):
        if version in offered:
            yield Cap("B", f"{version} is offered")
    if endpoint.offers(TlsVersion.TLS13) is False:
        yield Cap("A-", "TLS 1.3 is not offered")
    older = endpoint.older
    if isinstance(older, TlsOffer12) and older.compression:
        yield Cap("C", "TLS compression (CRIME)")
    if isinstance(older, TlsOffer12) and not older.secure_renegotiation:
        yield Cap("A-", "no secure renegotiation")


def _suite_caps(endpoint: TlsEndpoint) -> Iterator[Cap]:
    for kind in (SuiteFamily.NULL, SuiteFamily.ANONYMOUS, SuiteFamily.EXPORT, SuiteFamily.DES):
        if _taken(endpoint, kind):
            yield Cap("F", f"{kind} suites")
    for kind in (SuiteFamily.RC4, SuiteFamily.TRIPLE_DES):
        chosen = _taken(endpoint, kind)
        if chosen and chosen.version not in {TlsVersion.SSL3, TlsVersion.TLS10}:
            yield Cap("C", f"{kind} together with {chosen.version}")
        elif chosen and kind is SuiteFamily.RC4:
            yield Cap("B", "RC4 suites")
    if isinstance(endpoint.dh_bits, int) and endpoint.dh_bits < 2048:
        yield Cap("F" if endpoint.dh_bits < 1024 else "B", f"Diffie-Hellman with {endpoint.dh_bits} bits")
    seen = list(_suites(endpoint))
    if seen and not any(suite.has_forward_secrecy for suite in seen):
        yield Cap("B", "no forward secrecy")
    if seen and not any(suite.is_aead for suite in seen):
        yield Cap("B", "no AEAD suites")


def _certificate_caps(certificates: tuple[WebCertificate, ...], now: datetime) -> Iterator[Cap]:
    for one in certificates:
        if not one.name_matches:
            yield Cap("M", "the certificate is for another name")
        if one.problem is TrustProblem.INCOMPLETE:
            yield Cap("B", "the chain is incomplete")
        elif one.trusted is False:
            yield Cap("T", f"the certificate is not trusted ({one.problem})")
        if not one.not_before <= now <= one.not_after:
            yield Cap("T", "the certificate is outside its dates")
        if one.signature_hash in {"md2", "md5", "sha1"}:
            yield Cap("F", f"signed with {one.signature_hash}")
        if one.key_kind in {KeyKind.RSA, KeyKind.DSA} and one.key_bits < 2048:
            yield Cap("F" if one.key_bits < 1024 else "B", f"{one.key_kind} key of {one.key_bits} bits")


def _gaps(endpoint: TlsEndpoint) -> tuple[Missing, ...]:
    """Inputs that could make the grade worse and were not seen; what was left out on purpose is none."""
    parts = [endpoint.older, endpoint.dh_bits, *(answer.chosen for answer in endpoint.suites)]
    unseen = (p for p in parts if isinstance(p, Missing) and p.reason is not Reason.NOT_ASKED)
    return (*endpoint.gaps(*TlsVersion), *unseen)
