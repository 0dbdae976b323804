"""How often an instance is looked at, set by its admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from fedisec.accounts.models import AuditEvent
from fedisec.instances.models import Instance
from fedisec.instances.pace import DAY_S, HOUR_S, PACES_S, pace_words

EDIT = "/instances/{}/settings/"


def save(client: Client, instance: Instance, **values: object) -> int:
    path = EDIT.format(instance.domain)
    return client.post(path, {"interval_s": DAY_S, "inside_interval_s": "", **values}).status_code


def test_a_new_pace_counts_from_now_and_stands_in_the_trail(as_alice: Client, scanned: Instance) -> None:
    assert save(as_alice, scanned, interval_s=HOUR_S, inside_interval_s=7 * DAY_S) == 302
    after, now = Instance.objects.get(pk=scanned.pk), timezone.now()
    assert (after.interval_s, after.inside_interval_s) == (HOUR_S, 7 * DAY_S)
    assert after.next_scan_at is not None and after.next_scan_at <= now + timedelta(hours=1)
    assert after.next_inside_at is not None and after.next_inside_at <= now + timedelta(days=7)
    line = AuditEvent.objects.filter(action="instance.changed").latest("pk")
    assert (line.before, line.after) == (
        "interval_s: 86400; inside_interval_s: –",
        "interval_s: 3600; inside_interval_s: 604800",
    )


def test_together_again_needs_no_slot_of_its_own(as_alice: Client, scanned: Instance) -> None:
    save(as_alice, scanned, inside_interval_s=HOUR_S)
    save(as_alice, scanned)
    after = Instance.objects.get(pk=scanned.pk)
    assert (after.inside_interval_s, after.next_inside_at) == (None, None)


def test_what_did_not_change_keeps_its_slot(as_alice: Client, scanned: Instance) -> None:
    before = Instance.objects.get(pk=scanned.pk).next_scan_at
    save(as_alice, scanned, tags="home")
    assert Instance.objects.get(pk=scanned.pk).next_scan_at == before


@pytest.mark.parametrize("pace", ["59", "1", "-3600", "x", "31536000"])
def test_only_paces_of_the_list_are_taken(as_alice: Client, scanned: Instance, pace: str) -> None:
    assert save(as_alice, scanned, interval_s=pace) == 422


def test_a_pace_that_the_installation_set_stays_a_choice(as_alice: Client, scanned: Instance) -> None:
    Instance.objects.filter(pk=scanned.pk).update(interval_s=4 * HOUR_S)
    assert b"every 4 hours" in as_alice.get(EDIT.format(scanned.domain)).content
    assert save(as_alice, scanned, interval_s=4 * HOUR_S) == 302


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_pace_has_words_of_its_own(language: str) -> None:
    with translation.override(language):
        words = [pace_words(pace) for pace in (*PACES_S, 5, 90)]
    assert len(set(words)) == len(words) and not any("%" in word for word in words)
