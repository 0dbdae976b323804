"""What a scan may know of the parts of an instance: what people wrote down, and what was read of ends of
support since fedisec's tables were made.  Called by dotted path from the settings."""

from __future__ import annotations

from checks.data.support import same_dates
from checks.facts import Fact
from fedisec.instances.models import Instance
from fedisec.watch import lifecycles, stock


def self_facts(instance: Instance) -> tuple[Fact, ...]:
    """Three queries at most.  Before the first look has ended, what runs is not known here, and the shipped
    tables alone hold."""
    products = {same_dates(part.name) for part in stock.parts_stored(instance) if part.name}
    ends = lifecycles.news(products) if products else None
    stated = stock.stated_fact(instance)
    found: list[Fact] = [stated] if stated.products else []
    return (*found, ends) if ends is not None and ends.products else tuple(found)
