"""One ClientHello out, the server's first flight in: what it chose, its certificates, and not a byte more."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from checks.data.tls_suites import suites
from checks.errors import ConnectionLost, Malformed, ParseError, ProbeError, Reason
from checks.facts import Missing
from checks.parse import tls as wire
from checks.parse.tls import Chain, KeyExchange, Message, Record, ServerHello
from checks.probes.net import Stream
from checks.probes.tls_hello import TLS13, Hello
from checks.probes.tls_keys import KeyPair, ServerKeys, key_pair, transcript_after_retry, transcript_hash
from checks.probes.tls_proof import proves_12, proves_13

BYTES_MAX = 160 * 1024  # of one connection
_READ = 16 * 1024
_RECORDS_MAX = 200  # empty records and warnings would otherwise keep us busy up to the cap on bytes
_MESSAGES_MAX = 12  # a first flight has six at most


@dataclass(frozen=True, slots=True)
class Flight:
    """The server took part of the offer.  What it chose is proof, whatever came of the rest."""

    hello: ServerHello
    chain: Chain | Missing | None = None  # None: none is sent with this suite, or it was not waited for
    exchange: KeyExchange | Missing = KeyExchange()
    alpn: bytes | Missing = b""
    retry_group: int | None = None  # the group that a HelloRetryRequest asked for
    proven: bool = False  # the key of the certificate signed this exchange


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server takes nothing of the offer: an alert, or a clean end before the first byte (`is_end`), with
    which it may also keep us to a limit."""

    why: str
    is_end: bool = False

    @property
    def is_of_version(self) -> bool:
        """It says itself that the version is what it refuses (RFC 5246 7.2.2)."""
        return self.why == f"alert {wire.ALERTS[wire.PROTOCOL_VERSION]}"


class _Ended(Exception):
    """The server ended the exchange in an orderly way; `is_end`: without a word."""

    def __init__(self, why: str, *, is_end: bool = False) -> None:
        super().__init__(why)
        self.is_end = is_end


async def exchange(
    stream: Stream, hello: Hello, *, group: int | None = None, within_s: float = 6.0
) -> Flight | Refusal:
    """Sends the hello over a connection that stands ready for it (after STARTTLS, for instance) and reads the
    first flight, all in `within_s` seconds.  `group`: the group of the first key share of TLS 1.3; None sends
    an empty list, and the retry that this brings is the answer.

    Raises ProbeError kinds for what is neither an answer nor a refusal.  The caller closes the stream.
    """
    try:
        return await _Exchange(stream, hello, within_s).run(group)
    except (ParseError, _Forged) as error:
        raise Malformed(f"{stream.where}: {error}") from error


class _Forged(Exception):
    """A signature that does not hold: whoever answers has not the key, so nothing of it counts."""


