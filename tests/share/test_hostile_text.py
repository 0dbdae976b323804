"""Whatever text a server or a person left behind, a file that leaves the house says it and does nothing else."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from checks.clean import clean
from fedisec.lib.table import cell, csv_lines
from fedisec.share.markdown import escaped, fenced
from fedisec.share.sarif import message

_SIGNS = st.text(
    st.sampled_from("abw12 .:/\\`*_{}[]()<>#+-=!|~&;$'\"@\n\t\r＝＋－＠\u3000漢\u202e\x1b"), max_size=60
)
TEXTS = st.one_of(_SIGNS, st.text(max_size=60))
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@given(TEXTS)
@example("a\\\n=b")
@example("1) x")
@example("&lt;b&gt;")
def test_escaped_text_is_one_paragraph_of_text(text: str) -> None:
    tokens = _MARKDOWN.parse(f"Seen: {escaped(text)}")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special", "html_inline"}
    assert {child.content for child in children if child.type == "html_inline"} <= {"<!-- -->"}
    shown = "".join(child.content for child in children if child.type != "html_inline")
    assert shown == f"Seen: {' '.join(clean(text).split())}".rstrip()


@given(TEXTS)
def test_escaped_text_at_the_beginning_of_a_line_is_text_too(text: str) -> None:
    kinds = {token.type for token in _MARKDOWN.parse(escaped(text))}
    assert kinds <= {"paragraph_open", "inline", "paragraph_close"}


@given(TEXTS)
@example("a\n```\nb")
@example("````")
def test_fenced_text_stays_in_its_block(text: str) -> None:
    tokens = _MARKDOWN.parse("\n".join([*fenced(text), "", "after"]))
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_csv_is_read_back_and_never_calculates(texts: list[str]) -> None:
    # As exports do: cleaned first, so that no lone carriage return is left.
    row = [clean(text) for text in texts]
    (found,) = list(csv.reader(io.StringIO("".join(csv_lines(row, [])), newline="")))
    assert found == [cell(text) for text in row]
    for text in row:
        assert cell(text).lstrip(" \n\u00a0\u3000")[:1] not in set("=+-@＝＋－＠\t\r") - {""}
        assert cell(text) in {text, f"'{text}"}


@given(TEXTS)
def test_a_message_of_sarif_means_its_text(text: str) -> None:
    written = message(text)
    assert not re.search(r"(?<!\{)(?:\{\{)*\{\d+\}(?!\})", written)
    read = re.sub(r"\\([\\\[\]])", r"\1", written.replace("{{", "{").replace("}}", "}"))
    assert read == text
