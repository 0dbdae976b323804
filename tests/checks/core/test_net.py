"""The dialler on real sockets: the address rule, budgets, deadline, manners."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from contextlib import suppress

import pytest

from checks.errors import (
    BudgetSpent,
    ConnectionLost,
    ForbiddenAddress,
    ProbeError,
    Refused,
    TimedOut,
    Unreachable,
)
from checks.probes import net as net_module
from checks.probes.net import Net, dial_error
from checks.target import Limits, Vantage
from tests.checks.core.sockets import (
    LOCAL,
    closed_port,
    connected,
    dropping,
    listening,
    net,
    saying,
    silent,
)

# the address rule


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd66::10", "::ffff:127.0.0.1", "localhost", "", "0"],
)
@pytest.mark.parametrize("how", ["connect", "connect_socket"])
def test_an_address_that_is_not_allowed_is_never_dialled(
    address: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dialled(*_: object, **__: object) -> None:
        raise AssertionError("dialled")

    monkeypatch.setattr(asyncio, "open_connection", dialled)
    monkeypatch.setattr(socket, "create_connection", dialled)
    dialler = Net(Vantage(), Limits())
    with pytest.raises(ForbiddenAddress):
        asyncio.run(getattr(dialler, how)(address, 80, "tcp"))
    assert dialler.used == {}


def test_the_operators_network_alone_is_opened() -> None:
    dialler = Net(Vantage(allow_networks=("127.77.0.0/16",)), Limits())
    dialler.vet("127.77.1.2")
    with pytest.raises(ForbiddenAddress):
        dialler.vet("127.78.1.2")


# budgets


@pytest.mark.parametrize("kind", ["tls", "tcp", "ssh", "smtp"])
def test_connections_are_limited_for_each_address_by_itself(kind: str) -> None:
    dialler = net(budget={kind: 2})
    for address in ("192.0.2.1", "192.0.2.2"):
        dialler.spend(kind, address)
        dialler.spend(kind, address)
        with pytest.raises(BudgetSpent):
            dialler.spend(kind, address)
    assert dialler.used == {kind: 4}


@pytest.mark.parametrize("kind", ["http", "dns"])
def test_requests_and_questions_are_limited_for_the_whole_scan(kind: str) -> None:
    dialler = net(budget={kind: 3})
    for address in ("192.0.2.1", "192.0.2.2", ""):
        dialler.spend(kind, address)
    with pytest.raises(BudgetSpent):
        dialler.spend(kind, "192.0.2.3")
    assert dialler.used == {kind: 3}


def test_the_usual_limits_are_the_promised_manners() -> None:
    manners = {"tls": 25, "http": 20, "dns": 80, "tcp": 160, "smtp": 16, "ssh": 2}
    assert Limits().budget.items() >= manners.items()


@pytest.mark.parametrize("how", ["connect", "connect_socket"])
def test_a_connection_beyond_the_budget_is_not_made(how: str) -> None:
    async def run() -> None:
        async with listening(silent) as met:
            dialler = net(budget={"ssh": 2})
            for _ in range(2):
                (await getattr(dialler, how)(LOCAL, met.port, "ssh")).close()
            with pytest.raises(BudgetSpent):
                await getattr(dialler, how)(LOCAL, met.port, "ssh")
            await asyncio.sleep(0.05)
            assert met.all == 2

    asyncio.run(run())


# the deadline of the scan


def test_after_the_deadline_nothing_is_spent_and_nothing_read() -> None:
    async def run() -> None:
        async with connected(saying(b"hello"), wall_s=0.2) as (stream, dialler):
            assert 0 < dialler.remaining_s() <= 0.2
            await asyncio.sleep(0.25)
            for step in (
                stream.read(),
                stream.read_exactly(1),
                stream.write(b"x"),
                dialler.connect(LOCAL, 1, "tcp"),
                dialler.connect_socket(LOCAL, 1, "tcp"),
                stream.start_tls(ssl.create_default_context(), "a.example"),
            ):
                with pytest.raises(BudgetSpent):
                    await step
            with pytest.raises(BudgetSpent):
                dialler.remaining_s()
            with pytest.raises(BudgetSpent):
                dialler.spend("dns")

    asyncio.run(run())


def test_the_deadline_cuts_short_what_a_step_would_be_allowed() -> None:
    async def run() -> None:
        async with connected(silent, wall_s=0.3) as (stream, _):
            begun = time.monotonic()
            with pytest.raises(TimedOut):
                await stream.read(timeout_s=60)
            assert time.monotonic() - begun < 1.5

    asyncio.run(run())


@pytest.mark.parametrize("how", ["connect", "connect_socket"])
@pytest.mark.parametrize(
    "limits", [{"connect_s": 0.2, "wall_s": 5.0}, {"connect_s": 5.0, "wall_s": 0.2}], ids=str
)
def test_a_port_that_drops_everything_costs_a_connection_time_and_no_more(
    how: str, limits: dict[str, float]
) -> None:
    async def run() -> None:
        async with dropping() as port:
            dialler = net(**limits)
            begun = time.monotonic()
            with pytest.raises(TimedOut):
                await getattr(dialler, how)(LOCAL, port, "tls")
            assert time.monotonic() - begun < 1.5

    asyncio.run(run())


# what the operating system says


@pytest.mark.parametrize("how", ["connect", "connect_socket"])
def test_a_closed_port_refuses(how: str) -> None:
    with pytest.raises(Refused):
        asyncio.run(getattr(net(), how)(LOCAL, closed_port(), "tls"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), TimedOut),
        (OSError(errno.ETIMEDOUT, ""), TimedOut),
        (ConnectionRefusedError(), Refused),
        (ConnectionResetError(), ConnectionLost),
        (BrokenPipeError(), ConnectionLost),
        (ConnectionAbortedError(), ConnectionLost),
        (OSError(errno.ENETUNREACH, ""), Unreachable),
        (OSError(errno.EHOSTUNREACH, ""), Unreachable),
        (OSError(errno.EACCES, ""), Unreachable),
        (OSError(errno.EMFILE, ""), Unreachable),
        (OSError(), Unreachable),
    ],
    ids=str,
)
def test_each_error_has_its_kind(error: OSError, kind: type[ProbeError]) -> None:
    assert type(dial_error(error, "there")) is kind


# manners


async def visit(dialler: Net, port: int, address: str = LOCAL) -> None:
    async with dialler.politely(address):
        stream = await dialler.connect(address, port, "tls")
        await stream.write(b"x")
        with suppress(TimedOut):
            await stream.read(1, timeout_s=0.05)
        stream.close()


def test_an_address_that_answers_is_asked_so_many_times_at_once_and_no_more() -> None:
    async def run() -> None:
        async with listening(silent) as met:
            dialler = net(at_once=3)
            await asyncio.gather(*(visit(dialler, met.port) for _ in range(12)))
            assert (met.most, met.all) == (3, 12)

    asyncio.run(run())


def test_after_trouble_an_address_is_asked_one_at_a_time_with_growing_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(net_module, "_BACK_OFF_S", (0.05, 0.1, 0.2))

    async def run() -> None:
        async with listening(silent) as met:
            dialler = net(at_once=8)
            with pytest.raises(Refused):
                await dialler.connect(LOCAL, closed_port(), "tls")
            begun = time.monotonic()
            await asyncio.gather(*(visit(dialler, met.port) for _ in range(4)))
            assert met.most == 1
            assert time.monotonic() - begun >= 4 * 0.05
            dialler.trouble(LOCAL)
            dialler.trouble(LOCAL)
            begun = time.monotonic()
            await visit(dialler, met.port)
            assert time.monotonic() - begun >= 0.2

    asyncio.run(run())


def test_the_trouble_of_one_address_is_not_that_of_another() -> None:
    async def run() -> None:
        async with listening(silent, "127.0.0.2") as met:
            dialler = net()
            for _ in range(4):
                dialler.trouble(LOCAL)
            begun = time.monotonic()
            await asyncio.gather(*(visit(dialler, met.port, "127.0.0.2") for _ in range(4)))
            assert met.most > 1
            assert time.monotonic() - begun < 1

    asyncio.run(run())


@pytest.mark.parametrize(("kind", "troubles"), [("tls", 1), ("web", 1), ("smtp", 1), ("tcp", 0)])
def test_a_refusal_is_trouble_save_for_ports_that_may_well_be_closed(kind: str, troubles: int) -> None:
    async def run() -> None:
        dialler = net()
        with pytest.raises(Refused):
            await dialler.connect(LOCAL, closed_port(), kind)
        assert dialler._manners[LOCAL].troubles == troubles

    asyncio.run(run())


def test_a_pause_never_outlasts_the_scan() -> None:
    async def run() -> None:
        dialler = net(wall_s=0.2)
        for _ in range(9):
            dialler.trouble(LOCAL)
        begun = time.monotonic()
        async with dialler.politely(LOCAL):
            pass
        assert time.monotonic() - begun < 1
        with pytest.raises(BudgetSpent):
            async with dialler.politely(LOCAL):
                pass

    asyncio.run(run())
