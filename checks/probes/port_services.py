"""Recognising what listens on an open port with one harmless question.  Nothing stored is read or written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from checks.errors import ProbeError
from checks.parse import greetings
from checks.parse.greetings import Greeting
from checks.probes.net import Stream

_WALL_S = 3.0  # for one service, question and answer together
_READ_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class _Question:
    """What is sent ({host} and {agent} filled in) and how the answer is read.  `whole`: read on after the
    service is known, because its page tells more."""

    sent: bytes
    read: Callable[[bytes], Greeting | None]
    whole: bool = False


def _get(path: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: {host}",
        "User-Agent: {agent}",
        "Accept: */*",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _hello() -> bytes:
    """OP_MSG {hello: 1, $db: "admin"} of MongoDB's wire protocol."""
    fields = b"\x10hello\0" + (1).to_bytes(4, "little")
    fields += b"\x02$db\0" + (6).to_bytes(4, "little") + b"admin\0"
    document = (len(fields) + 5).to_bytes(4, "little") + fields + b"\0"
    body = bytes(4) + b"\0" + document
    head = (16 + len(body), 1, 0, 2013)
    return b"".join(number.to_bytes(4, "little") for number in head) + body


_QUESTIONS = {
    "redis": _Question(b"PING\r\n", greetings.redis),
    "postgresql": _Question((8).to_bytes(4, "big") + (80877103).to_bytes(4, "big"), greetings.postgresql),
    "mysql": _Question(b"", greetings.mysql),
    "mongodb": _Question(_hello(), greetings.mongodb),
    "memcached": _Question(b"version\r\n", greetings.memcached),
    "epmd": _Question(b"\0\1n", greetings.epmd),
    "greeting": _Question(b"", greetings.greeting),
    "docker": _Question(_get("/_ping"), greetings.docker),
    "http": _Question(_get("/"), greetings.http, whole=True),
}


async def recognise(stream: Stream, ask: str, host: str, agent: str) -> Greeting | None:
    """The service behind `stream`; None where it stays silent or says something else."""
    question = _QUESTIONS.get(ask)
    if question is None:
        return None
    sent = question.sent.replace(b"{host}", host.encode("ascii")).replace(b"{agent}", agent.encode("ascii"))
    heard = b""
    try:
        async with asyncio.timeout(_WALL_S):
            if sent:
                await stream.write(sent)
            while len(heard) < _READ_MAX:
                more = await stream.read(_READ_MAX - len(heard), timeout_s=_WALL_S)
                heard += more
                if not more or (question.read(heard) is not None and not question.whole):
                    break
    except (ProbeError, TimeoutError):
        pass  # what came before counts
    return question.read(heard)
