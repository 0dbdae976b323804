"""Adding a feed."""

from __future__ import annotations

from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from checks.clean import clean
from checks.data.tables import families
from checks.data.tables import forks as known_forks
from fedisec.watch.models import Source, SourceKind

URL_MAX = 500


class SourceForm(forms.Form):
    """A feed of an operator's own: its address is dialled under the rule that holds for all connections."""

    title = forms.CharField(label=_("Name"), max_length=100)
    url = forms.CharField(
        label=_("Address of the feed"),
        max_length=URL_MAX,
        help_text=_(
            "Atom, RSS or JSON Feed. Private networks are visited only where FEDISEC_ALLOW_NETWORKS has them."
        ),
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/feed.xml", "inputmode": "url"}),
    )
    kind = forms.ChoiceField(
        label=_("What it brings"),
        choices=(
            (SourceKind.WARNINGS.value, _("Warnings of vulnerabilities")),
            (SourceKind.RELEASE.value, _("Releases of a software")),
        ),
    )
    about = forms.CharField(
        label=_("Software"),
        max_length=60,
        required=False,
        help_text=_("For releases: the name by which the software calls itself, such as mastodon or snac."),
        widget=forms.TextInput(attrs={"list": "known-software", "autocapitalize": "none"}),
    )

    @property
    def known_software(self) -> list[str]:
        return sorted({*families(), *known_forks()})

    def clean_title(self) -> str:
        return clean(self.cleaned_data["title"].strip(), 100, newlines=False)

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise forms.ValidationError(_("This is no web address.")) from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
            raise forms.ValidationError(_("This is no web address."))
        if "@" in parts.netloc:
            raise forms.ValidationError(_("An address with a password in it would be shown to others."))
        if Source.objects.filter(url=url).exists():
            raise forms.ValidationError(_("This feed is there already."))
        return url

    def clean_about(self) -> str:
        about: str = self.cleaned_data["about"].strip().lower()
        if self.cleaned_data.get("kind") != SourceKind.RELEASE:
            return ""
        if not about or not about.isascii() or not about.replace("-", "").replace(".", "").isalnum():
            raise forms.ValidationError(_("Which software are the releases of?"))
        return about
