"""The merge of machine and person, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.errors import Reason
from checks.model import INSIDE, MANUAL, OUTSIDE, Fix, Item, Level, Settles, Status, Text
from fedisec.checklist.state import NEEDS_ANSWER, By, Said, Seen, State, Waived, effective

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def an_item(*settles: Settles) -> Item:
    text = Text("x", "あ")
    return Item("checks.items.t.x", Level.REQUIRED, settles, (), text, text, text, Fix(text), text)


ASKED = an_item(OUTSIDE, MANUAL)
MACHINE_ONLY = an_item(OUTSIDE)
PERSON_ONLY = an_item(MANUAL)
FROM_INSIDE = an_item(INSIDE, MANUAL)


def seen(
    status: Status, *, age: timedelta = DAY, reason: Reason | None = None, code: str = "", settled: str = ""
) -> Seen:
    return Seen(status, NOW - age, reason, code, settled, NOW - age if settled else None)


def said(met: bool = True, *, age: timedelta = 2 * DAY, left: timedelta = 30 * DAY) -> Said:
    return Said(met, NOW - age, NOW + left)


def waived(kind: str = "accepted_risk", left: timedelta = 30 * DAY) -> Waived:
    return Waived(kind, NOW - DAY, NOW + left)


PASS, WARN, FAIL = (seen(s, settled=s.value) for s in (Status.PASS, Status.WARN, Status.FAIL))
TIMEOUT = seen(Status.UNKNOWN, reason=Reason.TIMEOUT)
NOT_CONNECTED = seen(Status.UNKNOWN, reason=Reason.NOT_CONNECTED)
OWN_QUESTION = seen(Status.UNKNOWN, reason=Reason.NOT_ASKED, code="no_selector")
NOTHING_APPLIES = seen(Status.NOT_APPLICABLE)
OUR_BUG = seen(Status.ERROR, reason=Reason.BUG)


@pytest.mark.parametrize(
    ("item", "machine", "answer", "waiver", "state", "by"),
    [
        # The machine alone.
        (MACHINE_ONLY, PASS, None, None, State.MET, By.MACHINE),
        (MACHINE_ONLY, WARN, None, None, State.WARNING, By.MACHINE),
        (MACHINE_ONLY, FAIL, None, None, State.NOT_MET, By.MACHINE),
        (MACHINE_ONLY, TIMEOUT, None, None, State.COULD_NOT_CHECK, By.NOBODY),
        (MACHINE_ONLY, OUR_BUG, None, None, State.COULD_NOT_CHECK, By.NOBODY),
        (MACHINE_ONLY, NOTHING_APPLIES, None, None, State.NOT_APPLICABLE, By.MACHINE),
        (MACHINE_ONLY, None, None, None, State.COULD_NOT_CHECK, By.NOBODY),
        (FROM_INSIDE, NOT_CONNECTED, None, None, State.NEEDS_YOU, By.NOBODY),
        (an_item(INSIDE), NOT_CONNECTED, None, None, State.COULD_NOT_CHECK, By.NOBODY),
        # A person alone.
        (PERSON_ONLY, None, None, None, State.NEEDS_YOU, By.NOBODY),
        (PERSON_ONLY, seen(Status.MANUAL), said(), None, State.MET, By.PERSON),
        (PERSON_ONLY, seen(Status.MANUAL), said(False), None, State.NOT_MET, By.PERSON),
        (PERSON_ONLY, seen(Status.MANUAL), said(left=-DAY), None, State.NEEDS_YOU, By.NOBODY),
        # Both: the answer fills a gap and never overrules a fail.
        (ASKED, TIMEOUT, None, None, State.COULD_NOT_CHECK, By.NOBODY),
        (ASKED, TIMEOUT, said(), None, State.MET, By.PERSON),
        (ASKED, OWN_QUESTION, None, None, State.NEEDS_YOU, By.NOBODY),
        (ASKED, OWN_QUESTION, said(False), None, State.NOT_MET, By.PERSON),
        (ASKED, FAIL, said(), None, State.NOT_MET, By.MACHINE),
        (ASKED, PASS, said(False), None, State.MET, By.MACHINE),
        (ASKED, WARN, said(), None, State.WARNING, By.MACHINE),
        (ASKED, seen(Status.WARN, code=NEEDS_ANSWER), None, None, State.NEEDS_YOU, By.NOBODY),
        (ASKED, seen(Status.WARN, code=NEEDS_ANSWER), said(), None, State.MET, By.PERSON),
        (ASKED, seen(Status.WARN, code=NEEDS_ANSWER), said(False), None, State.NOT_MET, By.PERSON),
        # A fail seen after the answer ended it, also once the machine can no longer look.
        (ASKED, seen(Status.UNKNOWN, reason=Reason.TIMEOUT, settled="fail"), said(), None, State.COULD_NOT_CHECK, By.NOBODY),
        (ASKED, seen(Status.UNKNOWN, reason=Reason.TIMEOUT, settled="fail", age=3 * DAY), said(), None, State.MET, By.PERSON),
        # An answer to an item that takes none is not counted.
        (MACHINE_ONLY, TIMEOUT, said(), None, State.COULD_NOT_CHECK, By.NOBODY),
        # Waivers.
        (MACHINE_ONLY, FAIL, None, waived(), State.ACCEPTED, By.PERSON),
        (MACHINE_ONLY, FAIL, None, waived("not_applicable"), State.NOT_APPLICABLE, By.PERSON),
        (MACHINE_ONLY, FAIL, None, waived(left=-DAY), State.NOT_MET, By.MACHINE),
        (MACHINE_ONLY, PASS, None, waived(), State.MET, By.MACHINE),
        (ASKED, TIMEOUT, said(), waived(), State.ACCEPTED, By.PERSON),
        (PERSON_ONLY, None, None, waived("compensated"), State.ACCEPTED, By.PERSON),
    ],
)  # fmt: skip
def test_machine_and_person_merge(
    item: Item, machine: Seen | None, answer: Said | None, waiver: Waived | None, state: State, by: By
) -> None:
    merged = effective(item, machine, answer, waiver, NOW)
    assert (merged.state, merged.by) == (state, by)


def test_an_answer_ended_by_the_machine_says_so() -> None:
    assert effective(ASKED, FAIL, said(), None, NOW).answer_ended
    assert not effective(ASKED, FAIL, said(age=timedelta(hours=1)), None, NOW).answer_ended


def test_an_expired_answer_says_so() -> None:
    assert effective(PERSON_ONLY, None, said(left=-DAY), None, NOW).answer_expired


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize(
    "item", [ASKED, MACHINE_ONLY, PERSON_ONLY, FROM_INSIDE], ids=["asked", "machine", "person", "inside"]
)
def test_met_needs_a_pass_or_a_live_answer(item: Item, status: Status) -> None:
    merged = effective(item, seen(status, reason=Reason.TIMEOUT), None, None, NOW)
    assert (merged.state is State.MET) == (status is Status.PASS)
