"""When the rules change, their version does: `python -m tests.upgrades.rules [--bump | --same]`.

A look that other rules judged is told apart by CHECKS_VERSION: stored facts are judged again after an upgrade,
what changed by that is listed and alarms nobody.  Rules that change under the same version would alarm.  So
what decides verdicts (items, parsers, tables, not their sentences) is summed up in rules.json.

--bump   raises the last number of CHECKS_VERSION and sums up anew: verdicts may come out otherwise
--same   sums up anew under the same version: for what cannot change a verdict, as a move of code
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORED = Path(__file__).with_name("rules.json")
_VERSION = ROOT / "checks" / "__init__.py"
_LINE = re.compile(r'^CHECKS_VERSION = "(\d+\.\d+\.)(\d+)"$', re.MULTILINE)
CODE = ("checks/items", "checks/parse", "checks/data", "checks/evaluate.py")
# Sentences, links and names of sources decide nothing.
WORDS = frozenset({"Text", "Fix", "Source", "Reference"})
_TABLES = frozenset({".toml", ".json", ".txt"})
_TOLD_APART = ("advice.toml",)  # what the sources say, for docs/sources.md


def sums() -> dict[str, str]:
    """file -> a sum of what it decides; files that decide nothing have none."""
    return {
        str(path.relative_to(ROOT)): hashlib.sha256(
            _decides(path.read_text("utf-8")) if path.suffix == ".py" else path.read_bytes()
        ).hexdigest()[:12]
        for path in _files()
    }  # fmt: skip


def _files() -> Iterator[Path]:
    for name in CODE:
        place = ROOT / name
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in found:
            if path.name not in _TOLD_APART and (path.suffix == ".py" or path.suffix in _TABLES):
                yield path


def _decides(source: str) -> bytes:
    return repr(_form(ast.parse(source))).encode()


def _form(node: object) -> object:
    """The tree without places, sentences and comments; the same for every version of Python."""
    if isinstance(node, list):
        return [_form(one) for one in node if not _is_doc(one)]
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WORDS:
        return node.func.id
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return ["=", _form(node.target), _form(node.value)]
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return ["=", _form(node.targets[0]), _form(node.value)]
    if not isinstance(node, ast.AST):
        return repr(node)
    left = {"annotation", "returns", "type_comment", "type_params", "kind", "ctx"}
    inner = ((name, value) for name, value in ast.iter_fields(node) if name not in left)
    return [type(node).__name__, *(_form(value) for _name, value in inner if value not in (None, []))]


def _is_doc(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def stored() -> tuple[str, dict[str, str]]:
    """The version that was summed up, and its sums."""
    found = json.loads(STORED.read_text("utf-8"))
    return found["version"], found["sums"]


def version() -> str:
    found = _LINE.search(_VERSION.read_text("utf-8"))
    assert found is not None
    return found.group(1) + found.group(2)


def main() -> int:
    if sys.argv[1:] == ["--bump"]:
        text = _VERSION.read_text("utf-8")
        _VERSION.write_text(_LINE.sub(_raised, text), "utf-8")
    elif sys.argv[1:] != ["--same"]:
        print(__doc__)
        return 2
    words = {"version": version(), "sums": sums()}
    STORED.write_text(json.dumps(words, indent=0, sort_keys=True) + "\n", "utf-8")
    print(f"rules {version()}, {len(words['sums'])} files")
    return 0


def _raised(found: re.Match[str]) -> str:
    return f'CHECKS_VERSION = "{found.group(1)}{int(found.group(2)) + 1}"'


if __name__ == "__main__":
    sys.exit(main())
