"""The team's side of the public page."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fedisec.accounts.models import Role, User
from fedisec.instances.access import instance_for, may_own
from fedisec.scans.views import person
from fedisec.share import sharing
from fedisec.share.forms import ShareForm
from fedisec.share.models import Share


@sensitive_post_parameters("new_password")
@require_http_methods(["GET", "POST"])
def share(request: HttpRequest, domain: str) -> HttpResponse:
    """Shows the team the address of the public page; an owner opens it and says what it shows."""
    user = person(request)
    role = Role.OWNER if request.method == "POST" else Role.VIEWER
    instance = instance_for(user, domain, role)
    found = Share.objects.filter(instance=instance).select_related("opened_by").first()
    form = ShareForm(request.POST) if request.method == "POST" else ShareForm.of(found)
    if request.method == "POST" and form.is_valid():
        was_open = found is not None and found.is_open
        sharing.save(instance, user, form.cleaned_data)
        messages.success(request, _("Saved.") if was_open else _("The public page is open."))
        return redirect("share", domain)
    context = {
        "instance": instance,
        "share": found,
        "form": form,
        "may_edit": may_own(user, instance),
        "page_url": settings.PUBLIC_URL + reverse("public", args=[found.token]) if found else "",
        "badge_url": settings.PUBLIC_URL + reverse("badge", args=[found.token]) if found else "",
    }
    return render(request, "share/share.html", context, status=422 if form.errors else 200)


@require_POST
def share_rotate(request: HttpRequest, domain: str) -> HttpResponse:
    return _done(
        request, domain, sharing.rotate, _("The page has another address. The one before leads nowhere.")
    )


@require_POST
def share_close(request: HttpRequest, domain: str) -> HttpResponse:
    return _done(request, domain, sharing.close, _("The public page is closed."))


def _done(request: HttpRequest, domain: str, act: Callable[[Share, User], None], told: str) -> HttpResponse:
    user = person(request)
    found = Share.objects.filter(instance=instance_for(user, domain, Role.OWNER))
    share = found.select_related("instance__team").first()
    if share is None:
        raise Http404
    act(share, user)
    messages.success(request, told)
    return redirect("share", domain)
