"""The page of one item, a look at it now, and a mail that is pasted there."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from fedisec.accounts.models import Role
from fedisec.checklist import pasted, switches
from fedisec.checklist.forms import MailForm
from fedisec.checklist.item_page import Forms, answered, context_of, found_for, in_place, show
from fedisec.scans.queue import Asked, queue_scan, too_soon
from fedisec.scans.views import person

_REFUSED = {
    Asked.UNPROVEN: gettext_lazy("fedisec looks once it is proven that the domain is yours."),
    Asked.DEMO: gettext_lazy("This is a demonstration: its results are made up, and nothing is looked at."),
}


@require_GET
@vary_on_headers("HX-Request")
def item(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """One item: a page of its own, or (for htmx) what opens in place under its line."""
    found, entry = found_for(person(request), domain, item_id)
    return show(request, context_of(request, found, entry))


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def look(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """POST: looks again now.  GET, from htmx: how far that is, or what it brought."""
    role = Role.EDITOR if request.method == "POST" else Role.VIEWER
    found, entry = found_for(person(request), domain, item_id, role)
    refused = ""
    if request.method == "POST" and entry.check_function is not None:
        pause_s = settings.SCAN_ITEM_PAUSE_S
        answer = queue_scan(found, "item", only=[entry.id], pause_s=pause_s)
        refused = too_soon(pause_s) if answer is Asked.TOO_SOON else str(_REFUSED.get(answer, ""))
    if in_place(request):
        context = context_of(request, found, entry)
        asked = {"asked": request.method == "POST"}  # the focus stays where the button was
        return render(request, "checklist/look.html", context | {"refused": refused, "polled": True, **asked})
    if refused:
        messages.info(request, refused)
    return redirect(reverse("item", args=[found.address, entry.id]))


@require_POST
def mails(request: HttpRequest, domain: str) -> HttpResponse:
    """Starts or ends the mails about an instance to the reader; the item about them is judged anew."""
    found, entry = found_for(person(request), domain, switches.MAILS, Role.EDITOR)
    switches.turn(found, person(request), on=request.POST.get("on") == "yes")
    return answered(request, found, entry)


@require_POST
def follow(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Starts or ends the reading of news for an instance; the item about it is judged anew."""
    if item_id not in switches.FOLLOWS:
        raise Http404
    found, entry = found_for(person(request), domain, item_id, Role.EDITOR)
    switches.follow(found, person(request), entry.id, on=request.POST.get("on") == "yes")
    return answered(request, found, entry)


@require_POST
def dkim_message(request: HttpRequest, domain: str) -> HttpResponse:
    """Takes a mail that the server sent, verifies its signatures and watches its selectors.  A plain form:
    the answer is a page in any case."""
    user = person(request)
    found, entry = found_for(user, domain, pasted.ITEM_ID, Role.EDITOR)
    form = MailForm(found.target.mail_domain, request.POST, request.FILES)
    if form.is_valid() and form.mail is not None:
        proven = pasted.prove(form.mail)
        if pasted.own_signatures(proven):
            pasted.keep(found, user, form.mail, proven)
            queue_scan(found, "manual")
            for line in pasted.told(proven).splitlines():
                messages.success(request, line)
            messages.info(request, _("The selectors are watched from now on."))
            return redirect(reverse("item", args=[found.address, entry.id]))
        by = ", ".join(dict.fromkeys(s.domain or "?" for s in proven.signatures))
        form.refuse("not_own", sender=proven.from_domain, by=by)
    context = context_of(request, found, entry, Forms(mail=form))
    return render(request, "checklist/item.html", context, status=422)
