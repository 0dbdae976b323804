"""What fedisec's prober says of a server, in the words of the matrix.  What it calls Missing is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from checks.facts import Missing
from checks.facts.tls import (
    Negotiated,
    Revocation,
    Staple,
    SuiteFamily,
    Timestamps,
    TlsEndpoint,
    TlsOffer12,
    WebCertificate,
)
from checks.probes.net import Net
from checks.probes.tls import look_in_full
from checks.probes.tls_findings import read_certificates, read_endpoint
from checks.probes.tls_prober import Prober
from checks.target import Limits, Vantage
from tests.checks.tls.matrix.lab import Place
from tests.checks.tls.matrix.truth import Facts, Value
from tests.checks.tls.servers import HOST

_VANTAGE = Vantage(allow_networks=("127.0.0.0/8",))
_AT_ONCE = 8  # servers
_FAMILIES = {
    SuiteFamily.NULL: "NULL", SuiteFamily.ANONYMOUS: "anon", SuiteFamily.EXPORT: "EXPORT", SuiteFamily.RC4: "RC4",
    SuiteFamily.DES: "DES", SuiteFamily.TRIPLE_DES: "3DES", SuiteFamily.RSA: "RSA", SuiteFamily.DHE: "DHE",
    SuiteFamily.CBC: "CBC", SuiteFamily.AEAD: "AEAD",
}  # fmt: skip


async def look(places: Mapping[str, Place], trust_pem: str) -> dict[str, Facts]:
    """The facts of every place, several at once."""
    door = asyncio.Semaphore(_AT_ONCE)

    async def one(place: Place) -> Facts:
        async with door:
            return await look_at(place, trust_pem)

    found = await asyncio.gather(*(one(place) for place in places.values()))
    return dict(zip(places, found, strict=True))


async def look_at(place: Place, trust_pem: str) -> Facts:
    prober = Prober(Net(_VANTAGE, Limits()), place.address, place.port)
    await look_in_full(prober, HOST)
    endpoint, now = read_endpoint(prober), datetime.now(UTC)
    found: Facts = {}
    if isinstance(endpoint, TlsEndpoint):
        found |= _endpoint_facts(endpoint)
    shown = read_certificates(prober, HOST, now, trust_pem).shown
    if not isinstance(shown, Missing):
        found |= _certificate_facts(shown, now)
    return found


def _endpoint_facts(endpoint: TlsEndpoint) -> Facts:
    found: Facts = {}

    def note(name: str, value: object, say: Callable[[object], Value] = lambda value: bool(value)) -> None:
        if not isinstance(value, Missing):
            found[name] = say(value)

    for version in endpoint.versions:
        note(str(version.version), version.offered)
    for family, name in _FAMILIES.items():
        # Where TLS 1.2 and older are not spoken, no family is asked for, and none is offered.
        chosen = endpoint.chosen_from(family) if endpoint.older is not None else None
        note(name, chosen, lambda value: isinstance(value, Negotiated))
    older = endpoint.older
    if isinstance(older, TlsOffer12):
        note("extended_master_secret", older.extended_master_secret)
        note("secure_renegotiation", older.secure_renegotiation)
        note("compression", older.compression)
        note("server_order", older.server_decides)
    note("dh_bits", endpoint.dh_bits, lambda value: value if isinstance(value, int) else 0)
    note("group13", endpoint.group13, lambda value: str(value or ""))
    if endpoint.http2 is not None:
        note("http2", endpoint.http2)
    note("post_quantum", endpoint.post_quantum)
    return found


def _certificate_facts(shown: tuple[WebCertificate, ...], now: datetime) -> Facts:
    found: Facts = {
        "name_matches": all(one.name_matches for one in shown),
        "expired": any(one.not_after < now for one in shown),
        "days_left": min((one.not_after - now).days for one in shown),
        "keys": ", ".join(sorted(f"{one.key_kind} {one.key_bits}" for one in shown)),
        "hash": " ".join(sorted({one.signature_hash for one in shown})),
        "self_signed": any(one.self_signed for one in shown),
        "stapled": all(one.stapled for one in shown),
        "must_staple": any(one.must_staple for one in shown),
        "proven": all(one.proven for one in shown),
        "sent": max(len(one.chain) for one in shown),
    }
    verdicts = [one.trusted for one in shown]
    if not any(isinstance(verdict, Missing) for verdict in verdicts):
        found["trusted"] = all(verdicts)
    staples = [one.staple for one in shown]
    if not any(isinstance(staple, Missing) for staple in staples):
        said = [staple for staple in staples if isinstance(staple, Staple) and staple.verified is True]
        found["revoked"] = any(staple.status is Revocation.REVOKED for staple in said)
    logs = [one.timestamps.logs for one in shown if isinstance(one.timestamps, Timestamps)]
    if len(logs) == len(shown):
        found["logs"] = min(logs)
    return found
