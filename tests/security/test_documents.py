"""docs/security.md promises nothing that is gone: each file and each test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.security import __main__ as attack
from tests.security.result import PAGE, ROOT, Result, write

TEXT = PAGE.read_text()
_PATH = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|yml|txt|sh|js|example))(?:::(\w+))?`")


def block(name: str) -> list[str]:
    inside = TEXT.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    return [line for line in inside.splitlines() if re.match(r"\| [\d.]+ \|", line)]


def test_every_file_and_test_that_is_named_exists() -> None:
    found = set(_PATH.findall(TEXT))
    assert len(found) > 100
    gone = [path for path, _test in found if not (ROOT / path).is_file()]
    gone += [
        f"{path}::{test}"
        for path, test in found
        if test and (ROOT / path).is_file() and f"def {test}(" not in (ROOT / path).read_text()
    ]
    assert not gone


def test_there_are_forty_two_threats_each_with_its_evidence() -> None:
    rows = block("threats")
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 43))
    assert all(_PATH.search(row.split("|")[4]) for row in rows)


def test_each_requirement_stands_once_with_its_evidence() -> None:
    rows = block("asvs")
    numbers = [row.split("|")[1].strip() for row in rows]
    assert len(set(numbers)) == len(numbers) >= 160
    assert all(_PATH.search(row.split("|")[3]) for row in rows)


def test_a_written_table_keeps_the_rows_of_steps_that_did_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- tools -->\n<!-- /tools -->\nb\n")
    monkeypatch.setattr("tests.security.result.PAGE", page)
    write([Result("bandit", "bandit 1", "x"), Result("wapiti", "wapiti 1", "y")])
    write([Result("bandit", "bandit 2", "z", ["one"])])
    text = page.read_text()
    assert text.startswith("a\n<!-- tools -->\n| step |") and text.endswith("<!-- /tools -->\nb\n")
    assert "bandit 2 | z | 1 findings" in text and "wapiti 1 | y | nothing" in text and "bandit 1" not in text


def test_the_steps_have_names_of_their_own() -> None:
    assert len(set(attack.ORDER)) == len(attack.ORDER) >= 10
