"""The words about a server that does not answer, or answers again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from fedisec.alerts.letters.items import Items, evidence_of
from fedisec.alerts.letters.page import Block, Point, Points, Prose, Quote, Section
from fedisec.alerts.letters.story import Story, began
from fedisec.alerts.letters.words import line, link_of, moment, name_of, span
from fedisec.instances.models import Instance
from fedisec.scans.models import Change

_LISTED_MAX = 8
_OF_WEB = frozenset({"web_refused", "web_silent"})
_OF_NAMES = frozenset({"no_name", "dns_fails"})


def reach_sections(
    instance: Instance, story: Story, items: Items, silent_since: datetime | None, *, brief: bool
) -> list[Section]:
    """One section at most.  `silent_since`: the first look that got no answer, if it is still so; `brief`:
    what to look at was said above, of another server."""
    if story.down is not None:
        web = _code(story.down) in _OF_WEB
        told = _down(instance, story.down, items, silent_since)
        advice = () if brief else _advice(instance, _code(story.down))
        heading = _("The web server does not answer:") if web else _("The server does not answer:")
        return [Section(heading, (*told, *advice))]
    if story.unsteady is not None:
        words = _(
            "It answers and does not answer in turns. fedisec mails about it again when it has kept still "
            "for 24 hours."
        )
        return [Section(_("The server goes to and fro:"), (Prose(words, link_of(instance)),))]
    if story.outage is not None:
        values = {"span": span(story.outage.since, story.outage.until)}
        words = _("It did not answer %(span)s. Now it answers again.") % values
        return [Section(_("The server answers again:"), (Prose(words),))]
    if story.up is not None:
        incident = story.up.incident
        words = _("Its items are judged again.")
        if incident is not None:
            values = {"span": span(began(story.up), story.up.created_at)}
            words = _("It did not answer %(span)s. Now it answers again.") % values
        return [Section(_("The server answers again:"), (Prose(words),))]
    return []


def _data(change: Change) -> dict[str, Any]:
    return change.data if isinstance(change.data, dict) else {}


def _code(change: Change) -> str:
    return str(_data(change).get("code") or change.code)


def advice_for(change: Change) -> str:
    """Which of the pieces of advice goes with it."""
    code = _code(change)
    return "names" if code in _OF_NAMES else "web" if code in _OF_WEB else "silence"


def _down(
    instance: Instance, change: Change, items: Items, silent_since: datetime | None
) -> tuple[Block, ...]:
    name, since = name_of(instance), silent_since or began(change)
    what = {
        "no_name": _("The DNS knows no address for %(name)s any more, since %(at)s."),
        "dns_fails": _("The DNS gives an error instead of an address for %(name)s, since %(at)s."),
        "refused": _("Every connection to %(name)s is refused, since %(at)s."),
        "web_refused": _(
            "The web server of %(name)s refuses every connection, since %(at)s; the machine runs."
        ),
        "web_silent": _("The web server of %(name)s does not answer, since %(at)s; the machine does."),
    }.get(_code(change), _("Nothing at %(name)s answers from outside, since %(at)s."))
    blocks: list[Block] = [Prose(what % {"name": name, "at": moment(since)}, strong=True)]
    tried = _tried(change)
    if tried:
        blocks.append(Quote(_("Tried:"), "\n".join(tried)))
    also = _also(_data(change).get("also"), items)
    if also:
        blocks += [Prose(_("Not met in the same look:")), Points(also)]
    return tuple(blocks)


def _advice(instance: Instance, code: str) -> tuple[Block, ...]:
    meanwhile = (
        _("Items that need the web server cannot be checked meanwhile.")
        if code in _OF_WEB
        else _("While it is silent, its items are not judged, and nobody is told about them.")
    )
    first = Points(_first_looks(instance, code), numbered=True)
    return (Prose(_("Look here first:")), first, Prose(meanwhile))


def _tried(change: Change) -> list[str]:
    """What was tried and how it ended, a line each."""
    listed = _data(change).get("tried")
    rows: Iterable[Any] = listed if isinstance(listed, list) else change.evidence or []
    found = []
    for row in rows:
        if isinstance(row, list | tuple):
            found.append(": ".join(line(part, 200) for part in row[:2]))
        else:
            found.append(line(row, 200))
    if not found and evidence_of(change):
        found.append(evidence_of(change))
    return [one for one in found if one][:_LISTED_MAX]


def _also(value: Any, items: Items) -> tuple[Point, ...]:
    """Items that failed in the same look for a reason of their own."""
    listed = value if isinstance(value, list) else []
    return tuple(Point(items.title(one)) for one in listed[:_LISTED_MAX] if isinstance(one, str))


def _first_looks(instance: Instance, code: str) -> tuple[Point, ...]:
    if code in _OF_NAMES:
        return (
            Point(_("Is the domain still registered and paid for? The registrar's page and mails tell.")),
            Point(_("What do the name servers themselves say?"), commands=f"dig +trace {instance.domain} A"),
            Point(_("Are the name servers up, and is the zone in them?")),
        )
    if code in _OF_WEB:
        return (_on_the_machine(), _from_elsewhere(instance))
    console = _(
        "Does the hoster tell of a fault, and does the machine run? Its console works without a network."
    )
    return (_from_elsewhere(instance), Point(console), _on_the_machine())


def _from_elsewhere(instance: Instance) -> Point:
    words = _(
        "Does it answer from elsewhere, for example from a phone without Wi-Fi? If it does, look "
        "for a ban of fedisec's address on the server."
    )
    return Point(words, commands=f"curl -sI https://{instance.domain}/")


def _on_the_machine() -> Point:
    words = _("On the machine: is the disk full, and does the web server run?")
    return Point(words, commands="df -h\nsystemctl --failed")
