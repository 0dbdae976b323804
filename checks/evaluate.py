"""Facts in, verdicts out: pure, so that stored facts can be judged again after an upgrade."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from checks.errors import Reason
from checks.facts import Facts, MissingFact
from checks.items import all_items
from checks.model import Item, Settles, Status, Verdict

log = logging.getLogger(__name__)


def evaluate(facts: Facts, items: Iterable[Item] | None = None) -> Mapping[str, Verdict]:
    """One verdict per item, every item of the catalogue unless told otherwise."""
    return {item.id: judge(item, facts) for item in (all_items().values() if items is None else items)}


def judge(item: Item, facts: Facts) -> Verdict:
    """The verdict of one item.  A missing fact is UNKNOWN with its reason; a bug of ours is ERROR."""
    check = item.check_function
    if check is None:
        return _without_check(item)
    try:  # nosemgrep: everything-caught
        verdict = check(facts)
    except MissingFact as gap:
        return Verdict(Status.UNKNOWN, reason=gap.missing.reason, detail=gap.missing.detail)
    except Exception:  # noqa: BLE001 - one of the two places where any bug of ours becomes a verdict
        log.exception("check of %s failed", item.id)
        return Verdict(Status.ERROR, reason=Reason.BUG)
    if verdict.status is Status.FAIL and not verdict.evidence:
        log.error("check of %s fails without evidence (code %s)", item.id, verdict.code)
        return Verdict(Status.ERROR, reason=Reason.BUG, detail=f"fail without evidence: {verdict.code}")
    return verdict


def _without_check(item: Item) -> Verdict:
    if Settles.INSIDE in item.settles:
        return Verdict(Status.UNKNOWN, reason=Reason.NOT_CONNECTED)
    if Settles.OUTSIDE in item.settles:
        return Verdict(Status.UNKNOWN, reason=Reason.NOT_BUILT)
    if Settles.SELF in item.settles:
        return Verdict(Status.UNKNOWN, reason=Reason.DASHBOARD_ONLY)
    return Verdict(Status.MANUAL)
