"""Writing down by hand what a server runs."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from checks.clean import clean
from checks.data.support import product_titles, system_titles
from checks.data.tables import families
from fedisec.watch.parts import NAME_MAX, VERSION_MAX, title_of

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~:_-]*")


class StatedForm(forms.Form):
    """One product with its version.  A known one is stored by its name in the tables, another as typed."""

    product = forms.CharField(
        label=_("Product"),
        max_length=NAME_MAX,
        help_text=_("From the list, or any other name."),
        widget=forms.TextInput(
            attrs={"list": "known-products", "autocomplete": "off", "placeholder": "PostgreSQL"}
        ),
    )
    version = forms.CharField(
        label=_("Version"),
        max_length=VERSION_MAX,
        help_text=_("As the program itself says it, such as 16.10."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "placeholder": "16.10"}
        ),
    )

    @property
    def known_products(self) -> list[str]:
        return sorted(known_products().values(), key=str.lower)

    def clean_product(self) -> str:
        typed = " ".join(clean(self.cleaned_data["product"], NAME_MAX, newlines=False).split())
        if not typed:
            raise forms.ValidationError(_("What is it called?"))
        by_title = {title.lower(): name for name, title in known_products().items()}
        return by_title.get(typed.lower()) or (typed.lower() if typed.lower() in known_products() else typed)

    def clean_version(self) -> str:
        typed: str = self.cleaned_data["version"].strip()
        typed = typed[1:] if typed[:1] in {"v", "V"} and typed[1:2].isdigit() else typed
        if not _VERSION.fullmatch(typed) or not any(letter.isdigit() for letter in typed):
            raise forms.ValidationError(_("A version has a number in it, and no spaces."))
        return typed


def known_products() -> dict[str, str]:
    """Every name that the tables have -> how people write it."""
    names = [*product_titles(), *system_titles(), *families()]
    return {name: title_of(name) for name in names}
