"""Forms for answers, and for a mail that is pasted to be verified."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from checks.model import Item, Level
from checks.parse.dkim_message import MAX_MESSAGE, MessageError, PastedMail, read_message
from fedisec.checklist.models import Attestation, Waiver, WaiverKind

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


NOTE_MAX = 2000
REASON_MIN = 10  # characters; "ok" explains nothing to whoever reads it in a year
WAIVER_DAYS, WAIVER_DAYS_MAX = 180, 365
SHORT = _("Say it in %(limit_value)d characters or more: somebody will read this in a year.")


class AnswerForm(forms.Form):
    """Met or not met, with a note (a must for required items), a link and a validity."""

    met = forms.TypedChoiceField(
        label=_("Your answer"),
        choices=[("yes", _("Met")), ("no", _("Not met"))],
        coerce=lambda value: value == "yes",
        error_messages={"required": _("Choose “Met” or “Not met”.")},
    )
    note = forms.CharField(
        label=_("Note"), max_length=NOTE_MAX, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    link = forms.URLField(label=_("Link"), max_length=500, required=False, assume_scheme="https")
    days = forms.TypedChoiceField(label=_("Valid for"), choices=DAYS, coerce=int)

    def __init__(self, item: Item, data: QueryDict | None = None, said: Attestation | None = None) -> None:
        # Several items may stand open on one page, each with its own form.
        super().__init__(data, auto_id=f"{item.id}-%s", initial=_of_attestation(said))
        self.fields["days"].initial = item.attest_days
        if item.level is Level.REQUIRED:
            self.fields["note"].required = True
            self.fields["note"].error_messages["required"] = _(
                "A required item needs a note: what makes you sure, or what is missing?"
            )

    def full_clean(self) -> None:
        super().full_clean()
        _lead_to_the_first_error(self)


def _of_attestation(said: Attestation | None) -> dict[str, str]:
    """What stands, to be changed or renewed; an answer whose time is over must be given anew."""
    if said is None:
        return {}
    words = {"note": said.note, "link": said.link}
    return words if said.valid_until <= timezone.now() else {**words, "met": "yes" if said.met else "no"}


class _Until(forms.DateField):
    """The last day that counts, in the reader's time zone; a year ahead at most."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Until, at the latest"),
            required=False,
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            error_messages={"invalid": _("This is no date. Write it as 2027-03-31.")},
            help_text=_(
                "A year at most. What does not apply here may stay without a date; "
                "you are asked again every year."
            ),
        )

    def clean(self, value: object) -> date | None:
        found: date | None = super().clean(value)
        today = timezone.localdate()
        if found is not None and not today < found <= today + timedelta(days=WAIVER_DAYS_MAX):
            raise forms.ValidationError(_("Choose a day from tomorrow on, within a year."))
        return found


def end_of(day: date) -> datetime:
    """The last second of a day where the reader is."""
    return datetime.combine(day, time(23, 59, 59), timezone.get_current_timezone())


class WaiverForm(forms.Form):
    """Kind, reason and end of a waiver.  `ends` is the moment, None for what stays."""

    kind = forms.ChoiceField(label=_("Kind"), choices=WaiverKind.choices)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=NOTE_MAX,
        min_length=REASON_MIN,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"min_length": SHORT},
    )
    until = _Until()

    def __init__(self, item: Item, data: QueryDict | None = None, waived: Waiver | None = None) -> None:
        super().__init__(data, auto_id=f"{item.id}-aside-%s", initial=_of_waiver(waived))

    def clean(self) -> None:
        needs_end(self)

    def full_clean(self) -> None:
        super().full_clean()
        _lead_to_the_first_error(self)

    @property
    def ends(self) -> datetime | None:
        day = self.cleaned_data["until"]
        return end_of(day) if day else None


def needs_end(form: forms.Form) -> None:
    """Only what does not apply may stay without an end."""
    given = form.cleaned_data
    lasting = given.get("kind") == WaiverKind.NOT_APPLICABLE
    if not lasting and "until" in given and given["until"] is None:
        form.add_error("until", _("Choose the day on which this is looked at again."))


