"""The certificates that the answers of an address brought, and what came beside them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from checks.data.tls_suites import suites
from checks.errors import Reason
from checks.facts import Missing
from checks.facts.tls import Staple, WebCertificate
from checks.parse.tls import Chain
from checks.probes.tls_chain import UNREADABLE, load_all, must_staple
from checks.probes.tls_flight import Flight
from checks.probes.tls_hello import SSL3
from checks.probes.tls_prober import AGAIN, VERSIONS, Prober, Question, suites_question
from checks.probes.tls_proof import leaf_key
from checks.probes.tls_staple import read_staple, read_timestamps

_CERTIFICATES_MAX = 4  # of one address
_NO_CHAIN = Missing(Reason.NOT_ASKED, "SSL 2.0 shows no chain")
_ONE_LOOK = Missing(Reason.NOT_ASKED, "a server may not have its staple at hand at the first look")


@dataclass
class Shown:
    """All flights with the same leaf."""

    chain: Chain
    proven: bool = False
    staples: list[bytes] = field(default_factory=list)
    logs: set[bytes] | None = field(default_factory=set)  # None: a list among them could not be read

    def add(self, chain: Chain, proven: bool) -> None:
        self.proven = self.proven or proven
        self.staples += [chain.staple] if chain.staple else []
        self.logs = None if self.logs is None or chain.logs is None else self.logs | {*chain.logs}


def shown_by(prober: Prober) -> tuple[list[Shown], Missing | None]:
    """The different certificates of an address, that of TLS 1.3 first, four at most; and the first reason why
    one was not seen."""
    gap: Missing | None = None
    shown: dict[bytes, Shown] = {}
    for chain, proven in _chains(prober):
        if isinstance(chain, Missing):
            gap = gap or chain
        elif chain.certificates[0] in shown or len(shown) < _CERTIFICATES_MAX:
            shown.setdefault(chain.certificates[0], Shown(chain)).add(chain, proven)
    return list(shown.values()), gap


def _chains(prober: Prober) -> Iterator[tuple[Chain | Missing, bool]]:
    """Chains, and whether the key of the leaf was proven with it.

    Hellos of SSL 2.0 and 3.0 name no host: what comes back may belong to another one, unless the server has
    nothing else."""
    for name, answer in prober.answers.items():
        if isinstance(answer, Flight) and answer.chain is not None and name != VERSIONS[SSL3]:
            yield answer.chain, answer.proven
    if prober.ssl2 is not None and not prober.flights:
        yield Chain((prober.ssl2.certificate,)), False


def with_company(prober: Prober, shown: Shown, one: WebCertificate, now: datetime) -> WebCertificate:
    """The certificate with what came beside it."""
    leaf, *behind = load_all(shown.chain.certificates)
    staple: Staple | Missing | None = None
    logs = frozenset[bytes]()
    if shown.staples:
        staple, logs = read_staple(shown.staples[-1], leaf, behind, now)
    elif one.must_staple:
        staple = _second_look(prober)
    handshake = None if shown.logs is None else frozenset(shown.logs)
    timestamps = read_timestamps(leaf, handshake, logs)
    if isinstance(staple, Missing) and shown.staples and not isinstance(timestamps, Missing):
        # What it holds besides is not known either.
        timestamps = timestamps if timestamps.logs else staple
    return replace(
        one,
        proven=shown.proven,
        stapled=bool(shown.staples),
        staple=staple,
        timestamps=timestamps,
        sct_count=one.sct_count if isinstance(timestamps, Missing) else timestamps.logs,
        trusted=one.trusted if prober.flights else _NO_CHAIN,
    )


def _second_look(prober: Prober) -> Missing | None:
    """None where a second look brought no staple either."""
    again = prober.answers.get(AGAIN, _ONE_LOOK)
    if isinstance(again, Flight):
        return again.chain if isinstance(again.chain, Missing) else None
    return (
        again if isinstance(again, Missing) else Missing(Reason.CONNECTION_LOST, "refused at the second look")
    )


def other_key_question(prober: Prober, host: str) -> Question | None:
    """Suites for the kind of key that no certificate has shown yet; None where RSA and ECDSA have both been
    seen, or none."""
    found, _ = shown_by(prober)
    keys = [leaf_key(one.chain.certificates[0]) for one in found]
    has_rsa = any(isinstance(key, RSAPublicKey) for key in keys)
    has_ec = any(isinstance(key, EllipticCurvePublicKey) for key in keys)
    if prober.older is None or has_rsa == has_ec:
        return None
    wanted = ("ECDHE_ECDSA",) if has_rsa else ("ECDHE_RSA", "DHE_RSA", "RSA")
    offered = (number for number, suite in suites().items() if suite.key_exchange in wanted and suite.bits)
    return suites_question(host, prober.older, "other key", offered)


def lacks_staple(prober: Prober) -> bool:
    """Whether a certificate asks for a staple (RFC 7633) and none has come with it."""
    with_staple, without = set[bytes](), set[bytes]()
    for chain, _ in _chains(prober):
        if isinstance(chain, Chain):
            (with_staple if chain.staple else without).add(chain.certificates[0])
    return any(_asks(leaf) for leaf in without - with_staple)


def _asks(der: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return must_staple(x509.load_der_x509_certificate(der))
        except UNREADABLE:
            return False
