"""Reading the trail: whose lines somebody may see, the filter of its page, and lines as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from checks.items import all_items
from fedisec.accounts.audit_words import ACTIONS, GROUPS, action_word, choices, value_word
from fedisec.accounts.models import AuditEvent, Membership, Role, User

PAGE = 50
MACHINE = "fedisec"  # in the filter: what nobody did by hand
COLUMNS = (
    "at", "action", "actor_name", "address", "instance_name", "item_id", "before", "after", "why", "data",
    "id", "team_id", "actor_id", "subject_id", "instance_id",
)  # fmt: skip


READERS = (Role.EDITOR, Role.OWNER)
TAKERS = (Role.OWNER,)  # may take the lines along as a file


def teams_of(user: User, roles: Iterable[Role] = READERS) -> list[int]:
    """The teams in which `user` has one of these roles."""
    rows = Membership.objects.filter(user=user, role__in=roles)
    return list(rows.values_list("team_id", flat=True))


def seen_by(user: User, teams: list[int]) -> Q:
    """The lines that `user` may read: of these teams; what was done to the own account; and, for who runs the
    installation, all that belongs to no team."""
    if user.is_superuser:
        return Q(team_id__in=teams) | Q(team_id=None)
    return Q(team_id__in=teams) | Q(team_id=None, subject_id=user.pk)


class TrailForm(forms.Form):
    """The filter; all of it optional, all of it in the URL.  What does not parse filters nothing."""

    action = forms.CharField(label=_("What"), required=False)
    person = forms.CharField(label=_("Who"), required=False)
    instance = forms.CharField(
        label=_("Instance"),
        required=False,
        max_length=253,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, user: User, teams: list[int], data: QueryDict) -> None:
        super().__init__(data, auto_id="trail-%s", label_suffix="")
        shown = Q(pk=user.pk) | Q(memberships__team__in=teams)
        everybody = User.objects.all() if user.is_superuser else User.objects.filter(shown)
        members = everybody.distinct().order_by("email")
        people = [*members.values_list("email", flat=True), MACHINE]
        self.fields["person"].widget = forms.Select(choices=_with("person", data, [(p, p) for p in people]))
        self.fields["action"].widget = forms.Select(choices=_with("action", data, choices()))
        self._seen = seen_by(user, teams)

    def events(self) -> QuerySet[AuditEvent]:
        """The lines that fit, newest first."""
        self.is_valid()
        return AuditEvent.objects.filter(self._wanted(), self._seen)

    def _wanted(self) -> Q:
        given, wanted = self.cleaned_data, Q()
        if action := given.get("action"):
            wanted &= Q(action__startswith=action) if action.endswith(".") else Q(action=action)
        if person := given.get("person"):
            wanted &= Q(actor_id=None) if person == MACHINE else Q(actor_name=person)
        if instance := given.get("instance"):
            wanted &= Q(instance_name=instance.strip().lower())
        if since := given.get("since"):
            wanted &= Q(at__gte=_midnight(since))
        if until := given.get("until"):
            wanted &= Q(at__lt=_midnight(until + timedelta(days=1)))
        return wanted


def _with(name: str, data: QueryDict, known: list[Any]) -> list[Any]:
    """The choices of a select, with "all" and with what the URL asks for although nobody offers it."""
    asked = data.get(name, "")
    offered = {value for value, _word in known} | set(ACTIONS) | {f"{key}." for key in GROUPS}
    return [("", _("all")), *known, *([(asked, asked)] if asked and asked not in offered else [])]


def _midnight(day: date) -> datetime:
    """When `day` begins for the reader."""
    return timezone.make_aware(datetime.combine(day, time.min))


@dataclass(frozen=True, slots=True)
class Page:
    """`older` and `newer`: ids to go on from, None at either end."""

    events: list[AuditEvent]
    older: int | None
    newer: int | None


def page_of(events: QuerySet[AuditEvent], params: QueryDict) -> Page:
    """PAGE lines, by id and not by number: the same link shows the same lines while others are written."""
    before, after = _number(params.get("before")), _number(params.get("after"))
    if after is not None:
        found = list(events.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        shown = found[:PAGE][::-1]
        more_newer, more_older = len(found) > PAGE, True
    else:
        found = list(events.filter(pk__lt=before) if before is not None else events[: PAGE + 1])[: PAGE + 1]
        shown = found[:PAGE]
        more_newer, more_older = before is not None, len(found) > PAGE
    if not shown:
        return Page([], None, None)
    return Page(shown, shown[-1].pk if more_older else None, shown[0].pk if more_newer else None)


def _number(text: str | None) -> int | None:
    """Ids fit 63 bits; anything else is no place in the trail."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


@dataclass(frozen=True, slots=True)
class Line:
    """One event in the reader's words."""

    event: AuditEvent
    what: str
    item: str
    before: str
    after: str
    values: list[tuple[str, str]]


def days_of(events: Iterable[AuditEvent]) -> list[tuple[date, list[Line]]]:
    """Lines by the day they happened on, for the reader."""
    lines = [line(event) for event in events]
    return [(day, list(group)) for day, group in groupby(lines, lambda one: _day(one.event.at))]


def _day(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def line(event: AuditEvent) -> Line:
    item = all_items().get(event.item_id)
    own = str(event.data.get("title", event.item_id))  # of an item that the team made itself
    title = item.title.in_language(get_language() or "en") if item is not None else own
    values = [
        (name, str(value))
        for name, value in event.data.items()
        if value not in (None, "") and name != "title"
    ]
    before, after = (value_word(event.action, value) for value in (event.before, event.after))
    return Line(event, action_word(event.action), title, before, after, values)


def rows_of(events: QuerySet[AuditEvent]) -> Iterator[dict[str, Any]]:
    """Every column of every line that fits, read from the database as it is written out."""
    for row in events.values(*COLUMNS).iterator(chunk_size=1000):
        yield row | {"at": row["at"].isoformat(timespec="seconds")}
