"""What the sources advise, and the items that carry it: `python -m checks.sources_doc > docs/sources.md`.

`python -m checks.sources_doc FOLDER` writes what the documentation site shows of the catalogue.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from checks.items import all_items
from checks.items_doc import LEVEL_WORDS, LEVELS, anchor, cell, index, pages
from checks.model import LANGUAGES, Level, Text
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

PAGE_HEAD = Text(
    """\
# The sources and what became of their advice

Each line is one piece of advice of the source, in our own words, and the items that carry it. **outdated**:
it no longer holds as it stands; the item keeps it and says what replaced it.""",
    """\
# 出典と助言の対応

各行は出典の助言（要約）と、それを扱う項目です。**古い**とあるものは、現在はそのまま当てはまらない助言です。項目に、
代わりになるものを書いています。""",
)
_COLUMNS = Text("| section | advice | level | items |", "| 節 | 助言 | 区分 | 項目 |")
_OUTDATED = Text("outdated", "古い")
_BEYOND = Text("Beyond the sources", "出典にないもの")


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


def page(language: str) -> str:
    """The same in one language, for the documentation site: each item is linked."""
    lines = [PAGE_HEAD.in_language(language)]
    for number, text in TEXTS.items():
        year = f" ({text.year})" if text.year else ""
        lines += ["", f"## {number}: {text.title}{year} {{#source-{number}}}", "", f"<{text.url}>", ""]
        lines += [_COLUMNS.in_language(language), "|---|---|---|---|"]
        lines += [_line(one, language) for one in advice() if one.text == number]
    lines += ["", f"## {_BEYOND.in_language(language)} {{#beyond}}", ""]
    items = all_items()
    lines += [f"- {_link(name)}: {items[name].title.in_language(language)}" for name in _unnamed()]
    return "\n".join(lines) + "\n"


def _line(one: Advice, language: str) -> str:
    where = one.where[language == "ja"]
    carried = ", ".join(_link(name) for name in one.items) or where
    outdated = f" **{_OUTDATED.in_language(language)}**" if one.outdated else ""
    level = LEVEL_WORDS[one.level].in_language(language) if one.level else ""
    text = cell(one.ja if language == "ja" else one.en)
    return "| " + " | ".join((_section(one), text, level, carried + outdated)) + " |"


def _link(item_id: str) -> str:
    return f"[`{item_id}`](items/{item_id.partition('.')[0]}.md#{anchor(item_id)})"


def _section(one: Advice) -> str:
    section = one.section or "–"
    address = address_of(one.text, one.section)
    return f"[{section}]({address})" if "#" in address else section


def _row(one: Advice) -> str:
    linked = _section(one)
    carried = ", ".join(f"`{name}`" for name in one.items) or f"{one.where[0]}, {one.where[1]}"
    outdated = " **outdated 古い**" if one.outdated else ""
    level = LEVELS[one.level] if one.level else ""
    return "| " + " | ".join((linked, cell(one.en), cell(one.ja), level, carried + outdated)) + " |"


def _beyond() -> Iterator[str]:
    """Items that rest on field practice alone."""
    items = all_items()
    yield from (f"- `{name}`: {items[name].title.en}" for name in _unnamed())


def _unnamed() -> Iterator[str]:
    named = {name for one in advice() for name in one.items}
    yield from (name for name in all_items() if name not in named)


def site_files() -> dict[str, str]:
    """Name of a file -> its text: a page of each topic, and, in files whose names begin with a dot, what
    takes the place of the two-language lists."""
    lists = {f".items.{language}.md": index(language) for language in LANGUAGES}
    return pages() | lists | {f".sources.{language}.md": page(language) for language in LANGUAGES}


def write(folder: Path) -> None:
    """Makes the folder what `site_files` says; a file that is the same already is left alone."""
    folder.mkdir(exist_ok=True)
    wanted = site_files()
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]))
        sys.exit()
    sys.stdout.buffer.write(document().encode())  # UTF-8 whatever the locale says
