"""A new word about a flaw: the instances that run what it names are judged anew at once, from what the last
look saw, and whoever hears of them gets one mail.

What was stored and not yet weighed is the outbox: who dies in between leaves it to the next clock.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from checks.codec import CodecError, decode_facts
from checks.data.tables import advisories as shipped
from checks.errors import ParseError, Reason
from checks.evaluate import judge
from checks.facts.advisories import Advisory as Said
from checks.items import all_items
from checks.parse.advisories import applying, merged, names_of
from checks.parse.versions import parse_version
from fedisec.checklist.flaws import LABEL, flaws_in
from fedisec.checklist.switches import rejudge
from fedisec.instances.models import Instance
from fedisec.scans.models import ITEM, ItemState, Scan
from fedisec.scans.rejudge import last_scan
from fedisec.scans.run import with_self_facts
from fedisec.watch import telling
from fedisec.watch.advised import fetched, said_of
from fedisec.watch.models import Advisory, Offer, Stack

log = logging.getLogger(__name__)

ITEM_ID = "updates.software_current"
BATCH = 500
LOOK_AGE_MAX = timedelta(days=7)  # older looks settle nothing
_OF_FLAWS = (
    "vulnerable",
    "vulnerable_unrated",
    "vulnerable_unfixed",
    "maybe_vulnerable",
    "urgent_update",
)


def weigh(now: datetime) -> int:
    """Weighs what was fetched since.  Returns how many instances are judged otherwise; two indexed queries
    where nothing is new."""
    fresh = list(Advisory.objects.filter(weighed=False).select_related("source").order_by("pk")[:BATCH])
    offers = list(Offer.objects.filter(weighed=False).select_related("source")[:BATCH])
    if not fresh and not offers:
        return 0
    platforms = {row.platform for row in fresh} | {row.source.about for row in offers}
    known = _Known(platforms, fresh)
    offered = {(row.source.about, row.version) for row in offers}
    # What was taken back or narrowed names nothing any more: whoever shows a flaw is judged anew.
    shown = set(
        ItemState.objects.filter(item_id=ITEM_ID, code__in=_OF_FLAWS).values_list("instance_id", flat=True)
    )
    moved, concerned = 0, defaultdict[Said, list[Stack]](list)
    for stack in _stacks(platforms):
        news = known.news_for(stack)
        for one in news:
            if stack.instance.follow_sources:
                concerned[one].append(stack)
        if news or stack.instance_id in shown or _may_move(stack, known, offered):
            moved += _judge_anew(stack.instance, now, heard=bool(news) and stack.instance.follow_sources)
    with transaction.atomic():
        for one, stacks in concerned.items():
            telling.tell_advisory(one, _about(one), stacks, now)
        for row in fresh:
            # What was said otherwise meanwhile is weighed again.
            same = Advisory.objects.filter(
                pk=row.pk, affected=row.affected, withdrawn=row.withdrawn, seen=row.seen
            )
            same.update(weighed=True)
        for offer in offers:
            Offer.objects.filter(pk=offer.pk, offered=offer.offered).update(weighed=True)
    return moved


def shown_of(instance: Instance) -> dict[str, Any] | None:
    """The flaws that the item of the instance names, as `checklist/flaws.html` lists them; None without any.
    One query."""
    state = ItemState.objects.filter(instance=instance, item_id=ITEM_ID, code__in=_OF_FLAWS).first()
    for label, text in state.evidence if state is not None else ():
        found, more = flaws_in(text) if label == LABEL else ([], 0)
        if found:
            return {"found": found, "more": more, "all": len(found) + more, "item_id": ITEM_ID}
    return None


def _stacks(platforms: Iterable[str]) -> Iterable[Stack]:
    names = Q(software__in=platforms) | Q(family__in=platforms)
    found = Stack.objects.filter(names, instance__demo=False).select_related("instance__team")
    return found.order_by("pk").iterator(chunk_size=100)


def _about(one: Said) -> str:
    """The same for the same versions: one that is widened is news for those whom it now names."""
    spans = json.dumps([[span.introduced, span.fixed, span.last] for span in one.affected])
    return f"advisory {one.platform} {one.id} {hashlib.sha256(spans.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class _Runs:
    """What of an instance advisories can name: a platform, and a version of it."""

    platform: str
    version: str


def runs_of(stack: Stack) -> tuple[_Runs, ...]:
    """By its own name and numbers, and by those of its upstream.  Pre-releases are named by none."""
    found = []
    if stack.software != stack.family:
        found.append(_Runs(stack.software, stack.version))
    try:
        read = parse_version(stack.family, stack.version)
    except ParseError:
        return tuple(found)
    if read.base and not read.prerelease:
        found.append(_Runs(stack.family, read.base))
    return tuple(found)


class _Known:
    """All that is known of some platforms, with and without what is `fresh`."""

    def __init__(self, platforms: set[str], fresh: Sequence[Advisory]) -> None:
        rows = fetched(platforms)
        keys = {row.pk for row in fresh}
        table = [one for one in shipped() if one.platform in platforms]
        self.now = merged([*table, *said_of(rows)])
        self.before = merged([*table, *said_of(row for row in rows if row.pk not in keys)])
        news = said_of(row for row in rows if row.pk in keys and not row.first and not row.withdrawn)
        self._news = {(one.platform, name) for one in news for name in names_of(one)}

    def news_for(self, stack: Stack) -> list[Said]:
        """Advisories that name what runs there and did not before, by a word that came after the first."""
        found = []
        for runs in runs_of(stack):
            old = {name for one in self.naming(runs, before=True) for name in names_of(one)}
            for one in self.naming(runs):
                names = names_of(one)
                if not names & old and any((one.platform, name) in self._news for name in names):
                    found.append(one)
        return found

    def naming(self, runs: _Runs, *, before: bool = False) -> list[Said]:
        return applying(self.before if before else self.now, runs.platform, runs.version)


def _may_move(stack: Stack, known: _Known, offered: set[tuple[str, str]]) -> bool:
    """Whether what is new can change what is said of the instance."""
    for runs in runs_of(stack):
        if (runs.platform, runs.version) in offered or known.naming(runs) != known.naming(runs, before=True):
            return True
    return False


def _judge_anew(instance: Instance, now: datetime, *, heard: bool) -> bool:
    """Judges the item by the last look at the whole and by what is known now.  Left to the next look: what
    nobody has looked at for long, and where a person looked at this item alone since."""
    scan = last_scan(instance)
    state = ItemState.objects.filter(instance=instance, item_id=ITEM_ID).first()
    if scan is None or state is None or scan.finished_at is None or now - scan.finished_at > LOOK_AGE_MAX:
        return False
    alone = Scan.objects.filter(instance=instance, reason=ITEM, pk__gt=scan.pk, started_at__isnull=False)
    if any(ITEM_ID in only for only in alone.values_list("only", flat=True)):
        return False
    try:
        facts = decode_facts(scan.facts)
    except CodecError as error:
        log.warning("the facts of scan %s cannot be read any more: %s", scan.pk, error)
        return False
    verdict = judge(all_items()[ITEM_ID], with_self_facts(facts, instance))
    if verdict.reason is Reason.NOT_ASKED and not verdict.code:
        return False
    said = (verdict.status.value, verdict.code, dict(verdict.data))
    if said == (state.status, state.code, state.data) and _shown(state) == _listed(verdict.evidence):
        return False
    with transaction.atomic():
        Instance.objects.select_for_update().get(pk=instance.pk)
        rejudge(instance, ITEM_ID, facts, heard=heard)
    return True


def _shown(state: ItemState) -> list[str]:
    return [text for _, text in state.evidence]


def _listed(evidence: Iterable[object]) -> list[str]:
    return [getattr(one, "text", "") for one in evidence]
