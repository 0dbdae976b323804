"""The pages of a team's channels.  Whoever may look sees that there are some; only editors see where to."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fedisec.accounts.models import Role, Team, User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.alerts.channels import changes, services, trial
from fedisec.alerts.channels.forms import ChannelForm, RemoveForm
from fedisec.alerts.channels.rows import log_of, row_of
from fedisec.alerts.channels.sealing import BOTH_FOR, SHOWN_FOR, may_be_shown, secrets_of, signs_twice
from fedisec.alerts.channels.words import CHANNEL_KINDS
from fedisec.alerts.models import Channel, ChannelKind, Delivery
from fedisec.instances.access import instances_for, of_teams, teams_for
from fedisec.lib.secrets import CannotOpen
from fedisec.scans.views import person


@require_GET
def channels(request: HttpRequest) -> HttpResponse:
    """The channels of the reader's teams."""
    user = person(request)
    last = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    mine = of_teams(Channel.objects.all(), user).select_related("team")
    found = list(mine.annotate(last_delivery=Subquery(last)))
    deliveries = Delivery.objects.in_bulk([one.last_delivery for one in found if one.last_delivery])
    editable = set(_teams(user).values_list("pk", flat=True))
    context = {
        "rows": [row_of(one, deliveries.get(one.last_delivery), one.team_id in editable) for one in found],
        "may_add": bool(editable),
        "several": len({one.team_id for one in found} | editable) > 1,
        "apprise_there": services.is_there(),
    }
    return render(request, "alerts/channels/list.html", context)


@require_GET
def channel(request: HttpRequest, pk: int) -> HttpResponse:
    """One channel: its state, what was told last, and what can be done."""
    return _page(request, _mine(person(request), pk))


@sensitive_post_parameters("address")
@never_cache
@require_http_methods(["GET", "POST"])
@confirmed_lately
def channel_add(request: HttpRequest, kind: str) -> HttpResponse:
    user = person(request)
    if kind not in ChannelKind.values or not _teams(user):
        raise Http404
    if kind == ChannelKind.APPRISE and not services.is_there():
        return render(request, "alerts/channels/no_apprise.html", status=501)
    chosen = ChannelKind(kind)
    form = _form(request, user, chosen)
    if request.method == "POST" and form.is_valid():
        try:
            made = changes.add(form.chosen_team, chosen, form.wanted, user, timezone.now())
        except CannotOpen:
            form.add_error(None, _no_key())
        else:
            messages.success(request, _("Added. Send a test to see whether it arrives."))
            return redirect("channel", made.pk)
    context = {"form": form, "kind": CHANNEL_KINDS[kind]}
    return render(request, "alerts/channels/form.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("address")
@never_cache
@require_http_methods(["GET", "POST"])
@confirmed_lately
def channel_edit(request: HttpRequest, pk: int) -> HttpResponse:
    user = person(request)
    found = _mine(user, pk)
    form = _form(request, user, ChannelKind(found.kind), found)
    if request.method == "POST" and form.is_valid():
        try:
            changes.change(found, form.wanted, user)
        except CannotOpen:
            form.add_error(None, _no_key())
        else:
            messages.success(request, _("Saved."))
            return redirect("channel", pk)
    context = {"form": form, "channel": found, "kind": CHANNEL_KINDS[found.kind]}
    return render(request, "alerts/channels/form.html", context, status=422 if form.errors else 200)


@require_POST
def channel_test(request: HttpRequest, pk: int) -> HttpResponse:
    """One call now, while the reader waits; what the other side said stands on the page."""
    user = person(request)
    found = _mine(user, pk)
    try:
        taken, said = trial.send_test(found, user, timezone.now())
    except trial.TooSoon:
        messages.warning(request, _("A test was sent a moment ago. Wait ten seconds."))
    else:
        words = _("The test was taken: %(answer)s") if taken else _("The test was not taken: %(answer)s")
        (messages.success if taken else messages.error)(request, words % {"answer": said})
    return redirect("channel", pk)


@never_cache
@require_POST
@confirmed_lately
def channel_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows the signing secret, within an hour after it was made."""
    user = person(request)
    found = _mine(user, pk, ChannelKind.WEBHOOK)
    now = timezone.now()
    if not may_be_shown(found, now):
        messages.warning(request, _("The secret is no longer shown. Make another one."))
        return redirect("channel", pk)
    try:
        secret = secrets_of(found, now)[0]
    except CannotOpen:
        messages.error(request, _no_key())
        return redirect("channel", pk)
    changes.note_shown(found, user)
    return _page(request, found, secret)


@require_POST
@confirmed_lately
def channel_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    user = person(request)
    try:
        changes.rotate(_mine(user, pk, ChannelKind.WEBHOOK), user, timezone.now())
    except CannotOpen:
        messages.error(request, _no_key())
    else:
        messages.success(request, _("There is another secret. For a day, calls are signed with both."))
    return redirect("channel", pk)


@require_POST
@confirmed_lately
def channel_switch(request: HttpRequest, pk: int, on: bool) -> HttpResponse:
    user = person(request)
    if changes.switch(_mine(user, pk), user, on=on):
        words = _("Switched on.") if on else _("Switched off. Nothing is told any more.")
        messages.success(request, words)
    return redirect("channel", pk)


@require_http_methods(["GET", "POST"])
@confirmed_lately
def channel_remove(request: HttpRequest, pk: int) -> HttpResponse:
    user = person(request)
    found = _mine(user, pk)
    form = RemoveForm(found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        changes.remove(found, user)
        messages.success(request, _("Removed."))
        return redirect("channels")
    context = {"channel": found, "form": form}
    return render(request, "alerts/channels/remove.html", context, status=422 if form.errors else 200)


def _page(request: HttpRequest, found: Channel, secret: str = "") -> HttpResponse:
    now = timezone.now()
    log = list(Delivery.objects.filter(channel=found).order_by("-pk")[:10])
    made = found.secret_made_at or now - timedelta(days=365)
    context = {
        "channel": found,
        "row": row_of(found, log[0] if log else None, may_edit=True),
        "log": [log_of(one) for one in log],
        "instances": list(found.instances.order_by("domain")),
        "is_webhook": found.kind == ChannelKind.WEBHOOK,
        "secret": secret,
        "shown_until": made + SHOWN_FOR if may_be_shown(found, now) else None,
        "both_until": made + BOTH_FOR if signs_twice(found, now) else None,
    }
    return render(request, "alerts/channels/channel.html", context)


def _no_key() -> str:
    return _("The key file of this installation does not open what is stored. Tell whoever runs it.")


def _teams(user: User) -> QuerySet[Team]:
    """Those that the person may add channels to."""
    return teams_for(user, Role.EDITOR)


def _mine(user: User, pk: int, kind: ChannelKind | None = None) -> Channel:
    """A channel that the person may change; for anybody else it does not exist."""
    mine = of_teams(Channel.objects.filter(pk=pk), user, Role.EDITOR)
    found = mine.select_related("team").first()
    if found is None or (kind is not None and found.kind != kind):
        raise Http404
    return found


def _form(request: HttpRequest, user: User, kind: ChannelKind, found: Channel | None = None) -> ChannelForm:
    teams = [found.team] if found is not None else list(_teams(user))
    theirs = instances_for(user, Role.EDITOR).filter(team__in=teams, demo=False)
    instances = list(theirs.select_related("team").order_by("domain"))
    return ChannelForm(kind, teams, instances, request.POST if request.method == "POST" else None, found)
