"""What a mail is made of, before it becomes text or HTML: both are written from the same page, so they cannot
say different things.  Every string in it is plain text, cleaned by whoever put it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Note:
    """What stands below a point: "Seen: …".  `code` is shown as it was seen, `commands` are to be run."""

    label: str
    text: str = ""
    code: str = ""
    commands: str = ""

    @property
    def gap(self) -> str:
        """Between label and text: a full-width colon brings its own."""
        return "" if not self.label or self.label.endswith("：") else " "


@dataclass(frozen=True, slots=True)
class Point:
    """One line of a list, with a link and, where there is more to say, notes.  `mark`: a level, in words;
    `more`: half a sentence below it."""

    text: str
    url: str = ""
    mark: str = ""
    more: str = ""
    notes: tuple[Note, ...] = ()
    commands: str = ""

    @property
    def is_long(self) -> bool:
        return bool(self.notes or self.commands)


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; `url` is written out below it, because text that is copied loses its links."""

    kind: ClassVar[str] = "prose"
    text: str
    url: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """A label, and below it something to compare letter by letter."""

    kind: ClassVar[str] = "quote"
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list; numbered where the order matters."""

    kind: ClassVar[str] = "points"
    points: tuple[Point, ...]
    numbered: bool = False

    @property
    def is_long(self) -> bool:
        return any(point.is_long for point in self.points)


Block = Prose | Quote | Points


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it.  A `chapter` is about one server of several."""

    title: str
    blocks: tuple[Block, ...] = ()
    url: str = ""
    chapter: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One mail.  `title` is that of the HTML page; `is_answer`: it belongs below the mail that began this."""

    subject: str
    title: str
    lead: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    close: tuple[Block, ...] = ()
    foot: tuple[Block, ...] = ()
    is_answer: bool = False
