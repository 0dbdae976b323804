"""The list of all items as Markdown: `python -m checks.items_doc > docs/items.md`.

For the documentation site also the list in one language, and a page for each topic in each language with
everything that an item says; `checks.sources_doc` writes them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping

from checks.items import TOPICS, all_items
from checks.model import LANGUAGES, Item, Level, Reference, Settles, Source, Text
from checks.sources import FIELD_PRACTICE, TEXTS

LEVEL_WORDS = {
    Level.REQUIRED: Text("required", "必須"),
    Level.RECOMMENDED: Text("recommended", "推奨"),
    Level.OPTIONAL: Text("optional", "任意"),
}
SETTLER_WORDS = {
    Settles.OUTSIDE: Text("outside", "外部"),
    Settles.INSIDE: Text("inside", "内部"),
    Settles.SELF: Text("fedisec", "fedisec"),
    Settles.MANUAL: Text("person", "人"),
}


def _both(text: Text) -> str:
    return text.en if text.en == text.ja else f"{text.en} {text.ja}"


LEVELS = {level: _both(text) for level, text in LEVEL_WORDS.items()}
SETTLERS = {settler: _both(text) for settler, text in SETTLER_WORDS.items()}

HEAD = """\
# The items, チェック項目一覧

Written by `python -m checks.items_doc > docs/items.md`; a test holds it current. Do not edit by hand.
`python -m checks.items_doc > docs/items.md` で作られます。手で編集しないでください。

- Level: **required 必須**, **recommended 推奨**, **optional 任意**.
- Settled by: **outside 外部** a scan without login, **inside 内部** over SSH, **fedisec** a setting of the
  dashboard itself, **person 人** an admin answers. Where several stand, the first that can answer does.
"""

INDEX_HEAD = Text(
    """\
# The items

{count} items: {levels}. Each line leads to what is expected, why, how to fix it and how to verify it.

*Settled by*: **outside** by a scan without login, **inside** by one over SSH, **fedisec** by a setting of
the dashboard itself, **person** by an answer of an admin. Where several stand, the first that can does.""",
    """\
# チェック項目一覧

全 {count} 項目（{levels}）。各行のリンク先に、望ましい状態、理由、直し方、確かめ方があります。

