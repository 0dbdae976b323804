"""All addresses."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The web process answers; says nothing else."""
    return HttpResponse("ok", content_type="text/plain")


handler400 = "fedisec.lib.errors.bad_request"
handler404 = "fedisec.lib.errors.not_found"
handler500 = "fedisec.lib.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("fedisec.scans.urls")),  # before an instance's name: "add" is none
    path("", include("fedisec.instances.urls")),
    path("", include("fedisec.checklist.urls")),
    path("", include("fedisec.checklist.item_urls")),
    path("", include("fedisec.history.urls")),
    path("", include("fedisec.share.urls")),
    path("", include("fedisec.alerts.channels.urls")),
    path("", include("fedisec.enrolment.urls")),
    path("", include("fedisec.watch.urls")),
    path("", include("fedisec.alerts.urls")),
    path("", include("fedisec.accounts.urls")),
    path("", include("fedisec.api.urls")),
    path("", include("fedisec.system.urls")),
    path("language/", login_not_required(require_POST(set_language)), name="set_language"),
    path("", include("fedisec.alerts.server_urls")),  # before allauth's page of addresses
    path("account/2fa/", include("fedisec.accounts.factor_urls")),
    *([path("account/oidc/", include("fedisec.accounts.oidc_urls"))] if settings.OIDC_ISSUER else []),
    path("account/", include("allauth.account.urls")),
    path("healthz", healthz, name="healthz"),
]
