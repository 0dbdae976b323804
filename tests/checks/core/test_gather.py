"""`gather`: every promised fact is found or missing with a reason, in time, whatever a probe does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import pytest

from checks import errors
from checks.errors import ProbeError, Reason
from checks.facts import Fact, Facts, Missing, MissingFact
from checks.facts.dns import Addresses, DomainName
from checks.facts.http import FrontPage, NoSuchPage, Page, PlainHttp
from checks.probes import ALL_PROBES, PHASES, SCANS_AT_ONCE, Gathered, gather
from checks.probes.look import Look, Probe
from checks.target import Limits, Target, Vantage

TARGET = Target("a.example")
VANTAGE = Vantage(resolver="127.0.0.9", allow_networks=("127.0.0.0/8",))
NAME = DomainName("a.example", "example", "a.example")
PLAIN = PlainHttp(closed=True)
PAGE = Page("https://a.example/", 200, (), "")

Run = Callable[[Look], Awaitable[Iterable[Fact]]]
PROBE_ERRORS = [
    kind for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ProbeError) and kind is not ProbeError
]  # fmt: skip


def probe(name: str, run: Run, *gives: type[Fact], phase: str = "dns") -> Probe:
    return Probe(name, phase, gives or (DomainName,), run)


def giving(*facts: Fact) -> Run:
    async def run(look: Look) -> Iterable[Fact]:
        return facts

    return run


def raising(error: BaseException) -> Run:
    async def run(look: Look) -> Iterable[Fact]:
        raise error

    return run


async def hanging(look: Look) -> Iterable[Fact]:
    await asyncio.sleep(3600)
    return ()


def look_with(*probes: Probe, wall_s: float = 0.4) -> Gathered:
    return asyncio.run(gather(TARGET, VANTAGE, Limits(wall_s=wall_s), probes=probes))


def facts_of(*probes: Probe) -> Facts:
    return look_with(*probes).facts


def test_what_a_probe_gives_is_found() -> None:
    facts = facts_of(probe("name", giving(NAME)), probe("plain", giving(PLAIN), PlainHttp))
    assert facts == Facts({DomainName: NAME, PlainHttp: PLAIN}, {})


@pytest.mark.parametrize("kind", PROBE_ERRORS, ids=lambda kind: kind.__name__)
def test_a_probe_error_makes_all_its_facts_missing_with_its_reason(kind: type[ProbeError]) -> None:
    facts = facts_of(probe("both", raising(kind("why")), DomainName, PlainHttp))
    gap = Missing(kind.reason, "why")
    assert kind.reason is not Reason.BUG
    assert facts == Facts({}, {DomainName: gap, PlainHttp: gap})


def test_a_missing_fact_is_handed_on_with_its_reason() -> None:
    async def needing(look: Look) -> Iterable[Fact]:
        await look.need(DomainName)
        return (PLAIN,)

    facts = facts_of(
        probe("name", raising(errors.TimedOut("resolver"))), probe("needing", needing, PlainHttp)
    )
    gap = Missing(Reason.TIMEOUT, "resolver")
    assert facts.missing == {DomainName: gap, PlainHttp: gap}


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        KeyError("x"),
        RecursionError(),
        AssertionError(),
        UnicodeError(),
        OSError(),
        EOFError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_any_other_exception_is_a_bug_of_ours_and_is_logged(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "checks.probes"):
        facts = facts_of(probe("broken", raising(error)), probe("plain", giving(PLAIN), PlainHttp))
    assert facts.missing == {DomainName: Missing(Reason.BUG, type(error).__name__)}
    assert facts.found == {PlainHttp: PLAIN}
    (record,) = caplog.records
    assert "broken" in record.getMessage() and record.exc_info is not None


def test_what_was_promised_and_not_given_was_not_asked() -> None:
    facts = facts_of(probe("half", giving(NAME), DomainName, PlainHttp))
    assert facts == Facts({DomainName: NAME}, {PlainHttp: Missing(Reason.NOT_ASKED)})


def test_a_fact_that_was_never_promised_is_a_bug_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    facts = facts_of(probe("generous", giving(PLAIN), DomainName))
    assert facts == Facts({}, {DomainName: Missing(Reason.BUG, "AssertionError")})


def test_a_probe_that_gives_one_fact_twice_does_not_stop_the_scan(caplog: pytest.LogCaptureFixture) -> None:
    facts = facts_of(
        probe("twice", giving(NAME, NAME), DomainName, FrontPage), probe("plain", giving(PLAIN), PlainHttp)
    )
    assert facts.found[PlainHttp] == PLAIN
    assert facts.found.keys() | facts.missing.keys() == {DomainName, FrontPage, PlainHttp}


def test_a_probe_that_hangs_costs_its_own_facts_alone() -> None:
    begun = time.monotonic()
    facts = facts_of(probe("hangs", hanging), probe("plain", giving(PLAIN), PlainHttp))
    assert 0.35 < time.monotonic() - begun < 2
    assert facts == Facts({PlainHttp: PLAIN}, {DomainName: Missing(Reason.BUDGET, "time of the scan")})


def test_two_probes_that_wait_for_each_other_end_with_the_scan() -> None:
    async def first(look: Look) -> Iterable[Fact]:
        await look.need(PlainHttp)
        return (NAME,)

    async def second(look: Look) -> Iterable[Fact]:
        await look.need(DomainName)
        return (PLAIN,)

    begun = time.monotonic()
    facts = facts_of(probe("first", first), probe("second", second, PlainHttp))
    assert time.monotonic() - begun < 2
    assert {gap.reason for gap in facts.missing.values()} == {Reason.BUDGET}
    assert facts.found == {}


def test_a_wait_for_a_probe_that_is_not_part_of_the_scan_is_none() -> None:
    async def late(look: Look) -> Iterable[Fact]:
        await look.after("never announced")
        try:
            await look.need(FrontPage)
        except MissingFact as gap:
            assert gap.missing.reason is Reason.NOT_ASKED
        return (NAME,)

    assert facts_of(probe("late", late)).found == {DomainName: NAME}


def test_after_waits_for_the_end_however_it_came() -> None:
    order: list[str] = []

    async def slow(look: Look) -> Iterable[Fact]:
        await asyncio.sleep(0.05)
        order.append("slow")
        raise errors.Refused("no")

    async def last(look: Look) -> Iterable[Fact]:
        await look.after("slow")
        order.append("last")
        return (PLAIN,)

    facts = facts_of(probe("last", last, PlainHttp), probe("slow", slow))
    assert order == ["slow", "last"] and facts.found == {PlainHttp: PLAIN}


def test_progress_tells_of_the_end_of_every_probe_however_it_ended() -> None:
    told: list[tuple[str, int, int]] = []
    probes = (
        probe("good", giving(NAME)),
        probe("refused", raising(errors.Refused("no")), PlainHttp),
        probe("bug", raising(ValueError()), FrontPage, phase="web"),
        probe("hangs", hanging, NoSuchPage, phase="web"),
    )

    async def run() -> None:
        await gather(
            TARGET, VANTAGE, Limits(wall_s=0.3), progress=lambda *step: told.append(step), probes=probes
        )

    asyncio.run(run())
    assert Counter(phase for phase, _, _ in told) == {"dns": 2, "web": 2}
    assert {(done, of) for _, done, of in told} == {(1, 2), (2, 2)}


def test_a_scan_that_is_cancelled_from_outside_is_cancelled() -> None:
    async def run() -> None:
        scan = asyncio.create_task(
            gather(TARGET, VANTAGE, Limits(wall_s=60), probes=(probe("hangs", hanging),))
        )
        await asyncio.sleep(0.05)
        scan.cancel()
        await scan

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_connections_that_a_probe_left_open_are_closed_with_the_scan() -> None:
    async def run() -> None:
        ended = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            ended.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def careless(look: Look) -> Iterable[Fact]:
            stream = await look.net.connect("127.0.0.1", port, "tcp")
            await stream.read(timeout_s=60)
            return ()

        await gather(TARGET, VANTAGE, Limits(wall_s=0.2), probes=(probe("careless", careless),))
        await asyncio.wait_for(ended.wait(), 2)
        server.close()

    asyncio.run(run())


def test_each_fact_has_one_giver_and_each_phase_a_name() -> None:
    givers = Counter(kind for one in ALL_PROBES for kind in one.gives)
    assert [kind.__name__ for kind, count in givers.items() if count > 1] == []
    assert {one.phase for one in ALL_PROBES} == set(PHASES)
    names = Counter(one.name for one in ALL_PROBES)
    assert names.most_common(1)[0][1] == 1


def test_the_real_probes_without_a_resolver_find_nothing_but_the_name() -> None:
    gathered = asyncio.run(gather(TARGET, VANTAGE, Limits(wall_s=5)))
    promised = {kind for one in ALL_PROBES for kind in one.gives}
    facts = gathered.facts
    assert facts.found.keys() | facts.missing.keys() == promised
    assert facts.found.keys() & facts.missing.keys() == set()
    assert Addresses in facts.missing
    assert Reason.BUG not in {gap.reason for gap in facts.missing.values()}
    assert set(gathered.connections) <= {"dns", "http"}  # requests are counted before their name is looked up


def test_the_scans_of_one_loop_take_turns_and_waiting_costs_no_time() -> None:
    now, most = 0, 0

    async def busy(look: Look) -> Iterable[Fact]:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.05)
        now -= 1
        return (NAME,)

    async def run() -> list[Gathered]:
        scans = (
            gather(TARGET, VANTAGE, Limits(wall_s=1), probes=(probe("busy", busy),))
            for _ in range(3 * SCANS_AT_ONCE)
        )
        return await asyncio.gather(*scans)

    found = asyncio.run(run())
    assert most == SCANS_AT_ONCE
    assert all(one.facts.get(DomainName) == NAME for one in found)
