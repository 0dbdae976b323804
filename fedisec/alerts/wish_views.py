"""The pages on which a person chooses what to hear, ends mails, and says that they know."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import F, FilteredRelation, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from fedisec.accounts.models import Role, User
from fedisec.alerts import unsubscribe, wishing
from fedisec.alerts.models import Preference
from fedisec.alerts.recipients import wishes_of
from fedisec.alerts.unsubscribe import Purpose, Ticket
from fedisec.alerts.wish_forms import WishForm
from fedisec.checklist.hearing import hearing as hearing_from
from fedisec.checklist.item_page import answered, found_for
from fedisec.instances.access import instance_for, instances_for, tell_apart
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Incident
from fedisec.scans.views import person

PER_PAGE = 50
WHY_MAX = 500


@require_http_methods(["GET", "POST"])
def notifications(request: HttpRequest) -> HttpResponse:
    """What the reader hears, how, and of which servers."""
    user = _with_preference(person(request))
    form = WishForm(request.POST) if request.method == "POST" else WishForm.of(wishes_of(user))
    if request.method == "POST" and form.is_valid():
        wishing.choose(user, timezone.now(), **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("notifications")
    now = timezone.now()
    until = wishes_of(user).snoozed_until
    page = Paginator(_heard(user), PER_PAGE).get_page(request.GET.get("page"))
    tell_apart(list(page.object_list))
    context = {
        "form": form,
        "snoozed_until": until if until is not None and until > now else None,
        "page": page,
        "lines": [
            (instance, hearing_from(instance.hears is not None, instance.snoozed, now))  # type: ignore[attr-defined]  # annotated
            for instance in page
        ],
        "zone": timezone.get_current_timezone_name(),
    }
    return render(request, "alerts/wishes/page.html", context, status=422 if form.errors else 200)


def _with_preference(user: User) -> User:
    """The reader with a fresh row of wishes, or none."""
    stored = Preference.objects.filter(user=user).first()
    if stored is not None:
        user.preference = stored
    return user


def _heard(user: User) -> QuerySet[Instance]:
    """Every server of the reader, with whether they hear of it."""
    mine = FilteredRelation("subscriptions", condition=Q(subscriptions__user=user))
    found = Instance.objects.filter(pk__in=instances_for(user).values("pk"), demo=False)
    return found.annotate(mine=mine, hears=F("mine__pk"), snoozed=F("mine__snoozed_until")).order_by(
        "domain", "pk"
    )


@require_POST
def snooze(request: HttpRequest) -> HttpResponse:
    """Holds everything for a while, or ends that."""
    user, pause = person(request), wishing.SNOOZES.get(request.POST.get("for", ""))
    wishing.snooze(user, timezone.now() + pause if pause is not None else None)
    return redirect("notifications")


@require_POST
def hearing(request: HttpRequest, domain: str) -> HttpResponse:
    """The mails about one server to the reader: on, off, held for a while, or no longer held."""
    user = person(request)
    instance = instance_for(user, domain)
    asked = request.POST.get("do", "")
    if asked in {"on", "off"}:
        wishing.hear(user, instance, on=asked == "on")
    elif asked == "resume":
        wishing.snooze_instance(user, instance, None)
    elif asked in wishing.SNOOZES:
        wishing.snooze_instance(user, instance, timezone.now() + wishing.SNOOZES[asked])
    if request.POST.get("back") == "list":
        page = request.POST.get("page", "")
        query = f"?page={page}" if page.isascii() and page.isdecimal() and len(page) < 7 else ""
        return redirect(f"{reverse('notifications')}{query}#servers")
    return redirect(reverse("instance", args=[instance.address]) + "#mails")


@require_POST
def acknowledge(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Says of an open incident that somebody knows, or takes that back."""
    user = person(request)
    if item_id == REACH:
        found, entry = instance_for(user, domain, Role.EDITOR), None
    else:
        found, entry = found_for(user, domain, item_id, Role.EDITOR)
    mine = Incident.objects.filter(instance=found, item_id=item_id, closed_at=None)
    incident = mine.select_related("instance__team").first()
    if incident is None:
        messages.info(request, _("Meanwhile it is over: there is nothing left to acknowledge."))
    elif request.POST.get("do") == "take_back":
        wishing.take_back(incident, user)
    else:
        why = request.POST.get("why", "").strip()[:WHY_MAX]
        wishing.acknowledge(incident, user, why, timezone.now())
    if entry is not None:
        return answered(request, found, entry)
    return redirect("instance", found.address)


# A mail program has no cookie of ours (RFC 8058 section 3.2); the address itself is the proof.
@login_not_required  # nosemgrep: csrf-exempt
@csrf_exempt  # nosemgrep: csrf-exempt
@require_http_methods(["GET", "HEAD", "POST"])
def end_mails(request: HttpRequest, token: str) -> HttpResponse:
    """GET says what would end and changes nothing; POST ends it whatever its body says.  Twice is once."""
    ticket = unsubscribe.opened(token)
    if ticket is None:
        return _closed(render(request, "alerts/wishes/no_ticket.html", status=404))
    if request.method == "POST":
        unsubscribe.end(ticket)
    context = {
        "purpose": ticket.purpose.word,
        "name": _name(ticket),
        "ended": request.method == "POST",
    }
    return _closed(render(request, "alerts/wishes/unsubscribe.html", context))


def _name(ticket: Ticket) -> str:
    """Of the instance; "" where there is none, or none any more."""
    if ticket.purpose is not Purpose.INSTANCE:
        return ""
    found = Instance.objects.filter(pk=ticket.instance_id).first()
    return found.name if found is not None else ""


def _closed(response: HttpResponse) -> HttpResponse:
    """The address is the key: it goes to no other site, no index and no cache."""
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