class _Exchange:
    def __init__(self, stream: Stream, hello: Hello, within_s: float) -> None:
        self._stream, self._hello = stream, hello
        self._ends = time.monotonic() + within_s
        self._buffer = self._pending = b""
        self._records = 0
        self._keys: ServerKeys | None = None

    async def run(self, group: int | None) -> Flight | Refusal:
        pair = None
        if group is not None:
            pair = key_pair(group)
            if pair is None:
                raise Malformed(f"no key for group 0x{group:04x}")
            self._hello = replace(self._hello, share=(group, pair.public))
        await self._stream.write(self._hello.record(), timeout_s=self._left_s())
        try:
            message = await self._message()
        except _Ended as end:
            return Refusal(str(end), end.is_end)
        if message.kind != wire.SERVER_HELLO:
            raise ParseError(f"message {message.kind} in place of ServerHello")
        hello = wire.parse_server_hello(message.body)
        if hello.version == TLS13:
            return await self._rest13(hello, message, pair)
        return await self._rest12(hello)

    # Up to TLS 1.2 everything is in the clear.

    async def _rest12(self, hello: ServerHello) -> Flight:
        heard: dict[int, bytes] = {}
        gap: Missing | None = None
        try:
            for _ in range(_MESSAGES_MAX):
                message = await self._message()
                if message.kind == wire.SERVER_HELLO_DONE:
                    break
                heard.setdefault(message.kind, message.body)
        except (ProbeError, ParseError, _Ended) as error:
            gap = _gap(error)
        return _flight12(hello, heard, gap, self._hello.random)

    # TLS 1.3: everything behind ServerHello is encrypted.

    async def _rest13(self, hello: ServerHello, message: Message, pair: KeyPair | None) -> Flight:
        flight = Flight(hello, retry_group=hello.group if hello.is_retry else None)
        if hello.is_retry and pair is None:
            return flight
        try:
            transcript = self._hello.message() + message.whole
            if hello.is_retry:
                hello, transcript, pair = await self._second(hello, message, pair)
                flight = replace(flight, hello=hello)
            if pair is None or hello.group is None:
                raise ParseError("key share without a question")
            self._keys = ServerKeys(hello.suite, pair.secret(hello.share), transcript)
            return await self._encrypted(flight, transcript)
        except (ProbeError, ParseError, _Ended) as error:
            gap = _gap(error)
            return replace(flight, chain=gap, alpn=gap)

    async def _second(
        self, retry: ServerHello, message: Message, pair: KeyPair | None
    ) -> tuple[ServerHello, bytes, KeyPair]:
        """The answer to a retry; the transcript up to it; the key pair that goes with it."""
        before = transcript_after_retry(retry.suite, self._hello.message()) + message.whole
        if retry.group is not None:
            pair = key_pair(retry.group)
        group = retry.group or (self._hello.share[0] if self._hello.share else 0)
        if pair is None:
            raise ProbeError(f"key exchange group 0x{group:04x}", reason=Reason.NOT_BUILT)
        again = self._hello.again((group, pair.public), (retry.extension(wire.COOKIE) or b"")[2:])
        await self._stream.write(again.record(), timeout_s=self._left_s())
        second = await self._message()
        if second.kind != wire.SERVER_HELLO:
            raise ParseError(f"message {second.kind} in place of ServerHello")
        hello = wire.parse_server_hello(second.body)
        if hello.is_retry or hello.version != TLS13:
            raise ParseError("second retry")
        return hello, before + again.message() + second.whole, pair

    async def _encrypted(self, flight: Flight, transcript: bytes) -> Flight:
        """As far as CertificateVerify, whose signature covers all before it."""
        chain: Chain | None = None
        for _ in range(_MESSAGES_MAX):
            message = await self._message()
            if message.kind == wire.ENCRYPTED_EXTENSIONS:
                flight = replace(flight, alpn=_alpn(wire.parse_encrypted_extensions(message.body)))
            elif message.kind == wire.CERTIFICATE:
                chain = wire.parse_chain(message.body, tls13=True)
            elif message.kind == wire.CERTIFICATE_VERIFY and chain is not None:
                digest = transcript_hash(flight.hello.suite, transcript)
                proof = proves_13(chain.certificates[0], digest, *wire.parse_certificate_verify(message.body))
                if proof is False:
                    raise _Forged("the signature of CertificateVerify does not hold")
                return replace(flight, chain=chain, proven=bool(proof))
            transcript += message.whole
        raise ParseError("no certificate")

    async def _message(self) -> Message:
        while (message := wire.take_message(self._pending)) is None:
            kind, body = self._opened(await self._record())
            if kind == wire.HANDSHAKE:
                self._pending += body
            elif kind == wire.ALERT:
                fatal, number = wire.parse_alert(body)
                if fatal:
                    raise _Ended(f"alert {wire.ALERTS.get(number, number)}")
            elif kind != wire.CHANGE_CIPHER_SPEC:
                raise ParseError(f"record {kind} in the handshake")
        self._pending = self._pending[len(message.whole) :]
        return message

    async def _record(self) -> Record:
        self._records += 1
        if self._records > _RECORDS_MAX:
            raise ParseError("too many records")
        while (record := wire.take_record(self._buffer)) is None:
            more = await self._stream.read(_READ, timeout_s=self._left_s())
            if not more:
                if self._buffer or self._pending:
                    raise ConnectionLost(f"{self._stream.where}: cut inside a message")
                raise _Ended("connection closed", is_end=True)
            self._buffer += more
        self._buffer = self._buffer[record.size :]
        return record

    def _left_s(self) -> float:
        # One deadline for all steps: a server that sends a byte a second must not keep us longer.
        return max(self._ends - time.monotonic(), 0.001)

    def _opened(self, record: Record) -> tuple[int, bytes]:
        if self._keys is None or record.kind != wire.APPLICATION_DATA:
            return record.kind, record.body
        header = (
            bytes([record.kind]) + record.version.to_bytes(2, "big") + len(record.body).to_bytes(2, "big")
        )
        return self._keys.open(header, record.body)


