"""Reports made of the samples and of lines that a test writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from checks.evaluate import judge
from checks.facts import Fact, Facts
from checks.facts.inside import Inside, Section
from checks.items import all_items
from checks.model import Verdict

SAMPLES = Path(__file__).parent / "samples"
RULES: dict[str, Any] = json.loads((SAMPLES / "rules.json").read_text("utf-8"))
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
NFT_DENIED = ("Operation not permitted (you must be root)",)
IPTABLES_DENIED = ("== variant", "iptables v1.8.9 (nf_tables)", "== v4 denied", "== v6 denied")


def report(**sections: str | tuple[str, ...]) -> Inside:
    """A report of these sections; text is cut into lines."""
    made = (
        Section(name, tuple(said.strip("\n").split("\n")) if isinstance(said, str) else said, 0)
        for name, said in sections.items()
    )
    return Inside(1, 0, NOW, tuple(made))


def filtered(name: str) -> dict[str, tuple[str, ...]]:
    """The sections nft and iptables of one of the rulesets."""
    return {key: tuple(RULES[name][key]) for key in ("nft", "iptables")}


def no_rules_shown() -> dict[str, tuple[str, ...]]:
    return {"nft": NFT_DENIED, "iptables": IPTABLES_DENIED}


def verdict(item_id: str, *facts: Fact) -> Verdict:
    return judge(all_items()[item_id], Facts().with_facts(*facts))
