"""What a week was on some instances, in short plain values: made once, stored with the digest, said later."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils.module_loading import import_string

from checks.errors import Reason
from checks.items import all_items
from checks.model import Level, Status
from fedisec.checklist.board import make_row
from fedisec.checklist.daily import standings_of
from fedisec.checklist.ending import Ending, ending
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.own import TOPIC
from fedisec.checklist.state import State
from fedisec.history.models import Standing
from fedisec.history.standing import MET, applicable
from fedisec.instances.models import Glance, Instance
from fedisec.scans.models import REACH, Change, ItemState, Scan
from fedisec.scans.settle import Kind

UNSEEN_FOR = timedelta(hours=72)
LISTED = 30  # instances of one digest, those with something to say first
CHANGES, NAMES = 10, 5  # changes of one instance, and other items of it, by name
_NO_WAY = (Reason.NOT_CONNECTED, Reason.NOT_BUILT, Reason.NOT_ASKED, Reason.DASHBOARD_ONLY)
_LEVELS = {level: n for n, level in enumerate(Level)}
_WORSE, _BETTER = Kind.REGRESSED.value, Kind.RECOVERED.value
_LISTED_KINDS = (_WORSE, _BETTER, Kind.REJUDGED.value)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` (not in it) to `until` (in it)."""

    since: datetime
    until: datetime


def told_of(weeks: Iterable[Mapping[str, Any]], period: Period) -> dict[str, Any]:
    """The data of one digest, from what `weeks_of` made of a person's instances:

    since, until: ISO moments · quiet: nothing changed · instances: how many · sums: {worse, better, rejudged,
    silences, warnings, unseen, ends, not_met, news: numbers over all} · listed: LISTED of the weeks at
    most, the ones with changes and then the ones with faults first"""
    found = sorted(weeks, key=lambda one: (not _moved(one), -one["not_met"], one["domain"]))
    names = ("worse", "better", "rejudged", "silences", "warnings", "unseen", "ends", "not_met")
    came = sum(one.get("news", {}).get("warnings", 0) for one in found)
    return {
        "since": period.since.isoformat(),
        "until": period.until.isoformat(),
        "quiet": not any(map(_moved, found)),
        "instances": len(found),
        "sums": {"news": came, **{name: sum(one[name] for one in found) for name in names}},
        "listed": found[:LISTED],
    }


def _moved(week: Mapping[str, Any]) -> bool:
    return any(week[name] for name in ("worse", "better", "rejudged", "silences"))


def weeks_of(instances: Sequence[Instance], period: Period, now: datetime) -> dict[int, dict[str, Any]]:
    """instance -> what its week was and where it stands:

    id, domain · added: first seen this week · paused · looked_at, unreached_since, not_met_since: ISO moments
    or None · not_met, new: required items · needs_you: items that wait for an answer · warnings: items ·
    levels: {level: [met, applicable]} · worse, better, rejudged, silences: changes · changes: [[item id,
    kind, status], …] the newest first · unseen: items without sight for 72 h, unseen_items: some of their
    ids · ends: number, endings: [[attestation or waiver, item id, title of an own item, ISO moment, asks], …]
    · news: what others published, as fedisec.watch.weekly has it

    Ten queries at most and those of the news while the counts are true, whatever the number of instances."""
    changes = _changes(instances, period)
    standings = standings_of(instances, now)
    looked_at = dict(
        Scan.objects.whole()
        .filter(instance__in=instances)
        .order_by()
        .values_list("instance")
        .annotate(Max("finished_at"))
    )
    unreached = dict(
        Glance.objects.filter(instance__in=instances, unreached_since__isnull=False).values_list(
            "instance", "unreached_since"
        )
    )
    unseen = _unseen(instances, now)
    news = _news(instances, period)
    coming = import_string(settings.COMING_OF_WEEK)(instances, now)
    ends: dict[int, list[Ending]] = defaultdict(list)
    for end in ending(instances, now=now):
        ends[end.instance.pk].append(end)
    return {
        one.pk: {
            "id": one.pk,
            "domain": one.domain,
            "added": one.created_at > period.since,
            "paused": one.paused,
            "looked_at": _iso(looked_at.get(one.pk)),
            "unreached_since": _iso(unreached.get(one.pk)),
            **_stands(standings[one.pk]),
            **_moves(changes.get(one.pk, [])),
            "unseen": len(unseen[one.pk]),
            "unseen_items": unseen[one.pk][:NAMES],
            "ends": len(ends[one.pk]),
            "endings": [_ending(end) for end in ends[one.pk][:NAMES]],
            "coming": coming.get(one.pk, []),
            "news": news.get(one.pk, {}),
        }
        for one in instances
    }


