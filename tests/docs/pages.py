"""The pages of the documentation as their authors wrote them: headings, fences, links, pictures."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from checks import sources_doc

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

# Long tables that programs write, with evidence in English (names of tests, figures): no twin, and said so
# where the Japanese pages lead to them.
ENGLISH_ALONE = frozenset({"security.md", "benchmarks.md"})
# Lists of both languages, of which the site shows one.
OF_BOTH = frozenset({"items.md", "sources.md"})

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\]|`[^`]*`)*)\]\(<?([^)\s>]+)>?\)")
_FENCE = re.compile(r"^( *)(```+)([\w-]*)[^\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Link:
    """`target` without its fragment, "" for the page itself."""

    target: str
    fragment: str
    is_picture: bool
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """`name` as under docs/; `fences`: (language, text) of each block of code."""

    name: str
    text: str
    headings: tuple[tuple[int, str], ...]
    fences: tuple[tuple[str, str], ...]
    links: tuple[Link, ...]

    @property
    def is_japanese(self) -> bool:
        return self.name.endswith(".ja.md")

    @property
    def english(self) -> str:
        return self.name.replace(".ja.md", ".md")

    @property
    def outside(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if re.match(r"https?:", link.target))

    @property
    def inside(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if not re.match(r"\w+:", link.target))


@cache
def hooks() -> ModuleType:
    """docs/hooks.py, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("docs_hooks", DOCS / "hooks.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parse(name: str, text: str) -> Page:
    prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))
    links = []
    for mark, words, target in _LINK.findall(prose):
        path, _, fragment = target.partition("#")
        links.append(Link(path, fragment, mark == "!", words))
    return Page(
        name,
        text,
        tuple((level, anchor) for _line, level, anchor in hooks().headings(text)),
        tuple((language, code) for _indent, _mark, language, code in _FENCE.findall(text)),
        tuple(links),
    )


@cache
def written() -> dict[str, Page]:
    """Pages that authors wrote, by name."""
    return {
        path.name: parse(path.name, hooks().shared(path.read_text("utf-8")))
        for path in sorted(DOCS.glob("*.md"))
    }


@cache
def generated() -> dict[str, Page]:
    """Pages of the topics, and the lists in one language as items.md and items.ja.md."""
    found = {}
    for name, text in sources_doc.site_files().items():
        if name.startswith("."):
            kind, language = name.strip(".").split(".")[:2]
            shown = f"{kind}.md" if language == "en" else f"{kind}.{language}.md"
        else:
            shown = f"items/{name}"
        found[shown] = parse(shown, text)
    return found


@cache
def site() -> dict[str, Page]:
    """Every page of the site, by the name that links use."""
    return {**written(), **generated()}
