"""What is different between two sets of verdicts: for the command line, and for comparing scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from checks.model import Status, Verdict

_DEFINITE = {Status.PASS, Status.WARN, Status.FAIL}


class Kind(StrEnum):
    """How an item differs.  Going blind and seeing again are kinds of their own, never better or worse."""

    WORSE = "worse"
    BETTER = "better"
    OTHER = "other"  # the same status for another reason
    BLIND = "blind"  # definite before, not now
    SEEN = "seen"  # not definite before, definite now


@dataclass(frozen=True, slots=True)
class Difference:
    item_id: str
    kind: Kind
    before: Verdict | None
    after: Verdict | None


_RANK = {Status.PASS: 0, Status.WARN: 1, Status.FAIL: 2}


def compare(before: Mapping[str, Verdict], after: Mapping[str, Verdict]) -> tuple[Difference, ...]:
    """The differences in the order of `after`; items that say the same are left out."""
    found = []
    for item_id, new in after.items():
        old = before.get(item_id)
        kind = _kind(old, new)
        if kind is not None:
            found.append(Difference(item_id, kind, old, new))
    return tuple(found)


def _kind(old: Verdict | None, new: Verdict) -> Kind | None:
    seen_before = old is not None and old.status in _DEFINITE
    seen_now = new.status in _DEFINITE
    if old is None or seen_before != seen_now:
        return Kind.SEEN if seen_now else Kind.BLIND if seen_before else None
    if not seen_now:
        return None
    step = _RANK[new.status] - _RANK[old.status]
    if step:
        return Kind.WORSE if step > 0 else Kind.BETTER
    return Kind.OTHER if (old.code, dict(old.data)) != (new.code, dict(new.data)) else None
