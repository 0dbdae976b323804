"""A page as plain text: complete by itself, and readable in a terminal."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

from fedisec.alerts.letters.page import Block, Note, Page, Point, Points, Prose, Quote, Section

_RULE_MAX = 72


def plain(page: Page) -> str:
    """The body of the text part; ends with a newline."""
    parts = [_block(block) for block in page.lead]
    for section in page.sections:
        parts += _section(section)
    parts += [_block(block) for block in page.close]
    text = "\n\n".join(part for part in parts if part)
    if page.foot:
        # "-- " alone on a line: what follows is a signature (RFC 3676 section 4.3).
        text += "\n\n-- \n" + "\n\n".join(_block(block) for block in page.foot)
    return text.strip("\n") + "\n"


def _section(section: Section) -> Iterator[str]:
    title = section.title
    if section.chapter:
        title = f"\n{title}\n{'=' * min(_width(title), _RULE_MAX)}"
    yield f"{title}\n{section.url}" if section.url else title
    yield from (_block(block) for block in section.blocks)


def _width(text: str) -> int:
    """Columns in a terminal: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _block(block: Block) -> str:
    match block:
        case Prose(text, url):
            return f"{text}\n{url}".strip("\n")
        case Quote(label, text):
            return f"{label}\n{_indented(text, 3)}"
        case Points(points, numbered):
            between = "\n\n" if block.is_long else "\n"
            return between.join(
                _point(point, f"{number}." if numbered else "-", block.is_long)
                for number, point in enumerate(points, 1)
            )


def _point(point: Point, bullet: str, long: bool) -> str:
    inner = " " * (len(bullet) + 1)
    head = f"{point.text} [{point.mark}]" if point.mark else point.text
    head = f"{head}\n{point.more}" if point.more else head
    parts = [f"{bullet} " + head.replace("\n", f"\n{inner}")]
    if point.commands:
        parts.append(_indented(point.commands, len(inner) + 4))
    parts += [_indented(_note(note), len(inner)) for note in point.notes]
    if point.url:
        parts.append(inner + point.url)
    return ("\n\n" if long else "\n").join(parts)


def _note(note: Note) -> str:
    said = f"{note.label}{note.gap}{note.text}" if note.text else note.label
    lines = [line for line in (said, note.code) if line]
    if note.commands:
        lines += ["", _indented(note.commands, 4)]
    return "\n".join(lines)


def _indented(text: str, columns: int) -> str:
    return textwrap.indent(text, " " * columns)
