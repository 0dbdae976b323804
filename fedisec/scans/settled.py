"""The state of the machine (`fedisec.scans.settle`) as it stands in the columns of a row, and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fedisec.scans.models import Settled
from fedisec.scans.settle import Open, State


def state_of(row: Settled, *, rules: str | None = None) -> State:
    """What a row remembers.  `rules` stands in the place of the version that judged it."""
    memory = row.memory
    untold = Open.UNTOLD if memory.get("untold") else Open.NO
    return State(
        row.settled,
        row.settled_since,
        row.candidate,
        row.candidate_since,
        confirmed=memory.get("confirmed", 0),
        counted_at=_moment(memory.get("counted_at")) or row.candidate_since,
        incident=Open.TOLD if row.alerted else untold,
        alerts=tuple(datetime.fromisoformat(at) for at in memory.get("alerts", ())),
        calm_at=row.calm_at,
        window=memory.get("window", ""),
        blind=memory.get("blind", False),
        seen=memory.get("seen", 0),
        rules=row.checks_version if rules is None else rules,
    )


def keep(row: Settled, state: State) -> None:
    """Writes `state` into the fields of a row; what else it remembers stays."""
    row.settled, row.settled_since = state.settled, state.settled_since
    row.candidate, row.candidate_since = state.candidate, state.candidate_since
    row.alerted, row.calm_at = state.incident is Open.TOLD, state.calm_at
    row.checks_version = state.rules or row.checks_version
    counted_at = state.counted_at if state.counted_at != state.candidate_since else None
    kept: dict[str, Any] = {
        "confirmed": state.confirmed,
        "counted_at": counted_at.isoformat() if counted_at is not None else None,
        "untold": state.incident is Open.UNTOLD,
        "alerts": [at.isoformat() for at in state.alerts],
        "window": state.window,
        "blind": state.blind,
        "seen": state.seen,
    }
    others = {key: value for key, value in row.memory.items() if key not in kept}
    row.memory = {**others, **{key: value for key, value in kept.items() if value}}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
