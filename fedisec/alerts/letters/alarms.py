"""The words of alarms: what got worse or better, of one server or of many in one mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.certificates import certificate_section, ending_in_short, newest
from fedisec.alerts.letters.items import advice, in_order, seen_note
from fedisec.alerts.letters.page import Note, Page, Point, Points, Prose, Section
from fedisec.alerts.letters.reach import advice_for, reach_sections
from fedisec.alerts.letters.reading import (
    Mail,
    by_instance,
    changes_of,
    latest,
    silent_since,
    still_failing,
)
from fedisec.alerts.letters.story import Returned, Story, story_of
from fedisec.alerts.letters.subjects import Tally, news_of
from fedisec.alerts.letters.words import (
    address,
    item_link,
    link_of,
    moment,
    name_of,
    servers,
    span,
    subject_line,
)
from fedisec.alerts.models import MailKind, Notice
from fedisec.instances.models import Instance
from fedisec.scans.certificates import ITEM_ID
from fedisec.scans.models import Change

INSTANCES_MAX = 20
ITEMS_MAX = 50


@dataclass(frozen=True, slots=True)
class OfOne:
    """What is told of one server."""

    instance: Instance
    story: Story
    certificates: Sequence[Notice] = ()
    tally: Tally = field(default_factory=Tally)
    still: int = 0  # further items that are not met
    silent_since: datetime | None = None

    @property
    def is_good(self) -> bool:
        """Nothing in it is worse than before."""
        return self.story.is_good and not self.certificates

    @property
    def weight(self) -> tuple[int, ...]:
        """The weightiest stands first, and is named where not all can be."""
        tally = self.tally
        return (-tally.down, -tally.required, -tally.worse, -tally.certificates, -tally.total)


@dataclass(slots=True)
class Room:
    """How many items may still be named, and where each was first explained."""

    left: int = ITEMS_MAX
    explained: dict[str, str] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def was_said(self, advice: str) -> bool:
        """False the first time it is asked of."""
        if advice in self.said:
            return True
        self.said.add(advice)
        return False

    def take(self, wanted: int) -> int:
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


def alarms(mail: Mail, notices: Sequence[Notice]) -> Page:
    """All of `notices`, which are alarms about instances."""
    told = stories(mail, notices)
    at = latest(notices) or mail.delivery.created_at
    if len(told) == 1:
        return _about_one(mail, told[0], at)
    return _about_many(mail, told, at)


def stories(mail: Mail, notices: Sequence[Notice]) -> list[OfOne]:
    """One for each server, the weightiest first."""
    instances = mail.instances
    changes = changes_of(mail, notices)
    certificates = by_instance([one for one in notices if one.kind == MailKind.CERTIFICATE])
    told = []
    for pk in by_instance(notices):
        ending = newest(certificates.get(pk, ()))
        rows = changes.get(pk, [])
        if ending:  # it says more than the item does
            rows = [change for change in rows if change.item_id != ITEM_ID or change.after == "pass"]
        story = story_of(rows)
        told.append(OfOne(instances[pk], story, ending, Tally.of(story, len(ending), mail.items)))
    told.sort(key=lambda one: (one.weight, one.instance.domain))
    return [*_completed(told[:INSTANCES_MAX], mail.now), *told[INSTANCES_MAX:]]


def _completed(told: Sequence[OfOne], now: datetime) -> list[OfOne]:
    """Those that are named, with what else is known of them."""
    keys = [one.instance.pk for one in told]
    failing = still_failing(keys, {one.instance.pk: one.story.speaks_of for one in told}, now)
    silent = silent_since([one.instance.pk for one in told if one.story.down is not None])
    return [
        replace(one, still=failing[one.instance.pk], silent_since=silent.get(one.instance.pk)) for one in told
    ]


def _about_one(mail: Mail, told: OfOne, at: datetime) -> Page:
    name = name_of(told.instance)
    return Page(
        subject_line(name, news_of(told.tally, ending=ending_in_short(told.certificates, mail.now))),
        name,
        lead=(_seen(name, at),),
        sections=tuple(_sections(mail, told, Room())),
        close=(Prose(_still(told), link_of(told.instance)),),
        foot=_foot(told.tally),
        is_answer=told.is_good,
    )


def _foot(tally: Tally) -> tuple[Prose, ...]:
    if tally.certificates == tally.total:
        words = _("fedisec mails this a few times on the way to the end, and never twice for the same step.")
    elif tally.blind == tally.total:
        words = _(
            "fedisec mails once when it has not seen something for long. It never takes that for a fault."
        )
    else:
        words = _(
            "fedisec mails when a second look has confirmed a change. It stays silent about what it "
            "could not see."
        )
    return (Prose(words),)


def _seen(name: str, at: datetime) -> Prose:
    # The zone stands in brackets of its own in `moment`.
    return Prose(_("%(name)s, seen on %(moment)s") % {"name": name, "moment": moment(at)})


def _still(told: OfOne) -> str:
    """What else is wrong; "" where that would be out of place."""
    story, count = told.story, told.still
    if count:
        words = ngettext(
            "Besides this, %(count)d item is still not met.",
            "Besides this, %(count)d items are still not met.",
            count,
        )
        return words % {"count": count}
    if story.down or story.unsteady or story.flapping or story.blind or told.certificates:
        return ""
    if story.worse:
        return _("Nothing else that fedisec checks is failing.")
    return _("Nothing that fedisec checks is failing.")


def _about_many(mail: Mail, told: Sequence[OfOne], at: datetime) -> Page:
    name, room = servers(len(told)), Room()
    tally = sum((one.tally for one in told), Tally())
    sections: list[Section] = []
    named = 0
    for one in told[:INSTANCES_MAX]:
        if named and not room.left:
            break
        named += 1
        sections.append(Section(name_of(one.instance), url=link_of(one.instance), chapter=True))
        sections += _sections(mail, one, room)
        if one.still:
            sections.append(Section("", (Prose(_still(one)),)))
    in_all = _("In all: %(news)s.") % {"news": news_of(tally, many=True, whole=True)}
    return Page(
        subject_line(name, news_of(tally, many=True)),
        name,
        lead=(_seen(name, at), Prose(in_all, strong=True)),
        sections=tuple(sections),
        close=(Prose(_rest(told[named:]), address("overview")),),
        foot=_foot(tally),
        is_answer=all(one.is_good for one in told),
    )


def _rest(told: Sequence[OfOne]) -> str:
    """Those that found no room, as counts."""
    if not told:
        return ""
    words = ngettext(
        "And on %(count)d further server: %(news)s.", "And on %(count)d further servers: %(news)s.", len(told)
    )
    news = news_of(sum((one.tally for one in told), Tally()), many=True, whole=True)
    return words % {"count": len(told), "news": news}


def _sections(mail: Mail, told: OfOne, room: Room) -> list[Section]:
    story, instance = told.story, told.instance
    silent = story.down is not None and room.was_said(advice_for(story.down))
    found = reach_sections(instance, story, mail.items, told.silent_since, brief=silent)
    for notice in told.certificates:
        found.append(certificate_section(instance, notice, mail.now, brief=room.was_said("certificate")))
    if story.worse:
        found.append(_worse(mail, instance, story.worse, room))
    if story.flapping:
        found.append(_restless(mail, instance, story.flapping, room))
    if story.calmed:
        found.append(_calmed(mail, instance, story.calmed, room))
    if story.better or story.returned:
        found.append(_better(mail, instance, story, room))
    found += [_blind(mail, instance, change, room) for change in story.blind]
    return found


def _worse(mail: Mail, instance: Instance, changes: Sequence[Change], room: Room) -> Section:
    listed = in_order(changes, mail.items)
    shown = listed[: room.take(len(listed))]
    points = [
        mail.items.point(
            instance,
            one.item_id,
            notes=(seen_note(one, mail.items), *_advice(mail, instance, one.item_id, room)),
        )
        for one in shown
    ]
    return _with_rest(_("No longer met:"), points, len(listed) - len(shown), instance, numbered=True)


def _advice(mail: Mail, instance: Instance, item_id: str, room: Room) -> tuple[Note, ...]:
    """Said once; below, who reads on is sent there."""
    item = mail.items.get(item_id)
    if item is None:
        return ()
    first = room.explained.setdefault(item_id, name_of(instance))
    if first == name_of(instance):
        return advice(item)
    return (Note(_("Why and first step:"), _("as said above for %(name)s.") % {"name": first}),)


def _with_rest(
    title: str,
    points: Sequence[Point],
    rest: int,
    instance: Instance,
    *,
    numbered: bool = False,
    lead: str = "",
) -> Section:
    """A list, and how many more there are on the server's page."""
    blocks: list[Prose | Points] = [Prose(lead)] if lead else []
    if points:
        blocks.append(Points(tuple(points), numbered))
    if rest:
        more = ngettext("%(count)d further item:", "%(count)d further items:", rest) % {"count": rest}
        blocks.append(Prose(more, link_of(instance)))
    return Section(title, tuple(blocks))


