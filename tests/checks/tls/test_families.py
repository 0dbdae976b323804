"""Families of suites from merged hellos, and whose order decides: against fakes with every habit that is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from checks.data.tls_suites import (
    OFFERED_MAX,
    WEAK,
    everything,
    members,
    name_of,
    suite_called,
    suites,
    weak_lists,
    weakest_first,
)
from checks.facts import Missing
from checks.facts.tls import Negotiated, SuiteFamily, TlsEndpoint, TlsOffer12, TlsVersion
from checks.probes.net import Net
from checks.probes.tls import look_in_full
from checks.probes.tls_findings import read_endpoint
from checks.probes.tls_prober import Prober
from checks.target import Limits, Vantage
from tests.checks.tls.servers import (
    HOST,
    Asked,
    Behaviour,
    alert,
    answering,
    chosen,
    extension,
    fake,
    handshake,
    read_hello,
)
from tests.checks.tls.servers import server_hello as hello

VANTAGE = Vantage(allow_networks=("127.0.0.0/8",))
TLS10, TLS12 = 0x0301, 0x0303
F = SuiteFamily
Choose = Callable[[tuple[int, ...]], int | None]


def number(name: str) -> int:
    suite = suite_called(name)
    assert suite is not None, name
    return suite.number


AES256 = number("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
AES128 = number("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
CHACHA = number("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256")
CBC = number("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA")
RSA_RC4 = number("TLS_RSA_WITH_RC4_128_SHA")


async def _look(behave: Behaviour) -> tuple[TlsEndpoint, int]:
    net = Net(VANTAGE, Limits())
    async with fake(behave) as port:
        prober = Prober(net, "127.0.0.1", port, probe_s=2, slow_s=2)
        await look_in_full(prober, HOST)
    found = read_endpoint(prober)
    assert isinstance(found, TlsEndpoint), found
    return found, net.used["tls"]


def look(behave: Behaviour) -> tuple[TlsEndpoint, int]:
    return asyncio.run(_look(behave))


def choosing(choose: Choose) -> Behaviour:
    """A server of TLS 1.2 that picks from the suites of the hello."""

    def reply(asked: Asked) -> bytes:
        suite = choose(asked.suites) if asked.highest == TLS12 else None
        if suite is None:
            return alert(40)
        return handshake(hello(TLS12, suite, extension(0xFF01, b"\0")), (14, b""))

    return answering(reply)


def obeys(*known: int) -> Choose:
    return lambda asked: next((suite for suite in asked if suite in known), None)


def decides(*known: int) -> Choose:
    return lambda asked: next((suite for suite in known if suite in asked), None)


def taken(seen: TlsEndpoint) -> set[SuiteFamily]:
    assert not [a for a in seen.suites if isinstance(a.chosen, Missing)]
    assert {a.family for a in seen.suites} == set(F)
    return {a.family for a in seen.suites if isinstance(a.chosen, Negotiated)}


def test_every_weak_suite_stands_in_one_of_three_hellos() -> None:
    lists = weak_lists()
    assert len(lists) == 3
    assert all(len(part) <= OFFERED_MAX for part in lists)
    listed = [suite for part in lists for suite in part]
    assert len(listed) == len(set(listed))
    assert set(listed) == frozenset[int]().union(*(members(kind) for kind in WEAK))
    strong = set(suites()) - set(listed)
    assert all(not s.key_exchange or s.is_aead or "ECDH_" in s.name or "_DH_" in s.name
               for s in (suites()[n] for n in strong))  # fmt: skip


@pytest.mark.parametrize("kind", F)
def test_each_family_is_found_by_each_of_its_suites_alone(kind: SuiteFamily) -> None:
    """The rarest too: nothing is lost by asking for several families at once."""
    rarest = max(members(kind))
    seen, used = look(choosing(obeys(AES256, rarest)))
    assert kind in taken(seen)
    assert used <= 20


@pytest.mark.parametrize("order", [obeys, decides])
def test_a_server_with_all_families_shows_all_of_them(order: Callable[..., Choose]) -> None:
    seen, used = look(choosing(order(*sorted(suites()))))
    assert taken(seen) == set(F)
    assert used <= 22


@pytest.mark.parametrize("order", [obeys, decides])
def test_families_that_stand_behind_others_are_told_apart(order: Callable[..., Choose]) -> None:
    known = [
        AES256,
        number("TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
        RSA_RC4,
        number("TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    ]
    seen, _ = look(choosing(order(*known)))
    assert taken(seen) == {F.AEAD, F.TRIPLE_DES, F.RC4, F.RSA, F.DHE, F.CBC}


def test_a_strong_server_is_asked_eleven_times() -> None:
    seen, used = look(choosing(obeys(AES256, CHACHA)))
    assert taken(seen) == {F.AEAD}
    assert used == 11  # no post-quantum group without TLS 1.3, but a second look at the end that SSL 2.0 gets


def test_a_server_that_hangs_up_on_newer_hellos_is_asked_with_those_it_answers() -> None:
    """An alert to a hello of TLS 1.2 says nothing about suites when TLS 1.0 is answered."""

    def reply(asked: Asked) -> bytes:
        return alert(70) if asked.version > TLS10 else chosen(asked, (0x002F, RSA_RC4), (TLS10,), b"none")

    seen, _ = look(answering(reply))
    assert seen.offers(TlsVersion.TLS10) is True
    assert seen.offers(TlsVersion.TLS12) is False
    assert taken(seen) == {F.RSA, F.CBC, F.RC4}


def test_a_lost_answer_leaves_its_families_open_and_no_others() -> None:
    weak = set(weak_lists()[0])

    async def behave(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = read_hello(record)
        if set(asked.suites) == weak:
            await reader.read()
            return
        await choosing(obeys(AES256))(record, reader, writer)

    async def run() -> TlsEndpoint:
        async with fake(behave) as port:
            prober = Prober(Net(VANTAGE, Limits()), "127.0.0.1", port, probe_s=0.3, slow_s=0.3)
            await look_in_full(prober, HOST)
        found = read_endpoint(prober)
        assert isinstance(found, TlsEndpoint)
        return found

    seen = asyncio.run(run())
    open_ = {a.family for a in seen.suites if isinstance(a.chosen, Missing)}
    assert open_ == {F.NULL, F.ANONYMOUS, F.EXPORT, F.RC4, F.DES, F.TRIPLE_DES, F.RSA, F.DHE}


def prioritises_chacha(*known: int) -> Choose:
    """OpenSSL's PrioritizeChaCha: ChaCha20 first for a client whose first suite it is."""

    def choose(asked: tuple[int, ...]) -> int | None:
        first = next((suite for suite in asked if suite in suites()), 0)
        order = sorted(known, key=lambda suite: suite != CHACHA) if first == CHACHA else known
        return decides(*order)(asked)

    return choose


