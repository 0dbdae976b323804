"""The letter that SSL Labs' published rating guide (version 2009r) gives, computed from what was seen.

Scores: tables 3 to 5 of the guide, weighed 30, 30 and 40 per cent.  Then the caps of its list of changes;
each names the version of the guide that brought it, or changed it last.  Left out is what only an attack or
many more connections would show: insecure renegotiation (F; it needs a finished handshake), Heartbleed, CCS
injection, ROBOT, Ticketbleed, the padding oracles of 2009m and 2009q, weak keys of Debian's OpenSSL; HPKP
(2009l, an item of its own) and authorities that no longer exist (2009o, 2009p).
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
SIX_MONTHS_S = 15_552_000
_PROTOCOL = {
    TlsVersion.SSL2: 0, TlsVersion.SSL3: 80, TlsVersion.TLS10: 90, TlsVersion.TLS11: 95,
    TlsVersion.TLS12: 100, TlsVersion.TLS13: 100,
}  # fmt: skip
_LETTERS = ((80, "A"), (65, "B"), (50, "C"), (35, "D"), (20, "E"))
_KEY_STEPS = ((512, 20), (1024, 40), (2048, 80), (4096, 90))  # table 4
# The guide speaks of RSA and DH; what a curve is worth in these follows NIST SP 800-57 part 1, table 2.
_RSA_OF_CURVE = {192: 1536, 224: 2048, 256: 3072, 384: 7680, 448: 7680, 512: 15360, 521: 15360}
_WITHOUT_SIZE = 3072  # Ed25519, and TLS 1.3 alone: X25519 or P-256 at the least
_NEWER = frozenset({TlsVersion.TLS11, TlsVersion.TLS12})


@dataclass(frozen=True, slots=True)
class Cap:
    """A rule of the guide that limits the grade; `since`: the version of the guide, "" for its basis."""

    grade: str
    why: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """`gaps`: inputs that were not seen; the grade is then the best that it can be.  `inputs`: what the three
    scores rest on."""

    grade: str
    score: int
    protocol: int
    key_exchange: int
    cipher: int
    caps: tuple[Cap, ...]
    gaps: tuple[Missing, ...]
    inputs: tuple[str, str, str] = ("", "", "")


def rate(
    endpoint: TlsEndpoint, certificates: tuple[WebCertificate, ...], now: datetime, *, hsts_s: int | None
) -> Rating:
    """The grade of one address.  `hsts_s`: max-age; 0 where HSTS is switched off or not to be understood,
    None where no header was seen."""
    protocol, versions = _protocol(endpoint)
    key, keys = _key_exchange(endpoint, certificates)
    cipher, ciphers = _cipher(endpoint)
    # "A zero in any category will push the overall score to zero."
    score = 0 if 0 in (protocol, key, cipher) else round(0.3 * protocol + 0.3 * key + 0.4 * cipher)
    base = next((letter for least, letter in _LETTERS if score >= least), "F")
    caps = (
        *_version_caps(endpoint),
        *_suite_caps(endpoint),
        *_certificate_caps(certificates, now),
        *([Cap("A-", "HSTS is switched off or not to be understood", "2009r")] if hsts_s == 0 else []),
    )
    grade = max([base, *(cap.grade for cap in caps)], key=GRADES.index)
    if grade == "A" and not caps and (hsts_s or 0) >= SIX_MONTHS_S:
        grade = "A+"  # 2009e
    gaps = (*_gaps(endpoint), *(one.trusted for one in certificates if isinstance(one.trusted, Missing)))
    return Rating(grade, score, protocol, key, cipher, caps, gaps, (versions, keys, ciphers))


def rating_text(rating: Rating) -> str:
    """The inputs, the scores and the caps as lines."""
    scores = (rating.protocol, rating.key_exchange, rating.cipher)
    names = ("protocols", "key exchange", "ciphers")
    lines = [f"{n}: {i}: {s}" for n, i, s in zip(names, rating.inputs, scores, strict=True)]
    lines.append(f"score: 30 % of {scores[0]} + 30 % of {scores[1]} + 40 % of {scores[2]} = {rating.score}")
    for cap in rating.caps:
        lines.append(f"at most {cap.grade}: {cap.why}" + (f" (guide {cap.since})" if cap.since else ""))
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


def _protocol(endpoint: TlsEndpoint) -> tuple[int, str]:
    """Table 3: the mean of the best and the worst."""
    offered = _offered(endpoint)
    if not offered:
        return 0, "none seen"
    points = [_PROTOCOL[version] for version in offered]
    return (max(points) + min(points)) // 2, f"{offered[0]} to {offered[-1]}"


def _key_exchange(endpoint: TlsEndpoint, certificates: tuple[WebCertificate, ...]) -> tuple[int, str]:
    if _taken(endpoint, SuiteFamily.ANONYMOUS):
        return 0, "anonymous"
    if _taken(endpoint, SuiteFamily.EXPORT):
        return 40, "EXPORT"
    sizes = [(_rsa_equivalent(one), f"{one.key_kind} key") for one in certificates]
    if isinstance(endpoint.dh_bits, int):
        sizes.append((endpoint.dh_bits, "DHE"))
    if isinstance(endpoint.curve_bits, int):
        sizes.append((_RSA_OF_CURVE.get(endpoint.curve_bits, 0), f"curve of {endpoint.curve_bits} bits"))
    smallest, whose = min(sizes, default=(_WITHOUT_SIZE, "TLS 1.3 alone"))
    points = next((points for below, points in _KEY_STEPS if smallest < below), 100)
    return points, f"{whose}, worth {smallest} bits of RSA"


def _rsa_equivalent(certificate: WebCertificate) -> int:
    if certificate.key_kind in {KeyKind.RSA, KeyKind.DSA}:
        return certificate.key_bits
    return _RSA_OF_CURVE.get(certificate.key_bits, _WITHOUT_SIZE)


def _cipher(endpoint: TlsEndpoint) -> tuple[int, str]:
    """Table 5: the mean of the strongest and the weakest."""
    bits = [suite.bits for suite in _suites(endpoint)]
    if not bits:
        return 0, "none seen"
    points = (_cipher_points(max(bits)) + _cipher_points(min(bits))) // 2
    return points, f"{min(bits)} to {max(bits)} bits"


def _cipher_points(bits: int) -> int:
    return 0 if not bits else 20 if bits < 128 else 80 if bits < 256 else 100


def _version_caps(endpoint: TlsEndpoint) -> Iterator[Cap]:
    offered = _offered(endpoint)
    if TlsVersion.SSL2 in offered:
        yield Cap("F", "SSL 2.0 is offered", "2009c")
    if offered and offered[-1] is TlsVersion.SSL3:
        yield Cap("F", "SSL 3.0 is the best version", "2009i")
    elif TlsVersion.SSL3 in offered:
        yield Cap("C", "SSL 3.0 is offered (POODLE)", "2009g")
    if not {TlsVersion.TLS12, TlsVersion.TLS13} & set(offered):
        yield Cap("C", "neither TLS 1.2 nor TLS 1.3 is offered", "2009j")
    for version in (TlsVersion.TLS10, TlsVersion.TLS11):
        if version in offered:
            yield Cap("B", f"{version} is offered", "2009q")
    if endpoint.offers(TlsVersion.TLS13) is False:
        yield Cap("A-", "TLS 1.3 is not offered", "2009r")
    older = endpoint.older
    if isinstance(older, TlsOffer12) and older.compression:
        yield Cap("C", "TLS compression (CRIME)", "2009j")
    if isinstance(older, TlsOffer12) and not older.secure_renegotiation:
        yield Cap("A-", "no secure renegotiation", "2009e")


def _suite_caps(endpoint: TlsEndpoint) -> Iterator[Cap]:
    seen = list(_suites(endpoint))
    for kind in (SuiteFamily.NULL, SuiteFamily.ANONYMOUS, SuiteFamily.EXPORT):
        if _taken(endpoint, kind):
            yield Cap("F", f"{kind} suites", "2009i" if kind is SuiteFamily.EXPORT else "")
    yield from _small_block_caps(endpoint)
    rc4 = _taken(endpoint, SuiteFamily.RC4)
    if rc4 and all(suite.cipher.startswith("RC4") for suite in seen):
        yield Cap("F", "RC4 suites and no others", "2009k")
    elif rc4 and rc4.version in _NEWER:
        yield Cap("C", f"RC4 together with {rc4.version}", "2009j")
    elif rc4:
        yield Cap("B", "RC4 suites", "2009i")
    if isinstance(endpoint.dh_bits, int) and endpoint.dh_bits < 2048:
        weak = ("F", "2009i") if endpoint.dh_bits < 1024 else ("B", "2009j")
        yield Cap(weak[0], f"Diffie-Hellman with {endpoint.dh_bits} bits", weak[1])
    if seen and not any(suite.has_forward_secrecy for suite in seen):
        yield Cap("B", "no forward secrecy", "2009p")
    if seen and not any(suite.is_aead for suite in seen):
        yield Cap("B", "no AEAD suites", "2009p")


def _small_block_caps(endpoint: TlsEndpoint) -> Iterator[Cap]:
    """Keys below 112 bits are broken by trying, blocks of 64 bits by waiting; the latter counts from TLS 1.1
    on, where nobody needs them."""
    for kind in (SuiteFamily.DES, SuiteFamily.TRIPLE_DES):
        chosen = _taken(endpoint, kind)
        suite = suite_called(chosen.suite) if chosen else None
        if suite is not None and suite.bits < 112:
            yield Cap("F", f"{suite.cipher} with {suite.bits} bits")
        elif chosen and chosen.version in _NEWER:
            yield Cap("C", f"64-bit blocks ({kind}) together with {chosen.version}", "2009n")


def _certificate_caps(certificates: tuple[WebCertificate, ...], now: datetime) -> Iterator[Cap]:
    for one in certificates:
        if not one.name_matches:
            yield Cap("M", "the certificate is for another name")
        if one.problem is TrustProblem.INCOMPLETE:
            yield Cap("B", "the chain is incomplete", "2009i")
        elif one.trusted is False:
            yield Cap("T", f"the certificate is not trusted ({one.problem})")
        if not one.not_before <= now <= one.not_after:
            yield Cap("T", "the certificate is outside its dates")
        if one.revoked_at is not None:
            yield Cap("T", "the certificate is revoked")
        yield from _signature_caps(one)


def _signature_caps(one: WebCertificate) -> Iterator[Cap]:
    if one.signature_hash in {"md2", "md5"}:
        yield Cap("F", f"signed with {one.signature_hash}", "2009e")
    if one.signature_hash == "sha1":
        yield Cap("T", "signed with sha1, which nobody trusts any more", "2009o")
    size = _rsa_equivalent(one)
    if size < 2048:
        yield Cap("F" if size < 1024 else "B", f"{one.key_kind} key of {one.key_bits} bits", "2009e")


def _gaps(endpoint: TlsEndpoint) -> tuple[Missing, ...]:
    """Inputs that could make the grade worse and were not seen; what was left out on purpose is none."""
    parts = [endpoint.older, endpoint.dh_bits, *(answer.chosen for answer in endpoint.suites)]
    unseen = (p for p in parts if isinstance(p, Missing) and p.reason is not Reason.NOT_ASKED)
    return (*endpoint.gaps(*TlsVersion), *unseen)