「判定」の意味：**外部**＝ログインなしのスキャン、**内部**＝SSH 経由の確認、
**fedisec**＝ダッシュボード自身の設定、**人**＝管理者の回答。複数あるときは、先に書かれたもののうち判定できたものが採用されます。""",
)
INDEX_COLUMNS = Text("| item | level | settled by | id |", "| 項目 | 区分 | 判定 | ID |")

# The words of an item's page.
_WHY = Text("Why it matters", "理由")
_EXPECTED = Text("Expected", "望ましい状態")
_FIX = Text("Fix", "直し方")
_VERIFY = Text("Verify", "確かめ方")
_SAID = Text("What a scan may say", "スキャンの判定文")
_SOURCES = Text("Sources", "出典")
_REFERENCES = Text("Further reading", "参考資料")
_OUTDATED = Text("What became outdated", "出典のうち古くなった点")
_PRACTICE = Text("field practice", "運用の慣行")
_STANDING = Text(
    "*{level}* · settled by {settlers} · `{id}`",
    "*{level}*・判定：{settlers}・`{id}`",
)
_VALID = Text("An answer holds for {days} days.", "回答の有効期間は {days} 日です。")
_BACK = Text("{count} items. [All topics](../items.md)", "{count} 項目。[すべてのトピック](../items.md)")


def document() -> str:
    """The whole list in both languages, ending in a newline."""
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


def index(language: str) -> str:
    """The list in one language, each item linked to its place on the page of its topic."""
    items = list(all_items().values())
    comma = "、" if language == "ja" else ", "
    counts = comma.join(
        f"{sum(i.level is level for i in items)} {word.in_language(language)}"
        if language == "en"
        else f"{word.ja} {sum(i.level is level for i in items)}"
        for level, word in LEVEL_WORDS.items()
    )
    lines = [INDEX_HEAD.in_language(language).format(count=len(items), levels=counts)]
    for topic, title in TOPICS.items():
        lines += ["", f"## {title.in_language(language)} {{#{topic}}}", ""]
        lines += [INDEX_COLUMNS.in_language(language), "|---|---|---|---|"]
        for item in (item for item in items if item.topic == topic):
            link = f"[{cell(_escaped(item.title.in_language(language)))}](items/{topic}.md#{anchor(item.id)})"
            level = LEVEL_WORDS[item.level].in_language(language)
            lines.append(f"| {link} | {level} | {_settlers(item, language)} | `{item.id}` |")
    return "\n".join(lines) + "\n"


def anchor(item_id: str) -> str:
    """The fragment of an item on the page of its topic, the same in both languages."""
    return item_id.partition(".")[2].replace("_", "-")


def page(topic: str, language: str) -> str:
    """Everything about the items of a topic, in one language."""
    items = [item for item in all_items().values() if item.topic == topic]
    lines = [f"# {TOPICS[topic].in_language(language)}", ""]
    lines += [_BACK.in_language(language).format(count=len(items))]
    for item in items:
        lines += ["", f"## {_escaped(item.title.in_language(language))} {{#{anchor(item.id)}}}", ""]
        lines += _about(item, language)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def pages() -> dict[str, str]:
    """Name of a file -> its text: `http.md`, `http.ja.md` …"""
    return {
        f"{topic}.md" if language == "en" else f"{topic}.{language}.md": page(topic, language)
        for topic in TOPICS
        for language in LANGUAGES
    }


def _settlers(item: Item, language: str) -> str:
    comma = "、" if language == "ja" else ", "
    return comma.join(SETTLER_WORDS[settler].in_language(language) for settler in item.settles)


def _about(item: Item, language: str) -> Iterator[str]:
    yield _STANDING.in_language(language).format(
        level=LEVEL_WORDS[item.level].in_language(language), settlers=_settlers(item, language), id=item.id
    )
    for title, text in ((_WHY, item.why), (_EXPECTED, item.expected), (_FIX, item.fix.text)):
        yield from _part(title.in_language(language), text.in_language(language))
    for name, variant in item.fix.variants:
        yield from ("", f'=== "{name}"')
        yield from ("", *(f"    {line}".rstrip() for line in prose(variant.in_language(language))))
    yield from _part(_VERIFY.in_language(language), item.verify.in_language(language))
    if item.outdated:
        yield from _part(_OUTDATED.in_language(language), item.outdated.in_language(language))
    if item.codes:
        yield from ("", f"**{_SAID.in_language(language)}**", "")
        yield from (f"- {_escaped(_said(item.codes, code, language))}" for code in item.codes)
    if item.takes_answers:
        yield from ("", _VALID.in_language(language).format(days=item.attest_days))
    yield from ("", f"**{_SOURCES.in_language(language)}**", "")
    yield from (f"- {_source(source, language)}" for source in item.sources)
    if item.references:
        yield from ("", f"**{_REFERENCES.in_language(language)}**", "")
        yield from (f"- {_reference(reference)}" for reference in item.references)


def _part(title: str, text: str) -> Iterator[str]:
    yield from ("", f"**{title}**", "", *prose(text))


def _said(codes: Mapping[str, Text], code: str, language: str) -> str:
    """The sentence of a code, with … where a scan puts what it saw."""
    return codes[code].filled(language, {})


def _source(source: Source, language: str) -> str:
    if source.text == FIELD_PRACTICE:
        return _PRACTICE.in_language(language)
    text = TEXTS[source.text]
    name = _escaped(f"{text.title} – {source.section}" if source.section else text.title)
    return f"[{name}](<{source.url}>)"


def _reference(reference: Reference) -> str:
    return f"[{_escaped(reference.title)}](<{reference.url}>)"


def prose(text: str) -> Iterator[str]:
    """A text of an item as Markdown: paragraphs without markup, and what is indented by four in a fence."""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = block.split("\n")
        while lines:
            is_code = lines[0].startswith("    ")
            taken = 0
            while taken < len(lines) and lines[taken].startswith("    ") == is_code:
                taken += 1
            part, lines = lines[:taken], lines[taken:]
            if is_code:
                yield from ("```", *(line[4:] for line in part), "```", "")
            else:
                yield from (*(_escaped(line) for line in part), "")


def _escaped(text: str) -> str:
    """The text with everything that Markdown or HTML would take for markup made harmless."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]])", r"\\\1", text)
    return re.sub(r"^(\s*)([#+-]|\d+(?=[.)]))", r"\1\\\2", text)


if __name__ == "__main__":
    sys.stdout.buffer.write(document().encode())  # UTF-8 whatever the locale says
