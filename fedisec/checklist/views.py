"""The pages people look at first: all instances, and one of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from checks.items import all_items
from checks.model import Item, Level
from fedisec.accounts.models import Role, User
from fedisec.checklist import glance, groups
from fedisec.checklist.board import Row, posture, rows_of, software_of
from fedisec.checklist.ending import ending
from fedisec.checklist.filters import Filter
from fedisec.checklist.hearing import hearing_of
from fedisec.checklist.item_page import incident_of
from fedisec.checklist.listing import Listing
from fedisec.checklist.next_actions import next_actions
from fedisec.checklist.overview import (
    PER_PAGE,
    actions_of,
    briefs_of,
    ending_soon,
    lines_of,
    totals_of,
)
from fedisec.checklist.sentence import sentence, sentence_over_all
from fedisec.checklist.side_views import grade_form, opinions_of
from fedisec.checklist.sieve import Sieve
from fedisec.checklist.state import State
from fedisec.checklist.trouble import Condition
from fedisec.checklist.view_forms import ViewForm
from fedisec.enrolment.models import SshAccess
from fedisec.history import trend
from fedisec.instances.access import instance_for, may_edit
from fedisec.instances.models import Glance, Instance, SavedView
from fedisec.scans.models import REACH, Change, Scan, ScanState
from fedisec.scans.views import person

CHANGES_SHOWN = 5
ENDING_SHOWN = 10
MAIL_PROFILE = ("mail.spf", "mail.dkim", "mail.dmarc", "mail.mta_sts", "mail.dane")


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """All instances of the reader, the ones that need a hand first, and what to do next over all of them."""
    user = person(request)
    listing, sieve = Listing(user), Sieve.of(request.GET)
    totals, fitting = totals_of(listing), listing.fitting(sieve)
    ordered = listing.ordered(fitting)
    paginator = Paginator(ordered, PER_PAGE)
    if not sieve.is_set:
        paginator.count = totals.instances
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "lines": lines_of(briefs_of(listing, ordered[max(page.start_index() - 1, 0) : page.end_index()])),
        "page": page,
        "shown": paginator.count,
        "totals": totals,
        "sentence": sentence_over_all(totals),
        "sieve": sieve,
    }
    views = list(SavedView.objects.filter(user=user))
    context |= {
        "actions": actions_of(listing, fitting),
        "ending": ending_soon(listing, fitting, ENDING_SHOWN),
        "conditions": list(Condition),
        "tags": listing.tags,
        "teams": listing.teams,
        "softwares": listing.softwares,
        "views": views,
        "view": next((view for view in views if sieve.is_set and view.query == sieve.query), None),
        "view_form": ViewForm(initial={"query": sieve.query}, auto_id="view-%s"),
        "can_add": _may_edit_any(user),
    }
    return render(request, "checklist/overview.html", context)


def _may_edit_any(user: User) -> bool:
    return user.memberships.filter(role__in=(Role.EDITOR, Role.OWNER)).exists()


@require_GET
def words(request: HttpRequest) -> HttpResponse:
    """What the levels, states and other words of the pages mean."""
    return render(request, "checklist/words.html")


@require_GET
@vary_on_headers("HX-Request")
def instance(request: HttpRequest, domain: str) -> HttpResponse:
    """Where an instance stands: sentence, counts, changes, next actions, and the filtered checklist."""
    found = instance_for(person(request), domain)
    rows = rows_of(found)
    context = {"instance": found, **_checklist(request, rows)}
    htmx = getattr(request, "htmx", None)
    if htmx and htmx.target == "list":
        return render(request, "checklist/list.html", context)
    context |= _standing(request, found, rows) | _beside(found, person(request))
    if context["scanned"]:
        context |= trend.context(found)
    return render(request, "checklist/instance.html", context)


def _checklist(request: HttpRequest, rows: list[Row]) -> dict[str, Any]:
    """The list below: what the filter leaves, in the order that was chosen."""
    wanted = Filter.of(request.GET)
    order = request.GET.get("by", "")
    order = order if order in groups.ORDERS else groups.ORDERS[0]
    source = request.GET.get("source", "")
    source = source if source in groups.SOURCES else groups.SOURCES[0]
    topics = groups.grouped(wanted.apply(rows, get_language() or "en"), order, source)
    return {
        "filter": wanted,
        "topics": topics,
        "shown": sum(len(topic.rows) for topic in topics),
        "all": len(rows),
        "order": order,
        "source": source,
        "orders": [(name, urlencode({**wanted.given, "by": name})) for name in groups.ORDERS],
        "sources": [
            (name, urlencode({**wanted.given, "by": "source", "source": name})) for name in groups.SOURCES
        ],
        "levels": list(Level),
        "states": list(State),
    }


def _standing(request: HttpRequest, found: Instance, rows: list[Row]) -> dict[str, Any]:
    """Where it stands, what moved, and what to do."""
    scan = Scan.objects.filter(instance=found).defer("facts").first()
    last = Scan.objects.whole().filter(instance=found).defer("facts").first()
    looks = glance.looks_of(found) if last else []
    where, by_id = posture(rows), {row.item.id: row for row in rows}
    return {
        "posture": where,
        "sentence": sentence(where, scanned=last is not None, failed=_failed(scan)),
        "scanned": last is not None,
        "next_actions": [row for _, row in next_actions(rows)] if last else [],
        "moved": glance.changed_rows(rows, looks),
        "looks": looks,
        "changes": changes_of(found),
        "scan": scan,
        "last_scan": last,
        "may_edit": may_edit(person(request), found),
        "software": software_of(rows),
        "access": SshAccess.objects.filter(instance=found).first(),
        "inside_waits": sum(row.waits_for_ssh for row in rows),
        "unreached_since": glance.unreached_since(rows),
        "mail_rows": [by_id[key] for key in MAIL_PROFILE if key in by_id],
    }


def _beside(found: Instance, user: User) -> dict[str, Any]:
    """What stands beside the checklist: facts, tags, second opinions, the reader's mails."""
    kept, opinions = Glance.objects.filter(pk=found.pk).first(), opinions_of(found)
    return {
        "facts": glance.shown_facts(kept.facts if kept is not None else {}),
        "tags": list(found.tags.all()),
        "opinions": opinions,
        "grades_noted": any(opinion["grade"] for opinion in opinions),
        "grade_form": grade_form(),
        "ending": ending([found])[:ENDING_SHOWN],
        "coming": import_string(settings.COMING_ENDS)([found], timezone.now()).get(found.pk, []),
        "hears": hearing_of(found, user, timezone.now()),
        "silence": incident_of(found, REACH),
    }


def _failed(scan: Scan | None) -> bool:
    return scan is not None and scan.state == ScanState.FAILED


def changes_of(found: Instance) -> list[tuple[Change, Item | None]]:
    """The latest confirmed changes, newest first."""
    kinds = ("regressed", "recovered", "rejudged", "flapping", "calmed", "closed")
    latest = Change.objects.filter(instance=found, kind__in=kinds)[:CHANGES_SHOWN]
    return [(change, all_items().get(change.item_id)) for change in latest]
