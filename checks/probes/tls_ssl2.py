"""The question for SSL 2.0: a CLIENT-HELLO in its own form, and the first message that comes back."""

from __future__ import annotations

import secrets
import time

from checks.errors import ConnectionLost, Malformed, ParseError
from checks.parse import tls as wire
from checks.parse.tls_ssl2 import Error2, ServerHello2, client_hello, parse_answer2, take_record2
from checks.probes.net import Stream
from checks.probes.tls_flight import Refusal


async def exchange2(stream: Stream, *, within_s: float = 6.0) -> ServerHello2 | Refusal:
    """A SERVER-HELLO proves SSL 2.0.  A refusal is an ERROR, a clean end before the first byte, or anything
    well-formed in TLS.  Raises ProbeError kinds for what is neither; the caller closes the stream."""
    ends = time.monotonic() + within_s
    await stream.write(client_hello(secrets.token_bytes(16)), timeout_s=within_s)
    heard = b""
    while True:
        more = await stream.read(timeout_s=max(ends - time.monotonic(), 0.001))
        if not more:
            if heard:
                raise ConnectionLost(f"{stream.where}: cut inside a message")
            return Refusal("connection closed", is_end=True)
        heard += more
        try:
            answer = _read(heard)
        except ParseError as error:
            raise Malformed(f"{stream.where}: {error}") from error
        if answer is not None:
            return answer


def _read(heard: bytes) -> ServerHello2 | Refusal | None:
    if heard[0] in {wire.ALERT, wire.HANDSHAKE}:
        record = wire.take_record(heard)
        if record is None:
            return None
        if record.kind == wire.HANDSHAKE:
            return Refusal("answers in TLS")
        _, number = wire.parse_alert(record.body)
        return Refusal(f"alert {wire.ALERTS.get(number, number)}")
    body = take_record2(heard)
    if body is None:
        return None
    answer = parse_answer2(body)
    return Refusal(f"error {answer.code}") if isinstance(answer, Error2) else answer