def _restless(mail: Mail, instance: Instance, changes: Sequence[Change], room: Room) -> Section:
    listed = in_order(changes, mail.items)
    shown = listed[: room.take(len(listed))]
    points = [mail.items.point(instance, one.item_id, notes=(seen_note(one, mail.items),)) for one in shown]
    lead = _("Met and not met in turns. fedisec mails about it again when it has kept still for 24 hours.")
    return _with_rest(_("Going to and fro:"), points, len(listed) - len(shown), instance, lead=lead)


def _calmed(mail: Mail, instance: Instance, changes: Sequence[Change], room: Room) -> Section:
    listed = in_order(changes, mail.items)
    shown = listed[: room.take(len(listed))]
    points = [
        mail.items.point(
            instance, one.item_id, _("It is not met.") if one.after == "fail" else _("It is met.")
        )
        for one in shown
    ]
    return _with_rest(_("Came to rest:"), points, len(listed) - len(shown), instance)


def _better(mail: Mail, instance: Instance, story: Story, room: Room) -> Section:
    listed = in_order(story.better, mail.items)
    points = [mail.items.point(instance, one.item_id) for one in listed]
    points += [_back(mail, instance, one) for one in sorted(story.returned, key=lambda one: one.since)]
    shown = points[: room.take(len(points))]
    return _with_rest(_("Met again:"), shown, len(points) - len(shown), instance)


def _back(mail: Mail, instance: Instance, back: Returned) -> Point:
    values = {"span": span(back.since, back.until), "times": back.times}
    if back.times > 1:
        words = _("It was not met %(times)d times, %(span)s.") % values
    else:
        words = _("It was not met %(span)s.") % values
    return mail.items.point(instance, back.change.item_id, words)


def _blind(mail: Mail, instance: Instance, change: Change, room: Room) -> Section:
    ids = change.data.get("items") if isinstance(change.data, dict) else None
    known = [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []
    shown = known[: room.take(len(known))]
    points = [Point(mail.items.title(one), item_link(instance, one)) for one in shown]
    lead = _(
        "Three looks in a row could not see this. That says nothing about whether it is met; each page "
        "tells the reason."
    )
    return _with_rest(_("Could not be seen:"), points, len(known) - len(shown), instance, lead=lead)
