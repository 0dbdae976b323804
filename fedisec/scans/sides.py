"""A look from one side, joined with what the other side saw last.

Both sides may have a pace of their own, while many items need both.  Such a look judges the items that its
own side can settle, beside the other side's last facts; and what only those old facts say proves nothing
new: it is shown, and it confirms nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from checks.codec import CodecError, decode_facts
from checks.evaluate import evaluate
from checks.facts import Fact, Facts
from checks.facts.fedisec import CertificateWatch
from checks.facts.inside import Inside
from checks.items import all_items
from checks.model import Settles, Verdict
from checks.probes import ALL_PROBES, INSIDE_PROBES
from checks.probes.look import Probe
from fedisec.scans.models import Scan, Side

CARRIED_FOR = timedelta(days=15)  # twice the longest pace, and a day
_SELF = CertificateWatch.__module__
_SETTLES = {Side.OUTSIDE: Settles.OUTSIDE, Side.INSIDE: Settles.INSIDE}


def probes_of(side: Side) -> tuple[Probe, ...]:
    """The probes of a look from `side`."""
    inside = set(INSIDE_PROBES)
    if side is Side.BOTH:
        return ALL_PROBES
    return tuple(probe for probe in ALL_PROBES if (probe in inside) is (side is Side.INSIDE))


def last_facts(scan: Scan, now: datetime) -> Facts | None:
    """What the last whole look before `scan` saw or carried; None where nothing that can be read is left."""
    whole = Scan.objects.whole().filter(instance=scan.instance_id, facts__isnull=False, pk__lt=scan.pk)
    before = whole.filter(finished_at__gt=now - CARRIED_FOR).first()
    if before is None:
        return None
    try:
        return decode_facts(before.facts)
    except CodecError:  # of another version; the next look from both sides brings new ones
        return None


def joined(side: Side, seen: Facts, before: Facts | None) -> Facts:
    """`seen` from one side, with the other side's part of `before` where `seen` has nothing of it."""
    if side is Side.BOTH or before is None:
        return seen

    found = {k: v for k, v in before.found.items() if not _is_of(side, k)} | {
        k: v for k, v in seen.found.items() if _is_of(side, k)
    }
    missing = {k: v for k, v in before.missing.items() if not _is_of(side, k)} | {
        k: v for k, v in seen.missing.items() if _is_of(side, k)
    }
    return Facts(found, {k: v for k, v in missing.items() if k not in found})


def _is_of(side: Side, kind: type[Fact]) -> bool:
    """Whether a look from `side` brings such a fact.  What fedisec knows of itself comes with each."""
    return kind.__module__ == _SELF or (kind is Inside) is (side is Side.INSIDE)


def judged_by(side: Side) -> frozenset[str]:
    """The items that a look from `side` judges; what fedisec knows of itself is judged by each."""
    if side is Side.BOTH:
        return frozenset(all_items())
    mine = {_SETTLES[side], Settles.SELF}
    return frozenset(key for key, item in all_items().items() if mine & set(item.settles))


def carried_alone(side: Side, joined_facts: Facts, verdicts: Mapping[str, Verdict]) -> frozenset[str]:
    """The items whose verdict (on the joined facts) follows from the other side's old facts, and not from
    what this look saw."""
    if side is Side.BOTH:
        return frozenset()
    items = [all_items()[key] for key in judged_by(side) & verdicts.keys()]
    new = evaluate(_part(joined_facts, side, ours=True), items)
    old = evaluate(_part(joined_facts, side, ours=False), items)
    return frozenset(
        key
        for key in new
        if new[key].status is not verdicts[key].status and old[key].status is verdicts[key].status
    )


def _part(facts: Facts, side: Side, *, ours: bool) -> Facts:
    return Facts(
        {k: v for k, v in facts.found.items() if _is_of(side, k) is ours},
        {k: v for k, v in facts.missing.items() if _is_of(side, k) is ours},
    )
