"""All addresses."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_safe
from django.views.i18n import set_language

from fedisec.accounts import views as accounts
from fedisec.checklist import views as checklist
from fedisec.enrolment import views as enrolment
from fedisec.scans import views as scans


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The web process answers; says nothing else."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", checklist.overview, name="overview"),
    path("setup/<str:token>/", accounts.setup, name="setup"),
    path("instances/add/", scans.instance_add, name="instance_add"),
    path("instances/<str:domain>/", checklist.instance, name="instance"),
    path("instances/<str:domain>/settings/", scans.instance_edit, name="instance_edit"),
    path("instances/<str:domain>/ssh/", enrolment.connect, name="ssh"),
    path("instances/<str:domain>/ssh/script/", enrolment.script, name="ssh_script"),
    path("instances/<str:domain>/ssh/test/", enrolment.test, name="ssh_test"),
    path("instances/<str:domain>/ssh/confirm/", enrolment.confirm, name="ssh_confirm"),
    path("instances/<str:domain>/ssh/disconnect/", enrolment.disconnect, name="ssh_disconnect"),
    path("instances/<str:domain>/scan/", scans.scan_now, name="scan_now"),
    path("instances/<str:domain>/progress/", scans.progress, name="progress"),
    path("instances/<str:domain>/dkim-message/", checklist.dkim_message, name="dkim_message"),
    path("instances/<str:domain>/items/<str:item_id>/", checklist.item, name="item"),
    path("instances/<str:domain>/items/<str:item_id>/answer/", checklist.answer, name="answer"),
    path("instances/<str:domain>/items/<str:item_id>/waive/", checklist.waive, name="waive"),
    path("instances/<str:domain>/items/<str:item_id>/withdraw/", checklist.withdraw, name="withdraw"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("theme/", accounts.theme, name="theme"),
    path("account/", include("allauth.account.urls")),
    path("healthz", healthz, name="healthz"),
]
