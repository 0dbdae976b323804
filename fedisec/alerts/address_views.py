"""The page of one's own mail address: whether it is confirmed, the link once more, another address."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fedisec.accounts.models import User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.alerts.asking import address_of, ask
from fedisec.alerts.confirming import is_confirmed


class AddressForm(forms.Form):
    """Another address, and the password: who finds an open browser must not get the account."""

    email = forms.EmailField(
        label=gettext_lazy("New address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=gettext_lazy("It counts as soon as you open the link in the mail that it gets."),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request, self._user = request, cast(User, request.user)

    def clean_email(self) -> str:
        address = str(self.cleaned_data["email"]).lower()
        if address == self._user.email:
            raise forms.ValidationError(_("This is your address already."))
        if User.objects.filter(email=address).exists():
            raise forms.ValidationError(_("This address cannot be used."))
        return address

    def clean_password(self) -> str:
        if not ratelimit.consume(self._request, action="reauthenticate", user=self._user):
            raise forms.ValidationError(_("Too many tries. Wait a minute."))
        if not self._user.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("This is not your password."))
        return ""


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@confirmed_lately(reading=False)
def address(request: HttpRequest) -> HttpResponse:
    """Shows the address and takes another one, which replaces it once it is confirmed."""
    user = cast(User, request.user)
    form = AddressForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        others = EmailAddress.objects.filter(user=user, verified=False)
        others.exclude(email__iexact=user.email).delete()
        wanted = EmailAddress.objects.create(user=user, email=form.cleaned_data["email"])
        return _asked(request, wanted)
    wanted = EmailAddress.objects.filter(user=user, verified=False).exclude(email__iexact=user.email)
    context = {
        "form": form,
        "is_confirmed": is_confirmed(user),
        "wanted": wanted.order_by("-pk").first(),
    }
    return render(request, "alerts/server/address.html", context, status=422 if form.errors else 200)


@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """The mail with the link once more: for the address that is to come, else for the one in use."""
    user = cast(User, request.user)
    wanted = EmailAddress.objects.filter(user=user, verified=False).exclude(email__iexact=user.email)
    return _asked(request, wanted.order_by("-pk").first() or address_of(user))


def _asked(request: HttpRequest, wanted: EmailAddress) -> HttpResponse:
    values = {"address": wanted.email}
    if wanted.verified:
        messages.info(request, _("%(address)s is confirmed already.") % values)
    elif ask(wanted):
        said = _("A mail with a link goes to %(address)s. Open it within three days.")
        messages.success(request, said % values)
    else:
        messages.error(request, _("That was often enough for now. Wait an hour."))
    return redirect("mail_address")
