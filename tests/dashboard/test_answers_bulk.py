"""Several items answered at once: all or none, with one reason and one undo."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from checks.items import all_items
from fedisec.accounts.models import AuditEvent, User
from fedisec.checklist import answers
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.state import State
from fedisec.instances.models import Instance
from tests.dashboard.test_answers import PAGE, make_editor, state

pytestmark = pytest.mark.django_db
PATH = f"{PAGE}answers/"
ASKED = ["plan.hosting_considered", "plan.audience_decided", "data.restore_tested"]
GIVEN = {"item": ASKED, "say": "met", "reason": "Looked through together.", "time": "own"}


def test_one_reason_answers_all_that_were_ticked(as_alice: Client, scanned: Instance) -> None:
    answer = as_alice.post(PATH, GIVEN | {"back": "state=needs_you&level=required"})
    assert answer.status_code == 302
    assert answer["Location"] == f"{PAGE}?state=needs_you&level=required#list"
    given = {said.item_id: said for said in Attestation.objects.all()}
    assert set(given) == set(ASKED)
    for key, said in given.items():
        assert (said.met, said.note) == (True, "Looked through together.")
        assert (said.valid_until - said.created_at).days == all_items()[key].attest_days
    events = AuditEvent.objects.filter(action="answer.attested")
    assert {(e.item_id, e.before, e.after, e.why) for e in events} == {
        (key, "needs_you", "met", "Looked through together.") for key in ASKED
    }


@pytest.mark.parametrize(
    ("say", "expected"),
    [("not_met", State.NOT_MET), ("accepted_risk", State.ACCEPTED), ("not_applicable", State.NOT_APPLICABLE)],
)
def test_each_thing_that_can_be_said(as_alice: Client, scanned: Instance, say: str, expected: State) -> None:
    assert as_alice.post(PATH, GIVEN | {"say": say, "time": "90"}).status_code == 302
    assert {state(scanned, key) for key in ASKED} == {expected}


def test_what_the_machine_fails_can_be_set_aside_with_others(as_alice: Client, scanned: Instance) -> None:
    assert (
        as_alice.post(PATH, GIVEN | {"item": ["http.hsts", *ASKED], "say": "compensated"}).status_code == 302
    )
    ends = {
        timezone.localdate(w.valid_until) - timezone.localdate()
        for w in Waiver.objects.all()
        if w.valid_until
    }
    assert state(scanned, "http.hsts") is State.ACCEPTED and {end.days for end in ends} == {180}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"item": []}, "No item was chosen"),
        ({"item": ["no.such", "own.1", "own.x"]}, "No item was chosen"),
        ({"say": ""}, "Choose what you say of them"),
        ({"say": "perhaps"}, "Select a valid choice"),
        ({"reason": " "}, "Give a reason"),
        ({"reason": "ok"}, "Say it in 10 characters or more"),
        ({"time": "none"}, "Only what does not apply may stay without an end"),
        ({"say": "accepted_risk", "time": "none"}, "Only what does not apply may stay without an end"),
        ({"time": "9999"}, "Select a valid choice"),
        ({"item": [*ASKED, "http.hsts", "tls.versions"]}, "These take no answer"),
    ],
)
def test_what_does_not_fit_is_stored_for_none_and_comes_back(
    as_alice: Client, scanned: Instance, given: dict[str, Any], sentence: str
) -> None:
    sent = GIVEN | {"back": "state=needs_you"} | given
    answer = as_alice.post(PATH, sent)
    text = answer.content.decode()
    assert answer.status_code == 422 and sentence in text
    assert (
        not Attestation.objects.exists() and not Waiver.objects.exists() and not AuditEvent.objects.exists()
    )
    ticked = re.findall(r'name="item" value="([^"]+)" checked', text)
    assert ticked == [key for key in all_items() if key in set(given.get("item", ASKED))]
    assert str(sent["reason"]).strip() in text and 'name="back" value="state=needs_you"' in text


def test_one_undo_takes_all_of_it_back(as_alice: Client, scanned: Instance, alice: User) -> None:
    answers.attest(scanned, all_items()[ASKED[0]], alice, met=False, note="It stood before.")
    as_alice.post(PATH, GIVEN)
    assert {state(scanned, key) for key in ASKED} == {State.MET}
    path = f"{PAGE}undo/{as_alice.session['undo']['pk']}/"
    answer = as_alice.post(path)
    assert answer["Location"] == f"{PAGE}#list"
    assert [state(scanned, key) for key in ASKED] == [State.NOT_MET, State.NEEDS_YOU, State.NEEDS_YOU]
    assert [said.note for said in Attestation.objects.filter(ended_at=None)] == ["It stood before."]


def test_nobody_is_overwritten_unseen(as_alice: Client, as_bob: Client, scanned: Instance, bob: User) -> None:
    make_editor(bob, scanned)
    as_alice.post(PATH, GIVEN | {"item": ASKED[:1]})
    seen = f"{Attestation.objects.get().pk}.0"
    as_bob.post(PATH, GIVEN | {"item": ASKED[1:2], "say": "not_met"})
    answer = as_alice.post(PATH, GIVEN | {"since": seen})
    text = answer.content.decode()
    assert answer.status_code == 422 and "Somebody else answered one of these" in text
    assert state(scanned, ASKED[1]) is State.NOT_MET and state(scanned, ASKED[2]) is State.NEEDS_YOU
    again = re.search(r'name="since" value="([^"]+)"', text)
    assert again and as_alice.post(PATH, GIVEN | {"since": again[1]}).status_code == 302


@pytest.mark.parametrize("since", ["", "1", "1.2.3", "x.y", "-1.0", "٣.٣"])
def test_an_odd_mark_of_the_page_does_no_harm(as_alice: Client, scanned: Instance, since: str) -> None:
    assert as_alice.post(PATH, GIVEN | {"since": since}).status_code == 302


@pytest.mark.parametrize(
    "back", ["//evil.example/", "https://evil.example/", "a\r\nX: y", "%0d%0a", "x" * 9000]
)
def test_the_way_back_never_leads_elsewhere(as_alice: Client, scanned: Instance, back: str) -> None:
    answer = as_alice.post(PATH, GIVEN | {"back": back})
    assert (
        answer.status_code == 302
        and answer["Location"].startswith(f"{PAGE}?")
        and len(answer["Location"]) < 2000
    )


def test_only_editors_answer(as_bob: Client, as_charlie: Client, scanned: Instance) -> None:
    assert [client.post(PATH, GIVEN).status_code for client in (as_bob, as_charlie)] == [404, 404]
    assert not Attestation.objects.exists()
