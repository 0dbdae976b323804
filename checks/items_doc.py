"""The list of all items as Markdown: `python -m checks.items_doc > docs/items.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from checks.items import TOPICS, all_items
from checks.model import Item, Level, Settles

LEVELS = {
    Level.REQUIRED: "required 必須",
    Level.RECOMMENDED: "recommended 推奨",
    Level.OPTIONAL: "optional 任意",
}
SETTLERS = {
    Settles.OUTSIDE: "outside 外部",
    Settles.INSIDE: "inside 内部",
    Settles.SELF: "fedisec",
    Settles.MANUAL: "person 人",
}

HEAD = """\
# The items, チェック項目一覧

Written by `python -m checks.items_doc > docs/items.md`; a test holds it current. Do not edit by hand.
`python -m checks.items_doc > docs/items.md` で作られます。手で編集しないでください。

- Level: **required 必須**, **recommended 推奨**, **optional 任意**.
- Settled by: **outside 外部** a scan without login, **inside 内部** over SSH, **fedisec** a setting of the
  dashboard itself, **person 人** an admin answers. Where several stand, the first that can answer does.
"""


def document() -> str:
    """The whole document, ending in a newline."""
    items = list(all_items().values())
    counts = ", ".join(f"{sum(i.level is level for i in items)} {name}" for level, name in LEVELS.items())
    lines = [HEAD, f"{len(items)} items: {counts}."]
    for topic in TOPICS:
        lines += _topic(topic, [item for item in items if item.topic == topic])
    return "\n".join(lines) + "\n"


def _topic(topic: str, items: list[Item]) -> Iterator[str]:
    title = TOPICS[topic]
    heading = title.en if title.en == title.ja else f"{title.en}, {title.ja}"
    yield from ("", f"## {heading}", "")
    yield from ("| id | level | settled by | English | 日本語 |", "|---|---|---|---|---|")
    for item in items:
        settlers = ", ".join(SETTLERS[settler] for settler in item.settles)
        cells = (f"`{item.id}`", LEVELS[item.level], settlers, cell(item.title.en), cell(item.title.ja))
        yield "| " + " | ".join(cells) + " |"


def cell(text: str) -> str:
    """The text as it may stand in one cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.buffer.write(document().encode())  # UTF-8 whatever the locale says
