"""What a scan may know of the feeds that fedisec reads for an instance.  Called by dotted path from the
settings, because scans and the checklist lie below."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from checks.facts import Fact
from checks.facts.fedisec import Feed, FeedsWatch
from fedisec.instances.models import Instance
from fedisec.watch.models import Source, SourceKind, Stack


def self_facts(instance: Instance) -> tuple[Fact, ...]:
    """Two queries.  Before the first look has ended, what runs is not known here; the look itself knows."""
    seen = Stack.objects.filter(instance=instance).first() or Stack()
    sources = list(Source.objects.all())
    return (
        FeedsWatch(
            seen_at=timezone.now(),
            reading=settings.FEEDS,
            following_sources=instance.follow_sources,
            following_releases=instance.follow_releases,
            sources=tuple(feed_of(source) for source in sources if _is_read_for(source, seen)),
            release_feeds=tuple(feed_of(source) for source in sources if source.kind == SourceKind.RELEASE),
            software=seen.software,
            family=seen.family,
        ),
    )


def _is_read_for(source: Source, seen: Stack) -> bool:
    """Whether warnings of a source may concern an instance; of a list of packages, if any were seen."""
    if source.kind == SourceKind.PACKAGES:
        return source.about == seen.distribution and bool(seen.packages and seen.release)
    return source.kind == SourceKind.WARNINGS and source.about in {"", seen.distribution}


def feed_of(source: Source) -> Feed:
    error = f"not believed: {source.held} {source.held_detail}".strip() if source.held else source.last_error
    return Feed(
        title=source.title,
        about=source.about,
        enabled=source.enabled,
        last_ok_at=source.last_ok_at,
        failing_since=source.failing_since,
        reason=source.error_reason,
        error=error,
    )
