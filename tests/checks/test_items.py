"""The guards of the catalogue: what every item file must keep."""

from __future__ import annotations

import ast
import inspect
import json
import re
import string
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.errors import Reason
from checks.evaluate import evaluate
from checks.facts import Facts
from checks.items import TOPICS, all_items
from checks.model import Item, Level, Settles, Status, Text
from checks.reasons import REASONS

CATALOGUE = json.loads((Path(__file__).parent / "catalogue.json").read_text())
ITEMS = list(all_items().values())
EACH = pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
VERDICT_CALLS = {"passed", "warned", "failed", "unknown", "not_applicable", "asked"}


def texts_of(item: Item) -> Iterator[tuple[str, Text]]:
    yield from (("title", item.title), ("why", item.why), ("expected", item.expected))
    yield from (("fix", item.fix.text), ("verify", item.verify))
    yield from ((f"fix for {name}", text) for name, text in item.fix.variants)
    yield from ((f"code {code}", text) for code, text in item.codes.items())
    if item.outdated is not None:
        yield "outdated", item.outdated


def placeholders(text: str) -> Counter[str]:
    return Counter(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_the_items_are_exactly_the_catalogue() -> None:
    assert {i.id for i in ITEMS} == {row["id"] for row in CATALOGUE}
    assert len(ITEMS) == len({i.id for i in ITEMS}) == len(CATALOGUE) >= 124


def test_levels_and_settlers_are_those_of_the_catalogue() -> None:
    wanted = {row["id"]: (row["level"], set(row["settles"])) for row in CATALOGUE}
    assert {i.id: (i.level.value, {s.value for s in i.settles}) for i in ITEMS} == {
        key: value for key, value in wanted.items() if key in all_items()
    }


def test_every_reason_has_a_sentence() -> None:
    assert set(REASONS) == set(Reason)


@EACH
def test_every_text_is_there_in_both_languages(item: Item) -> None:
    for what, text in texts_of(item):
        assert text.en.strip() and text.ja.strip(), what
        assert text.en != text.ja, what
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", text.ja), what
        assert not re.search(r"[ぁ-んァ-ヶ]", text.en), what
        assert "<" not in re.sub(r"<[A-Z_ a-z.-]+>", "", text.en) or "    " in text.en, what


@EACH
def test_both_languages_use_the_same_placeholders(item: Item) -> None:
    for what, text in texts_of(item):
        if what.startswith("code "):
            assert set(placeholders(text.en)) == set(placeholders(text.ja)), what


@EACH
def test_item_is_filed_under_its_topic(item: Item) -> None:
    assert item.topic in TOPICS
    assert item.level in Level
    assert item.attest_days in {30, 90, 180, 365}
    assert item.sources


def codes_in(tree: ast.AST) -> set[object]:
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in VERDICT_CALLS
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def codes_of_helpers(tree: ast.AST, package: str) -> set[object]:
    """What the functions return that an item takes from its topic's package, and those that they call."""
    known = {
        one.name: one
        for one in ast.parse(Path(sys.modules[package].__file__ or "").read_text()).body
        if isinstance(one, ast.FunctionDef)
    }
    taken = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == package]
    left, met = {alias.name for node in taken for alias in node.names} & set(known), set[str]()
    while left:
        met |= left
        left = {n.id for name in left for n in ast.walk(known[name]) if isinstance(n, ast.Name)} & set(
            known
        ) - met
    return set[object]().union(*(codes_in(known[name]) for name in met))


@EACH
def test_codes_returned_are_codes_declared(item: Item) -> None:
    tree = ast.parse(inspect.getsource(sys.modules[item.module]))
    used = codes_in(tree) | codes_of_helpers(tree, item.module.rpartition(".")[0])
    dynamic = [
        ast.unparse(call)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in VERDICT_CALLS
        and not (call.args and isinstance(call.args[0], ast.Constant))
    ]
    assert not dynamic, "codes must be written out, so that they can be checked"
    assert used == set(item.codes)


@EACH
def test_check_and_settlers_fit(item: Item) -> None:
    if set(item.settles) == {Settles.MANUAL}:
        assert item.check_function is None


def test_no_facts_means_unknown_everywhere() -> None:
    for item_id, verdict in evaluate(Facts()).items():
        manual = set(all_items()[item_id].settles) == {Settles.MANUAL}
        assert verdict.status is (Status.MANUAL if manual else Status.UNKNOWN), item_id


def test_items_import_no_input_or_output() -> None:
    forbidden = {"checks.probes", "socket", "asyncio", "httpx", "dns", "paramiko", "ssl", "subprocess", "os"}
    for item in ITEMS:
        for node in ast.walk(ast.parse(inspect.getsource(sys.modules[item.module]))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert not any(name == f or name.startswith(f + ".") for f in forbidden), (item.id, name)
