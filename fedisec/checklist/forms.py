"""Forms for answers."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from checks.model import Item, Level
from fedisec.checklist.models import WaiverKind

DAYS = [
    (30, _("30 days")),
    (90, _("90 days")),
    (180, _("180 days")),
    (365, _("one year")),
]


def _lead_to_the_first_error(form: forms.Form) -> None:
    """The reader lands on the field to mend: by the browser on a page, by app.js where a line is swapped."""
    for name in form.errors:
        if name in form.fields:
            form.fields[name].widget.attrs["autofocus"] = True
            return


class AnswerForm(forms.Form):
    """Met or not met, with a note (a must for required items), a link and a validity."""

    met = forms.TypedChoiceField(
        label=_("Your answer"),
        choices=[("yes", _("Met")), ("no", _("Not met"))],
        coerce=lambda value: value == "yes",
        error_messages={"required": _("Choose “Met” or “Not met”.")},
    )
    note = forms.CharField(
        label=_("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    link = forms.URLField(label=_("Link"), max_length=500, required=False, assume_scheme="https")
    days = forms.TypedChoiceField(label=_("Valid for"), choices=DAYS, coerce=int)

    def __init__(self, item: Item, data: QueryDict | None = None) -> None:
        # Several items may stand open on one page, each with its own form.
        super().__init__(data, auto_id=f"{item.id}-%s")
        self.fields["days"].initial = item.attest_days
        if item.level is Level.REQUIRED:
            self.fields["note"].required = True
            self.fields["note"].error_messages["required"] = _(
                "A required item needs a note: what makes you sure, or what is missing?"
            )

    def full_clean(self) -> None:
        super().full_clean()
        _lead_to_the_first_error(self)


class WaiverForm(forms.Form):
    """Kind, reason and end of a waiver."""

    kind = forms.ChoiceField(label=_("Kind"), choices=WaiverKind.choices)
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    days = forms.TypedChoiceField(label=_("Until, at the latest"), choices=DAYS, coerce=int, initial=180)

    def __init__(self, item: Item, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id=f"{item.id}-aside-%s")

    def full_clean(self) -> None:
        super().full_clean()
        _lead_to_the_first_error(self)
