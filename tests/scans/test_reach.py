"""When is a server called gone?  Only where everything was tried and nothing answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.errors import Reason
from checks.facts import Fact, Facts, Missing
from checks.facts.dns import Addresses, ResolverHealth
from checks.facts.http import FrontPage, PlainHttp
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts, PortState
from checks.facts.ssh import SshService
from checks.facts.tls import TlsOffer, UnseenEndpoint
from checks.model import Evidence, Status
from fedisec.scans.reach import ANSWERS, UNSEEN, reach
from tests.checks.inside.fixtures import report
from tests.checks.tls.made import endpoint
from tests.scans.gone import (
    GONE,
    HEALTH,
    HOST,
    PAGE,
    PLACES,
    RESET,
    SECOND,
    SILENT,
    V4,
    V6,
    Given,
    facts,
    offer,
    ports,
    ssh,
)


def two(first: Missing, second: Missing) -> dict[type[Fact], Given]:
    return {Addresses: replace(PLACES, v4=(V4, SECOND)), TlsOffer: offer((V4, first), (SECOND, second))}


def test_a_server_whose_every_address_was_tried_in_vain_is_gone() -> None:
    found = reach(facts())
    assert (found.status, found.code, found.data) == (Status.FAIL, "silent", {"count": 1})
    assert found.evidence == (Evidence(f"{V4} port 443", "timeout"),)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({TlsOffer: offer((V4, RESET)), PlainHttp: PlainHttp(closed=True)}, "refused"),
        (two(RESET, RESET), "refused"),
        (two(RESET, SILENT), "silent"),
        ({TlsOffer: offer((V4, Missing(Reason.UNREACHABLE)))}, "silent"),
        ({PlainHttp: PlainHttp(closed=True)}, "silent"),
        ({PlainHttp: RESET}, "silent"),
        ({Inside: SILENT}, "silent"),
        ({Inside: RESET}, "silent"),
        ({Inside: Missing(Reason.UNREACHABLE)}, "silent"),
        ({Inside: Missing(Reason.NOT_ASKED)}, "silent"),
        ({ResolverHealth: replace(HEALTH, validates=False)}, "silent"),
        (
            {
                Addresses: replace(PLACES, v6=(V6,), ipv6_usable=True),
                TlsOffer: offer((V4, SILENT), (V6, RESET)),
            },
            "silent",
        ),
        (
            {Addresses: replace(PLACES, v4=(), v6=(V6,), ipv6_usable=True), TlsOffer: offer((V6, RESET))},
            "refused",
        ),
        ({SshService: Missing(Reason.NOT_ASKED), OpenPorts: Missing(Reason.BUDGET)}, "silent"),
        ({Addresses: Missing(Reason.NO_SUCH_NAME, HOST)}, "no_name"),
        ({Addresses: Missing(Reason.RESOLVER_FAILED, "SERVFAIL")}, "dns_fails"),
        # Nobody else finds it, though fedisec logs in by its address.
        ({Addresses: Missing(Reason.NO_SUCH_NAME), Inside: report("bookworm-good-sudo")}, "no_name"),
    ],
)
def test_other_ways_to_be_gone(changed: dict[type[Fact], Given], code: str) -> None:
    found = reach(facts(changed))
    assert (found.status, found.code) == (Status.FAIL, code)
    assert found.evidence


def test_what_the_dns_said_is_shown() -> None:
    said = reach(facts({Addresses: Missing(Reason.RESOLVER_FAILED, "SERVFAIL for A social.test")}))
    assert (said.evidence, said.data) == ((Evidence("DNS", "SERVFAIL for A social.test"),), {})
    assert reach(facts({Addresses: Missing(Reason.NO_SUCH_NAME)})).evidence == (
        Evidence("DNS", "no_such_name"),
    )


@pytest.mark.parametrize(
    "changed",
    [
        {FrontPage: FrontPage(PAGE)},
        {PlainHttp: PlainHttp(closed=False, hops=(PAGE,))},
        {TlsOffer: TlsOffer(HOST, (endpoint(),))},
        {TlsOffer: TlsOffer(HOST, (UnseenEndpoint(SECOND, SILENT), endpoint()))},
        *(
            {kind: Missing(reason)}
            for kind in (FrontPage, PlainHttp, TlsOffer)
            for reason in (
                Reason.CONNECTION_LOST,
                Reason.MALFORMED,
                Reason.WITHHELD,
                Reason.TOO_LARGE,
                Reason.BANNED,
            )
        ),
        {TlsOffer: offer((V4, Missing(Reason.CONNECTION_LOST)))},
        {ResolverHealth: SILENT, FrontPage: FrontPage(PAGE)},
    ],
)
def test_whatever_answers_of_the_web_makes_it_reachable(changed: dict[type[Fact], Given]) -> None:
    assert reach(facts(changed)) == ANSWERS


OTHERS: list[dict[type[Fact], Given]] = [
    {Inside: report("bookworm-good-sudo")},
    {SshService: ssh(PortState.OPEN, "SSH-2.0-OpenSSH_10.0")},
    {SshService: ssh(PortState.OPEN)},
    {OpenPorts: ports(PortState.FILTERED, PortState.OPEN)},
    {Inside: Missing(Reason.KEY_REFUSED)},
    {Inside: Missing(Reason.HOST_KEY_CHANGED)},
    {Inside: Missing(Reason.DENIED)},
    {Inside: Missing(Reason.NO_SHELL)},
]


@pytest.mark.parametrize("changed", OTHERS)
def test_a_machine_that_runs_without_its_web_server(changed: dict[type[Fact], Given]) -> None:
    found = reach(facts(changed))
    assert (found.status, found.code, found.silences_items) == (Status.FAIL, "web_silent", False)
    refused = reach(facts({**changed, TlsOffer: offer((V4, RESET))}))
    assert (refused.status, refused.code, refused.silences_items) == (Status.FAIL, "web_refused", False)
    assert reach(facts()).silences_items and not ANSWERS.silences_items and not UNSEEN.silences_items


@pytest.mark.parametrize("changed", OTHERS)
def test_what_else_answers_does_not_tell_of_a_web_that_was_not_tried(
    changed: dict[type[Fact], Given],
) -> None:
    assert reach(facts({**changed, PlainHttp: Missing(Reason.BUDGET)})) == UNSEEN
    assert reach(facts({**changed, ResolverHealth: SILENT})) == UNSEEN


@pytest.mark.parametrize(
    "changed",
    [
        {ResolverHealth: SILENT},  # perhaps it is our own network
        {ResolverHealth: replace(HEALTH, validates=Missing(Reason.TIMEOUT))},
        {ResolverHealth: SILENT, Addresses: Missing(Reason.NO_SUCH_NAME)},
        {ResolverHealth: replace(HEALTH, validates=SILENT), Addresses: Missing(Reason.RESOLVER_FAILED)},
        {Addresses: SILENT},  # the resolver was slow
        {Addresses: Missing(Reason.FORBIDDEN_ADDRESS)},
        {Addresses: Missing(Reason.BUG)},
        {Addresses: replace(PLACES, v6=(V6,))},  # and fedisec has no IPv6
        {Addresses: replace(PLACES, v4=(V4, SECOND))},  # the second was not tried
        {Addresses: replace(PLACES, v4=())},
        {TlsOffer: Missing(Reason.BUDGET)},
        {TlsOffer: SILENT},
        two(SILENT, Missing(Reason.BUDGET)),
        two(Missing(Reason.BUSY), SILENT),
        {PlainHttp: Missing(Reason.BUDGET)},
        {PlainHttp: Missing(Reason.NOT_ASKED)},
        {Inside: Missing(Reason.BUDGET)},
        {Inside: Missing(Reason.BUG)},
    ],
)
def test_what_was_not_tried_is_not_gone(changed: dict[type[Fact], Given]) -> None:
    assert reach(facts(changed)) == UNSEEN


def test_nothing_follows_from_nothing() -> None:
    assert reach(Facts()) == UNSEEN
    assert reach(Facts({ResolverHealth: HEALTH})) == UNSEEN
    without = {kind: one for kind, one in GONE.items() if kind not in {Inside, PlainHttp}}
    assert reach(facts()).status is Status.FAIL
    assert reach(Facts({k: f for k, f in without.items() if not isinstance(f, Missing)})) == UNSEEN
