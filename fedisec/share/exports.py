"""Files to take away, of one instance and of all: the reader's own, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from checks.model import LANGUAGES
from fedisec.accounts import audit
from fedisec.accounts.models import Team
from fedisec.checklist.filters import Filter
from fedisec.checklist.listing import Listing
from fedisec.checklist.sieve import Sieve
from fedisec.instances.access import instance_for, instances_for
from fedisec.instances.models import Instance
from fedisec.scans.views import person
from fedisec.share import csv_form, json_form, markdown, paper, pdf, sarif
from fedisec.share.models import Share
from fedisec.share.sheet import Sheet, sheet_of, sheets_of

BATCH = 20  # instances that are held in memory at once
_PAPER = frozenset({"print", "pdf"})
_PIECE = 32 * 1024  # characters that go out together


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of file: its media type, the end of its name, and how either subject is written."""

    media: str
    suffix: str
    one: Callable[[Sheet], Iterator[str]]
    all: Callable[[QuerySet[Instance]], Iterator[str]]


def _sarif(instances: QuerySet[Instance]) -> Iterator[str]:
    return sarif.pieces(sheets_by_name(instances), language=_language(), made_at=timezone.now())


FORMS = {
    "csv": Form(
        "text/csv; charset=utf-8; header=present",
        "csv",
        csv_form.of_instance,
        lambda instances: csv_form.of_overview(_counted(instances)),
    ),
    "json": Form(
        "application/json",
        "json",
        json_form.of_instance,
        lambda instances: json_form.of_overview(_counted(instances), _language(), timezone.now()),
    ),
    "md": Form(
        "text/markdown; charset=utf-8",
        "md",
        markdown.of_instance,
        lambda instances: markdown.of_overview(_counted(instances), timezone.now()),
    ),
    "sarif": Form(
        "application/sarif+json",
        "sarif",
        lambda sheet: sarif.pieces(
            [sheet], language=sheet.language, made_at=sheet.made_at, subject=sheet.instance.domain
        ),
        _sarif,
    ),
}


@require_safe
def export_instance(request: HttpRequest, domain: str) -> HttpResponseBase:
    """One instance as a file, or on paper; the filter of its page narrows it."""
    instance = instance_for(person(request), domain)
    name = request.GET.get("format", "")
    with translation.override(_chosen_language(request)):
        if not name:
            shared = Share.objects.filter(instance=instance, is_open=True).exists()
            context = {"instance": instance, "is_shared": shared, "narrowed": Filter.of(request.GET).is_set}
            return render(request, "share/export.html", context | {"forms": _offers(request)})
        sheet = sheet_of(instance, request.GET)
        if name in _PAPER:
            _record(request, instance, name)
            return _on_paper(request, "share/print.html", paper.context_of(sheet), domain)
        form = _form(name)
        _record(request, instance, name)
        return _named(HttpResponse("".join(form.one(sheet)), content_type=form.media), domain, form)


@require_safe
def export_overview(request: HttpRequest) -> HttpResponseBase:
    """All instances of the reader, or those that the filter of the overview leaves; sent while it is made, so
    that their number costs no memory."""
    instances, sieve = instances_for(person(request)), Sieve.of(request.GET)
    if sieve.is_set:
        instances = instances.filter(pk__in=Listing(person(request)).fitting(sieve).values("pk"))
    name, language = request.GET.get("format", ""), _chosen_language(request)
    with translation.override(language):
        if not name:
            context = {"forms": _offers(request), "narrowed": sieve.is_set}
            return render(request, "share/export.html", context)
        if name in _PAPER:
            _record_all(request, instances, name)
            context = paper.context_of_all(_counted(instances))
            return _on_paper(request, "share/print_overview.html", context, "overview")
        form = _form(name)
        _record_all(request, instances, name)
        text = as_read(form.all(instances), language)
        return _named(StreamingHttpResponse(text, content_type=form.media), "overview", form)


def _record(request: HttpRequest, instance: Instance, name: str) -> None:
    """A file that was taken along is told in the trail; the print page is a page like any other."""
    if request.method == "GET" and name != "print":
        by = person(request)
        audit.record("export.taken", team=instance.team, by=by, instance=instance, after=name)


