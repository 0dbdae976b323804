"""Hand-made DNS facts for table tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Fact, Facts, Missing
from checks.facts.dns import Asked, Lookup, Outcome, ResolverHealth, Signature
from checks.items import all_items
from checks.model import Status, Verdict

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SLOW = Missing(Reason.TIMEOUT, "no answer")
SERVFAIL = Missing(Reason.RESOLVER_FAILED, "A a.test: SERVFAIL (EDE 6)")
VALIDATING = ResolverHealth("127.0.0.1 port 53", True)

Answer = Lookup | Missing


def found(name: str, rdtype: str, *records: str, secure: bool = True, **more: object) -> Lookup:
    """A Lookup with records, or the definite absence of any."""
    outcome = Outcome.FOUND if records else Outcome.NO_DATA
    return Lookup(name, rdtype, outcome, records, secure, **more)  # type: ignore[arg-type]


def nobody(name: str, rdtype: str) -> Lookup:
    return Lookup(name, rdtype, Outcome.NO_NAME)


def asked(name: str, rdtype: str, *records: str) -> Asked:
    return Asked(name, rdtype, found(name, rdtype, *records))


def signed(left_h: float, life_h: float, algorithm: int = 13) -> Signature:
    ends = NOW + timedelta(hours=left_h)
    return Signature(algorithm, ends - timedelta(hours=life_h), ends)


def verdict(item_id: str, *facts: Fact) -> Verdict:
    """What the runner makes of these facts; a fail always carries evidence."""
    made = judge(all_items()[item_id], Facts().with_facts(*facts))
    if made.status is Status.FAIL:
        assert made.evidence
    return made


def short(made: Verdict) -> str:
    """ "pass:valid", or the reason where there is no code: "unknown:timeout"."""
    return f"{made.status.value}:{made.code or (made.reason.value if made.reason else '')}"
