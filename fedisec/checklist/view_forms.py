"""Small forms of the overview and the instance's page: a view to save, a grade to note."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from checks.clean import clean
from fedisec.instances.graders import GRADERS

VIEWS_MAX = 20


class ViewForm(forms.Form):
    """A name for the filter that stands in `query`."""

    name = forms.CharField(label=_("Name of the view"), max_length=40)
    query = forms.CharField(max_length=500, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        return clean(self.cleaned_data["name"], newlines=False)


class GradeForm(forms.Form):
    """What somebody read on a grader's site, and when."""

    grader = forms.ChoiceField(label=_("Site"), choices=[(g.id, f"{g.name} ({g.about})") for g in GRADERS])
    grade = forms.CharField(label=_("Grade"), max_length=20)
    seen_on = forms.DateField(label=_("Seen on"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean_grade(self) -> str:
        return clean(self.cleaned_data["grade"], newlines=False)

    def clean_seen_on(self):  # type: ignore[no-untyped-def]  # a date, as the field made it
        day = self.cleaned_data["seen_on"]
        # A day ahead of us is today somewhere.
        if day > timezone.localdate() + timedelta(days=1):
            raise forms.ValidationError(_("This day is still to come."))
        return day
