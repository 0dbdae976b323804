"""What a mail says about one item: what was seen, why it matters, the first step of the fix, the link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from checks.items import all_items
from checks.model import Item, Level, Text
from fedisec.alerts.letters.page import Note, Point
from fedisec.alerts.letters.words import EVIDENCE_MAX, item_link, level_word, line
from fedisec.checklist.models import OwnItem
from fedisec.checklist.own import TOPIC, item_of
from fedisec.instances.models import Instance
from fedisec.scans.models import Change

_LAST = 9_999  # behind every item of the catalogue


def in_language(text: Text) -> str:
    return text.in_language(get_language() or "en")


@dataclass(frozen=True, slots=True)
class Items:
    """The catalogue, and the own items that a mail speaks of."""

    own: Mapping[str, Item] = field(default_factory=dict)

    def get(self, item_id: str) -> Item | None:
        return all_items().get(item_id) or self.own.get(item_id)

    def title(self, item_id: str) -> str:
        """The id itself where this version does not know the item."""
        item = self.get(item_id)
        return in_language(item.title) if item is not None else line(item_id, 60)

    def level(self, item_id: str) -> Level | None:
        item = self.get(item_id)
        return item.level if item is not None else None

    def is_required(self, item_id: str) -> bool:
        return self.level(item_id) is Level.REQUIRED

    def point(
        self, instance: Instance | None, item_id: str, more: str = "", notes: Sequence[Note] = ()
    ) -> Point:
        """The item in a list; `more` is said of it."""
        mark = level_word(self.level(item_id))
        return Point(self.title(item_id), item_link(instance, item_id), mark, more, tuple(notes))


def items_for(item_ids: Iterable[str]) -> Items:
    """One query, and none where all of them are of the catalogue."""
    numbers = {int(key[len(TOPIC) + 1 :]) for key in item_ids if _is_own(key)}
    if not numbers:
        return Items()
    found = (item_of(own) for own in OwnItem.objects.filter(pk__in=numbers))
    return Items({item.id: item for item in found})


def _is_own(item_id: str) -> bool:
    topic, _dot, number = item_id.partition(".")
    return topic == TOPIC and number.isascii() and number.isdecimal() and len(number) < 19


def in_order(changes: Iterable[Change], items: Items) -> list[Change]:
    """As the checklist orders them, required before recommended."""
    place = {key: number for number, key in enumerate(all_items())}
    return sorted(
        changes, key=lambda one: (not items.is_required(one.item_id), place.get(one.item_id, _LAST))
    )


def seen_note(change: Change, items: Items) -> Note:
    """The sentence of what was seen, and the first piece of evidence."""
    return Note(_("Seen:"), said_of(change, items), evidence_of(change))


def said_of(change: Change, items: Items) -> str:
    """The sentence of what was seen; the bare code where this version has none for it."""
    item = items.get(change.item_id)
    code = item.codes.get(change.code) if item is not None else None
    if code is None:
        return line(change.code)
    return line(code.filled(get_language() or "en", _safe(change.data)))


def _safe(data: object) -> dict[str, object]:
    if not isinstance(data, Mapping):
        return {}
    return {str(key): line(value) if isinstance(value, str) else value for key, value in data.items()}


def evidence_of(change: Change) -> str:
    """Where, and what, as one line; "" where there is none."""
    try:
        where, what = change.evidence[0]
    except (IndexError, KeyError, TypeError, ValueError):
        return ""
    return f"{line(where, EVIDENCE_MAX)}: {line(what, EVIDENCE_MAX)}"


def advice(item: Item) -> tuple[Note, ...]:
    """Why it matters, and the first step of the fix."""
    why = in_language(item.why)
    step, commands = first_step(in_language(item.fix.text))
    notes = [Note(_("Why it matters:"), why)] if why else []
    if step or commands:
        notes.append(Note(_("First step:"), step, commands=commands))
    return tuple(notes)


def first_step(text: str) -> tuple[str, str]:
    """The first paragraph of a text, and the commands right below it ("" where there are none)."""
    words: list[str] = []
    commands: list[str] = []
    for part in text.strip("\n").split("\n"):
        if part.startswith("    "):
            commands.append(part[4:])
        elif part.strip() and not commands and words[-1:] != [""]:
            words.append(part)
        elif part.strip():
            break
        else:
            (commands if commands else words).append("")
    return "\n".join(words).strip(), "\n".join(commands).strip()
