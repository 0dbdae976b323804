"""What must have come out of any number of looks, whatever happened to processes meanwhile.

The n-th finished look at an instance sees what `looks.status_of` says, so the pure state machine says which
changes there must be, and who must have been told of which.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fedisec.scans.settle import Look, State, settle
from tests.running.looks import status_of
from tests.running.world import World
from tests.smtp import Relay

Told = tuple[int, str, bool]  # scan, kind of change, whether people hear of it
ITEM = "fake.lock"


def is_calm(world: World) -> bool:
    """No scan is live, the outbox is empty, every mail is out."""
    return not any(
        world.one(query)
        for query in (
            "SELECT COUNT(*) FROM scans_scan WHERE state IN ('queued', 'running')",
            "SELECT COUNT(*) FROM scans_change WHERE processed_at IS NULL",
            "SELECT COUNT(*) FROM alerts_notice WHERE delivery_id IS NULL AND dropped_at IS NULL",
            "SELECT COUNT(*) FROM alerts_delivery WHERE state <> 'sent'",
        )
    )


def expected_changes(world: World) -> list[Told]:
    """As the machine says, from the looks that were finished."""
    rows = world.rows(
        "SELECT s.id, i.domain, s.state, s.started_at, s.finished_at FROM scans_scan s "
        "JOIN instances_instance i ON i.id = s.instance_id ORDER BY s.id"
    )
    assert {state for _, _, state, _, _ in rows} == {"done"}
    looks = defaultdict(list)
    for row in rows:
        looks[row[1]].append(row)
    return sorted(told for domain, found in looks.items() for told in _story(domain, found))


def _story(domain: str, rows: Sequence[tuple[Any, ...]]) -> list[Told]:
    state, found = State(), []
    for number, (scan, _, _, began, ended) in enumerate(rows):
        look = Look(status_of(domain, number), _moment(began), _moment(ended), number=scan)
        step = settle(state, look, timedelta(0))
        state = step.state
        if step.change is not None:
            found.append((scan, step.change.kind.value, step.change.told))
    return found


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


def stored_changes(world: World) -> list[Told]:
    """What the database has; who was not told has no notice."""
    rows = world.rows(
        "SELECT c.scan_id, c.kind, COUNT(n.id) FROM scans_change c LEFT JOIN alerts_notice n "
        f"ON n.change_id = c.id WHERE c.item_id = '{ITEM}' GROUP BY c.id, c.scan_id, c.kind ORDER BY c.scan_id"
    )
    assert max((notices for *_, notices in rows), default=0) <= 1  # one person hears of all
    return [(scan, kind, bool(notices)) for scan, kind, notices in rows]


def check_mails(world: World, relay: Relay, told: int, copies_max: int) -> int:
    """Each of `told` notices is in one mail that was sent, and each mail arrived under an ID of its own.  A
    copy is allowed only under the same ID: SMTP loses the "250" of a process that dies while it reads it.
    Returns how many mails there were."""
    sent = "SELECT COUNT(*) FROM alerts_notice n JOIN alerts_delivery d ON d.id = n.delivery_id WHERE d.state = 'sent'"
    assert world.one(sent) == told == world.one("SELECT COUNT(*) FROM alerts_notice")
    ids = [row[0] for row in world.rows("SELECT message_id FROM alerts_delivery")]
    arrived = Counter(str(message["Message-ID"]) for message in relay.taken)
    assert set(arrived) == set(ids)
    assert len(ids) == len(set(ids))
    assert arrived.total() - len(arrived) <= copies_max
    return len(ids)
