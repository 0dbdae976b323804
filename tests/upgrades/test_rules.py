"""No rule changes under the version of another one."""

from __future__ import annotations

import pytest

from checks import CHECKS_VERSION
from tests.upgrades import rules

ITEM = '''
"""What is asked."""
from checks.model import Item, Text
LIMIT: int = 30
item = Item(__name__, level=Level.REQUIRED, title=Text("a", "b"), codes={"short": Text("c", "d")})

@item.check
def check(facts: Facts) -> Verdict:
    """Why so."""
    # a remark
    if facts.get(Days).left < LIMIT:
        return failed("short")
    return passed("short")
'''


def test_the_version_is_raised_with_the_rules() -> None:
    version, before = rules.stored()
    now = rules.sums()
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    assert (version, changed) == (CHECKS_VERSION, []), (
        "what decides verdicts has changed: run `python -m tests.upgrades.rules --bump` "
        "(or --same where no verdict can come out otherwise) and commit checks/__init__.py with rules.json"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('Text("a", "b")', 'Text("other", "words")'),
        ("    # a remark\n", "\n\n"),
        ('"""Why so."""', '"""Because."""'),
        ("facts: Facts) -> Verdict", "facts: 'Facts') -> 'Verdict'"),
        ("LIMIT: int", "LIMIT"),
    ],
)
def test_words_are_no_rules(before: str, after: str) -> None:
    assert before in ITEM
    assert rules._decides(ITEM) == rules._decides(ITEM.replace(before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("30", "31"),
        ("Level.REQUIRED", "Level.RECOMMENDED"),
        ("<", "<="),
        ('failed("short")', 'warned("short")'),
        ('{"short":', '{"other":'),
        ("return passed", "return asked"),
        (".left", ".right"),
    ],
)
def test_everything_else_is(before: str, after: str) -> None:
    assert before in ITEM
    assert rules._decides(ITEM) != rules._decides(ITEM.replace(before, after))


def test_items_parsers_and_tables_are_summed_up() -> None:
    found = rules.sums()
    assert {"checks/items/http/hsts.py", "checks/evaluate.py", "checks/data/software.toml"} <= set(found)
    assert not any("advice.toml" in name or "__pycache__" in name for name in found)


def test_a_version_is_raised_by_one() -> None:
    assert rules._LINE.sub(rules._raised, 'CHECKS_VERSION = "0.4.9"') == 'CHECKS_VERSION = "0.4.10"'
