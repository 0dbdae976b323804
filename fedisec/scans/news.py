"""Whether a look brought bad news.  Then it is believed only if fedisec itself had a network meanwhile."""

from __future__ import annotations

from checks.errors import Reason
from checks.evaluate import evaluate
from checks.facts import Facts
from checks.facts import fedisec as own
from checks.model import Status
from fedisec.scans.models import ItemState, Reach, Scan
from fedisec.scans.reach import reach

# What a line that is cut looks like from this side.
_SILENCE = frozenset(
    {Reason.TIMEOUT, Reason.UNREACHABLE, Reason.CONNECTION_LOST, Reason.RESOLVER_FAILED, Reason.BUDGET}
)


def is_bad(scan: Scan, facts: Facts) -> bool:
    """True when an item fails that was settled as met, or the server does not answer that did, or half of
    what was looked for met silence."""
    if _is_silent(facts):
        return True
    if reach(facts).status is Status.FAIL:
        return not Reach.objects.filter(instance=scan.instance_id, settled=Status.FAIL).exists()
    failing = [key for key, verdict in evaluate(facts).items() if verdict.status is Status.FAIL]
    met = ItemState.objects.filter(instance=scan.instance_id, settled__in=(Status.PASS, Status.WARN))
    return met.filter(item_id__in=failing).exists()


def _is_silent(facts: Facts) -> bool:
    seen = sum(kind.__module__ != own.__name__ for kind in facts.found)
    silent = sum(gap.reason in _SILENCE for gap in facts.missing.values())
    return 0 < silent >= seen
