"""The page of one's own sessions."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from fedisec.accounts import sessions_kept
from fedisec.accounts.audit import record
from fedisec.accounts.models import User


@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the reader is signed in."""
    rows = sessions_kept.sessions_of(request, cast(User, request.user))
    return render(request, "usersessions/list.html", {"rows": rows})


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one; without any question, as it makes things safer and takes nothing away."""
    user = cast(User, request.user)
    with transaction.atomic():
        ended = sessions_kept.end_one(user, pk)
        if ended is None:
            raise Http404
        record("account.session_ended", team=None, by=user, before=ended.words)
    messages.success(request, _("That session has ended."))
    return redirect("sessions")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    with transaction.atomic():
        count = sessions_kept.end_others(request, user)
        if count:
            record("account.session_ended", team=None, by=user, data={"count": count})
    said = ngettext("%(count)s session has ended.", "%(count)s sessions have ended.", count)
    messages.success(request, said % {"count": count})
    return redirect("sessions")
