"""The answers of an address, turned into facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from checks.data.tls_suites import everything, name_of, suites, weakest_first
from checks.errors import ProbeError, Reason
from checks.facts import Missing
from checks.facts.tls import (
    Negotiated,
    ServedCertificates,
    SuiteAnswer,
    SuiteFamily,
    TlsEndpoint,
    TlsOffer12,
    TlsVersion,
    UnseenEndpoint,
    VersionAnswer,
    WebCertificate,
)
from checks.parse import tls as wire
from checks.parse.tls_ssl2 import ServerHello2
from checks.probes.tls_chain import read_chain
from checks.probes.tls_families import decide
from checks.probes.tls_flight import Flight, Refusal
from checks.probes.tls_hello import CURVE_BITS, GROUP_NAMES, SSL3, TLS10, TLS11, TLS12, TLS13, X25519MLKEM768
from checks.probes.tls_prober import POST_QUANTUM, REVERSED, SSL2_QUESTION, VERSIONS, Prober
from checks.probes.tls_shown import shown_by, with_company

_OLDER = (TLS12, TLS11, TLS10, SSL3)
_NO_CHAIN = Missing(Reason.NOT_ASKED, "SSL 2.0 shows no chain")
_ELSEWHERE = Missing(Reason.NOT_ASKED, "asked of another address")


def read_endpoint(prober: Prober) -> TlsEndpoint | UnseenEndpoint:
    """One that takes nothing of all offers tells nothing: it may not know the name, or shut us out."""
    if not prober.flights and prober.ssl2 is None:
        return UnseenEndpoint(prober.address, _why_unseen(prober))
    tls13 = _tls13(prober)
    hello13 = tls13.hello if isinstance(tls13, Flight) else tls13
    return TlsEndpoint(
        prober.address,
        (*_ssl2(prober), *_versions(prober)),
        _families(prober),
        _older(prober),
        hello13 if hello13 is None or isinstance(hello13, Missing) else name_of(hello13.suite),
        hello13 if hello13 is None or isinstance(hello13, Missing) else _group_name(hello13.group),
        _dh_bits(prober),
        _curve_bits(prober),
        _http2(prober),
        _post_quantum(prober, tls13),
        prober.ssl2.ciphers if prober.ssl2 is not None else (),
    )


def _why_unseen(prober: Prober) -> Missing:
    for answer in prober.answers.values():
        if isinstance(answer, Missing):
            return answer
    refusals = [answer.why for answer in prober.answers.values() if isinstance(answer, Refusal)]
    return Missing(Reason.WITHHELD, f"every offer refused: {refusals[0] if refusals else ''}")


def _ssl2(prober: Prober) -> Iterator[VersionAnswer]:
    """No library ever had both SSL 2.0 and TLS 1.3: it had left all of them before the other came.  So where
    the question is met by a reset or by silence (some wait on purpose), the 1.3 seen is the answer."""
    answer = prober.answers.get(SSL2_QUESTION.name)
    if isinstance(answer, Missing) and not prober.speaks_13:
        yield VersionAnswer(TlsVersion.SSL2, answer)
    elif answer is not None:
        yield VersionAnswer(TlsVersion.SSL2, isinstance(answer, ServerHello2))


def _versions(prober: Prober) -> Iterator[VersionAnswer]:
    """A ServerHello is proof, whatever the question was; otherwise the question for the version decides."""
    shown = {flight.hello.version for flight in prober.flights}
    for version, name in VERSIONS.items():
        answer = prober.answers.get(name)
        if version in shown:
            yield VersionAnswer(name, True)
        elif answer is not None:
            yield VersionAnswer(name, answer if isinstance(answer, Missing) else False)


def _families(prober: Prober) -> tuple[SuiteAnswer, ...]:
    """What of a family was left out on purpose is no answer."""
    if prober.older is None:
        return ()
    decided = ((kind, decide(kind, prober)) for kind in SuiteFamily)
    return tuple(
        SuiteAnswer(kind, chosen)
        for kind, chosen in decided
        if not (isinstance(chosen, Missing) and chosen.reason is Reason.NOT_ASKED)
    )


def _tls13(prober: Prober) -> Flight | Missing | None:
    answer = prober.answers[VERSIONS[TLS13]]
    if isinstance(answer, Flight):
        return answer if answer.hello.version == TLS13 else None
    return answer if isinstance(answer, Missing) else None


def _group_name(group: int | None) -> str:
    return GROUP_NAMES.get(group or 0, f"0x{group or 0:04X}")


def _older(prober: Prober) -> TlsOffer12 | Missing | None:
    """From the answer to the newest of the older hellos, which offer the strongest suites first."""
    answers = [prober.answers[VERSIONS[v]] for v in _OLDER if VERSIONS[v] in prober.answers]
    # A server that has rare suites alone answers none of these hellos, but one of the further ones.
    flights = (a for a in (*answers, *prober.flights) if isinstance(a, Flight) and a.hello.version < TLS13)
    flight = next(flights, None)
    if flight is None:
        return next((a for a in answers if isinstance(a, Missing)), None)
    hello = flight.hello
    return TlsOffer12(
        name_of(hello.suite),
        VERSIONS[hello.version],
        _last_resort(prober),
        extended_master_secret=hello.extension(wire.MASTER_SECRET) is not None,
        secure_renegotiation=hello.extension(wire.RENEGOTIATION_INFO) is not None,
        compression=hello.compression != 0,
        session_ticket=hello.extension(wire.SESSION_TICKET) is not None,
        follows_client=_follows_client(prober, flight),
    )


def _reversed(prober: Prober) -> Flight | Missing:
    answer = prober.answers.get(REVERSED, _ELSEWHERE)
    if isinstance(answer, (Flight, Missing)):
        return answer
    # The same suites in another order, refused: that contradicts the first answer.
    return Missing(Reason.MALFORMED, "the same suites in another order refused")


def _last_resort(prober: Prober) -> str | Missing:
    answer = _reversed(prober)
    return answer if isinstance(answer, Missing) else name_of(answer.hello.suite)


def _follows_client(prober: Prober, strongest: Flight) -> bool | Missing:
    """Only a server that takes the earlier suite of both lists obeys the client.  One that gives ChaCha20 to
    clients without AES hardware goes by an order of its own: ChaCha20 stands behind AES in both."""
    weakest = _reversed(prober)
    if isinstance(weakest, Missing):
        return weakest
    if weakest.hello.version != strongest.hello.version:
        return Missing(Reason.MALFORMED, "answered in another version")
    one, other = strongest.hello.suite, weakest.hello.suite
    forward, backward = everything(), weakest_first()
    if one == other:
        return False
    if not {one, other} <= set(forward):
        return Missing(Reason.MALFORMED, "a suite that was not offered")
    return forward.index(one) < forward.index(other) and backward.index(other) < backward.index(one)


def _dh_bits(prober: Prober) -> int | Missing | None:
    sizes = [
        flight.exchange.dh_bits
        for flight in prober.flights
        if not isinstance(flight.exchange, Missing) and flight.exchange.dh_bits and _is_sound(flight)
    ]
    if sizes:
        return min(sizes)
    if prober.older is None:
        return None
    taken = decide(SuiteFamily.DHE, prober)
    if isinstance(taken, Negotiated):
        gaps = [f.exchange for f in prober.flights if isinstance(f.exchange, Missing)]
        return next(iter(gaps), Missing(Reason.MALFORMED, "DHE without parameters"))
    return taken


def _is_sound(flight: Flight) -> bool:
    """Not EXPORT and not anonymous: those are judged by themselves."""
    suite = suites().get(flight.hello.suite)
    return suite is not None and not suite.is_export and not suite.is_anonymous


def _curve_bits(prober: Prober) -> int | None:
    """The weakest curve seen; the order in which curves are offered is that of a modern client."""
    found = [f.exchange.curve for f in prober.flights if not isinstance(f.exchange, Missing)]
    return min((CURVE_BITS[curve] for curve in found if curve in CURVE_BITS), default=None)


def _http2(prober: Prober) -> bool | Missing | None:
    asked = [prober.flight(VERSIONS[version]) for version in (TLS13, TLS12)]
    for flight in (*asked, *prober.flights):
        if flight is not None:
            return flight.alpn if isinstance(flight.alpn, Missing) else flight.alpn == b"h2"
    return False


def _post_quantum(prober: Prober, tls13: Flight | Missing | None) -> bool | Missing | None:
    if tls13 is None or isinstance(tls13, Missing):
        return tls13
    if tls13.retry_group == X25519MLKEM768:
        return True
    answer = prober.answers.get(POST_QUANTUM, _ELSEWHERE)
    if isinstance(answer, Flight):
        return answer.hello.group == X25519MLKEM768
    return answer if isinstance(answer, Missing) else False


def read_certificates(prober: Prober, host: str, now: datetime, trust_pem: str) -> ServedCertificates:
    """The different certificates that the answers brought, that of TLS 1.3 first."""
    found: list[WebCertificate] = []
    shown, gap = shown_by(prober)
    for one in shown:
        try:
            found.append(with_company(prober, one, read_chain(one.chain, host, now, trust_pem), now))
        except ProbeError as error:
            gap = gap or Missing.of(error)
    if found:
        return ServedCertificates(prober.address, tuple(found))
    if not prober.flights and prober.ssl2 is None:
        gap = _why_unseen(prober)
    return ServedCertificates(prober.address, gap or Missing(Reason.MALFORMED, "no certificate was sent"))
