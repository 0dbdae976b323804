"""What a week brought for some instances, for the digest.  Called by dotted path, because mails lie below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Sum

from fedisec.instances.models import Instance
from fedisec.watch import stories
from fedisec.watch.models import Concern, PackageStanding, Said, Stack, Verdict
from fedisec.watch.reading import newest_release

NAMED = 5  # warnings of one instance


def news_of(instances: Sequence[Instance], since: datetime, until: datetime) -> dict[int, dict[str, Any]]:
    """instance -> what came this week, as plain values:

    warnings: how many, of those that nobody has settled · titles: [{language: [title, address], "": [title,
    address]}, …] of some · release: [software, version, address, urgent], newer than what runs, or None ·
    repairs: flaws that updates of its packages repair

    A fixed number of queries, and two for each version that runs."""
    keys = [one.pk for one in instances]
    came = Concern.objects.filter(
        instance__in=keys, created_at__gt=since, created_at__lte=until, said__in=[Said.OPEN, Said.CONCERNS]
    ).exclude(verdict=Verdict.REPAIRED)
    by_instance: dict[int, list[Concern]] = defaultdict(list)
    for concern in came.select_related("entry__source").order_by("-entry__published_at", "-pk"):
        by_instance[concern.instance_id].append(concern)
    shown = [concern for found in by_instance.values() for concern in found[:NAMED]]
    tellings = stories.told_in(sorted({concern.story for concern in shown}))
    repairs = PackageStanding.objects.filter(instance__in=keys).order_by().values_list("instance")
    waiting = dict(repairs.annotate(n=Sum("update")))
    releases = _releases(keys)
    return {
        key: {
            "warnings": len(by_instance[key]),
            "titles": [_titles(one, tellings.get(one.story, {})) for one in by_instance[key][:NAMED]],
            "release": releases.get(key),
            "repairs": waiting.get(key) or 0,
        }
        for key in keys
    }


def _titles(concern: Concern, tellings: Mapping[str, Any]) -> dict[str, list[str]]:
    entry = concern.entry
    found = {language: [one.title, one.url] for language, one in tellings.items() if language}
    return {"": [entry.title, entry.url], **(found if set(found) - {entry.source.language} else {})}


def _releases(keys: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    asked: dict[tuple[str, str, str], list[Any] | None] = {}
    for stack in Stack.objects.filter(instance__in=keys):
        what = (stack.software, stack.family, stack.version)
        if what not in asked:
            newest = newest_release(stack)
            entry = newest.entry if newest is not None and newest.is_newer else None
            asked[what] = [entry.source.title, entry.version, entry.url, entry.urgent] if entry else None
        row = asked[what]
        if row is not None:
            found[stack.pk] = row
    return found