def tells_by_the_first_known(*known: int) -> Choose:
    """Go: ChaCha20 for every client whose first known suite is not AES-GCM, which it takes for one without AES."""

    def choose(asked: tuple[int, ...]) -> int | None:
        first = next((suite for suite in asked if suite in {*known, RSA_RC4, CBC}), 0)
        order = known if first in {AES128, AES256} else sorted(known, key=lambda suite: suite != CHACHA)
        return decides(*order)(asked)

    return choose


def equal_rank(*known: int) -> Choose:
    """BoringSSL: AES-128-GCM and ChaCha20 are worth the same, and between them the client decides."""

    def choose(asked: tuple[int, ...]) -> int | None:
        best = obeys(AES128, CHACHA)(asked)
        return best if best is not None else decides(*known)(asked)

    return choose


HABITS: list[tuple[Choose, bool]] = [
    (decides(AES128, AES256, CBC), True),
    (decides(CBC, AES256), True),
    (decides(CHACHA, AES256), True),
    (prioritises_chacha(AES256, AES128, CHACHA), True),
    (tells_by_the_first_known(AES128, AES256, CHACHA), True),
    (equal_rank(AES256), True),
    (obeys(AES128, AES256, CBC), False),
    (obeys(AES128, AES256, CHACHA), False),
    (obeys(AES128, CHACHA, CBC), False),
]


@pytest.mark.parametrize(("choose", "own_order"), HABITS)
def test_whose_order_decides(choose: Choose, own_order: bool) -> None:
    older = look(choosing(choose))[0].older
    assert isinstance(older, TlsOffer12)
    assert older.server_decides is own_order


def test_chacha_stands_behind_aes_in_both_lists() -> None:
    for order in (everything(), weakest_first()):
        names = [name_of(suite) for suite in order]
        chacha = names.index("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
        assert chacha > names.index("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    assert set(weakest_first()) == set(everything())


def test_answers_in_different_versions_say_nothing_about_the_order() -> None:
    def reply(asked: Asked) -> bytes:
        version = TLS12 if asked.suites == everything() else TLS10
        return alert(70) if asked.highest < TLS12 else chosen(asked, (CBC, 0x002F), (version,), b"none")

    older = look(answering(reply))[0].older
    assert isinstance(older, TlsOffer12)
    assert isinstance(older.server_decides, Missing)


@pytest.mark.parametrize("name", ["TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384", "TLS_RSA_WITH_SEED_CBC_SHA"])
def test_a_server_with_a_rare_suite_alone_shows_its_tls_12(name: str) -> None:
    """The common suites are refused with handshake_failure: that is not about the version."""
    seen, _ = look(choosing(obeys(number(name))))
    assert seen.offers(TlsVersion.TLS12) is True
    assert isinstance(seen.older, TlsOffer12)
    assert seen.older.preferred == name
    assert taken(seen) == {kind for kind in F if number(name) in members(kind)}


def test_a_server_that_closes_what_is_too_much_at_once_is_asked_again() -> None:
    open_now: set[object] = set()

    async def behave(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            if len(open_now) <= 2:
                await asyncio.sleep(0.05)
                await choosing(obeys(AES256, number("TLS_RSA_WITH_3DES_EDE_CBC_SHA")))(record, reader, writer)
        finally:
            open_now.discard(writer)

    seen, used = look(behave)
    assert taken(seen) == {F.AEAD, F.TRIPLE_DES, F.RSA}
    assert used <= 22
