"""A look that sees less than the one before it is no regression, whatever it can see no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.facts.ports import PortState
from checks.facts.ssh import SshEndpoint, SshService
from fedisec.alerts import outbox
from fedisec.alerts.models import Delivery
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, ItemState
from tests.checks.inside.fixtures import report
from tests.checks.inside.reports import NFT_DENIED, filtered
from tests.factories import a_recorded_scan, a_subscriber, an_instance

UNASKED = Missing(Reason.BUDGET)
WIRE = SshService(
    "root",
    22,
    (SshEndpoint("192.0.2.7", 22, PortState.OPEN, "SSH-2.0-OpenSSH_9.2p1", UNASKED, ("publickey",)),),
)


@pytest.fixture
def instance(db: None) -> Instance:
    found = an_instance()
    a_subscriber(found)
    return found


def seen(inside: Inside | Missing) -> Facts:
    facts = Facts().with_facts(WIRE)
    return facts.with_facts(inside) if isinstance(inside, Inside) else Facts(facts.found, {Inside: inside})


def told(instance: Instance, first: Inside, later: Iterable[Inside | Missing]) -> list[tuple[str, str]]:
    """(item, code) of each regression when one look sees `first`, and then two looks see each of `later`."""
    at = timezone.now() - timedelta(days=2)
    a_recorded_scan(instance, seen(first), at)
    for less in later:
        for _ in range(2):  # the second one confirms
            at += timedelta(minutes=10)
            a_recorded_scan(instance, seen(less), at)
    outbox.tick(timezone.now())
    found = list(Change.objects.filter(kind="regressed").values_list("item_id", "code"))
    assert found or not Delivery.objects.exclude(kind="blind").exists()
    return found


def without(inside: Inside, *names: str) -> Inside:
    """The same report when these sections run out of their time."""
    sections = (replace(one, code=124) if one.name in names else one for one in inside.sections)
    return replace(inside, sections=tuple(sections))


def status(instance: Instance, item_id: str) -> tuple[str, str]:
    state = ItemState.objects.get(instance=instance, item_id=item_id)
    return state.status, state.settled


def test_the_measure_a_real_fault_is_told(instance: Instance) -> None:
    """That the tests below find nothing is no matter of what is recorded."""
    good, bad = report("bookworm-good-sudo"), report("bookworm-bad-sudo")
    assert told(instance, good, [bad])


def test_an_account_that_lost_its_rights_is_no_fall(instance: Instance) -> None:
    assert told(instance, report("bookworm-good-sudo"), [report("bookworm-good-plain")]) == []


def test_sections_that_come_no_more_are_no_fall(instance: Instance) -> None:
    whole = report("trixie-good-sudo")
    names = [one.name for one in whole.sections]
    parts = [without(whole, *names[start::4]) for start in range(4)]
    assert told(instance, whole, [*parts, without(whole, *names)]) == []


@pytest.mark.parametrize(
    "gap",
    [
        Missing(Reason.KEY_REFUSED, "user fedisec"),
        Missing(Reason.HOST_KEY_CHANGED, "now ssh-ed25519 SHA256:x"),
        Missing(Reason.TIMEOUT, "collector"),
        Missing(Reason.NOT_CONNECTED, "cannot read the key file /keys"),
        Missing(Reason.NO_SHELL, "user fedisec"),
    ],
    ids=lambda gap: str(gap.reason.value),
)
def test_a_login_that_fails_is_no_fall(instance: Instance, gap: Missing) -> None:
    assert told(instance, report("bookworm-good-sudo"), [gap]) == []


def test_rules_that_turn_unreadable_leave_what_was_settled(instance: Instance) -> None:
    """fedisec's own address is let in, so what it sees from outside must not speak against the rules."""
    limited = with_lines(report("bookworm-good-sudo"), filtered("marks"))
    denied = with_lines(limited, dict.fromkeys(("nft", "iptables"), NFT_DENIED))
    assert told(instance, limited, [denied, without(limited, "nft"), Missing(Reason.KEY_REFUSED)]) == []
    assert status(instance, "ssh.source_restricted") == ("unknown", "pass")


def with_lines(inside: Inside, lines: dict[str, tuple[str, ...]]) -> Inside:
    sections = (replace(one, lines=lines.get(one.name, one.lines)) for one in inside.sections)
    return replace(inside, sections=tuple(sections))