def _record_all(request: HttpRequest, instances: QuerySet[Instance], name: str) -> None:
    """The same, with one line for each team whose servers are in the file."""
    if request.method == "GET" and name != "print":
        teams = Team.objects.filter(instances__in=instances).distinct().order_by("pk")
        audit.record_each("export.taken", teams, by=person(request), after=name)


def _offers(request: HttpRequest) -> list[dict[str, object]]:
    """The forms that the page offers, each with its address; the filter that the reader came with stays."""
    offers = {
        "print": (_("Print"), _("Everything written out, a topic per sheet of A4.")),
        "pdf": (_("PDF"), _("The same as a file.")),
        "csv": (_("CSV"), _("For a spreadsheet.")),
        "json": (_("JSON"), _("For programs; the form is documented.")),
        "md": (_("Markdown"), _("For a wiki or an issue.")),
        "sarif": (_("SARIF"), _("SARIF 2.1.0, for tools that collect findings.")),
    }
    if not pdf.is_there():
        del offers["pdf"]
    found: list[dict[str, object]] = []
    for name, (title, what) in offers.items():
        query = request.GET.copy()
        query["format"] = name
        entry = {"name": title, "what": what, "query": query.urlencode(), "is_file": name != "print"}
        found.append(entry)
    return found


def _on_paper(request: HttpRequest, template: str, context: dict[str, Any], subject: str) -> HttpResponse:
    """The print page or the PDF; each knows the address of the other."""
    made_pdf = request.GET["format"] == "pdf"
    other = request.GET.copy()
    other["format"] = "print" if made_pdf else "pdf"
    context |= {"pdf": pdf.is_there(), "query": other.urlencode(), "made_at": timezone.now()}
    return pdf.answer(request, template, context, subject) if made_pdf else render(request, template, context)


def _form(name: str) -> Form:
    if name not in FORMS:
        raise Http404
    return FORMS[name]


def _named(response: HttpResponseBase, subject: str, form: Form) -> HttpResponseBase:
    day = timezone.localdate().isoformat()
    response["Content-Disposition"] = f'attachment; filename="fedisec-{subject}-{day}.{form.suffix}"'
    return response


def _chosen_language(request: HttpRequest) -> str:
    """`lang` of the address, for scripts; otherwise the reader's."""
    wanted = request.GET.get("lang", "")
    return wanted if wanted in LANGUAGES else _language()


def _language() -> str:
    return get_language() or LANGUAGES[0]


def _batches(instances: QuerySet[Instance]) -> Iterator[list[Instance]]:
    """By name, and by key where two teams have one of the same name: none comes twice or is left out when the
    list changes meanwhile."""
    rest = instances.order_by("domain", "pk")
    while batch := list(rest[:BATCH]):
        yield batch
        last = batch[-1]
        after = Q(domain__gt=last.domain) | Q(domain=last.domain, pk__gt=last.pk)
        rest = instances.filter(after).order_by("domain", "pk")


def sheets_by_name(instances: QuerySet[Instance], *, evidence: bool = True) -> Iterator[Sheet]:
    """The sheets of `instances`, of which a batch is in memory."""
    for batch in _batches(instances):
        yield from sheets_of(batch, evidence=evidence)


def _counted(instances: QuerySet[Instance]) -> Iterator[Sheet]:
    """The same without evidence and, once counted, without rows."""
    for sheet in sheets_by_name(instances, evidence=False):
        yield replace(sheet, rows=())


def as_read(pieces: Iterable[str], language: str) -> Iterator[str]:
    """`pieces`, each made in the reader's language and time zone: by the time a streamed answer is sent, the
    request has left the middleware that set them."""
    zone, source = timezone.get_current_timezone(), iter(pieces)
    while True:
        gathered, size = [], 0
        with translation.override(language), timezone.override(zone):
            for piece in source:
                gathered.append(piece)
                size += len(piece)
                if size >= _PIECE:
                    break
        if not gathered:
            return
        yield "".join(gathered)
