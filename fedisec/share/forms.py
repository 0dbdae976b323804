"""What the public page shows, and to whom."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from fedisec.share.models import Share, Shows

PASSWORD_MIN, PASSWORD_MAX = 10, 200


class ShareForm(forms.Form):
    """The choices of the team; nothing is shown that is not chosen here."""

    shows = forms.ChoiceField(
        label=_("What the page shows"), choices=Shows.choices, initial=Shows.COUNTS, widget=forms.RadioSelect
    )
    only_met = forms.BooleanField(
        label=_("Of the items, only those that are met"), required=False, initial=True
    )
    badge = forms.BooleanField(
        label=_("A badge"),
        required=False,
        initial=True,
        help_text=_("An image with the level and the date, for a website. It asks for no password."),
    )
    new_password = forms.CharField(
        label=_("Password"),
        required=False,
        min_length=PASSWORD_MIN,
        max_length=PASSWORD_MAX,
        strip=False,
        help_text=_("Asked for before the page is shown. At least 10 characters."),
        # In clear: it is told to others anyway, and belongs to no account that a browser could keep.
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    drop_password = forms.BooleanField(label=_("Ask for no password any more"), required=False)

    @classmethod
    def of(cls, share: Share | None) -> ShareForm:
        """The form as the page stands; the defaults where there is none."""
        if share is None:
            return cls()
        initial: dict[str, Any] = {"shows": share.shows, "only_met": share.only_met, "badge": share.badge}
        return cls(initial=initial)
