"""A person's own language and time zone."""

from __future__ import annotations

import zoneinfo
from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from fedisec.accounts.models import User


def zones() -> list[str]:
    """The time zones that people live in, by name; old aliases and the like of "posix/…" are left out."""
    return sorted(
        name
        for name in zoneinfo.available_timezones()
        if "/" in name and name[0].isupper() and not name.startswith(("Etc/", "SystemV/", "US/"))
    )


class ProfileForm(forms.Form):
    """Both may stay open: then the browser's language and the installation's time zone count."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("as the browser asks")), ("en", "English"), ("ja", "日本語")],
        help_text=gettext_lazy("Of the pages and of the mails to you."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        help_text=gettext_lazy("All times on your pages are shown in it."),
    )

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        stored = {"language": user.language, "time_zone": user.time_zone}
        super().__init__(*args, initial=stored, **kwargs)  # type: ignore[arg-type,misc]
        own = _("the installation's own (%(zone)s)") % {"zone": settings.TIME_ZONE}
        field = cast(forms.ChoiceField, self.fields["time_zone"])
        field.choices = [("", own), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in zones())]


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Language and time zone of the reader, kept with the account, so that every browser shows the same."""
    user = cast(User, request.user)
    form = ProfileForm(user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "accounts/profile.html", {"form": form}, status=status)
    user.language, user.time_zone = form.cleaned_data["language"], form.cleaned_data["time_zone"]
    user.save(update_fields=["language", "time_zone"])
    with translation.override(user.language or translation.get_language()):
        messages.success(request, _("Saved."))
    response = redirect("profile")
    # What was pressed in the menu on this browser counts no more than what is set here.
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response
