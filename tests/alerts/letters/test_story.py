"""What changes come to by the time they are read: each item is said once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from fedisec.alerts.letter import letter_of
from fedisec.alerts.letters.story import Story, story_of
from fedisec.alerts.models import MailKind
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Change, Incident
from tests.alerts.letters.samples import NOW, Post, a_change, a_pair, a_scan

STEP = timedelta(minutes=10)
ITEM = "mail.spf"


def told(instance: Instance, item_id: str, *kinds: str) -> list[Change]:
    """A row of changes of one item, ten minutes apart; each fall opens an incident that its end closes."""
    rows: list[Change] = []
    incident: Incident | None = None
    for number, kind in enumerate(kinds):
        at = NOW + number * STEP
        kind, _, after = kind.partition("=")
        if kind == "regressed" or incident is None:
            incident = Incident.objects.filter(instance=instance, item_id=item_id, closed_at=None).first()
            incident = incident or Incident.objects.create(instance=instance, item_id=item_id, opened_at=at)
        change = a_change(instance, item_id, kind, at, incident=incident)
        if after:
            change.after = after
            change.save()
        if kind == "recovered":
            Incident.objects.filter(pk=incident.pk).update(closed_at=at)
        rows.append(change)
    return rows


def places(story: Story) -> dict[str, int]:
    lists: dict[str, Sequence[object]] = {
        "worse": story.worse,
        "better": story.better,
        "returned": story.returned,
        "flapping": story.flapping,
        "calmed": story.calmed,
        "blind": story.blind,
        "down": [story.down] if story.down else [],
        "up": [story.up] if story.up else [],
        "outage": [story.outage] if story.outage else [],
        "unsteady": [story.unsteady] if story.unsteady else [],
    }
    return {name: len(found) for name, found in lists.items() if found}


@pytest.mark.parametrize(
    ("kinds", "place"),
    [
        (("regressed",), "worse"),
        (("recovered",), "better"),
        (("regressed", "recovered"), "returned"),
        (("recovered", "regressed"), "worse"),
        (("regressed", "recovered", "regressed"), "worse"),
        (("recovered", "regressed", "recovered"), "better"),
        (("regressed", "recovered", "regressed", "recovered"), "returned"),
        (("regressed", "recovered", "flapping"), "flapping"),
        (("flapping",), "flapping"),
        (("flapping", "calmed=pass"), "calmed"),
        (("flapping", "calmed=fail"), "calmed"),
        (("calmed=pass", "regressed"), "worse"),
        (("flapping", "calmed=pass", "regressed", "recovered"), "returned"),
        (("blind",), "blind"),
        (("closed",), None),
        (("first", "rejudged"), None),
    ],
)
def test_an_item_stands_in_one_place(instance: Instance, kinds: tuple[str, ...], place: str | None) -> None:
    rows = told(instance, ITEM, *kinds)
    for order in (rows, rows[::-1]):
        assert places(story_of(order)) == ({place: 1} if place else {})


@pytest.mark.parametrize(
    ("kinds", "place"),
    [
        (("regressed",), "down"),
        (("recovered",), "up"),
        (("regressed", "recovered"), "outage"),
        (("regressed", "recovered", "regressed"), "down"),
        (("flapping",), "unsteady"),
        (("flapping", "calmed=fail"), "down"),
        (("flapping", "calmed=pass"), "up"),
    ],
)
def test_the_server_as_a_whole_does_too(instance: Instance, kinds: tuple[str, ...], place: str) -> None:
    assert places(story_of(told(instance, REACH, *kinds))) == {place: 1}


def test_what_went_and_came_back_twice_says_how_often(post: Post, instance: Instance) -> None:
    for change in told(instance, ITEM, "regressed", "recovered", "regressed", "recovered"):
        kind = MailKind.REGRESSION if change.kind == "regressed" else MailKind.RECOVERY
        post.change(kind, change)
    mail = letter_of(post.delivery())
    assert mail.subject == "[fedisec] example.social: 1 item is met again"
    assert "It was not met 2 times, from 21 Nov 2026, 21:31 to 22:01 (CET)." in mail.body


def test_over_midnight_both_days_are_named(post: Post, instance: Instance) -> None:
    for change in a_pair(instance, ITEM, NOW, NOW + timedelta(hours=3)):
        post.change(MailKind.REGRESSION, change)
    assert "from 21 Nov 2026, 21:31 to 22 Nov 2026, 00:31 (CET)" in letter_of(post.delivery()).body


def test_a_recovery_that_nobody_was_told_of_stands_beside_what_the_same_look_found(
    post: Post, instance: Instance
) -> None:
    scan = a_scan(instance)
    post.change(MailKind.REGRESSION, a_change(instance, "ssh.password_login_off", scan=scan))
    a_change(instance, "domain.caa", "recovered", scan=scan)
    a_change(instance, "edge.cdn", "recovered", scan=scan)  # optional: not wanted
    a_change(instance, "mail.spf", "recovered")  # another look
    text = letter_of(post.delivery()).body
    assert "Met again:\n\n- A CAA record" in text
    assert "CDN" not in text and "SPF" not in text
