"""One question on the wire to a server that means harm: it ends, and leaves time for everybody else."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from checks.errors import Malformed, ProbeError, TooLarge
from checks.probes.dns_wire import MAX_COUNTED, Server, exchange, read_answer

NAME = dns.name.from_text("a.test.")
Reply = Callable[[bytes], bytes]


@contextmanager
def sends(reply: Reply, times: int) -> Iterator[Server]:
    """A server that answers the first question with so many datagrams, all of which wait before one is read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))

        def serve() -> None:
            wire, asker = link.recvfrom(65535)
            for _ in range(times):
                link.sendto(reply(wire), asker)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Server(*link.getsockname())
        thread.join(5)


def foreign(wire: bytes) -> bytes:
    return bytes([wire[0] ^ 0xFF]) + wire[1:2] + b"\x81\x80" + wire[4:]


async def asked(server: Server, turns: list[float]) -> ProbeError | dns.message.Message:
    async def beside() -> None:
        while True:
            turns.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0)

    other = asyncio.create_task(beside())
    try:
        return await exchange(server, NAME, "TXT", 5.0)
    except ProbeError as error:
        return error
    finally:
        other.cancel()


def test_a_flood_of_foreign_answers_is_left_after_a_few_and_others_have_their_turn() -> None:
    turns: list[float] = []
    with sends(foreign, 100) as server:
        found = asyncio.run(asked(server, turns))
    assert isinstance(found, Malformed)
    assert len(turns) > 10


def test_one_foreign_answer_costs_nothing() -> None:
    def honest(wire: bytes) -> bytes:
        return dns.message.make_response(dns.message.from_wire(wire)).to_wire()

    replies = iter((foreign, honest))
    with sends(lambda wire: next(replies)(wire), 2) as server:
        assert isinstance(asyncio.run(asked(server, [])), dns.message.Message)


def crowd(count: int) -> Reply:
    """An answer whose records are all there, each with the name of the question."""

    def reply(wire: bytes) -> bytes:
        question = wire[12 : 12 + len(NAME.to_digestable()) + 4]
        record = b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 60, 2) + b"\x01x"
        return wire[:2] + struct.pack("!HHHHH", 0x8180, 1, count, 0, 0) + question + record * count

    return reply


def test_more_records_than_anybody_needs_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> dns.message.Message:
        raise AssertionError("unpacked")

    with sends(crowd(MAX_COUNTED), 1) as server:
        assert isinstance(asyncio.run(asked(server, [])), dns.message.Message)
    monkeypatch.setattr(dns.message, "from_wire", never)
    with sends(crowd(MAX_COUNTED + 1), 1) as server:
        assert isinstance(asyncio.run(asked(server, [])), TooLarge)


def test_no_such_name_with_its_records_is_no_absence() -> None:
    answer = dns.message.make_response(dns.message.make_query(NAME, "TXT"))
    answer.answer.append(dns.rrset.from_text(NAME, 60, "IN", "TXT", '"v=spf1 -all"'))
    answer.set_rcode(dns.rcode.NXDOMAIN)
    with pytest.raises(Malformed, match="yet its records"):
        read_answer(NAME, "TXT", answer)
