"""What several changes of one server come to by the time they are read: each item is said once.  Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from fedisec.scans.models import REACH, Change

REGRESSED, RECOVERED = "regressed", "recovered"
FLAPPING, CALMED, BLIND = "flapping", "calmed", "blind"
FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Returned:
    """What was not met for a while and is met again; `times`: how often, from `since` to `until`."""

    change: Change
    since: datetime
    until: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class Story:
    """Each item stands in one of the lists."""

    worse: list[Change] = field(default_factory=list)
    better: list[Change] = field(default_factory=list)
    returned: list[Returned] = field(default_factory=list)
    flapping: list[Change] = field(default_factory=list)
    calmed: list[Change] = field(default_factory=list)
    blind: list[Change] = field(default_factory=list)
    down: Change | None = None  # the server as a whole does not answer …
    up: Change | None = None  # … or answers again …
    outage: Returned | None = None  # … or both, within this mail …
    unsteady: Change | None = None  # … or goes to and fro

    @property
    def speaks_of(self) -> set[str]:
        """The items that are named as not met: not counted once more as what still fails."""
        return {change.item_id for change in (*self.worse, *self.flapping)}

    @property
    def is_good(self) -> bool:
        """Nothing in it is worse than before."""
        return not (self.worse or self.flapping or self.blind or self.down or self.unsteady)


def story_of(changes: Iterable[Change]) -> Story:
    """`changes` of one server, in any order; of the same item the last one decides."""
    story, server = Story(), Story()
    by_item: dict[str, list[Change]] = defaultdict(list)
    for change in sorted(changes, key=lambda change: change.pk):
        by_item[change.item_id].append(change)
    for item_id, row in by_item.items():
        if item_id == REACH:
            _place(server, row)
        else:
            _place(story, row)
    return _with_server(story, server)


def _place(story: Story, row: Sequence[Change]) -> None:
    row = _since_calm(row) or row
    last = row[-1]
    if last.kind == BLIND:
        story.blind.append(last)
    elif last.kind == CALMED:
        story.calmed.append(last)
    elif any(change.kind == FLAPPING for change in row):
        story.flapping.append(last)
    elif last.kind == REGRESSED:
        story.worse.append(last)
    elif last.kind == RECOVERED:
        back = _returned(row)
        if back is None:
            story.better.append(last)
        else:
            story.returned.append(back)


def _since_calm(row: Sequence[Change]) -> Sequence[Change]:
    ends = [place for place, change in enumerate(row) if change.kind == CALMED]
    return row[ends[-1] + 1 :] if ends else row


def _returned(row: Sequence[Change]) -> Returned | None:
    """None where the first that this mail tells of is the recovery: its begin was told before."""
    first, last = row[0], row[-1]
    if first.kind != REGRESSED or last.kind != RECOVERED:
        return None
    times = sum(change.kind == REGRESSED for change in row)
    return Returned(last, began(first), last.created_at, times)


def began(change: Change) -> datetime:
    """Since when a regression is seen as one."""
    opened = change.incident.opened_at if change.incident is not None else change.created_at
    return min(opened, change.created_at)


def _with_server(story: Story, server: Story) -> Story:
    """The server as a whole goes through the same as an item does, in words of its own."""
    calmed = server.calmed[-1] if server.calmed else None
    is_down = calmed is not None and calmed.after == FAIL
    return replace(
        story,
        down=next(iter(server.worse), calmed if is_down else None),
        up=next(iter(server.better), None if is_down else calmed),
        outage=next(iter(server.returned), None),
        unsteady=next(iter(server.flapping), None),
    )
