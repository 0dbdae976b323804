"""The words of alarms: what got worse or better, of one server or of many in one mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.certificates import certificate_section
from fedisec.alerts.letters.items import advice, in_order, seen_note
from fedisec.alerts.letters.page import Note, Page, Point, Points, Prose, Section
from fedisec.alerts.letters.reach import reach_sections
from fedisec.alerts.letters.reading import Mail, by_instance, changes_of, latest, still_failing
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
from fedisec.scans.models import Change

INSTANCES_MAX = 20
ITEMS_MAX = 50
_CERTIFICATE_ITEM = "tls.certificate_lasts"


@dataclass(frozen=True, slots=True)
class OfOne:
    """What is told of one server."""

    instance: Instance
    story: Story
    certificates: Sequence[Notice] = ()
    tally: Tally = field(default_factory=Tally)

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

    def take(self, wanted: int) -> int:
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


def alarms(mail: Mail, notices: Sequence[Notice]) -> Page:
    """All of `notices`, which are alarms about instances."""
    told = stories(mail, notices)
    named = told[:INSTANCES_MAX]
    failing = still_failing(
        [one.instance.pk for one in named],
        {one.instance.pk: one.story.speaks_of for one in named},
        mail.now,
    )
    at = latest(notices) or mail.delivery.created_at
    tally = sum((one.tally for one in told), Tally())
    foot = (
        Prose(
            _(
                "fedisec mails when a second look has confirmed a change. It stays silent about what it "
                "could not see."
            )
        ),
    )
    if len(told) == 1:
        return _about_one(mail, told[0], failing[told[0].instance.pk], at, foot)
    return _about_many(mail, told, failing, at, tally, foot)


def stories(mail: Mail, notices: Sequence[Notice]) -> list[OfOne]:
    """One for each server, the weightiest first."""
    instances = mail.instances
    changes = changes_of(mail, notices)
    certificates = by_instance([one for one in notices if one.kind == MailKind.CERTIFICATE])
    told = []
    for pk in by_instance(notices):
        ending = certificates.get(pk, [])
        rows = changes.get(pk, [])
        if ending:  # it says more than the item does
            rows = [
                change for change in rows if change.item_id != _CERTIFICATE_ITEM or change.after == "pass"
            ]
        story = story_of(rows)
        told.append(OfOne(instances[pk], story, ending, Tally.of(story, len(ending), mail.items)))
    return sorted(told, key=lambda one: (one.weight, one.instance.domain))


def _about_one(mail: Mail, told: OfOne, still: int, at: datetime, foot: tuple[Prose, ...]) -> Page:
    name = name_of(told.instance)
    return Page(
        subject_line(name, news_of(told.tally)),
        name,
        lead=(_seen(name, at),),
        sections=tuple(_sections(mail, told, Room())),
        close=(Prose(_still(still, bool(told.story.worse)), link_of(told.instance)),),
        foot=foot,
        is_answer=told.story.is_good and not told.certificates,
    )


def _seen(name: str, at: datetime) -> Prose:
    # The zone stands in brackets of its own in `moment`.
    return Prose(_("%(name)s, seen on %(moment)s") % {"name": name, "moment": moment(at)})


def _still(count: int, worse: bool) -> str:
    if count:
        return ngettext(
            "Besides this, %(count)d item is still not met.",
            "Besides this, %(count)d items are still not met.",
            count,
        ) % {"count": count}
    if worse:
        return _("Nothing else that fedisec checks is failing.")
    return _("Nothing that fedisec checks is failing.")


def _about_many(
    mail: Mail,
    told: Sequence[OfOne],
    failing: Mapping[int, int],
    at: datetime,
    tally: Tally,
    foot: tuple[Prose, ...],
) -> Page:
    name, room = servers(len(told)), Room()
    sections: list[Section] = []
    named = 0
    for one in told[:INSTANCES_MAX]:
        if named and not room.left:
            break
        named += 1
        sections.append(Section(name_of(one.instance), url=link_of(one.instance), chapter=True))
        sections += _sections(mail, one, room)
        if failing[one.instance.pk]:
            last = sections.pop()
            more = Prose(_still(failing[one.instance.pk], worse=True))
            sections.append(Section(last.title, (*last.blocks, more), last.url, last.chapter))
    rest = told[named:]
    close = [Prose("", address("overview"))]
    if rest:
        words = ngettext(
            "And on %(count)d further server: %(news)s.",
            "And on %(count)d further servers: %(news)s.",
            len(rest),
        )
        news = news_of(sum((one.tally for one in rest), Tally()))
        close = [Prose(words % {"count": len(rest), "news": news}, address("overview"))]
    return Page(
        subject_line(name, news_of(tally)),
        name,
        lead=(
            _seen(name, at),
            Prose(_("In all: %(news)s.") % {"news": news_of(tally, shortest=False)}, strong=True),
        ),
        sections=tuple(sections),
        close=tuple(close),
        foot=foot,
        is_answer=all(one.story.is_good and not one.certificates for one in told),
    )


def _sections(mail: Mail, told: OfOne, room: Room) -> list[Section]:
    story, instance = told.story, told.instance
    found: list[Section] = reach_sections(instance, story)
    found += [certificate_section(instance, notice) for notice in told.certificates]
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
    points = []
    for one in shown:
        met, not_met = _("%(title)s: met"), _("%(title)s: not met")
        words = (not_met if one.after == "fail" else met) % {"title": mail.items.title(one.item_id)}
        points.append(mail.items.point(instance, one.item_id, words))
    return _with_rest(_("Came to rest:"), points, len(listed) - len(shown), instance)


def _better(mail: Mail, instance: Instance, story: Story, room: Room) -> Section:
    listed = in_order(story.better, mail.items)
    points = [mail.items.point(instance, one.item_id) for one in listed]
    points += [_back(mail, instance, one) for one in sorted(story.returned, key=lambda one: one.since)]
    shown = points[: room.take(len(points))]
    return _with_rest(_("Met again:"), shown, len(points) - len(shown), instance)


def _back(mail: Mail, instance: Instance, back: Returned) -> Point:
    values = {
        "title": mail.items.title(back.change.item_id),
        "span": span(back.since, back.until),
        "times": back.times,
    }
    if back.times > 1:
        words = _("%(title)s: not met %(times)d times %(span)s, met again") % values
    else:
        words = _("%(title)s: not met %(span)s, met again") % values
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
