"""The page of the delivery log."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from fedisec.accounts.models import User
from fedisec.alerts.account_letters import ACCOUNT, RESET
from fedisec.alerts.asking import CONFIRM
from fedisec.alerts.inviting import INVITE
from fedisec.alerts.log import try_again, visible
from fedisec.alerts.models import Delivery, DeliveryState, MailKind
from fedisec.alerts.send import NOT_CONFIRMED, NOT_WANTED
from fedisec.alerts.tidying import KEPT

PAGE = 50

KINDS: dict[str, Promise] = {
    MailKind.REGRESSION.value: gettext_lazy("No longer met"),
    MailKind.RECOVERY.value: gettext_lazy("Met again"),
    MailKind.UNREACHABLE.value: gettext_lazy("Server unreachable"),
    MailKind.FLAPPING.value: gettext_lazy("To and fro"),
    MailKind.BLIND.value: gettext_lazy("Could not look"),
    MailKind.CERTIFICATE.value: gettext_lazy("Certificate ends soon"),
    MailKind.HOST_KEY.value: gettext_lazy("SSH host key changed"),
    MailKind.REMINDER.value: gettext_lazy("Reminder"),
    MailKind.ENDING.value: gettext_lazy("Answer ends"),
    MailKind.DIGEST.value: gettext_lazy("Weekly summary"),
    MailKind.NEWS.value: gettext_lazy("News of the software"),
    MailKind.OUTAGE.value: gettext_lazy("fedisec was out"),
    MailKind.TEST.value: gettext_lazy("Test"),
    CONFIRM: gettext_lazy("Confirm your address"),
    INVITE: gettext_lazy("An invitation that you sent"),
    ACCOUNT: gettext_lazy("Your account"),
    RESET: gettext_lazy("Set a new password"),
}
NOT_SENT = "not_sent"  # a state of the page: nobody was to get it any more
STATES: dict[str, tuple[str, Promise]] = {  # icon, word
    DeliveryState.SENT.value: ("✓", gettext_lazy("taken")),
    DeliveryState.PENDING.value: ("…", gettext_lazy("waiting")),
    DeliveryState.SENDING.value: ("→", gettext_lazy("being sent")),
    DeliveryState.FAILED.value: ("✕", gettext_lazy("given up")),
    NOT_SENT: ("–", gettext_lazy("not sent")),
}
_WHY_NOT: dict[str, Promise] = {
    NOT_WANTED: gettext_lazy("no longer wanted"),
    NOT_CONFIRMED: gettext_lazy("the address is not confirmed"),
}
SHOWN = (DeliveryState.SENT.value, DeliveryState.PENDING.value, DeliveryState.FAILED.value)


class Line:
    """One delivery, as the page shows it."""

    def __init__(self, row: Delivery) -> None:
        self.row = row
        why_not = _WHY_NOT.get(row.answer) if row.state == DeliveryState.FAILED else None
        self.state = NOT_SENT if why_not is not None else row.state
        self.icon, self.word = STATES[self.state]
        self.kind = str(KINDS.get(row.kind, row.kind))
        self.what = row.subject or self.kind
        self.answer = str(why_not) if why_not is not None else row.answer
        unwanted = row.state == DeliveryState.FAILED and row.answer == NOT_WANTED
        self.may_try = row.state in (DeliveryState.PENDING, DeliveryState.FAILED) and not unwanted
        self.next_try_at = row.next_try_at if row.state == DeliveryState.PENDING else None
        self.maybe_twice = row.maybe_arrived and row.state != DeliveryState.SENT


@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """Newest first; `?state=` shows one state."""
    rows = visible(cast(User, request.user)).filter(created_at__gt=timezone.now() - KEPT)
    state = request.GET.get("state", "")
    if state in SHOWN:
        rows = rows.filter(state=state)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": [Line(row) for row in page],
        "state": state if state in SHOWN else "",
        "states": [(value, STATES[value][1]) for value in SHOWN],
    }
    return render(request, "alerts/server/log.html", context)


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Another try at once, for who may see it."""
    user = cast(User, request.user)
    delivery = get_object_or_404(visible(user), pk=pk)
    if try_again(delivery, user, timezone.now()):
        messages.success(request, _("It is tried again now; load the page in a moment."))
    else:
        messages.info(request, _("It is being sent, or was taken meanwhile."))
    return redirect("mail_log")
