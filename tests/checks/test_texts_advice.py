"""Nothing of the five sources is lost: every piece of advice has its items, every source of an item its advice."""

from __future__ import annotations

from pathlib import Path

from checks import sources_doc
from checks.items import all_items
from checks.sources import FIELD_PRACTICE, TEXTS
from checks.sources_doc import advice

ROOT = Path(__file__).parents[2]
ALL = all_items()


def test_each_source_is_read_to_its_end() -> None:
    """As many pieces as a reader counted in the text; a change here means reading it again."""
    counts = {number: sum(one.text == number for one in advice()) for number in TEXTS}
    assert counts == {"000": 17, "001": 15, "002": 11, "003": 37, "004": 17}


def test_advice_is_carried_by_items_that_name_the_source() -> None:
    for one in advice():
        assert one.items or all(one.where), "advice that nothing carries"
        for name in one.items:
            sections = {source.section for source in ALL[name].sources if source.text == one.text}
            assert sections, f"{name} does not name {one.text}"
            assert one.section in sections or sections == {""}, f"{name} names {sections}, not {one.section}"


def test_outdated_advice_is_kept_and_said_to_be_outdated() -> None:
    for one in advice():
        said = [name for name in one.items if ALL[name].outdated is not None]
        assert said or not one.outdated, "no item says what replaced it"


def test_levels_of_source_003_are_those_of_the_items() -> None:
    for one in advice():
        if one.level is not None:
            assert one.text == "003"
            assert ALL[one.items[0]].level is one.level


def test_every_source_of_an_item_has_its_advice() -> None:
    for item in ALL.values():
        for source in item.sources:
            if source.text != FIELD_PRACTICE:
                found = [one for one in advice() if one.text == source.text and item.id in one.items]
                assert found, f"{source.text} {source.section}: no advice names {item.id}"
                assert not source.section or source.section in {one.section for one in found}


def test_what_is_called_outdated_is_the_advice_of_a_source() -> None:
    """Except where older guides at large are meant, which the item then says itself."""
    for item in ALL.values():
        if item.outdated is not None and "lder guides" not in item.outdated.en:
            assert any(one.outdated for one in advice() if item.id in one.items), item.id


def test_the_list_of_sources_is_current() -> None:
    written = (ROOT / "docs" / "sources.md").read_text("utf-8")
    assert written == sources_doc.document(), "run: python -m checks.sources_doc > docs/sources.md"


def test_every_row_of_the_tables_has_five_cells() -> None:
    rows = [line for line in sources_doc.document().split("\n") if line.startswith("| ")]
    assert len(rows) == len(advice()) + len(TEXTS)
    assert {line.count(" | ") for line in rows} == {4}
