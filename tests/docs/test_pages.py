"""Every page stands in both languages, alike in shape, and leads nowhere that is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import polib
import pytest

from tests.docs.pages import (
    DOCS,
    ENGLISH_ALONE,
    OF_BOTH,
    ROOT,
    Link,
    Page,
    generated,
    hooks,
    parse,
    site,
    written,
)

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
WAY_EN = re.compile(r"(?<!\*)\*([^*\n]+ → [^*\n]+)\*")
WAY_JA = re.compile(r"「([^「」\n]+ → [^「」\n]+)」")
TWINS = sorted(name for name in written() if name.endswith(".ja.md"))


def names(links: tuple[Link, ...]) -> list[tuple[str, str]]:
    """Where they lead, in whatever order the language wants them; mails are shown in the reader's language."""
    return sorted((re.sub(r"-(?:en|ja)\.png$", ".png", link.target), link.fragment) for link in links)


def test_every_page_stands_in_both_languages() -> None:
    english = {name for name in written() if not name.endswith(".ja.md")}
    twins = {name.replace(".ja.md", ".md") for name in TWINS}
    assert english - ENGLISH_ALONE - OF_BOTH == twins
    assert len(twins) > 15


@pytest.mark.parametrize("name", TWINS)
def test_twins_have_the_same_shape(name: str) -> None:
    japanese, english = written()[name], written()[japanese_of(name)]
    assert [level for level, _ in japanese.headings] == [level for level, _ in english.headings]
    assert japanese.fences == english.fences
    assert names(japanese.links) == names(english.links)


def japanese_of(name: str) -> str:
    return name.replace(".ja.md", ".md")


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_has_the_same_rows_in_its_tables(name: str) -> None:
    """Whoever adds a line to a table adds it to both."""
    rows = [
        [
            re.findall(r"`[^`]+`", line.split("|")[1])
            for line in written()[one].text.split("\n")
            if line.startswith("| ")
        ]
        for one in (name, japanese_of(name))
    ]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_is_written_in_japanese(name: str) -> None:
    """Each heading but proper names, and most paragraphs."""
    page = written()[name]
    prose = re.sub(r"```.*?```", "", (DOCS / name).read_text("utf-8"), flags=re.DOTALL)
    paragraphs = [part for part in re.split(r"\n\s*\n", prose) if len(part) > 60 and not part.startswith("|")]
    foreign = [part for part in paragraphs if not JAPANESE.search(part)]
    assert not [part for part in foreign if not part.startswith(("![", "<!--"))]
    assert "､" not in page.text and "｡" not in page.text


@pytest.mark.parametrize("name", sorted(set(written()) - set(TWINS) - OF_BOTH))
def test_anchors_of_a_page_are_its_own(name: str) -> None:
    anchors = [anchor for _, anchor in written()[name].headings]
    assert len(set(anchors)) == len(anchors) and all(anchors)


@pytest.mark.parametrize("topic", sorted(name for name in generated() if not name.endswith(".ja.md")))
def test_generated_pages_have_the_same_shape(topic: str) -> None:
    english, japanese = site()[topic], site()[topic.replace(".md", ".ja.md")]
    assert english.headings[1:] == japanese.headings[1:]  # the first one's anchor is of no use
    assert len({anchor for _, anchor in english.headings}) == len(english.headings)
    assert len(english.links) == len(japanese.links)


@pytest.mark.parametrize("name", sorted(site()))
def test_no_link_leads_nowhere(name: str) -> None:
    page = site()[name]
    assert not [link for link in page.inside if trouble(page, link)]


def trouble(page: Page, link: Link) -> str:
    """Why the link leads nowhere, "" where it does."""
    if link.is_picture or link.target.endswith(".png"):
        return "" if (DOCS / link.target).is_file() else "no such picture"
    if not link.target:
        return "" if link.fragment in anchors_of(page.name) else "no such heading"
    path = (DOCS / page.name).parent / link.target
    shown = path.resolve()
    if not shown.is_relative_to(DOCS):
        return "" if shown.is_relative_to(ROOT) and shown.exists() else "no such file"
    target = str(shown.relative_to(DOCS))
    if target not in site():
        return "no such page"
    return "" if not link.fragment or link.fragment in anchors_of(target) else "no such heading"


