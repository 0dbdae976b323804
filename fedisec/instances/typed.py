"""What cannot be taken back asks for a word, typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from fedisec.instances.models import Instance


class TypedDomainForm(forms.Form):
    """Takes the domain of the instance as consent; ASCII or Unicode, in any case."""

    domain = forms.CharField(
        label=_("Type the domain to confirm"),
        max_length=253,
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        ),
    )

    def __init__(self, instance: Instance, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._instance = instance

    def clean_domain(self) -> str:
        typed: str = self.cleaned_data["domain"].strip().lower()
        if typed not in {self._instance.domain, self._instance.name}:
            raise forms.ValidationError(
                _("This is not %(domain)s. Nothing was removed."), params={"domain": self._instance.name}
            )
        return typed
