"""Items whose verdict a test chooses: the fact `Flags` says what each fake item is."""

from __future__ import annotations

from dataclasses import dataclass

from checks import codec
from checks.errors import Reason
from checks.facts import Fact, Facts, Missing
from checks.items import all_items
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)


@dataclass(frozen=True, slots=True)
class Flags(Fact):
    """What each fake item is to say, and the evidence it is to show."""

    statuses: tuple[tuple[str, str], ...] = ()
    evidence: str = ""


_CODES = {
    "good": Text("All is well on {where}.", "{where} に問題はありません。"),
    "odd": Text("Something is odd on {where}.", "{where} に気になる点があります。"),
    "bad": Text("It is broken on {where}.", "{where} で壊れています。"),
    "none": Text("There is nothing to look at.", "調べる対象がありません。"),
    "unclear": Text("It cannot be told.", "判断できません。"),
}


def fake_item(slug: str, level: Level) -> Item:
    """An item with the words a mail needs."""
    item = Item(
        f"checks.items.fake.{slug}",
        level=level,
        settles=(OUTSIDE,),
        sources=(Source("+"),),
        title=Text(f"The {slug} thing is in place", f"{slug} が設定されている"),
        why=Text(f"Without {slug} strangers get in.", f"{slug} がないと侵入されます。"),
        expected=Text("It is there.", "設定されている状態。"),
        fix=Fix(
            Text(
                f"Put {slug} in place:\n\n    apt install {slug}\n    systemctl enable {slug}\n\nThen look again.",
                f"{slug} を入れます。\n\n    apt install {slug}\n\nそのあと再確認してください。",
            )
        ),
        verify=Text("Look.", "確認します。"),
        codes=_CODES,
    )

    @item.check
    def check(facts: Facts) -> Verdict:
        flags = facts.get(Flags)
        return _verdict(dict(flags.statuses).get(slug, "pass"), flags.evidence)

    return item


def _verdict(status: str, evidence: str) -> Verdict:
    where = "social.example"
    if status == "unknown":
        return unknown("unclear", Reason.TIMEOUT)
    if status == "not_applicable":
        return not_applicable("none")
    if status == "error":
        raise ZeroDivisionError
    make, code = {"pass": (passed, "good"), "warn": (warned, "odd"), "fail": (failed, "bad")}[status]
    return make(code, where=where).seen("GET https://social.example/", evidence)


REQUIRED = fake_item("lock", Level.REQUIRED)
REQUIRED_2 = fake_item("bolt", Level.REQUIRED)
RECOMMENDED = fake_item("bell", Level.RECOMMENDED)
OPTIONAL = fake_item("lamp", Level.OPTIONAL)
ITEMS = {item.id: item for item in (REQUIRED, REQUIRED_2, RECOMMENDED, OPTIONAL)}


def register() -> None:
    """For a process of its own; a test takes the fixture `fake_items`, which takes them away again."""
    all_items().update(ITEMS)
    codec._classes()["Flags"] = Flags


def facts(evidence: str = "what was seen", **statuses: str) -> Facts:
    """Facts under which each fake item has the status given ("pass" where none is)."""
    return Facts({Flags: Flags(tuple(statuses.items()), evidence)})


def no_facts() -> Facts:
    """Facts of a look that saw nothing."""
    return Facts({}, {Flags: Missing(Reason.TIMEOUT)})
