"""Which families of suites a server takes, from as few hellos as prove it.

A suite that was chosen proves its families.  A family is proven absent only when every one of its suites has
stood in a hello that was refused: so all weak suites are offered together first, in three lists, and what a
choice has left open is offered again without the families that are known by then.
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.data.tls_suites import OFFERED_MAX, WEAK, everything, members, name_of, strong_lists, weak_lists
from checks.errors import Reason
from checks.facts import Missing
from checks.facts.tls import Negotiated, SuiteFamily
from checks.probes.tls_flight import Refusal
from checks.probes.tls_prober import VERSIONS, Prober, Question, suites_question

_NEVER = Missing(Reason.NOT_ASKED, "not offered to this address")
_ROUNDS_MAX = len(WEAK)  # each decides one family at least


def decide(kind: SuiteFamily, prober: Prober) -> Negotiated | Missing | None:
    """The suite that the server took of a family; None: none.  What is open is Missing: NOT_ASKED where the
    rest was never offered by itself, otherwise the reason why no answer came."""
    wanted = members(kind)
    for flight in prober.flights:
        if flight.hello.suite in wanted:
            return Negotiated(VERSIONS[flight.hello.version], name_of(flight.hello.suite))
    left = wanted - _refused(prober)
    if not left:
        return None
    # A hello that offers everything tells of one family at most, so its loss leaves no gap.
    apart = ((set(h.suites), a) for h, a in prober.asked() if set(h.suites) != set(everything()))
    gaps = (a for offered, a in apart if left & offered and isinstance(a, Missing))
    return next(gaps, _NEVER)


def _refused(prober: Prober) -> frozenset[int]:
    """Suites that stood in a refused hello of the version that the server is known to answer: a refusal of
    any other one may mean the version."""
    version = prober.older
    lists = (h.suites for h, a in prober.asked() if h.version == version and isinstance(a, Refusal))
    return frozenset[int]().union(*lists)


def weak_questions(host: str, version: int) -> Iterator[Question]:
    """Every suite of every weak family, in as few hellos as hold them."""
    for number, offered in enumerate(weak_lists(), 1):
        yield suites_question(host, version, f"weak {number}", offered)


def every_question(host: str, version: int) -> Iterator[Question]:
    """Every suite there is: for a server that refuses the common ones, and not because of the version."""
    yield from weak_questions(host, version)
    for number, offered in enumerate(strong_lists(), 1):
        yield suites_question(host, version, f"strong {number}", offered)


async def ask_rest(prober: Prober, host: str) -> None:
    """Offers again what the answers have left open, until every family is decided or no answer comes."""
    before: list[SuiteFamily] = []
    for number in range(_ROUNDS_MAX):
        version = prober.older
        still = [kind for kind in SuiteFamily if decide(kind, prober) == _NEVER]
        left = frozenset[int]().union(*(members(kind) for kind in still)) - _refused(prober)
        if version is None or not left or still == before:
            return
        before = still
        # Sorted, so that families stay together where one hello cannot hold them all.
        numbers = sorted(left)
        parts = [numbers[at : at + OFFERED_MAX] for at in range(0, len(numbers), OFFERED_MAX)]
        await prober.ask_all(
            [suites_question(host, version, f"left {number}.{at}", part) for at, part in enumerate(parts)]
        )
        await prober.mend()
