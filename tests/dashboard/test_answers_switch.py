"""Items that a setting settles: the switch is on the page, and where nothing is done yet none pretends to."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from checks.items import all_items
from fedisec.accounts.models import AuditEvent, User
from fedisec.alerts.models import Subscription
from fedisec.checklist.state import State
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan, Span
from tests.dashboard.test_answers import HTMX, PAGE, make_editor, state

pytestmark = pytest.mark.django_db
KEY = "tls.expiry_alert"
ITEM, PATH = f"{PAGE}items/{KEY}/", f"{PAGE}mails/"


@pytest.fixture
def unheard(scanned: Instance, settings: Settings) -> Instance:
    """With a relay, and nobody who is told."""
    settings.EMAIL_URL = "smtp://relay.example"
    ItemState.objects.filter(item_id=KEY).update(
        status="fail", code="nobody", settled="fail", evidence=[["fedisec", "recipients: 0"]]
    )
    return scanned


def test_the_switch_settles_the_item_at_once(as_alice: Client, unheard: Instance, alice: User) -> None:
    assert state(unheard, KEY) is State.NOT_MET
    page = as_alice.get(ITEM).content.decode()
    assert "get no mails about this instance" in page and "Mail me when something gets worse" in page
    text = as_alice.post(PATH, {"on": "yes"}, follow=True).content.decode()
    assert Subscription.objects.get().user == alice
    assert state(unheard, KEY) is State.MET
    assert "Mails about this instance go to you (alice@example.org)." in text
    assert "people told by mail: 1." in text and "by fedisec&#x27;s own settings" in text
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name, event.item_id) == ("alert.joined", "alice@example.org", KEY)
    assert [span.status for span in Span.objects.all()] == ["pass"]
    looks = Scan.objects.filter(state="done", reason="item")
    assert [scan.only for scan in looks] == [[KEY]]


def test_switched_off_it_is_not_met_and_confirmed_by_a_second_look(
    as_alice: Client, unheard: Instance
) -> None:
    as_alice.post(PATH, {"on": "yes"})
    ItemState.objects.filter(item_id=KEY).update(settled="pass")
    as_alice.post(PATH, {"on": "no"})
    assert not Subscription.objects.exists() and state(unheard, KEY) is State.NOT_MET
    assert Scan.objects.get(state="queued").reason == "confirm"
    assert "Seen once." in as_alice.get(ITEM).content.decode()


def test_the_same_twice_changes_nothing(as_alice: Client, unheard: Instance) -> None:
    for _ in range(2):
        as_alice.post(PATH, {"on": "yes"})
    assert Subscription.objects.count() == AuditEvent.objects.count() == 1


def test_only_ones_own_mails_are_switched(
    as_alice: Client, as_bob: Client, unheard: Instance, bob: User
) -> None:
    make_editor(bob, unheard)
    as_alice.post(PATH, {"on": "yes"})
    assert "Also told: alice@example.org" in as_bob.get(ITEM).content.decode()
    as_bob.post(PATH, {"on": "no"})
    assert Subscription.objects.count() == 1 and state(unheard, KEY) is State.MET


def test_without_a_relay_nobody_is_told_and_the_page_says_so(
    as_alice: Client, unheard: Instance, settings: Settings
) -> None:
    settings.EMAIL_URL = ""
    as_alice.post(PATH, {"on": "yes"})
    assert state(unheard, KEY) is State.NOT_MET
    assert "so nobody is told" in as_alice.get(ITEM).content.decode()


def test_a_paused_instance_is_not_watched(as_alice: Client, unheard: Instance) -> None:
    Instance.objects.update(paused=True)
    as_alice.post(PATH, {"on": "yes"})
    assert state(unheard, KEY) is State.NOT_MET
    assert "Scheduled scans are paused" in as_alice.get(ITEM).content.decode()


def test_before_the_first_scan_the_switch_waits_for_it(as_alice: Client, instance: Instance) -> None:
    as_alice.post(PATH, {"on": "yes"})
    assert Subscription.objects.exists() and not ItemState.objects.exists()


def test_in_place_the_line_comes_anew(as_alice: Client, unheard: Instance) -> None:
    text = as_alice.post(PATH, {"on": "yes"}, headers=HTMX).content.decode()
    assert (
        text.lstrip().startswith('<details class="item" id="tls.expiry_alert" open')
        and "Stop these mails" in text
    )


def test_viewers_and_strangers_switch_nothing(as_bob: Client, as_charlie: Client, unheard: Instance) -> None:
    assert [client.post(PATH, {"on": "yes"}).status_code for client in (as_bob, as_charlie)] == [404, 404]
    assert not Subscription.objects.exists()
    assert "Mail me when" not in as_bob.get(ITEM).content.decode()


@pytest.mark.parametrize("key", ["updates.sources_followed", "updates.releases_followed"])
def test_what_fedisec_does_not_do_yet_stays_a_question(as_alice: Client, scanned: Instance, key: str) -> None:
    assert all_items()[key].check_function is None
    ItemState.objects.filter(item_id=key).update(status="unknown", reason="dashboard_only")
    assert state(scanned, key) is State.NEEDS_YOU
    path = f"{PAGE}items/{key}/"
    page = as_alice.get(path).content.decode()
    assert "fedisec does not read these feeds yet" in page
    assert "Mail me" not in page and "Check again now" not in page and "Last looked at" not in page
    given = {"met": "yes", "note": "I read the weekly report.", "days": "90"}
    assert as_alice.post(f"{path}answer/", given).status_code == 302
    assert state(scanned, key) is State.MET
