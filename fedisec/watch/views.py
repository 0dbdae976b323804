"""The page of sources, and the reading list of an instance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, pgettext, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from checks.data.support import os_as_of, stack_as_of
from checks.data.tables import advisories_as_of
from fedisec.accounts.models import Role, User
from fedisec.instances.access import instance_for, may_edit
from fedisec.scans.views import person
from fedisec.watch import advisory_news, changing, reading
from fedisec.watch.catalogue import as_of
from fedisec.watch.forms import SourceForm
from fedisec.watch.models import Concern, Entry, Said, Source, SourceKind, Stack
from fedisec.watch.standing import Standing, standing_of

OWN_MAX = 50  # feeds that an installation may add
_CHOICES = (
    (Said.CONCERNS.value, reading.WORDS[Said.CONCERNS.value]),
    (Said.DONE.value, reading.WORDS[Said.DONE.value]),
    (Said.NOT.value, reading.WORDS[Said.NOT.value]),
    (Said.OPEN.value, pgettext_lazy("warnings", "Back to read")),
)


@require_GET
def sources(request: HttpRequest) -> HttpResponse:
    """What fedisec reads, and how each feed stands.  Where an own feed lies only its operators see."""
    now = timezone.now()
    rows = [(source, standing_of(source, now)) for source in _with_newest()]
    standings = Counter(standing for _source, standing in rows)
    context: dict[str, Any] = {
        "parts": [
            _part(_("Warnings of vulnerabilities"), SourceKind.WARNINGS, rows),
            _part(_("Packages of distributions"), SourceKind.PACKAGES, rows),
            _part(_("Releases"), SourceKind.RELEASE, rows),
            _part(_("Published flaws"), SourceKind.ADVISORIES, rows),
            _part(_("Ends of support"), SourceKind.ENDS, rows),
        ],
        "counts": [(standing, standings[standing]) for standing in Standing if standings[standing]],
        "came_with": [
            (_("published flaws of fediverse software"), advisories_as_of()),
            (_("ends of support of programs"), stack_as_of()),
            (_("ends of support of distributions"), os_as_of()),
        ],
        "is_operator": person(request).is_superuser,
        "reads_feeds": settings.FEEDS,
        "as_of": as_of(),
    }
    return render(request, "watch/sources.html", context)


_Row = tuple[Source, Standing]


def _part(word: str, kind: SourceKind, rows: Sequence[_Row]) -> tuple[str, list[_Row], list[_Row]]:
    """The feeds of one kind: those in use, and those that nobody needs."""
    mine = [row for row in rows if row[0].kind == kind]
    asleep = [row for row in mine if row[1] is Standing.ASLEEP]
    return word, [row for row in mine if row not in asleep], asleep


def _with_newest() -> QuerySet[Source]:
    """The feeds, each with title and day of its newest entry; one query."""
    newest = Entry.objects.filter(source=OuterRef("pk"), prerelease=False).order_by("-published_at", "pk")
    return Source.objects.annotate(
        newest_title=Subquery(newest.values("title")[:1]),
        newest_url=Subquery(newest.values("url")[:1]),
        newest_at=Subquery(newest.values("published_at")[:1]),
    )


def _operator(request: HttpRequest) -> User:
    """Who runs the installation; for everybody else the page does not exist."""
    user = person(request)
    if not user.is_superuser:
        raise Http404
    return user


@require_http_methods(["GET", "POST"])
def source_add(request: HttpRequest) -> HttpResponse:
    user = _operator(request)
    form = SourceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if Source.objects.filter(own=True).count() >= OWN_MAX:
            form.add_error(None, _("There are too many own feeds; remove one first."))
        else:
            changing.add(user, **form.cleaned_data)
            messages.success(request, _("Added. It is read within a minute, if a server here needs it."))
            return redirect("sources")
    return render(request, "watch/add.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def source_turn(request: HttpRequest, pk: int) -> HttpResponse:
    """Switches a feed on or off, for everybody."""
    user = _operator(request)
    changing.turn(get_object_or_404(Source, pk=pk), user, on=request.POST.get("on") == "yes")
    return redirect(reverse("sources") + f"#source-{pk}")


@require_POST
def source_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Reads a feed as soon as somebody can; `believe`: whatever it says."""
    user = _operator(request)
    found = get_object_or_404(Source, pk=pk, enabled=True)
    changing.read_now(found, user, believe=bool(found.held) and request.POST.get("believe") == "yes")
    messages.info(request, _("It is read again within a few seconds."))
    return redirect(reverse("sources") + f"#source-{pk}")


