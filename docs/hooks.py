"""What MkDocs does beside building: shows lists of two languages in one, each table once for both, and gives
a Japanese heading the anchor of the English one.

`python -m checks.sources_doc docs/items` has to be run before; `make docs` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
WRITTEN = DOCS / "items"  # by checks.sources_doc; git does not keep it

_SHARED = re.compile(r"<!-- shared: ([\w./-]+) ([\w-]+) -->")
_OUTSIDE = re.compile(r"\[([^\]\n]+)\]\(\.\./[^)\s]+\)")
_HEADING = re.compile(r"(#{1,6}) +(.*?)(?: +\{#([\w-]+)\})?")
_IN_ONE_LANGUAGE = {"items.md": ".items", "sources.md": ".sources"}


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """The page with what it takes from elsewhere."""
    name = page.file.src_uri
    if written := _IN_ONE_LANGUAGE.get(name):
        return (WRITTEN / f"{written}.{page.file.locale_alternate_of}.md").read_text("utf-8")
    if name.endswith(".ja.md"):
        english = (DOCS / name.replace(".ja.md", ".md")).read_text("utf-8")
        markdown = with_anchors(markdown, [anchor for _line, _level, anchor in headings(english)])
    markdown = shared(markdown)
    return markdown if "/" in name else _OUTSIDE.sub(r"\1", markdown)  # files of the repository are no pages


def headings(markdown: str) -> Iterator[tuple[int, int, str]]:
    """Number of the line, level and anchor of each heading, as Python-Markdown makes it of English words."""
    fence = ""
    for number, line in enumerate(markdown.split("\n")):
        mark = re.match(r" {0,3}(```+|~~~+)", line)
        if mark and not fence:
            fence = mark[1]
        elif fence:
            fence = "" if line.strip() == fence else fence
        elif found := _HEADING.fullmatch(line.rstrip()):
            yield number, len(found[1]), found[3] or slug(found[2])


def slug(heading: str) -> str:
    """The anchor of a heading; "" of one without Latin letters."""
    plain = unicodedata.normalize("NFKD", re.sub(r"[`*]", "", heading)).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def with_anchors(markdown: str, anchors: list[str]) -> str:
    """The text with these anchors at its headings, in their order; as many as there are of both."""
    lines = markdown.split("\n")
    for (number, _level, _own), anchor in zip(list(headings(markdown)), anchors, strict=False):
        if not lines[number].rstrip().endswith("}"):
            lines[number] += f" {{#{anchor}}}"
    return "\n".join(lines)


def shared(markdown: str) -> str:
    """`<!-- shared: FILE NAME -->` becomes what stands between `<!-- NAME -->` and `<!-- /NAME -->` of that
    file, or its first table where NAME is that: figures and addresses are not copied by hand."""
    return _SHARED.sub(lambda found: block(found[1], found[2]), markdown)


def block(file: str, name: str) -> str:
    """The block; ValueError where the file has none of that name."""
    text = (DOCS / file).read_text("utf-8")
    if name == "table" and (found := re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)):
        return found[0].rstrip("\n")
    _, begin, rest = text.partition(f"<!-- {name} -->")
    inside, end, _ = rest.partition(f"<!-- /{name} -->")
    if not (begin and end):
        raise ValueError(f"docs/{file} has no block {name}")
    return inside.strip("\n")
