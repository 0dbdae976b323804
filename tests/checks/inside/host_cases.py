"""Reports made by hand: one section's text changed at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from textwrap import dedent

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Fact, Facts
from checks.facts.inside import Inside, Section
from checks.model import Item, Status, Verdict

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
META = "now 1795262400\nuid 0\ngroups root\nkernel Linux 6.1.0-40-amd64 x86_64\nvirt kvm\ninit systemd"
CONTAINER = META.replace("virt kvm", "virt lxc")


def stamp(**ago: float) -> int:
    """Seconds since 1970 of a moment before the report: stamp(hours=3)."""
    return int(NOW.timestamp() - sum(n * {"days": 86400, "hours": 3600}[unit] for unit, n in ago.items()))


def report(uid: int = 0, /, **sections: str) -> Inside:
    """A report of these sections (without common indentation) and a machine of its own."""
    texts = {"meta": META, **sections}
    return Inside(1, uid, NOW, tuple(_section(name, text) for name, text in texts.items()))


def _section(name: str, text: str) -> Section:
    lines = dedent(text).strip("\n").split("\n")
    return Section(name, () if lines == [""] else tuple(lines), 0)


@dataclass(frozen=True)
class Case:
    """One row of a table: which item says which code when these sections are read."""

    item: str  # "host.disk_space"
    status: Status
    code: str
    sections: dict[str, str]
    evidence: str = ""  # a piece of what must be shown
    reason: Reason | None = None
    facts: tuple[Fact, ...] = ()
    data: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.item}-{self.code}"


def item_named(item_id: str) -> Item:
    item = import_module(f"checks.items.{item_id}").item
    assert isinstance(item, Item)
    return item


def judged(case: Case) -> Verdict:
    facts = Facts().with_facts(report(**case.sections), *case.facts)
    return judge(item_named(case.item), facts)


def check_case(case: Case) -> None:
    """Status and code, what is shown, the data, and that the sentence can be filled in both languages."""
    verdict = judged(case)
    assert (verdict.status, verdict.code) == (case.status, case.code)
    assert case.evidence in "\n".join(f"{one.label}: {one.text}" for one in verdict.evidence)
    assert case.reason is None or verdict.reason is case.reason
    assert {name: verdict.data.get(name) for name in case.data} == case.data
    text = item_named(case.item).codes[verdict.code]
    for language in ("en", "ja"):
        assert "…" not in text.filled(language, verdict.data)


def uncovered(cases: list[Case], items: set[str]) -> set[tuple[str, str]]:
    """Codes that an item declares and no row reaches."""
    declared = {(item_id, code) for item_id in items for code in item_named(item_id).codes}
    return declared - {(case.item, case.code) for case in cases}