@require_POST
def source_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Only own feeds can be removed; the others are switched off."""
    user = _operator(request)
    changing.remove(get_object_or_404(Source, pk=pk, own=True), user)
    messages.success(request, _("Removed, with what it had said."))
    return redirect("sources")


@require_GET
def news(request: HttpRequest, domain: str) -> HttpResponse:
    """The reading list: warnings that name what the instance runs, and the newest release of its software."""
    instance = instance_for(person(request), domain)
    wanted, kept = _wanted(request)
    stack = Stack.objects.filter(instance=instance).first()
    products, tellers = reading.choices_of(instance)
    page = Paginator(reading.concerns_of(instance, wanted), reading.PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "instance": instance,
        "stack": stack,
        "page": page,
        "lines": reading.lines_of(page, stack, get_language() or "en"),
        "tabs": _tabs(reading.counts_of(instance)),
        "choices": _CHOICES,
        "wanted": wanted,
        "said": "all" if wanted.said is None else wanted.said,
        "products": products,
        "tellers": tellers,
        "kept": urlencode(kept),
        "kept_but_said": urlencode({key: value for key, value in kept.items() if key != "said"}),
        "packages": reading.packages_of(instance),
        "flaws": advisory_news.shown_of(instance),
        "release": reading.newest_release(stack),
        "may_edit": may_edit(person(request), instance),
    }
    return render(request, "watch/news.html", context)


def _wanted(request: HttpRequest) -> tuple[reading.Wanted, dict[str, str]]:
    """What of the list is asked for, and the same as it stands in addresses."""
    given = request.GET
    said = given.get("said", Said.OPEN.value)
    wanted = reading.Wanted(
        None if said not in {*Said.values, reading.REPAIRED} else said,
        given.get("q", "")[: reading.SEARCH_MAX],
        given.get("product", "")[:40],
        given.get("source", "")[:60],
    )
    kept = {"said": said, "q": wanted.query, "product": wanted.product, "source": wanted.source}
    return wanted, {key: value for key, value in kept.items() if value}


def _tabs(counts: Mapping[str, int]) -> list[tuple[str, object, int | None]]:
    """(value, word, how many) of each part of the list, and of the whole."""
    parts: list[tuple[str, object, int | None]] = [(v, word, counts[v]) for v, word in reading.WORDS.items()]
    if counts[reading.REPAIRED]:
        parts.append((reading.REPAIRED, _("Repaired by the distribution"), counts[reading.REPAIRED]))
    return [*parts, ("all", pgettext("warnings", "All"), sum(counts.values()))]


@require_POST
def news_say(request: HttpRequest, domain: str, pk: int) -> HttpResponse:
    """What a person says of a warning."""
    user = person(request)
    instance = instance_for(user, domain, Role.EDITOR)
    said = request.POST.get("said", "")
    if said not in Said.values:
        raise Http404
    found = Concern.objects.select_related("entry", "instance__team").filter(instance=instance, pk=pk).first()
    if found is None:
        raise Http404
    reading.say(found, user, Said(said))
    # Only names and values of this page's own address, so that it leads nowhere else.
    given = dict(parse_qsl(request.POST.get("back", "")[:500]))
    kept = [(key, given[key]) for key in ("said", "q", "product", "source", "page") if key in given]
    return redirect(f"{reverse('news', args=[instance.address])}?{urlencode(kept)}")