def _of_waiver(waived: Waiver | None) -> dict[str, str | date | None]:
    default = timezone.localdate() + timedelta(days=WAIVER_DAYS)
    if waived is None:
        return {"until": default}
    stands = waived.valid_until is None or waived.valid_until > timezone.now()
    day = timezone.localdate(waived.valid_until) if waived.valid_until else None
    return {"kind": waived.kind, "reason": waived.reason, "until": day if stands else default}


class RemarkForm(forms.Form):
    """One more remark in the thread of an item; plain text."""

    text = forms.CharField(
        label=_("Remark for the others"),
        max_length=NOTE_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Write something first.")},
    )

    def __init__(self, item: Item, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id=f"{item.id}-remark-%s")

    def full_clean(self) -> None:
        super().full_clean()
        _lead_to_the_first_error(self)


NO_MAIL = {
    "empty": _("Paste a mail with its headers, or choose a file."),
    "too_large": _("The mail is larger than 1 MiB. Paste its headers alone."),
    "no_headers": _(
        "This is not the source of a mail: it must begin with header lines such as “From: …”. "
        "Mail programs show it as “source” or “original”."
    ),
    "too_many": _("This has more headers or signatures than any real mail."),
    "no_signature": _(
        "There is no DKIM-Signature header in it. Either the mail is not signed, or the copy lacks it."
    ),
    "no_from": _("There is no From header with an address in it."),
    "several_from": _("There is more than one From header. Paste a single mail."),
    "elsewhere": _(
        "The mail is from %(sender)s, but this instance's mail is looked for at %(domain)s. "
        "If your server sends as %(sender)s, tick the box and send it again."
    ),
    "not_own": _(
        "No signature in it belongs to %(sender)s; receivers need one of the sender's own domain. "
        "Signed by: %(by)s"
    ),
}


class MailForm(forms.Form):
    """The source of a mail as text or file.  `mail` holds what was read; the text itself is kept nowhere."""

    message = forms.CharField(
        label=_("Paste a mail that your server sent (or only its headers)"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=_("Or choose a saved mail (.eml)"),
        required=False,
        allow_empty_file=True,
        help_text=_("Safer than pasting, which may change characters. The mail is verified and not stored."),
    )
    use_domain = forms.BooleanField(label=_("My server sends mail as this domain"), required=False)

    def __init__(
        self,
        mail_domain: str,
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile[bytes]] | None = None,
    ) -> None:
        super().__init__(data, files, auto_id="pasted-%s")
        self._mail_domain = mail_domain
        self.mail: PastedMail | None = None
        self.offers_domain = False
        field = self.fields["message"]
        field.validators = [
            v for v in field.validators if type(v).__name__ != "ProhibitNullCharactersValidator"
        ]

    def clean(self) -> None:
        raw = self._raw()
        try:
            mail = read_message(raw)
        except MessageError as error:
            self.refuse(error.code)
            return
        if mail.from_domain != self._mail_domain and not self.cleaned_data.get("use_domain"):
            self.offers_domain = True
            self.refuse("elsewhere", sender=mail.from_domain, domain=self._mail_domain)
            return
        self.mail = mail

    def refuse(self, code: str, **values: str) -> None:
        self.offers_domain = self.offers_domain or bool(self.cleaned_data.get("use_domain"))
        self.add_error("message", forms.ValidationError(NO_MAIL[code], params=values))

    def _raw(self) -> bytes:
        """The bytes of the file, else of the text.  What a refused file holds comes back as text."""
        file = self.cleaned_data.get("file")
        if file is None:
            text: str = self.cleaned_data.get("message") or ""
            return text.encode("utf-8", "surrogatepass")
        raw: bytes = file.read(MAX_MESSAGE + 1)
        if len(raw) <= MAX_MESSAGE:
            self.data = dict(self.data.items()) | {"message": raw.decode("utf-8", "replace")}
        return raw
