"""The pages as their readers meet them, without a browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries as AtMost

from checks.items import all_items
from checks.model import Level
from fedisec.accounts.models import User
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.state import State
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan
from tests.factories import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/instances/social.example/"
ITEM = f"{PAGE}items/plan.hosting_considered/"
ANSWER = {"met": "yes", "note": "Compared two hosters.", "days": "90"}
HTMX = {"HX-Request": "true"}


def test_an_empty_overview_says_the_next_step(as_charlie: Client) -> None:
    assert b'href="/instances/add/"' in as_charlie.get("/").content


def test_the_overview_says_where_each_instance_stands(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.get("/").content.decode()
    assert "social.example" in text
    assert "wait for your answer" in text or "required item" in text


def test_the_instance_page_lists_every_item(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.get(PAGE).content.decode()
    assert text.count('<details class="item"') == len(all_items())


def test_the_filter_stands_in_the_address(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.get(PAGE, {"state": "not_met", "level": "recommended", "q": "HSTS"}).content.decode()
    assert text.count('<details class="item"') == 1
    assert 'id="http.hsts"' in text
    assert 'value="HSTS"' in text
    assert '<option value="not_met" selected>' in text


@pytest.mark.parametrize(
    "query", [{"level": "x"}, {"state": "<b>"}, {"q": "\u202e" * 300}, {"open": "../.."}]
)
def test_an_odd_filter_does_no_harm(as_alice: Client, scanned: Instance, query: dict[str, str]) -> None:
    assert as_alice.get(PAGE, query).status_code == 200


def test_a_filter_that_fits_nothing_offers_the_way_back(as_alice: Client, scanned: Instance) -> None:
    assert b"Nothing fits this filter." in as_alice.get(PAGE, {"q": "no such words"}).content


def test_htmx_gets_the_list_alone(as_alice: Client, scanned: Instance) -> None:
    answer = as_alice.get(PAGE, {"state": "not_met"}, headers={**HTMX, "HX-Target": "list"})
    assert answer.content.lstrip().startswith(b'<div id="list">')
    assert "HX-Request" in answer["Vary"]


def test_evidence_is_shown_as_text_with_control_characters_made_visible(
    as_alice: Client, scanned: Instance
) -> None:
    text = as_alice.get(f"{PAGE}items/http.hsts/").content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "\x1b" not in text


def test_an_answer_works_as_a_plain_form(as_alice: Client, scanned: Instance, alice: User) -> None:
    answer = as_alice.post(f"{ITEM}answer/", ANSWER)
    assert (answer.status_code, answer["Location"]) == (302, ITEM)
    given = Attestation.objects.get()
    assert (given.met, given.note, given.by) == (True, "Compared two hosters.", alice)
    assert (given.valid_until - given.created_at).days == 90
    assert "Compared two hosters." in as_alice.get(ITEM).content.decode()


def test_an_answer_by_htmx_brings_the_line_and_the_counts(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.post(f"{ITEM}answer/", ANSWER, headers=HTMX).content.decode()
    assert '<details class="item" id="plan.hosting_considered" open' in text
    assert 'hx-swap-oob="true"' in text
    assert "state-met" in text


def test_a_required_item_wants_a_note_and_keeps_what_was_typed(as_alice: Client, scanned: Instance) -> None:
    answer = as_alice.post(f"{ITEM}answer/", {**ANSWER, "note": "", "link": "https://wiki.example/x"})
    assert answer.status_code == 422
    assert not Attestation.objects.exists()
    assert "https://wiki.example/x" in answer.content.decode()


def test_an_error_by_htmx_comes_back_as_the_open_line(as_alice: Client, scanned: Instance) -> None:
    answer = as_alice.post(
        f"{ITEM}answer/", {**ANSWER, "note": "", "link": "https://wiki.example/x"}, headers=HTMX
    )
    text = answer.content.decode()
    assert answer.status_code == 200, "htmx swaps nothing on an error status"
    assert text.count('<details class="item"') == 1 and 'id="plan.hosting_considered" open' in text
    assert "https://wiki.example/x" in text and 'aria-invalid="true"' in text and "autofocus" in text
    assert not Attestation.objects.exists()


def test_an_items_own_page_posts_plain_forms(as_alice: Client, scanned: Instance) -> None:
    assert b"hx-post" not in as_alice.get(ITEM).content
    assert b"hx-post" in as_alice.get(ITEM, headers=HTMX).content


def test_fields_of_two_open_items_are_told_apart(as_alice: Client, scanned: Instance) -> None:
    def ids(item_id: str) -> set[str]:
        text = as_alice.get(f"{PAGE}items/{item_id}/", headers=HTMX).content.decode()
        return set(re.findall(r' id="([^"]+)"', text))

    one, other = ids("plan.hosting_considered"), ids("plan.audience_decided")
    assert one and other and not one & other


def test_long_evidence_starts_short_and_opens_whole(as_alice: Client, scanned: Instance) -> None:
    long = "\n".join(f"line {n}" for n in range(30))
    ItemState.objects.filter(item_id="http.hsts").update(evidence=[["GET", long], ["GET", "short"]])
    text = as_alice.get(f"{PAGE}items/http.hsts/").content.decode()
    assert (text.count('class="whole"'), text.count("line 7"), text.count("line 8")) == (1, 2, 1)


@pytest.mark.parametrize(("state", "sentence"), [("failed", "broke off"), ("running", "on its way")])
def test_a_first_scan_says_how_it_goes(
    as_alice: Client, instance: Instance, state: str, sentence: str
) -> None:
    Scan.objects.create(instance=instance, state=state, reason="first")
    for path in ("/", PAGE):
        assert (
            f"The first scan {'is ' if state == 'running' else ''}{sentence}."
            in as_alice.get(path).content.decode()
        )


def test_what_is_counted_is_what_the_link_lists(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.get(PAGE).content.decode()
    chips = text.split('<ul class="states">')[1].split("</ul>")[0]
    counts = re.findall(r'(?s)\?state=(\w+)#list.*?class="count">(\d+)<', chips)
    assert sum(int(count) for _, count in counts) == len(all_items())
    for state, count in counts:
        listed = as_alice.get(PAGE, {"state": state}).content.decode()
        assert listed.count('<details class="item"') == int(count)


def test_every_moment_says_exactly_when(as_alice: Client, scanned: Instance) -> None:
    for path in ("/", PAGE, f"{PAGE}items/http.hsts/"):
        stamps = re.findall(r"<time [^>]+>", as_alice.get(path).content.decode())
        assert stamps and all('datetime="20' in tag for tag in stamps)
        moments = [
            tag for tag in stamps if not re.search(r'datetime="[0-9-]{10}"', tag)
        ]  # the others are days
        assert moments and all('title="' in tag for tag in moments)


def test_a_form_that_was_open_too_long_is_explained(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    signed_in(client, alice)
    answer = client.post("/theme/", {"theme": "dark"})
    assert answer.status_code == 403
    assert b"Please try again" in answer.content and b"app.css" in answer.content


def test_a_new_answer_ends_the_one_before_and_keeps_it(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    as_alice.post(f"{ITEM}answer/", {**ANSWER, "met": "no"})
    old, new = Attestation.objects.order_by("pk")
    assert (old.ended_why, new.ended_at, new.met) == ("replaced", None, False)


def test_an_answer_can_be_taken_back(as_alice: Client, scanned: Instance) -> None:
    as_alice.post(f"{ITEM}answer/", ANSWER)
    as_alice.post(f"{ITEM}withdraw/")
    assert Attestation.objects.get().ended_why == "withdrawn"


def test_a_machines_fail_can_be_set_aside_but_not_answered(as_alice: Client, scanned: Instance) -> None:
    path = f"{PAGE}items/http.hsts/"
    assert as_alice.post(f"{path}answer/", ANSWER).status_code == 404
    until = str(timezone.localdate() + timedelta(days=30))
    as_alice.post(f"{path}waive/", {"kind": "accepted_risk", "reason": "A test server.", "until": until})
    assert Waiver.objects.get().reason == "A test server."
    assert "state-accepted" in as_alice.get(path).content.decode()


@pytest.mark.parametrize("action", ["answer/", "waive/", "withdraw/"])
def test_a_viewer_may_look_but_not_answer(as_bob: Client, scanned: Instance, action: str) -> None:
    assert as_bob.get(ITEM).status_code == 200
    assert b'<form class="answer"' not in as_bob.get(ITEM).content
    assert as_bob.post(ITEM + action, ANSWER).status_code == 404
    assert as_bob.post(f"{PAGE}scan/").status_code == 404


@pytest.mark.parametrize("path", [PAGE, ITEM, f"{PAGE}progress/"])
def test_a_stranger_gets_404(as_charlie: Client, scanned: Instance, path: str) -> None:
    assert as_charlie.get(path).status_code == 404
    assert "social.example" not in as_charlie.get("/").content.decode()


def test_an_unknown_item_is_404(as_alice: Client, scanned: Instance) -> None:
    assert as_alice.get(f"{PAGE}items/no.such/").status_code == 404


def test_progress_polls_itself_and_ends_by_itself(as_alice: Client, instance: Instance) -> None:
    scan = Scan.objects.create(instance=instance, state="running", reason="manual", progress={"dns": [2, 2]})
    text = as_alice.get(f"{PAGE}progress/", headers=HTMX).content.decode()
    assert 'hx-trigger="every 1s"' in text and "DNS" in text
    Scan.objects.filter(pk=scan.pk).update(state="done")
    ended = as_alice.get(f"{PAGE}progress/", headers=HTMX)
    assert ended["HX-Refresh"] == "true"
    assert 'hx-trigger="every 1s"' not in ended.content.decode()


@pytest.mark.parametrize(
    ("language", "word"), [("ja,en;q=0.5", "必須"), ("en", "required"), ("de", "required")]
)
def test_the_browsers_language_decides(as_alice: Client, scanned: Instance, language: str, word: str) -> None:
    answer = as_alice.get(PAGE, headers={"Accept-Language": language})
    assert word in answer.content.decode()


def test_the_language_can_be_switched(as_alice: Client, scanned: Instance) -> None:
    as_alice.post("/language/", {"language": "ja", "next": PAGE})
    assert "チェックリスト" in as_alice.get(PAGE).content.decode()


def test_colours_can_be_chosen_and_never_lead_elsewhere(as_alice: Client, scanned: Instance) -> None:
    answer = as_alice.post("/theme/", {"theme": "dark", "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert 'data-theme="dark"' in as_alice.get("/").content.decode()


@pytest.mark.parametrize(
    "path", ["/", PAGE, ITEM, "/instances/add/", "/account/password/change/", "/nowhere/"]
)
def test_every_page_is_closed_to_foreign_content(as_alice: Client, scanned: Instance, path: str) -> None:
    answer = as_alice.get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cache-Control"].startswith(("no-store", "max-age=0"))
    text = answer.content.decode()
    assert " style=" not in text and "onclick" not in text and "<style" not in text


def test_the_instance_page_needs_few_queries(
    as_alice: Client, scanned: Instance, django_assert_max_num_queries: AtMost
) -> None:
    with django_assert_max_num_queries(24):
        as_alice.get(PAGE)


def test_the_role_decides_on_adding(as_bob: Client, scanned: Instance) -> None:
    assert as_bob.get("/instances/add/").status_code == 404


def test_the_words_are_explained_with_every_state_and_level(as_alice: Client) -> None:
    text = as_alice.get("/words/").content.decode()
    assert all(f"state-{state}" in text for state in State)
    assert all(f"level-{level}" in text for level in Level)
