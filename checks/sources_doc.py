"""What the sources advise, and the items that carry it: `python -m checks.sources_doc > docs/sources.md`."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from checks.items import all_items
from checks.items_doc import LEVELS, cell
from checks.model import Level
from checks.sources import TEXTS, address_of

HEAD = """\
# The sources and what became of their advice, 出典と助言の対応

Written by `python -m checks.sources_doc > docs/sources.md` from `checks/data/advice.toml`; a test holds it
current.
`python -m checks.sources_doc > docs/sources.md` で作られます。手で編集しないでください。

- Each line is one piece of advice of the source, in our own words, and the items that carry it.
  各行は出典の助言（要約）と、それを扱う項目です。
- **outdated 古い**: the advice no longer holds as it stands; the item keeps it and says what replaced it.
  現在はそのまま当てはまらない助言です。項目に、代わりになるものを書いています。
"""


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice.  `level`: as the text itself gives it (003 alone does); `where`: for what no item
    carries, the part of the dashboard that does, in both languages."""

    text: str
    section: str
    en: str
    ja: str
    items: tuple[str, ...]
    level: Level | None = None
    outdated: bool = False
    where: tuple[str, str] = ("", "")


@cache
def advice() -> tuple[Advice, ...]:
    """Every piece of advice, in the order of the sources."""
    rows = tomllib.loads((files("checks.data") / "advice.toml").read_text("utf-8"))["advice"]
    return tuple(
        Advice(
            row["text"],
            row["section"],
            row["en"],
            row["ja"],
            tuple(row["items"]),
            Level(row["level"]) if "level" in row else None,
            row.get("outdated", False),
            (row.get("where", ""), row.get("where_ja", "")),
        )
        for row in rows
    )


def document() -> str:
    """The whole document, ending in a newline."""
    lines = [HEAD.rstrip("\n")]
    for number, text in TEXTS.items():
        year = f" ({text.year})" if text.year else ""
        lines += ["", f"## {number}: {text.title}{year}", "", f"<{text.url}>", ""]
        lines += ["| section | English | 日本語 | level | items |", "|---|---|---|---|---|"]
        lines += [_row(one) for one in advice() if one.text == number]
    lines += ["", "## Beyond the sources, 出典にないもの", "", *_beyond()]
    return "\n".join(lines) + "\n"


def _row(one: Advice) -> str:
    section = one.section or "–"
    address = address_of(one.text, one.section)
    linked = f"[{section}]({address})" if "#" in address else section
    carried = ", ".join(f"`{name}`" for name in one.items) or f"{one.where[0]}, {one.where[1]}"
    outdated = " **outdated 古い**" if one.outdated else ""
    level = LEVELS[one.level] if one.level else ""
    return "| " + " | ".join((linked, cell(one.en), cell(one.ja), level, carried + outdated)) + " |"


def _beyond() -> Iterator[str]:
    """Items that rest on field practice alone."""
    named = {name for one in advice() for name in one.items}
    yield from (f"- `{item.id}`: {item.title.en}" for item in all_items().values() if item.id not in named)


if __name__ == "__main__":
    sys.stdout.buffer.write(document().encode())  # UTF-8 whatever the locale says
