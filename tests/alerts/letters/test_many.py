"""Many servers and many items in one mail: what is named, what is counted, and at what cost."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from checks.items import all_items
from fedisec.alerts.letter import letter_of, summary_of
from fedisec.alerts.letters.alarms import INSTANCES_MAX, ITEMS_MAX
from fedisec.alerts.letters.summary import ITEMS_MAX as VALUES_MAX
from fedisec.alerts.models import Delivery, MailKind
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Change, Incident
from tests.alerts.letters.samples import NOW, Post, a_change, a_scan, a_state
from tests.factories import an_instance

ITEMS = [item.id for item in all_items().values() if item.check_function is not None]


def falls(post: Post, instance: Instance, count: int) -> None:
    """So many items of one look."""
    scan = a_scan(instance)
    for item_id in ITEMS[:count]:
        post.change(MailKind.REGRESSION, a_change(instance, item_id, scan=scan))


def fallen(post: Post, servers: int, items: int) -> Delivery:
    for number in range(servers):
        falls(post, an_instance(domain=f"server{number:02}.example"), items)
    return post.delivery()


def test_beyond_twenty_servers_the_rest_is_counted(post: Post) -> None:
    mail = letter_of(fallen(post, INSTANCES_MAX + 3, 2))
    assert mail.subject.startswith("[fedisec] 23 servers: 46 items are no longer met")
    assert mail.body.count("=====") // 3 == INSTANCES_MAX
    assert "And on 3 further servers: 6 items are no longer met.\nhttps://fedisec.example/\n" in mail.body
    assert mail.body.count("Why it matters:") == 2  # each item is explained once


def test_beyond_fifty_items_the_rest_is_counted(post: Post) -> None:
    mail = letter_of(fallen(post, 4, 20))
    assert mail.body.count("   Seen:") == ITEMS_MAX
    assert "10 further items:\nhttps://fedisec.example/instances/server02.example/\n" in mail.body
    assert "And on 1 further server: 20 items are no longer met" in mail.body


def test_of_one_server_fifty_are_named_required_ones_first(post: Post, instance: Instance) -> None:
    falls(post, instance, 70)
    text = letter_of(post.delivery()).body
    named = [line for line in text.splitlines() if re.match(r"\d+\. ", line)]
    assert len(named) == ITEMS_MAX
    marks = [line.rpartition("[")[2] for line in named]
    assert marks == sorted(marks, key=lambda mark: mark != "required]")
    assert "20 further items:\nhttps://fedisec.example/instances/example.social/\n" in text


def test_who_does_not_answer_stands_first(post: Post, instance: Instance) -> None:
    falls(post, instance, 5)
    silent = an_instance(domain="silent.example")
    post.change(MailKind.UNREACHABLE, a_change(silent, REACH, data={"code": "silent"}))
    text = letter_of(post.delivery()).body
    assert text.index("silent.example\n==") < text.index("example.social\n==")


def test_what_to_look_at_is_said_once_for_many_that_are_silent(post: Post) -> None:
    for number in range(3):
        server = an_instance(domain=f"server{number}.example")
        post.change(MailKind.UNREACHABLE, a_change(server, REACH, data={"code": "silent"}))
        post.tell(MailKind.CERTIFICATE, instance=server, data={})
    mail = letter_of(post.delivery())
    assert mail.subject == "[fedisec] 3 servers: 3 do not answer; 3 certificates end soon"
    assert (mail.body.count("df -h"), mail.body.count("certbot renew")) == (1, 1)
    assert mail.body.count("answers from outside, since") == mail.body.count("ends soon.") == 3


def test_what_still_fails_leaves_out_what_is_named_and_what_is_set_aside(
    post: Post, instance: Instance
) -> None:
    from fedisec.checklist.models import Waiver

    falls(post, instance, 1)
    for item_id in (ITEMS[0], "mail.dmarc", "domain.caa", "http.csp", "http.hsts"):
        a_state(instance, item_id)
    a_state(instance, "mail.spf", "pass")
    Waiver.objects.create(instance=instance, item_id="http.csp", kind="accepted_risk", reason="x" * 10)
    Waiver.objects.create(
        instance=instance,
        item_id="http.hsts",
        kind="accepted_risk",
        reason="x" * 10,
        valid_until=timezone.now(),
    )  # over by now
    assert "Besides this, 3 items are still not met." in letter_of(post.delivery()).body


@pytest.mark.parametrize("servers", [2, 25])
def test_the_queries_do_not_grow(
    servers: int, post: Post, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    delivery = Delivery.objects.select_related("instance", "user", "channel").get(
        pk=fallen(post, servers, 4).pk
    )
    for instance in Instance.objects.filter(domain__startswith="server"):
        a_state(instance, "mail.dmarc")
    with django_assert_max_num_queries(7):
        letter_of(delivery)


def test_a_thousand_reminders_are_one_mail(
    post: Post, instance: Instance, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    servers = [instance, *(an_instance(domain=f"server{number}.example") for number in range(9))]
    for server in servers:
        for item_id in ITEMS[:60]:
            incident = Incident.objects.create(instance=server, item_id=item_id, opened_at=NOW)
            post.tell(MailKind.REMINDER, instance=server, incident=incident)
    delivery = Delivery.objects.select_related("user", "channel").get(pk=post.delivery().pk)
    with django_assert_max_num_queries(7):
        mail = letter_of(delivery)
    assert mail.subject == "[fedisec] 10 servers: 600 items are still not met"
    assert mail.body.count("/items/") == ITEMS_MAX and "And 550 more:" in mail.body


def test_plain_values_name_no_more_than_a_hook_can_take(post: Post, instance: Instance) -> None:
    for number in range(5):
        falls(post, an_instance(domain=f"server{number}.example"), 60)
    facts = summary_of(post.delivery()).facts
    assert len(facts["items"]) == VALUES_MAX and facts["counts"] == {"regressed": 300}
    assert facts["instance"] is None
    assert Change.objects.count() == 300
