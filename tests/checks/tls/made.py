"""Facts of a good server, made by hand; a test changes one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from checks.facts import Facts, Missing
from checks.facts.http import FrontPage, Page
from checks.facts.tls import (
    KeyKind,
    Negotiated,
    ServedCertificates,
    SuiteAnswer,
    SuiteFamily,
    TlsEndpoint,
    TlsOffer,
    TlsOffer12,
    TlsVersion,
    TrustProblem,
    UnseenEndpoint,
    VersionAnswer,
    WebCertificate,
    WebCertificates,
)

HOST, ADDRESS, SECOND = "social.test", "192.0.2.1", "2001:db8::1"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GOOD_SUITE = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
V = TlsVersion


def older(**changes: Any) -> TlsOffer12:
    made = TlsOffer12(
        GOOD_SUITE,
        V.TLS12,
        GOOD_SUITE,
        extended_master_secret=True,
        secure_renegotiation=True,
        compression=False,
        session_ticket=True,
    )
    return replace(made, **changes)


def families(**taken: str | Missing) -> tuple[SuiteAnswer, ...]:
    """Answers for every family; by its name in the enumeration, the suite taken (or what was not seen)."""
    taken = {"AEAD": GOOD_SUITE, **taken}
    found = []
    for kind in SuiteFamily:
        suite = taken.get(kind.name)
        chosen = Negotiated(V.TLS12, suite) if isinstance(suite, str) else suite
        found.append(SuiteAnswer(kind, chosen))
    return tuple(found)


def versions(
    *offered: TlsVersion, unseen: dict[TlsVersion, Missing] | None = None
) -> tuple[VersionAnswer, ...]:
    gaps = unseen or {}
    return tuple(VersionAnswer(v, gaps.get(v, v in offered)) for v in TlsVersion)


def endpoint(address: str = ADDRESS, **changes: Any) -> TlsEndpoint:
    made = TlsEndpoint(
        address,
        versions(V.TLS12, V.TLS13),
        families(),
        older(),
        suite13="TLS_AES_256_GCM_SHA384",
        group13="x25519",
        dh_bits=None,
        curve_bits=256,
        http2=True,
        post_quantum=True,
    )
    return replace(made, **changes)


def only_13(**changes: Any) -> TlsEndpoint:
    return endpoint(versions=versions(V.TLS13), suites=(), older=None, curve_bits=None, **changes)


def certificate(left: float = 80, life: float = 90, **changes: Any) -> WebCertificate:
    """`left` and `life` in days."""
    ends = NOW + timedelta(days=left)
    made = WebCertificate(
        subject=f"CN={HOST}",
        names=(HOST, f"www.{HOST}"),
        issuer_organisation="Let's Encrypt",
        issuer_name="E7",
        not_before=ends - timedelta(days=life),
        not_after=ends,
        key_kind=KeyKind.EC,
        key_bits=256,
        curve="secp256r1",
        signature_hash="sha384",
        fingerprint="ab" * 32,
        chain=(b"leaf", b"middle"),
        trusted=True,
        problem=TrustProblem.NONE,
        trust_detail="",
        public_root=True,
        name_matches=True,
        self_signed=False,
        must_staple=False,
        stapled=False,
        sct_count=2,
    )
    return replace(made, **changes)


def offer(*endpoints: TlsEndpoint | UnseenEndpoint) -> TlsOffer:
    return TlsOffer(HOST, endpoints or (endpoint(),))


def web(*shown: WebCertificate | Missing, **changes: Any) -> WebCertificates:
    """One address per certificate."""
    addresses = (ADDRESS, SECOND, "192.0.2.3")
    served = tuple(
        ServedCertificates(address, one if isinstance(one, Missing) else (one,))
        for address, one in zip(addresses, shown or (certificate(),), strict=False)
    )
    return replace(WebCertificates(HOST, served, NOW, www_points_here=True, www_matches=True), **changes)


def front(**headers: str) -> FrontPage:
    """A page; underscores in the names of headers stand for hyphens."""
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return FrontPage(Page(f"https://{HOST}/", 200, (("content-type", "text/html"), *lines), "<html></html>"))


def facts(*found: Any) -> Facts:
    return Facts().with_facts(offer(), web(), *found)
