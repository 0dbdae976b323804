"""Answers, waivers and remarks: what is asked for, what is kept, what is written down, and undoing it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries as AtMost
from pytest_django import Settings

from checks.items import all_items
from fedisec.accounts.models import AuditEvent, Membership, Role, User
from fedisec.checklist import answers
from fedisec.checklist.board import row_of
from fedisec.checklist.ending import ending
from fedisec.checklist.models import Attestation, EndedWhy, Note, Undo, Waiver
from fedisec.checklist.state import State
from fedisec.history.models import Standing
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan

pytestmark = pytest.mark.django_db
PAGE = "/instances/social.example/"
KEY = "plan.hosting_considered"
ITEM, HSTS = f"{PAGE}items/{KEY}/", f"{PAGE}items/http.hsts/"
ANSWER = {"met": "yes", "note": "Compared two hosters.", "days": "90"}
HTMX = {"HX-Request": "true"}


def day(days: int) -> str:
    return str(timezone.localdate() + timedelta(days=days))


def waiver(**more: str) -> dict[str, str]:
    return {"kind": "accepted_risk", "reason": "Behind a proxy.", "until": day(30)} | more


def state(instance: Instance, key: str = KEY) -> State:
    return row_of(instance, all_items()[key]).state.state


def undo_path(text: str) -> str:
    found = re.search(rf'action="({PAGE}undo/\d+/)"', text)
    assert found, "no offer to undo"
    return found[1]


# The order of the page, and who decided


def test_the_page_answers_in_the_order_in_which_people_ask(as_alice: Client, scanned: Instance) -> None:
    page = as_alice.get(HSTS).content.decode()
    terms = re.findall(r"<dt>([^<]+)</dt>", page)
    assert terms[:7] == ["State", "Why", "Seen", "Expected", "Fix", "Verify", "Sources"]
    assert terms[-2:] == ["Your decision", "Remarks"]


@pytest.mark.parametrize(
    ("key", "labels", "told"),
    [
        ("http.hsts", ["GET https://social.example/"], "from outside."),
        ("host.fail2ban", ["inside: systemctl show fail2ban"], "on the server itself, over SSH."),
        ("ssh.password_login_off", ["offered to root"], "from outside."),
        ("ssh.password_login_off", ["inside: sshd -T"], "on the server itself, over SSH."),
        (
            "ssh.password_login_off",
            ["offered to root", "inside: sshd -T"],
            "from outside and on the server itself.",
        ),
        ("tls.expiry_alert", ["fedisec"], "in fedisec's own settings."),
    ],
)
def test_the_page_says_from_where_it_was_seen(
    as_alice: Client, scanned: Instance, key: str, labels: list[str], told: str
) -> None:
    ItemState.objects.filter(item_id=key).update(evidence=[[label, "x"] for label in labels])
    text = as_alice.get(f"{PAGE}items/{key}/").content.decode().replace("&#x27;", "'")
    assert re.search(rf"Last looked at <time [^>]+>[^<]+</time>, {re.escape(told)}", text)


def test_what_was_not_looked_at_claims_no_look(as_alice: Client, scanned: Instance) -> None:
    ItemState.objects.filter(item_id="host.fail2ban").update(status="unknown", reason="not_connected")
    assert "Last looked at" not in as_alice.get(f"{PAGE}items/host.fail2ban/").content.decode()
    assert "Last looked at" not in as_alice.get(ITEM).content.decode()


def test_the_fix_for_what_runs_here_comes_first(as_alice: Client, scanned: Instance) -> None:
    def first(key: str) -> str:
        page = as_alice.get(f"{PAGE}items/{key}/").content.decode()
        found = re.search(r'class="fix-variant"[^>]*><summary>([^<]+?)\s*<', page)
        assert found
        return found[1]

    key = next(i.id for i in all_items().values() if [n for n, _ in i.fix.variants][1:2] == ["RHEL/Fedora"])
    usual = first(key)
    assert usual != "RHEL/Fedora"
    ItemState.objects.filter(item_id="host.os_supported").update(
        data={"release": "AlmaLinux 9.4 (Seafoam Ocelot)"}
    )
    assert first(key) == "RHEL/Fedora"
    assert "runs here" in as_alice.get(f"{PAGE}items/{key}/").content.decode()


# What is asked for


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (waiver(reason="ok"), "Say it in 10 characters or more"),
        (waiver(reason="   ok   \n      "), "Say it in 10 characters or more"),
        (waiver(reason=""), "This field is required"),
        (waiver(until=""), "Choose the day on which this is looked at again"),
        (waiver(until=day(0)), "from tomorrow on, within a year"),
        (waiver(until=day(366)), "from tomorrow on, within a year"),
        (waiver(until="next week"), "This is no date"),
        (waiver(kind="false_positive", until=""), "Choose the day"),
        (waiver(kind="because"), "Select a valid choice"),
    ],
)
def test_a_waiver_that_does_not_fit_loses_nothing(
    as_alice: Client, scanned: Instance, given: dict[str, str], sentence: str
) -> None:
    answer = as_alice.post(f"{HSTS}waive/", given)
    text = answer.content.decode()
    assert answer.status_code == 422 and sentence in text
    assert '<details class="aside" open>' in text
    assert f'value="{given["until"]}"' in text or not given["until"]
    assert given["reason"].strip() in text
    assert not Waiver.objects.exists() and not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("accepted_risk", State.ACCEPTED),
        ("false_positive", State.ACCEPTED),
        ("compensated", State.ACCEPTED),
        ("not_applicable", State.NOT_APPLICABLE),
    ],
)
def test_each_kind_of_waiver_counts_until_its_day_is_over(
    as_alice: Client, scanned: Instance, kind: str, expected: State
) -> None:
    assert as_alice.post(f"{HSTS}waive/", waiver(kind=kind)).status_code == 302
    given = Waiver.objects.get()
    assert given.valid_until is not None
    assert timezone.localtime(given.valid_until).strftime("%Y-%m-%d %H:%M:%S") == f"{day(30)} 23:59:59"
    assert state(scanned, "http.hsts") is expected
    Waiver.objects.update(valid_until=timezone.now())
    assert state(scanned, "http.hsts") is State.NOT_MET


def test_what_does_not_apply_may_stay_and_is_asked_again_yearly(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{HSTS}waive/", waiver(kind="not_applicable", until=""))
    assert Waiver.objects.get().valid_until is None
    assert "without an end; asked again on" in as_alice.get(HSTS).content.decode()
    assert ending([scanned]) == []
    Waiver.objects.update(created_at=timezone.now() - timedelta(days=360))
    (end,) = ending([scanned])
    assert (end.item.id, end.asks, end.waiver) == ("http.hsts", True, True)
    assert state(scanned, "http.hsts") is State.NOT_APPLICABLE


def test_an_optional_item_needs_no_note(as_alice: Client, scanned: Instance) -> None:
    key = next(
        i.id
        for i in all_items().values()
        if i.level == "optional" and len(i.settles) == 1 and i.takes_answers
    )
    assert as_alice.post(f"{PAGE}items/{key}/answer/", {"met": "no", "days": "30"}).status_code == 302
    assert state(scanned, key) is State.NOT_MET


def test_an_answer_whose_time_is_over_asks_again(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    assert 'value="yes" required checked' in as_alice.get(ITEM).content.decode()
    Attestation.objects.update(valid_until=timezone.now())
    page = as_alice.get(ITEM).content.decode()
    assert state(scanned) is State.NEEDS_YOU
    assert "The answer that stood here has expired." in page
    assert "required checked" not in page and ">\nCompared two hosters.</textarea>" in page


# What is written down


def trail(scanned: Instance) -> list[tuple[str, str, str, str, str]]:
    events = AuditEvent.objects.filter(instance_id=scanned.pk).order_by("pk")
    return [(e.action, e.actor_name, e.before, e.after, e.why) for e in events]


def test_every_change_leaves_a_line_in_the_trail(as_alice: Client, scanned: Instance) -> None:
    who = "alice@example.org"
    as_alice.post(f"{ITEM}answer/", ANSWER)
    as_alice.post(f"{ITEM}answer/", ANSWER | {"met": "no", "note": "The hoster closed."})
    as_alice.post(f"{ITEM}waive/", waiver())
    as_alice.post(f"{ITEM}remark/", {"text": "See the wiki."})
    as_alice.post(f"{ITEM}withdraw/")
    assert trail(scanned) == [
        ("answer.attested", who, "needs_you", "met", "Compared two hosters."),
        ("answer.attested", who, "met", "not_met", "The hoster closed."),
        ("answer.waived", who, "not_met", "accepted", "Behind a proxy."),
        ("note.added", who, "", "", "See the wiki."),
        ("answer.withdrawn", who, "accepted", "needs_you", ""),
    ]
    page = as_alice.get(ITEM).content.decode()
    assert "Show 5 entries of the audit trail" in page and "The hoster closed." in page


def test_a_viewer_reads_answers_and_remarks_but_no_trail(
    as_alice: Client, as_bob: Client, scanned: Instance
) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    as_alice.post(f"{ITEM}remark/", {"text": "See the wiki."})
    page = as_bob.get(ITEM).content.decode()
    assert "Compared two hosters." in page and "See the wiki." in page
    assert "audit trail" not in page and "Check again now" not in page
    assert "<form" not in page.split("<main")[1]


def test_a_machines_fail_ends_an_answer_and_says_so(as_alice: Client, scanned: Instance, alice: User) -> None:
    key, now = "signup.emails_confirmed", timezone.now()
    key = next(i.id for i in all_items().values() if len(i.settles) > 1 and i.takes_answers)
    machine = ItemState.objects.filter(item_id=key)
    machine.update(status="unknown", reason="not_connected")
    answers.attest(scanned, all_items()[key], alice, met=True, note="By hand.")
    answers.looked(scanned, now, scanned=True)
    assert Attestation.objects.get().ended_at is None, "nothing was seen that speaks against it"
    later = now + timedelta(minutes=5)
    machine.update(status="fail", reason="", since=later, settled="fail", settled_since=later)
    answers.looked(scanned, later, scanned=True)
    assert Attestation.objects.get().ended_why == EndedWhy.MACHINE
    last = AuditEvent.objects.first()
    assert last is not None
    assert (last.action, last.actor_name, last.before, last.after) == ("answer.ended", "", "met", "not_met")
    text = as_alice.get(f"{PAGE}items/{key}/").content.decode()
    assert "fedisec saw for itself that this is not met" in text and "alice@example.org" in text
    answers.looked(scanned, later, scanned=True)
    assert AuditEvent.objects.count() == 2, "it is said once"


# Undoing


ACTS: list[Callable[[Client], object]] = [
    lambda c: c.post(f"{ITEM}answer/", ANSWER | {"met": "no", "note": "Not at all."}),
    lambda c: c.post(f"{ITEM}waive/", waiver()),
    lambda c: c.post(f"{ITEM}withdraw/"),
    lambda c: c.post(f"{ITEM}remark/", {"text": "A slip."}),
]


def what_stands() -> list[list[tuple[object, ...]]]:
    fields = ("pk", "ended_at", "ended_why", "created_at", "by")
    return [
        list(model.objects.filter(ended_at=None).order_by("pk").values_list(*fields))
        for model in (Attestation, Waiver, Note)
    ]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("stood", [0, 1, 2])
def test_undo_restores_exactly_what_stood_before(
    as_alice: Client, scanned: Instance, act: Callable[[Client], object], stood: int
) -> None:
    if stood:
        as_alice.post(f"{ITEM}answer/", ANSWER)
    if stood > 1:
        as_alice.post(f"{ITEM}waive/", waiver(kind="compensated"))
        as_alice.post(f"{ITEM}remark/", {"text": "It stays."})
    before, was = what_stands(), state(scanned)
    act(as_alice)
    answer = as_alice.post(undo_path(as_alice.get(ITEM).content.decode()), follow=True)
    assert (
        answer.redirect_chain == [(ITEM, 302)]
        and "Undone: it is as it was before." in answer.content.decode()
    )
    assert (what_stands(), state(scanned)) == (before, was)
    last = AuditEvent.objects.first()
    assert last is not None and last.action in {"answer.undone", "note.undone"}
    assert "A slip." not in answer.content.decode().split("audit trail")[0]


def test_undo_in_place_brings_the_line_and_the_counts(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.post(f"{ITEM}answer/", ANSWER, headers=HTMX).content.decode()
    assert "hx-post" in text
    text = as_alice.post(undo_path(text), headers=HTMX).content.decode()
    assert 'id="plan.hosting_considered" open' in text and 'hx-swap-oob="true"' in text
    assert "state-needs_you" in text and "Undone" in text
    assert "/undo/" not in text


def test_undo_is_offered_for_ten_seconds_on_this_items_page(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    assert "/undo/" in as_alice.get(ITEM).content.decode()
    assert "/undo/" not in as_alice.get(HSTS).content.decode()
    session = as_alice.session
    session["undo"] = session["undo"] | {"until": timezone.now().timestamp()}
    session.save()
    assert "/undo/" not in as_alice.get(ITEM).content.decode()


def test_who_is_too_late_changes_nothing(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    path = undo_path(as_alice.get(ITEM).content.decode())
    Undo.objects.update(at=timezone.now() - timedelta(seconds=answers.UNDO_TAKEN_S))
    text = as_alice.post(path, follow=True).content.decode()
    assert "too late to undo" in text
    assert state(scanned) is State.MET


def test_undo_works_once(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    path = undo_path(as_alice.get(ITEM).content.decode())
    as_alice.post(path)
    assert "too late to undo" in as_alice.post(path, follow=True).content.decode()
    assert [event.action for event in AuditEvent.objects.all()] == ["answer.undone", "answer.attested"]


def make_editor(user: User, instance: Instance) -> None:
    Membership.objects.filter(user=user, team=instance.team).update(role=Role.EDITOR)


def test_undo_takes_nothing_from_who_answered_since(
    as_alice: Client, as_bob: Client, scanned: Instance, bob: User
) -> None:
    make_editor(bob, scanned)
    as_alice.post(f"{ITEM}withdraw/")
    as_alice.post(f"{ITEM}answer/", ANSWER)
    path = undo_path(as_alice.get(ITEM).content.decode())
    as_bob.post(f"{ITEM}answer/", ANSWER | {"met": "no"})
    assert "somebody has answered since" in as_alice.post(path, follow=True).content.decode()
    assert state(scanned) is State.NOT_MET


def test_what_was_taken_back_does_not_return_over_a_newer_answer(
    as_alice: Client, as_bob: Client, scanned: Instance, bob: User
) -> None:
    make_editor(bob, scanned)
    as_alice.post(f"{ITEM}answer/", ANSWER)
    as_alice.post(f"{ITEM}withdraw/")
    path = undo_path(as_alice.get(ITEM).content.decode())
    as_bob.post(f"{ITEM}answer/", ANSWER | {"met": "no", "note": "Bob says no."})
    assert "somebody has answered since" in as_alice.post(path, follow=True).content.decode()
    assert [a.note for a in Attestation.objects.filter(ended_at=None)] == ["Bob says no."]
    assert Undo.objects.filter(used_at=None).count() == 3, "it was not used up either"


def test_the_counts_follow_at_once(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    met = Standing.objects.get().counts["required"]["met"]
    as_alice.post(undo_path(as_alice.get(ITEM).content.decode()))
    assert Standing.objects.get().counts["required"]["met"] == met - 1


def test_nobody_undoes_what_another_did(
    as_alice: Client, as_bob: Client, scanned: Instance, bob: User
) -> None:
    make_editor(bob, scanned)
    as_alice.post(f"{ITEM}answer/", ANSWER)
    path = undo_path(as_alice.get(ITEM).content.decode())
    as_bob.post(path)
    assert state(scanned) is State.MET
    assert as_bob.post(f"{PAGE}undo/{10**30}/").status_code == 302


# Two people at once


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("answer", ANSWER | {"met": "no", "note": "Mine."}),
        ("waive", waiver(reason="Mine, and long.")),
        ("withdraw", {}),
    ],
)
def test_who_comes_second_is_told_and_loses_nothing(
    as_alice: Client, as_bob: Client, scanned: Instance, bob: User, action: str, given: dict[str, str]
) -> None:
    make_editor(bob, scanned)
    as_alice.post(f"{ITEM}answer/", ANSWER)
    shown = re.search(r'name="basis" value="([^"]+)"', as_alice.get(ITEM).content.decode())
    assert shown
    as_bob.post(f"{ITEM}answer/", ANSWER | {"note": "Bob was first."})
    for headers, status in (({}, 422), (HTMX, 200)):
        answer = as_alice.post(f"{ITEM}{action}/", given | {"basis": shown[1]}, headers=headers)
        text = answer.content.decode()
        assert answer.status_code == status
        assert "Somebody else answered while you were writing" in text
        assert "Bob was first." in text and given.get("note", given.get("reason", "")) in text
    assert [a.note for a in Attestation.objects.filter(ended_at=None)] == ["Bob was first."]
    again = re.search(r'name="basis" value="([^"]+)"', text)
    assert again and as_alice.post(f"{ITEM}{action}/", given | {"basis": again[1]}).status_code == 302


def test_the_index_has_the_last_word(scanned: Instance, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    item = all_items()[KEY]
    answers.attest(scanned, item, alice, met=True, note="First.")
    monkeypatch.setattr(answers.Act, "end", lambda self, name, why: None)
    with pytest.raises(answers.AlreadyAnswered):
        answers.attest(scanned, item, alice, met=False, note="In the same moment.")
    assert Attestation.objects.get().note == "First."
    assert AuditEvent.objects.count() == 1, "what was not stored is not told"


# Remarks


def test_remarks_are_plain_text_with_author_and_time(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{ITEM}remark/", {"text": "<b>bold</b>\nsecond line"})
    page = as_alice.get(ITEM).content.decode()
    remarks = page.split('<ul class="remarks">')[1].split("</ul>")[0]
    assert "&lt;b&gt;bold&lt;/b&gt;\nsecond line" in remarks
    assert "alice@example.org" in remarks and "<time datetime=" in remarks


def test_an_empty_remark_is_refused(as_alice: Client, scanned: Instance) -> None:
    answer = as_alice.post(f"{ITEM}remark/", {"text": " \n "})
    assert answer.status_code == 422 and "Write something first." in answer.content.decode()
    assert not Note.objects.exists()


# Looking again


def test_one_item_is_looked_at_again(as_alice: Client, scanned: Instance) -> None:
    assert "Check again now" in as_alice.get(HSTS).content.decode()
    assert "Check again now" not in as_alice.get(ITEM).content.decode()
    answer = as_alice.post(f"{HSTS}look/", follow=True)
    assert "Waiting for a free worker" in answer.content.decode()
    scan = Scan.objects.get(state="queued")
    assert (scan.reason, scan.only) == ("item", ["http.hsts"])
    part = as_alice.get(f"{HSTS}look/", headers=HTMX).content.decode()
    assert 'hx-trigger="every 2s"' in part and "autofocus" not in part
    assert "autofocus" in as_alice.post(f"{HSTS}look/", headers=HTMX).content.decode()
    Scan.objects.filter(pk=scan.pk).update(state="done")
    part = as_alice.get(f"{HSTS}look/", headers=HTMX).content.decode()
    assert "every 2s" not in part and "The look has ended." in part
    assert (
        "?line=1" in part
        and "?line=1" not in as_alice.get(f"{HSTS}look/?page=1", headers=HTMX).content.decode()
    )
    line = as_alice.get(f"{HSTS}?line=1", headers=HTMX).content.decode()
    assert line.lstrip().startswith('<details class="item" id="http.hsts" open') and "autofocus" in line


def test_a_look_at_another_item_is_called_that(as_alice: Client, scanned: Instance) -> None:
    scan = Scan.objects.create(instance=scanned, state="running", reason="item", only=["tls.versions"])
    assert "Looking at another item just now" in as_alice.get(f"{HSTS}look/", headers=HTMX).content.decode()
    Scan.objects.filter(pk=scan.pk).update(state="done")
    part = as_alice.get(f"{HSTS}look/", headers=HTMX).content.decode()
    assert "The look has ended." not in part and "Check again now" in part


def test_who_asks_too_often_is_told(as_alice: Client, scanned: Instance, settings: Settings) -> None:
    settings.SCAN_NOW_PAUSE_S = 60
    Scan.objects.update(started_at=timezone.now())
    text = as_alice.post(f"{HSTS}look/", headers=HTMX).content.decode()
    assert "less than a minute ago" in text and "Check again now" in text
    assert "less than a minute ago" in as_alice.post(f"{HSTS}look/", follow=True).content.decode()


# Strangers and viewers


@pytest.mark.parametrize("action", ["answer/", "waive/", "withdraw/", "remark/", "look/"])
def test_only_editors_change_anything(
    as_bob: Client, as_charlie: Client, scanned: Instance, action: str
) -> None:
    for client in (as_bob, as_charlie):
        assert client.post(ITEM + action, ANSWER | waiver() | {"text": "x"}).status_code == 404
    assert Client().post(ITEM + action).status_code == 302
    assert not AuditEvent.objects.exists()


def test_strangers_and_viewers_undo_nothing(
    as_alice: Client, as_bob: Client, as_charlie: Client, scanned: Instance
) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    path = undo_path(as_alice.get(ITEM).content.decode())
    assert [client.post(path).status_code for client in (as_bob, as_charlie)] == [404, 404]
    assert as_charlie.get(f"{HSTS}look/", headers=HTMX).status_code == 404
    assert state(scanned) is State.MET


# What ends soon


def test_answers_that_end_within_two_weeks_are_listed(scanned: Instance, alice: User) -> None:
    now = timezone.now()
    item = all_items()[KEY]
    answers.attest(scanned, item, alice, met=True, note="x", days=30)
    answers.waive(
        scanned,
        all_items()["http.hsts"],
        alice,
        kind="accepted_risk",
        reason="x",
        until=now + timedelta(days=20),
    )
    assert ending([scanned]) == []
    soon = now + timedelta(days=17)
    assert [(end.item.id, end.waiver) for end in ending([scanned], now=soon)] == [
        ("http.hsts", True),
        (KEY, False),
    ]
    assert ending([scanned], now=now + timedelta(days=31)) == [], "what is over asks by itself"
    ItemState.objects.filter(item_id="http.hsts").update(status="pass")
    assert [end.item.id for end in ending([scanned], now=soon)] == [KEY]


def test_queries_for_what_ends_do_not_grow(
    scanned: Instance, alice: User, django_assert_max_num_queries: AtMost
) -> None:
    asked = [item for item in all_items().values() if item.takes_answers]
    answers.attest(scanned, asked, alice, met=True, note="x", days=30)
    with django_assert_max_num_queries(4):
        assert len(ending([scanned], now=timezone.now() + timedelta(days=20))) > 10


def test_an_items_page_needs_few_queries_however_much_was_said(
    as_alice: Client, scanned: Instance, alice: User, django_assert_max_num_queries: AtMost
) -> None:
    item = all_items()[KEY]
    for number in range(5):
        answers.attest(scanned, item, alice, met=True, note=f"Answer {number}.")
        answers.remark(scanned, item, alice, f"Remark {number}.")
    with django_assert_max_num_queries(15):
        assert "Remark 4." in as_alice.get(ITEM).content.decode()
