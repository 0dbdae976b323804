"""The overview: what it says of many instances, what it can be narrowed to, and what that costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from checks.items import all_items
from fedisec.accounts.models import User
from fedisec.checklist import daily
from fedisec.checklist.models import Attestation
from fedisec.checklist.overview import _action
from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Glance, Instance, NextAction, SavedView, Tag
from fedisec.scans.models import ItemState, Scan

pytestmark = pytest.mark.django_db
Adder = Callable[..., Instance]


@pytest.fixture
def add(scanned: Instance, alice: User) -> Adder:
    """Adds an instance as `scanned`, where `fail` is not met; its counts are kept as after a look."""

    def added(domain: str, *fail: str, version: str = "Mastodon 4.5.4", days: int = 0) -> Instance:
        found = Instance.objects.create(team=scanned.team, domain=domain, created_by=alice)
        name, _, number = version.partition(" ")
        now = timezone.now() - timedelta(days=days)
        for reason in ("first", "scheduled"):
            Scan.objects.create(instance=found, state="done", reason=reason, finished_at=now)
        ItemState.objects.bulk_create(
            ItemState(
                instance=found,
                item_id=item.id,
                status="fail" if item.id in fail else "pass",
                since=now - timedelta(days=3),
                seen_at=now,
                data={"name": name, "version": number} if item.id == "plan.software_fits" else {},
            )
            for item in all_items().values()
        )
        daily.note(found, now, scanned=True)
        return found

    return added


def names(text: str) -> list[str]:
    """The instances that are listed, in order."""
    return re.findall(r'<h3><a href="[^"]+" title="([^"]+)"', text)


def test_who_needs_a_hand_comes_first(as_alice: Client, add: Adder) -> None:
    add("fine.example")
    add("bad.example", "tls.certificate_valid", "mail.spf")
    add("worse.example", "tls.certificate_valid", "mail.spf", "app.setup_finished")
    text = as_alice.get("/").content.decode()
    assert names(text)[:2] == ["worse.example", "bad.example"]
    assert "4 instances. 2 need a hand: 5 required items are not met; begin with worse.example." in text


@pytest.mark.parametrize(
    ("fails", "sentence"),
    [
        (["mail.spf"], "1 needs a hand: 1 required item is not met on one.example."),
        ([], "Every required item is met on 1 of them"),
    ],
)
def test_one_sentence_says_where_all_stand(
    as_alice: Client, add: Adder, fails: list[str], sentence: str
) -> None:
    add("one.example", *fails)
    assert sentence in as_alice.get("/").content.decode()


def test_the_next_five_name_an_item_once_with_its_places_and_first_step(as_alice: Client, add: Adder) -> None:
    NextAction.objects.all().delete()  # of the instance that is there already
    for number in range(5):
        add(f"s{number}.example", "ssh.password_login_off", "http.referrer_policy")
    text = as_alice.get("/").content.decode().split('id="next-title"')[1].split("</section>")[0]
    assert text.count("SSH offers no login by password") == 1 + 3  # as title, and for each link by its name
    assert "and others" in text and "Make sure first that your key works" in text
    assert text.index("ssh.password_login_off") < text.index("http.referrer_policy")


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ({"is": "not_met"}, {"bad.example"}),
        ({"is": "met"}, {"fine.example", "xn--q9jyb4c.xn--zckzah"}),
        ({"is": "paused"}, {"fine.example"}),
        ({"is": "host_key"}, {"bad.example"}),
        ({"is": "no such"}, {"bad.example", "fine.example", "xn--q9jyb4c.xn--zckzah", "social.example"}),
        ({"tag": "JAPAN"}, {"fine.example"}),
        ({"software": "Akkoma"}, {"bad.example"}),
        ({"q": "みんな"}, {"xn--q9jyb4c.xn--zckzah"}),
        ({"q": "ＦＩＮＥ"}, {"fine.example"}),
        ({"q": "fine", "is": "not_met"}, set()),
        ({"q": "z" * 300}, set()),
    ],
)
def test_the_filter_stands_in_the_address(
    as_alice: Client, add: Adder, query: dict[str, str], listed: set[str]
) -> None:
    bad = add("bad.example", "mail.spf", version="Akkoma 3.21.0")
    fine = add("fine.example")
    add("xn--q9jyb4c.xn--zckzah")
    Instance.objects.filter(pk=fine.pk).update(paused=True)
    Tag.objects.create(instance=fine, name="Japan")
    SshAccess.objects.create(instance=bad, sealed_key="x", public_key="x", changed_at=timezone.now())
    text = as_alice.get("/", query).content.decode()
    assert set(re.findall(r'<h3><a href="/instances/([^/]+)/"', text)) == listed
    assert ("Nothing fits this filter." in text) is not bool(listed)


def test_every_trouble_is_said_in_words(as_alice: Client, add: Adder) -> None:
    found = add("silent.example")
    ItemState.objects.filter(instance=found, item_id__regex=r"^(http|tls)\.").update(
        status="unknown", reason="timeout", since=timezone.now() - timedelta(days=2)
    )
    daily.note(found, scanned=True)
    Scan.objects.create(instance=found, state="failed", reason="scheduled")
    text = as_alice.get("/", {"is": "unreached"}).content.decode()
    assert names(text) == ["silent.example"]
    assert "not reached since <time" in text and "the last look broke off" in text
    assert as_alice.get("/", {"is": "needs_a_hand"}).content.decode().count("silent.example") > 1


def test_a_server_that_was_seen_in_part_counts_as_reached(add: Adder) -> None:
    found = add("partly.example")
    ItemState.objects.filter(instance=found, item_id__startswith="tls.").update(
        status="unknown", reason="timeout"
    )
    daily.note(found, scanned=True)
    assert Glance.objects.get(pk=found.pk).unreached_since is None


def test_what_the_last_look_changed_is_counted_and_a_confirming_look_hides_none_of_it(
    as_alice: Client, add: Adder
) -> None:
    found = add("moved.example", "mail.spf", days=1)
    now = timezone.now()
    Scan.objects.create(instance=found, state="done", reason="scheduled", finished_at=now)
    states = ItemState.objects.filter(instance=found)
    states.filter(item_id__in=("mail.spf", "http.hsts")).update(since=now)
    Scan.objects.create(
        instance=found, state="done", reason="confirm", finished_at=now + timedelta(minutes=5)
    )
    states.update(seen_at=now + timedelta(minutes=5))
    daily.note(found, scanned=True)
    text = as_alice.get("/", {"is": "changed"}).content.decode()
    assert names(text) == ["moved.example"]
    assert "1 worse" in text and "1 newly met" in text


def test_a_first_look_changes_nothing(add: Adder, scanned: Instance) -> None:
    daily.note(scanned, scanned=True)
    kept = Glance.objects.get(pk=scanned.pk)
    assert (kept.worse, kept.better, kept.unseen) == (0, 0, 0)


def test_an_answer_counts_at_once(as_alice: Client, scanned: Instance) -> None:
    daily.note(scanned, scanned=True)
    item_id = NextAction.objects.order_by("-weight")[0].item_id
    as_alice.post(
        f"/instances/social.example/items/{item_id}/answer/", {"met": "yes", "note": "Done.", "days": "90"}
    )
    assert Attestation.objects.filter(item_id=item_id).exists()
    assert NextAction.objects.count() == 5 and not NextAction.objects.filter(item_id=item_id).exists()


def test_a_view_is_saved_found_again_and_dropped_by_its_owner_alone(
    as_alice: Client, as_bob: Client, scanned: Instance, alice: User
) -> None:
    given = {"name": "Mine", "query": "tag=x&is=not_met&evil=1"}
    assert as_alice.post("/views/save/", given)["Location"] == "/?is=not_met&tag=x"
    text = as_alice.get("/", {"tag": "x", "is": "not_met"}).content.decode()
    assert re.search(r'href="/\?is=not_met&amp;tag=x" aria-current="page">Mine<', text)
    saved = SavedView.objects.get(user=alice)
    assert b"Mine" not in as_bob.get("/").content
    assert as_bob.post(f"/views/{saved.pk}/drop/").status_code == 404
    assert as_alice.post(f"/views/{saved.pk}/drop/").status_code == 302
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("given", [{"name": ""}, {"name": "x" * 41, "query": "is=met"}, {}])
def test_a_view_without_a_good_name_is_refused(
    as_alice: Client, scanned: Instance, given: dict[str, str]
) -> None:
    assert as_alice.post("/views/save/", given, follow=True).status_code == 200
    assert not SavedView.objects.exists()


def test_many_instances_come_in_pages_that_keep_the_filter(as_alice: Client, scanned: Instance) -> None:
    Instance.objects.bulk_create(
        Instance(team=scanned.team, domain=f"n{number:03}.example") for number in range(60)
    )
    first = as_alice.get("/", {"q": "example"}).content.decode()
    assert len(names(first)) == 50 and 'href="?q=example&amp;page=2#instances"' in first
    second = as_alice.get("/", {"q": "example", "page": "2"}).content.decode()
    assert len(names(second)) == 11 and not set(names(first)) & set(names(second))
    assert names(as_alice.get("/", {"page": "no such"}).content.decode()) == names(first)


def test_queries_do_not_grow_with_the_instances(as_alice: Client, add: Adder, alice: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert as_alice.get("/").status_code == 200
        return len(caught)

    def furnished(number: int) -> None:
        found = add(f"s{number}.example", "http.hsts")
        Tag.objects.create(instance=found, name=f"tag{number % 3}")
        Attestation.objects.create(
            instance=found,
            item_id="plan.audience_decided",
            by=alice,
            met=True,
            valid_until=timezone.now() + timedelta(days=5),
        )

    for number in range(2):
        furnished(number)
    few = queries()
    for number in range(2, 29):
        furnished(number)
    assert queries() == few <= 29


def test_a_viewer_of_nothing_is_told_whom_to_ask(as_bob: Client, instance: Instance) -> None:
    Instance.objects.all().delete()
    text = as_bob.get("/").content.decode()
    assert (
        "An owner or editor of your team can add one." in text
        and "/instances/add/" not in text.split("<main")[1]
    )


def test_what_a_look_did_away_with_meanwhile_is_left_out(scanned: Instance) -> None:
    assert _action(NextAction.objects.none(), all_items()["http.hsts"]) is None
