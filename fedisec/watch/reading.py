"""The reading list of an instance, and what people say of its entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from fedisec.watch import stories
from fedisec.watch.models import (
    Concern,
    Entry,
    PackageStanding,
    Said,
    Source,
    SourceKind,
    Stack,
    Verdict,
)
from fedisec.watch.stacks import followed_by
from fedisec.watch.telling import release_for, severity_of

PAGE = 30
SEARCH_MAX = 100
RELEASES_READ = 100
REPAIRED = "repaired"  # a part of the list beside those of what people said
WORDS: Mapping[str, Promise] = {
    Said.OPEN.value: pgettext_lazy("warnings", "To read"),
    Said.CONCERNS.value: pgettext_lazy("warnings", "Concerns us"),
    Said.DONE.value: pgettext_lazy("warnings", "Done"),
    Said.NOT.value: pgettext_lazy("warnings", "Does not concern us"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One warning for an instance."""

    concern: Concern
    entry: Entry  # in the reader's language, where it is told in that
    sources: tuple[str, ...]  # all that tell it
    runs: str  # the version of the product that it names, "" if not known
    severity: str
    word: Promise | str  # what was said


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a list is to be shown; "" = of everything."""

    said: str | None = Said.OPEN.value  # None: all
    query: str = ""
    product: str = ""
    source: str = ""  # slug


def concerns_of(instance: Instance, wanted: Wanted) -> QuerySet[Concern]:
    """The warnings for an instance, the newest first."""
    found = Concern.objects.filter(instance=instance).select_related("entry__source", "said_by")
    if wanted.said == REPAIRED:
        found = found.filter(said=Said.OPEN, verdict=Verdict.REPAIRED)
    elif wanted.said is not None:
        found = found.filter(said=wanted.said)
        found = found.exclude(verdict=Verdict.REPAIRED) if wanted.said == Said.OPEN else found
    if wanted.product:
        found = found.filter(product=wanted.product)
    if wanted.source:
        found = found.filter(story__in=Entry.objects.filter(source__slug=wanted.source).values("story"))
    for word in wanted.query[:SEARCH_MAX].split()[:5]:
        told = Entry.objects.filter(title__icontains=word).exclude(story="").values("story")
        found = found.filter(
            Q(story__in=told)
            | Q(entry__title__icontains=word)
            | Q(product__icontains=word)
            | Q(entry__guid__icontains=word)
        )
    return found.order_by("-entry__published_at", "-pk")


def counts_of(instance: Instance) -> Mapping[str, int]:
    """Part of the list -> how many."""
    rows = Concern.objects.filter(instance=instance).order_by().values_list("said", "verdict")
    counts: Counter[str] = Counter()
    for said, verdict, number in rows.annotate(n=Count("pk")):
        is_settled = said == Said.OPEN and verdict == Verdict.REPAIRED
        counts[REPAIRED if is_settled else said] += number
    return {part: counts[part] for part in (*(said.value for said in Said), REPAIRED)}


def choices_of(instance: Instance) -> tuple[list[str], list[tuple[str, str]]]:
    """(products, [(slug, title) of sources]) that a list can be narrowed to."""
    mine = Concern.objects.filter(instance=instance).order_by()
    products = sorted(mine.values_list("product", flat=True).distinct())
    sources = mine.values_list("entry__source__slug", "entry__source__title").distinct()
    return products, sorted(sources, key=lambda row: row[1].lower())


def lines_of(concerns: Iterable[Concern], stack: Stack | None, language: str) -> list[Line]:
    """One query, whatever the number."""
    concerns = list(concerns)
    tellings = stories.all_of([concern.story for concern in concerns])
    return [_line(concern, stack, tellings.get(concern.story, ()), language) for concern in concerns]


def _line(concern: Concern, stack: Stack | None, told: Sequence[Entry], language: str) -> Line:
    versions = dict(stack.products) if stack is not None else {}
    if stack is not None and concern.product in {stack.software, stack.family}:
        versions[concern.product] = stack.version
    own = language.partition("-")[0]
    entry = next((one for one in told if one.source.language == own), concern.entry)
    rated = next((one for one in (entry, *told) if severity_of(one)), entry)
    return Line(
        concern,
        entry,
        tuple(dict.fromkeys(one.source.title for one in (entry, *told))),
        versions.get(concern.product, ""),
        severity_of(rated),
        WORDS.get(concern.said, concern.said),
    )


def packages_of(instance: Instance) -> list[PackageStanding]:
    """The distribution's packages that have something against them, the worst first."""
    found = PackageStanding.objects.filter(instance=instance)
    return list(found.filter(Q(update__gt=0) | Q(open__gt=0) | Q(ended=True)))


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
