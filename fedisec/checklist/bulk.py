"""One answer, or one waiver, for several items of an instance at once, with one reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from checks.model import Item, Status
from fedisec.accounts.models import User
from fedisec.checklist import answers
from fedisec.checklist.board import Row
from fedisec.checklist.forms import DAYS, NOTE_MAX, REASON_MIN, SHORT, WAIVER_DAYS, end_of
from fedisec.checklist.models import Undo, WaiverKind
from fedisec.instances.models import Instance

MET, NOT_MET = "met", "not_met"
OWN_TIME, NO_END = "own", "none"
_ANSWERS = [(MET, _("Met")), (NOT_MET, _("Not met"))]


class BulkForm(forms.Form):
    """What is said of the chosen items, why, and for how long."""

    say = forms.ChoiceField(
        label=_("They are …"),
        choices=[
            ("", "–"),
            (_("Your answer"), _ANSWERS),
            (_("Set them aside"), WaiverKind.choices),
        ],
        error_messages={"required": _("Choose what you say of them.")},
    )
    reason = forms.CharField(
        label=_("One reason for all"),
        max_length=NOTE_MAX,
        min_length=REASON_MIN,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"min_length": SHORT, "required": _("Give a reason: it stands beside each of them.")},
    )
    time = forms.ChoiceField(
        label=_("Valid for"),
        choices=[
            (OWN_TIME, _("as each item says")),
            *((str(days), word) for days, word in DAYS),
            (NO_END, _("without an end (asked again yearly)")),
        ],
    )

    def __init__(self, data: QueryDict | None = None, rows: Iterable[Row] = ()) -> None:
        super().__init__(data, auto_id="bulk-%s")
        self._rows = list(rows)

    @property
    def is_answer(self) -> bool:
        return self.cleaned_data["say"] in {MET, NOT_MET}

    @property
    def days(self) -> int | None:
        """None: as each item says."""
        time = self.cleaned_data["time"]
        return int(time) if time.isdecimal() else None

    @property
    def ends(self) -> datetime | None:
        """When a waiver ends; None for one without an end."""
        if self.cleaned_data["time"] == NO_END:
            return None
        return end_of(timezone.localdate() + timedelta(days=self.days or WAIVER_DAYS))

    def clean(self) -> None:
        given = self.cleaned_data
        if not self._rows:
            raise forms.ValidationError(_("No item was chosen. Tick the boxes of the lines you mean."))
        if given.get("time") == NO_END and given.get("say") not in {None, WaiverKind.NOT_APPLICABLE}:
            self.add_error("time", _("Only what does not apply may stay without an end."))
        if given.get("say") in {MET, NOT_MET}:
            self._refuse(row for row in self._rows if not is_open_to_answers(row))

    def _refuse(self, closed: Iterable[Row]) -> None:
        """Nothing is stored for some and not for others without a word."""
        names = [row.item.title.in_language(get_language() or "en") for row in closed]
        if names:
            self.add_error(
                None,
                forms.ValidationError(
                    _("These take no answer: fedisec settles them, or saw that they are not met: %(items)s"),
                    params={"items": " · ".join(names)},
                ),
            )


def is_open_to_answers(row: Row) -> bool:
    return row.item.takes_answers and (row.machine is None or row.machine.status != Status.FAIL.value)


def newest(rows: Iterable[Row]) -> str:
    """The newest words that a page was made with: what is newer was said since."""
    rows = list(rows)
    said = max((row.attestation.pk for row in rows if row.attestation), default=0)
    waived = max((row.waiver.pk for row in rows if row.waiver), default=0)
    return f"{said}.{waived}"


def store(instance: Instance, items: Sequence[Item], user: User, form: BulkForm, since: str) -> Undo:
    """Writes it down for all of them or for none.  AlreadyAnswered where one got an answer after `since`."""
    given: Mapping[str, str] = form.cleaned_data
    if form.is_answer:
        met = given["say"] == MET
        return answers.attest(
            instance, items, user, met=met, note=given["reason"], days=form.days, since=since
        )
    return answers.waive(
        instance, items, user, kind=given["say"], reason=given["reason"], until=form.ends, since=since
    )
