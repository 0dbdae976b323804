"""Items that wait for the first reading of a feed are judged when it has come, not at the next scan."""

from __future__ import annotations

from django.db import transaction

from checks.evaluate import judge
from checks.facts import Facts
from checks.items import all_items
from fedisec.checklist.switches import FOLLOWS, rejudge
from fedisec.scans.models import ItemState
from fedisec.scans.run import with_self_facts

BATCH = 500
WAITING = ("not_yet", "silent")


def judge_waiting() -> int:
    """Judges those anew of which there is something else to say.  Returns how many."""
    waiting = ItemState.objects.filter(item_id__in=FOLLOWS, code__in=WAITING, instance__demo=False)
    found = 0
    for state in waiting.select_related("instance__team").order_by("pk")[:BATCH]:
        facts = with_self_facts(Facts(), state.instance)
        if judge(all_items()[state.item_id], facts).code == state.code:
            continue
        with transaction.atomic():
            rejudge(state.instance, state.item_id)
        found += 1
    return found
