"""The year that the benchmark invents is one that scans could have left."""

from __future__ import annotations

import pytest
from django.utils import timezone

from bench.pages_data import fill
from fedisec.history.models import DayCount, Standing
from fedisec.history.spans import state_at
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan

pytestmark = pytest.mark.django_db


def test_its_spans_tell_the_states_and_counts_of_each_scan() -> None:
    fill(2, 12, timezone.now().replace(hour=12))  # around midnight two looks may share a day
    assert (Scan.objects.count(), DayCount.objects.count(), Standing.objects.count()) == (24, 24, 2)
    assert Scan.objects.filter(facts__isnull=False).count() == 6
    for instance in Instance.objects.all():
        last, *_, first = Scan.objects.filter(instance=instance)
        states = dict(ItemState.objects.filter(instance=instance).values_list("item_id", "status"))
        assert {key: view.status for key, view in state_at(instance, last.pk).items()} == states
        for scan in (first, last):
            found = [view.status for view in state_at(instance, scan.pk).values()]
            counted = sum(level.get("pass", 0) for level in scan.counts.values())
            assert found.count("pass") == counted
