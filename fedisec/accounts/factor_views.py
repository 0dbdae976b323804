"""The pages of the second factor: what there is, adding, removing, recovery codes; signing in by passkey."""

from __future__ import annotations

import json
from typing import Any, cast

from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal import auth, flows
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView, ReauthenticateWebAuthnView
from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from fedisec.accounts import codes, second
from fedisec.accounts.factors import LAST, RenameForm, SealedAdapter, passkeys_work
from fedisec.accounts.models import User
from fedisec.accounts.sudo import confirmed_lately


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


def options_of(data: dict[str, Any]) -> str:
    """For a data attribute, which is no script."""
    return json.dumps(data, cls=DjangoJSONEncoder)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What there is, and what can be added."""
    user = _person(request)
    mine = list(Authenticator.objects.filter(user=user).order_by("pk"))
    context = {
        "app": next((one for one in mine if one.type == Authenticator.Type.TOTP), None),
        "passkeys": [one for one in mine if one.type == Authenticator.Type.WEBAUTHN],
        "has_one": bool(mine),
        "left": codes.left_of(user) if mine else 0,
        "must": second.is_compulsory(user) and not mine,
        "passkeys_work": passkeys_work(request),
    }
    return render(request, "mfa/index.html", context)


@require_http_methods(["GET", "POST"])
@confirmed_lately
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """How many are left; POST makes ten new ones and shows them, once."""
    user = _person(request)
    if not second.has_one(user):
        return redirect("mfa_index")
    if request.method == "POST":
        return _shown(request, user)
    return render(request, "mfa/recovery_codes.html", {"left": codes.left_of(user)})


def _shown(request: HttpRequest, user: User) -> HttpResponse:
    return render(request, "mfa/recovery_codes.html", {"codes": codes.make(user), "left": codes.COUNT})


@method_decorator(confirmed_lately, name="dispatch")
class AddApp(ActivateTOTPView):  # type: ignore[misc]  # allauth ships no types
    template_name = "mfa/app_add.html"

    def form_valid(self, form: Any) -> HttpResponse:
        user = _person(self.request)
        with transaction.atomic():
            answer = super().form_valid(form)
            mine = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).get()
            mine.data[LAST] = form.counter
            mine.save(update_fields=["data"])
        return _shown(self.request, user) if not codes.left_of(user) else cast(HttpResponse, answer)


@require_GET
@confirmed_lately
def qr(request: HttpRequest) -> HttpResponse:
    """The key of the app that is being added, as a picture: the policy of the pages lets in none of them
    that stand in the page itself."""
    secret = request.session.get(SECRET_SESSION_KEY)
    if not secret:
        raise Http404
    adapter = SealedAdapter()
    picture = adapter.build_totp_svg(adapter.build_totp_url(_person(request), secret))
    return HttpResponse(picture, content_type="image/svg+xml")


class RemoveApp(DeactivateTOTPView):  # type: ignore[misc]  # allauth ships no types
    template_name = "mfa/app_remove.html"


@method_decorator(confirmed_lately, name="dispatch")
class AddPasskey(AddWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    template_name = "mfa/passkey_add.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not passkeys_work(request):
            return redirect("mfa_index")
        return cast(HttpResponseBase, super().dispatch(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form") or self.get_form()
        asked = {"creation_options": auth.begin_registration(_person(self.request), True)}
        return {"form": form, "options": options_of(asked)}

    def form_valid(self, form: Any) -> HttpResponse:
        user = _person(self.request)
        with transaction.atomic():
            answer = super().form_valid(form)
        return _shown(self.request, user) if not codes.left_of(user) else cast(HttpResponse, answer)


@require_http_methods(["GET", "POST"])
@confirmed_lately
def rename_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    found = _passkey(request, pk)
    form = RenameForm(request.POST or None, initial={"name": found.wrap().name})
    if request.method == "POST" and form.is_valid():
        flows.rename_authenticator(request, found, form.cleaned_data["name"])
        messages.success(request, _("Saved."))
        return redirect("mfa_index")
    context = {"form": form, "passkey": found}
    return render(request, "mfa/passkey_rename.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@confirmed_lately
def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    found = _passkey(request, pk)
    may = second.may_remove(_person(request))
    if request.method == "POST" and may:
        with transaction.atomic():
            flows.remove_authenticator(request, found)
        return redirect("mfa_index")
    return render(request, "mfa/passkey_remove.html", {"passkey": found, "may": may})


def _passkey(request: HttpRequest, pk: int) -> Authenticator:
    mine = Authenticator.objects.filter(user=_person(request), type=Authenticator.Type.WEBAUTHN, pk=pk)
    found = mine.first()
    if found is None:
        raise Http404
    return found


class _WithOptions:
    """What the browser needs to ask for a passkey, as one text."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]  # of the view beside
        request: HttpRequest = self.request  # type: ignore[attr-defined]  # of the view beside
        found["options"] = options_of(found.get("js_data") or {})
        found["passkeys_work"] = passkeys_work(request)
        return found


class SecondStep(_WithOptions, AuthenticateView):  # type: ignore[misc]  # allauth ships no types
    template_name = "mfa/authenticate.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        kinds = set(Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True))
        return found | {"has_app": Authenticator.Type.TOTP in kinds, "has_passkey": "webauthn" in kinds}


class CodeAgain(ReauthenticateView):  # type: ignore[misc]  # allauth ships no types
    template_name = "mfa/reauthenticate.html"


class PasskeyAgain(_WithOptions, ReauthenticateWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    template_name = "mfa/passkey_again.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        """Back to the page, and not to the sign-in."""
        for message in form.errors.get("credential", []):
            messages.error(self.request, message)
        return self.render_to_response(self.get_context_data(form=form))  # type: ignore[no-any-return]


class PasskeySignIn(LoginWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    """GET gives what the browser needs, as JSON, to a script of ours alone."""