def anchors_of(name: str) -> set[str]:
    """A Japanese page has the anchors of the English one."""
    return {anchor for _, anchor in site()[name.replace(".ja.md", ".md")].headings}


def test_a_link_to_nowhere_is_seen() -> None:
    page = written()["index.md"]
    assert not trouble(page, Link("items.md", "http", False, ""))
    assert trouble(page, Link("items.md", "nothing", False, ""))
    assert trouble(page, Link("nothing.md", "", False, ""))
    assert trouble(page, Link("images/nothing.png", "", True, ""))
    assert trouble(page, Link("../NOTHING.md", "", False, ""))


def test_anchors_are_made_as_markdown_makes_them() -> None:
    assert hooks().slug("Who holds `what`, and *when*?") == "who-holds-what-and-when"
    twin = hooks().with_anchors("# 題\n```\n# no heading\n```\n## 節 {#own}\n", ["title", "part"])
    assert twin == "# 題 {#title}\n```\n# no heading\n```\n## 節 {#own}\n"


def test_every_picture_is_small_and_shown() -> None:
    pictures = {path.name: path.stat().st_size for path in (DOCS / "images").glob("*.png")}
    assert {name: size for name, size in pictures.items() if size > 150_000} == {}
    shown = {Path(link.target).name for page in written().values() for link in page.inside}
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in pictures if name not in shown and name not in readme] == []


def test_words_of_menus_are_those_of_the_pages() -> None:
    """A way through the menus is written as the menus are, in both languages."""
    catalogue = polib.pofile(str(ROOT / "locale" / "ja" / "LC_MESSAGES" / "django.po"))
    japanese = {entry.msgid: entry.msgstr for entry in catalogue}
    shown = "\n".join(path.read_text("utf-8") for path in (ROOT / "templates").rglob("*.html"))
    for name in TWINS:
        ways = WAY_EN.findall(written()[japanese_of(name)].text)
        words = [word for way in ways for word in way.split(" → ")]
        assert [word for word in words if f'"{word}"' not in shown and f"'{word}'" not in shown] == [], name
        told = [word for way in WAY_JA.findall(written()[name].text) for word in way.split(" → ")]
        known = sorted(
            japanese[word] for word in words if word in japanese
        )  # the newest wait for their words
        assert [word for word in known if word not in told] == [], name


def test_pages_name_no_machine_of_ours() -> None:
    for name, page in site().items():
        assert str(ROOT) not in page.text, name


def test_the_number_of_items_is_right() -> None:
    from checks.items import all_items

    for name in ("index.md", "index.ja.md"):
        assert re.findall(r"\[(\d+) ", written()[name].text) == [str(len(all_items()))], name


MESSAGE = re.compile(r"^\| “(.+?)” \|", re.MULTILINE)


def test_messages_with_cause_and_cure_are_those_of_the_program() -> None:
    """Word for word; … stands for what differs."""
    sources = [*(ROOT / "fedisec").rglob("*.py"), ROOT / "manage.py", ROOT / "checks" / "reasons.py"]
    said = "\0".join(words for path in sources for words in literals(path))
    said += (ROOT / "tools" / "setup.sh").read_text("utf-8")
    messages = MESSAGE.findall(written()["troubleshooting.md"].text)
    assert len(messages) > 40 and messages == MESSAGE.findall(written()["troubleshooting.ja.md"].text)
    for message in messages:
        parts = [re.escape(part.strip()) for part in message.split("…") if len(part.strip()) > 3]
        assert parts and re.search(r"[^\0]{0,80}?".join(parts), said), message


def literals(path: Path) -> list[str]:
    """The texts of a program, those in pieces put together, … in the place of what differs."""
    return [text for node in ast.walk(ast.parse(path.read_text("utf-8"))) if (text := _literal(node))]


def _literal(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%\(\w+\)s", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) or "…" for part in node.values)
    return ""


def test_the_readme_leads_to_what_is_there() -> None:
    readme = parse("README.md", (ROOT / "README.md").read_text("utf-8"))
    assert len(readme.inside) > 20
    assert [link.target for link in readme.inside if not (ROOT / link.target).is_file()] == []
