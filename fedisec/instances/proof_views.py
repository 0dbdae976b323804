"""The page that says what to put where, and looks whether it is there."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from checks.errors import Reason
from checks.reasons import REASONS
from fedisec.accounts.models import Role, User
from fedisec.instances import proof
from fedisec.instances.access import instance_for
from fedisec.instances.models import Instance, Proof


@require_http_methods(["GET", "POST"])
def proof_page(request: HttpRequest, domain: str) -> HttpResponse:
    """GET shows both ways; POST looks now."""
    user = cast(User, request.user)
    instance = instance_for(user, domain, Role.EDITOR)
    if request.method == "POST":
        _look(request, instance, user)
        return redirect("proof", instance.address)
    context = {
        "instance": instance,
        "texts": proof.texts(instance),
        "proof": Proof.objects.filter(instance=instance).first(),
        "is_required": proof.is_required(instance),
        "holds": proof.holds(instance),
        "grace_days": proof.GRACE.days,
        "every_days": proof.CHECK_EVERY.days,
    }
    return render(request, "instances/proof.html", context)


def _look(request: HttpRequest, instance: Instance, user: User) -> None:
    held = proof.holds(instance)
    found = proof.check(instance, user)
    if found is None:
        messages.info(request, _("fedisec looked a moment ago. Try again in ten seconds."))
    elif found.said is proof.Said.FOUND:
        if not held:
            import_string(settings.ON_CONNECTED)(instance, "first")
        messages.success(request, _("Found: %(name)s is yours.") % {"name": instance.name})
    else:
        messages.warning(
            request,
            _("Not found yet. DNS: %(dns)s Web server: %(web)s")
            % {"dns": _words(found.dns), "web": _words(found.web)},
        )


def _words(said: str) -> str:
    if said == proof.Said.ABSENT:
        return _("the text is not there.")
    return REASONS[Reason(said)].in_language(get_language() or "en")