def _flight12(
    hello: ServerHello, heard: dict[int, bytes], gap: Missing | None, client_random: bytes
) -> Flight:
    """What the messages in the clear say.  `gap`: why the rest of them did not come."""
    suite = suites().get(hello.suite)
    key_exchange = suite.key_exchange if suite is not None else ""
    chain = None if "anon" in key_exchange else _chain12(hello, heard, gap)
    body = heard.get(wire.SERVER_KEY_EXCHANGE)
    if body is None:
        if isinstance(chain, Chain) and key_exchange.startswith(("ECDHE_", "DHE_")):
            # Nobody has shown the key of this certificate.
            chain = gap or Missing(Reason.MALFORMED, "no ServerKeyExchange")
        return Flight(hello, chain, gap or KeyExchange(), _alpn(hello.extensions))
    parameters: KeyExchange | Missing = KeyExchange()
    try:
        parameters = wire.parse_key_exchange(body, key_exchange)
        signed = wire.parse_signed(body, key_exchange, hello.version)
    except ParseError as error:
        broken = _gap(error)
        unproven = broken if isinstance(chain, Chain) else chain
        return Flight(
            hello, unproven, broken if parameters == KeyExchange() else parameters, _alpn(hello.extensions)
        )
    proof: bool | None = None
    if isinstance(chain, Chain) and signed is not None:
        proof = proves_12(chain.certificates[0], hello.version, client_random + hello.random, signed)
    if proof is False:
        raise _Forged("the signature of ServerKeyExchange does not hold")
    return Flight(hello, chain, parameters, _alpn(hello.extensions), proven=bool(proof))


def _chain12(hello: ServerHello, heard: dict[int, bytes], gap: Missing | None) -> Chain | Missing:
    body = heard.get(wire.CERTIFICATE)
    if body is None:
        return gap or Missing(Reason.MALFORMED, "no certificate")
    try:
        chain = wire.parse_chain(body, tls13=False)
    except ParseError as error:
        return _gap(error)
    status = heard.get(wire.CERTIFICATE_STATUS)
    logs = wire.parse_logs(hello.extension(wire.SCT_LIST) or b"")
    return replace(chain, staple=wire.parse_staple(status) if status else b"", logs=logs)


def _alpn(extensions: tuple[tuple[int, bytes], ...]) -> bytes | Missing:
    try:
        return next((wire.parse_alpn(body) for kind, body in extensions if kind == wire.ALPN), b"")
    except ParseError as error:
        return Missing(Reason.MALFORMED, f"ALPN: {error}")


def _gap(error: ProbeError | ParseError | _Ended) -> Missing:
    if isinstance(error, ProbeError):
        return Missing.of(error)
    if isinstance(error, _Ended):
        return Missing(Reason.CONNECTION_LOST, f"after ServerHello: {error}")
    return Missing(Reason.MALFORMED, str(error))
