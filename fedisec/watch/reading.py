"""The reading list of an instance, and what people say of its entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from checks.parse.versions import comparable
from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.instances.models import Instance
from fedisec.watch.models import Concern, Entry, Said, Source, SourceKind, Stack
from fedisec.watch.stacks import followed_by
from fedisec.watch.telling import release_for, severity_of

PAGE = 30
SEARCH_MAX = 100
RELEASES_READ = 100
WORDS: Mapping[str, Promise] = {
    Said.OPEN.value: pgettext_lazy("warnings", "To read"),
    Said.CONCERNS.value: pgettext_lazy("warnings", "Concerns us"),
    Said.DONE.value: pgettext_lazy("warnings", "Done"),
    Said.NOT.value: pgettext_lazy("warnings", "Does not concern us"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One warning for an instance.  `runs`: the version of the product that it names, "" if not known."""

    concern: Concern
    runs: str
    severity: str
    word: Promise | str  # what was said


def concerns_of(instance: Instance, said: str | None, query: str = "") -> QuerySet[Concern]:
    """The warnings for an instance, the newest first.  `said` None: all."""
    found = Concern.objects.filter(instance=instance).select_related("entry__source", "said_by")
    if said is not None:
        found = found.filter(said=said)
    words = query[:SEARCH_MAX].split()
    for word in words[:5]:
        found = found.filter(
            Q(entry__title__icontains=word) | Q(product__icontains=word) | Q(entry__guid__icontains=word)
        )
    return found.order_by("-entry__published_at", "-pk")


def counts_of(instance: Instance) -> Mapping[str, int]:
    """Said -> how many."""
    rows = Concern.objects.filter(instance=instance).order_by().values_list("said").annotate(n=Count("pk"))
    return {said.value: dict(rows).get(said.value, 0) for said in Said}


def line_of(concern: Concern, stack: Stack | None) -> Line:
    versions = dict(stack.products) if stack is not None else {}
    if stack is not None and concern.product in {stack.software, stack.family}:
        versions[concern.product] = stack.version
    word = WORDS.get(concern.said, concern.said)
    return Line(concern, versions.get(concern.product, ""), severity_of(concern.entry), word)


def say(concern: Concern, user: User, said: Said) -> bool:
    """Keeps what a person says of a warning; False where that stood there already."""
    with transaction.atomic():
        before = concern.said
        rows = Concern.objects.filter(pk=concern.pk, said=before).exclude(said=said.value)
        by, at = (user, timezone.now()) if said is not Said.OPEN else (None, None)
        if not rows.update(said=said.value, said_by=by, said_at=at):
            return False
        audit.record(
            f"warning.{said.value or 'open'}",
            team=concern.instance.team,
            by=user,
            instance=concern.instance,
            item_id="updates.sources_followed",
            data={"title": concern.entry.title, "url": concern.entry.url},
        )
    return True


@dataclass(frozen=True, slots=True)
class NewestRelease:
    """A release of the software of an instance."""

    entry: Entry
    is_newer: bool  # than what runs


def newest_release(stack: Stack | None) -> NewestRelease | None:
    """The one to go to: the newest of the own branch where that is newer than what runs, else the newest of
    all; None where no feed names any."""
    if stack is None:
        return None
    feeds = [feed.pk for feed in feeds_of(stack)]
    known = Entry.objects.filter(source__in=feeds, prerelease=False).exclude(version="")
    entries = list(known.select_related("source")[:RELEASES_READ])
    if not entries:
        return None
    newest = max(entries, key=lambda entry: comparable(entry.version))
    wanted = release_for(stack, entries, newest.version)
    return NewestRelease(wanted or newest, wanted is not None)


def feeds_of(stack: Stack) -> list[Source]:
    """The release feeds of the software of an instance."""
    feeds = Source.objects.filter(kind=SourceKind.RELEASE)
    return [feed for feed in feeds if followed_by(feed.about, stack.software, stack.family)]