def _news(instances: Sequence[Instance], period: Period) -> Mapping[int, Mapping[str, Any]]:
    """What others published: see fedisec.watch.weekly."""
    news_of = import_string(settings.NEWS_OF_WEEK)
    found: Mapping[int, Mapping[str, Any]] = news_of(instances, period.since, period.until)
    return found


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _stands(standing: Standing) -> dict[str, Any]:
    states: Counter[str] = Counter()
    for found in standing.counts.values():
        states.update(found)
    levels = {level.value: standing.counts.get(level.value, {}) for level in Level}
    return {
        "not_met": standing.required_not_met,
        "not_met_since": _iso(standing.not_met_since),
        "new": standing.new,
        "needs_you": states[State.NEEDS_YOU],
        "warnings": states[State.WARNING],
        "levels": {key: [found.get(MET, 0), applicable(found)] for key, found in levels.items()},
    }


def _changes(instances: Sequence[Instance], period: Period) -> dict[int, list[tuple[str, str, str]]]:
    """instance -> (item id, kind, status) of what changed, the newest first."""
    found = Change.objects.filter(
        instance__in=instances,
        kind__in=_LISTED_KINDS,
        created_at__gt=period.since,
        created_at__lte=period.until,
    ).order_by("-pk")
    by_instance: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for pk, *change in found.values_list("instance", "item_id", "kind", "after"):
        by_instance[pk].append((change[0], change[1], change[2]))
    return by_instance


def _moves(changes: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    kinds = Counter(kind for item_id, kind, _ in changes if item_id != REACH)
    return {
        "worse": kinds[_WORSE],
        "better": kinds[_BETTER],
        "rejudged": kinds[Kind.REJUDGED.value],
        "silences": sum(item_id == REACH and kind == _WORSE for item_id, kind, _ in changes),
        "changes": [list(change) for change in changes if change[0] != REACH][:CHANGES],
    }


def _unseen(instances: Sequence[Instance], now: datetime) -> dict[int, list[str]]:
    """instance -> the items that could not be checked for long, required ones first.  What fedisec was given
    no way to see is none of them, nor what somebody answered for or set aside."""
    blind = ItemState.objects.filter(
        instance__in=instances,
        status__in=(Status.UNKNOWN.value, Status.ERROR.value),
        since__lte=now - UNSEEN_FOR,
    ).exclude(reason__in=_NO_WAY)
    place = {key: (_LEVELS[item.level], n) for n, (key, item) in enumerate(all_items().items())}
    known = [state for state in blind.defer("evidence") if state.item_id in place]
    states = sorted(known, key=lambda state: place[state.item_id])
    live = {
        "instance__in": instances,
        "item_id__in": {state.item_id for state in states},
        "ended_at": None,
    }
    said = {(a.instance_id, a.item_id): a for a in Attestation.objects.filter(**live)}
    waived = {(w.instance_id, w.item_id): w for w in Waiver.objects.filter(**live)}
    found: dict[int, list[str]] = defaultdict(list)
    for state in states:
        key = (state.instance_id, state.item_id)
        row = make_row(all_items()[state.item_id], state, said.get(key), waived.get(key), now)
        if row.state.state is State.COULD_NOT_CHECK:
            found[state.instance_id].append(state.item_id)
    return found


def _ending(end: Ending) -> list[Any]:
    title = end.item.title.en if end.item.topic == TOPIC else ""
    kind = "waiver" if end.waiver else "attestation"
    return [kind, end.item.id, title, end.at.isoformat(), end.asks]
