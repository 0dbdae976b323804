"""The documentation is true: the list of items is current, the example works, the commands exist."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from checks import items_doc
from checks.items import TOPICS, all_items
from checks.model import Item
from tests.checks import test_items, test_texts

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "adding-an-item.md"
EXAMPLE = "checks.items.http.server_quiet"


def code_blocks(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), re.DOTALL)


def loaded(name: str, source: str, folder: Path) -> ModuleType:
    """The source as module `name`, from a file, so that the guards can read it."""
    path = folder / f"{name.rpartition('.')[2]}.py"
    path.write_text(source, "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def guards() -> list[str]:
    """The names of the guards that look at one item."""
    return [
        f"{module.__name__}:{name}"
        for module in (test_items, test_texts)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("test_") and list(inspect.signature(function).parameters) == ["item"]
    ]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Item]:
    monkeypatch.setitem(sys.modules, EXAMPLE, ModuleType(EXAMPLE))
    item = loaded(EXAMPLE, code_blocks(GUIDE)[0], tmp_path).item
    assert isinstance(item, Item)
    yield item


def test_the_list_of_items_is_current() -> None:
    written = (ROOT / "docs" / "items.md").read_text("utf-8")
    assert written == items_doc.document(), "run: python -m checks.items_doc > docs/items.md"


def test_the_list_names_every_item_once_under_its_topic() -> None:
    text = items_doc.document()
    assert re.findall(r"^\| `([a-z_]+\.[a-z0-9_]+)` \|", text, re.MULTILINE) == list(all_items())
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == len(TOPICS)
    assert {line.count(" | ") for line in text.split("\n") if line.startswith("| `")} == {4}


def test_the_command_prints_the_list() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "checks.items_doc"], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode("utf-8") == items_doc.document()


def test_a_bar_in_a_title_does_not_break_the_table() -> None:
    assert items_doc.cell("a | b") == "a \\| b"


def test_the_example_is_not_an_item_of_the_catalogue(example: Item) -> None:
    assert example.id == "http.server_quiet"
    assert example.id not in all_items()


@pytest.mark.parametrize("guard", guards())
def test_the_example_keeps_every_guard(guard: str, example: Item) -> None:
    module, name = guard.split(":")
    getattr(sys.modules[module], name)(example)


def test_the_tests_of_the_example_pass(
    example: Item, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "server_quiet_tests"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    module = loaded(name, code_blocks(GUIDE)[1], tmp_path)
    tests = [f for n, f in inspect.getmembers(module, inspect.isfunction) if n.startswith("test_")]
    assert len(tests) >= 4
    for test in tests:
        test()
    assert module.item is example


@pytest.mark.parametrize("path", [GUIDE, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_files_named_in_the_guides_exist(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    named = set(re.findall(r"`((?:checks|tests|docs)/[a-z0-9_./-]+)`", text))
    named |= {
        str((path.parent / link).resolve().relative_to(ROOT)) for link in re.findall(r"\]\(([^#)]+)\)", text)
    }
    named.discard(EXAMPLE.replace(".", "/") + ".py")
    assert named
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


def test_the_licence_is_the_whole_agpl_verbatim() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "0d96a4ff68ad6d4b6f1f30f713b18d5184912ba8dd389f86aa7710db079abcb0"
