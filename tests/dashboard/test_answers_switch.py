"""Items that a setting settles: the switch is on the page, and where nothing is done yet none pretends to."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from checks.items import all_items
from fedisec.accounts.models import AuditEvent, User
from fedisec.alerts.models import Subscription
from fedisec.checklist.state import State
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan, Span
from fedisec.watch.models import Source, Stack
from tests.dashboard.test_answers import HTMX, PAGE, make_editor, state

pytestmark = pytest.mark.django_db
KEY = "tls.expiry_alert"
ITEM, PATH = f"{PAGE}items/{KEY}/", f"{PAGE}mails/"


@pytest.fixture
def unheard(scanned: Instance, settings: Settings, alice: User, bob: User) -> Instance:
    """With a relay, and nobody who is told; who could be has confirmed their address."""
    settings.EMAIL_URL = "smtp://relay.example"
    for user in (alice, bob):
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
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


NEWS = ["updates.sources_followed", "updates.releases_followed"]


@pytest.fixture
def news(scanned: Instance, settings: Settings) -> Instance:
    """Everything was read a moment ago, and Mastodon runs."""
    settings.FEEDS = True
    now = timezone.now()
    for kind, about in (("warnings", ""), ("release", "mastodon")):
        Source.objects.create(slug=kind, kind=kind, title=f"The {kind}", url="x", about=about, last_ok_at=now)
    Stack.objects.create(instance=scanned, software="mastodon", family="mastodon", made_at=now)
    return scanned


@pytest.mark.parametrize("key", NEWS)
def test_news_are_switched_for_the_instance_and_judged_at_once(
    as_alice: Client, news: Instance, key: str
) -> None:
    path = f"{PAGE}items/{key}/"
    for on, state_then, action in (("no", State.NOT_MET, "feeds.left"), ("yes", State.MET, "feeds.followed")):
        page = as_alice.post(f"{path}follow/", {"on": on}, follow=True).content.decode()
        assert state(news, key) is state_then
        assert ("Switch them on" if on == "no" else "Switch them off") in page
        event = AuditEvent.objects.first()
        assert event is not None
        assert (event.action, event.actor_name, event.item_id) == (action, "alice@example.org", key)
    as_alice.post(f"{path}follow/", {"on": "yes"})
    assert AuditEvent.objects.count() == 2, "the same twice changes nothing"
    news.refresh_from_db()
    assert news.follow_sources and news.follow_releases
    assert not ItemState.objects.exclude(item_id=key).filter(code__in=["off", "read"]).exists()


@pytest.mark.parametrize("key", NEWS)
def test_news_are_no_question_to_a_person_any_more(as_alice: Client, news: Instance, key: str) -> None:
    assert not all_items()[key].takes_answers
    page = as_alice.get(f"{PAGE}items/{key}/").content.decode()
    assert "Switch them off" in page and "Mail me" not in page


def test_in_place_the_line_of_the_news_comes_anew(as_alice: Client, news: Instance) -> None:
    text = as_alice.post(f"{PAGE}items/{NEWS[0]}/follow/", {"on": "no"}, headers=HTMX).content.decode()
    assert text.lstrip().startswith(f'<details class="item" id="{NEWS[0]}" open') and "Switch them on" in text


def test_viewers_and_strangers_switch_no_news(as_bob: Client, as_charlie: Client, news: Instance) -> None:
    paths = [f"{PAGE}items/{key}/follow/" for key in (*NEWS, KEY)]
    for client in (as_bob, as_charlie):
        assert {client.post(path, {"on": "no"}).status_code for path in paths} == {404}
    assert "Switch them" not in as_bob.get(f"{PAGE}items/{NEWS[0]}/").content.decode()


def test_what_is_no_news_has_no_such_switch(as_alice: Client, news: Instance) -> None:
    assert as_alice.post(f"{PAGE}items/{KEY}/follow/", {"on": "no"}).status_code == 404
