"""The clock jumps two days ahead and one back while everything runs (R8)."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.world import World, wait_for
from tests.smtp import Relay

pytestmark = [full, pytest.mark.timeout(300)]
Seen = Callable[[str], None]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INTERVAL = HOUR
STEADY = ("calm1.example", "calm2.example")
FALLS = "falls1.example"  # well at the first look only


class Clock:
    """Of processes that were started with `env`: `ahead` of ours by so much, from one reading to the next."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
        if not found:
            pytest.skip("libfaketime is not installed (Debian package libfaketime)")
        self._file = folder / "clock"
        self.set(timedelta(0))
        self.env = {
            "LD_PRELOAD": str(found[0]), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
        }  # fmt: skip

    def set(self, ahead: timedelta) -> None:
        self.ahead = ahead
        new = self._file.with_suffix(".new")
        new.write_text(f"{int(ahead.total_seconds()):+d}\n")
        new.rename(self._file)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def moments(world: World, query: str) -> list[datetime]:
    return [datetime.fromisoformat(at).replace(tzinfo=UTC) for (at,) in world.rows(query)]


def done(world: World, domain: str) -> int:
    joined = "scans_scan s JOIN instances_instance i ON i.id = s.instance_id"
    return int(world.one(f"SELECT count(*) FROM {joined} WHERE s.state = 'done' AND i.domain = '{domain}'"))


def alarms(world: World) -> list[str]:
    """The states of mails about servers.  That no clock ticked for two days is told too, as it looks so, and
    the digest comes where the jump goes over its hour."""
    rows = world.rows("SELECT state, kind FROM alerts_delivery ORDER BY id")
    return [state for state, kind in rows if kind not in {"outage", "digest"}]


def all_in_reach(world: World, clock: Clock) -> bool:
    """Nothing waits longer than an interval, which is the spread too, and nothing waits in the queue."""
    slots = moments(world, "SELECT next_scan_at FROM instances_instance WHERE next_scan_at IS NOT NULL")
    queued = moments(world, "SELECT due_at FROM scans_scan WHERE state = 'queued'")
    soon = clock.now + timedelta(minutes=6)
    return len(slots) == 3 and max(slots) <= clock.now + 2 * INTERVAL and all(at <= soon for at in queued)


@fault(
    "R8",
    "clock +2 days, then -1 day, while all runs",
    "no alert from the jumps, no instance waits longer than its interval, no mail twice, sessions as they were",
)
def test_jumps(
    make_world: MakeWorld,
    relay_and_port: tuple[Relay, int],
    relay: Relay,
    tmp_path: Path,
    seen: Seen,
) -> None:
    clock = Clock(tmp_path)
    world = make_world(
        "embedded", begin="prepared", EMAIL_URL=f"smtp://127.0.0.1:{relay_and_port[1]}", **clock.env
    )
    world.tool("add", str(int(INTERVAL.total_seconds())), *STEADY, FALLS)
    cookie = world.tool("session").strip()
    ends = "SELECT expire_date FROM django_session"
    expires = world.rows(ends)
    world.up()
    wait_for(
        lambda: all(done(world, one) == 1 for one in (*STEADY, FALLS)), 40, f"first looks\n{world.log()}"
    )
    world.tool("ask", FALLS)
    wait_for(lambda: done(world, FALLS) == 2, 40, f"the fall\n{world.log()}")  # a second look waits 5 minutes

    clock.set(2 * DAY)
    wait_for(
        lambda: all(done(world, one) == 2 for one in STEADY), 60, f"the looks that are due\n{world.log()}"
    )
    wait_for(lambda: done(world, FALLS) >= 3, 40, f"its second look\n{world.log()}")
    assert all(done(world, one) == 2 for one in STEADY)  # what was missed is one look
    met = [page_with(world, cookie)]

    clock.set(DAY)
    wait_for(lambda: all_in_reach(world, clock), 40, f"slots in reach\n{world.log()}")
    met.append(page_with(world, cookie))
    assert alarms(world) == []
    assert not world.one("SELECT count(*) FROM scans_change WHERE kind = 'regressed'")

    # From here on time goes as it should: two looks, more than five minutes apart, tell the fall.
    for minutes in (10, 20, 30):
        clock.set(DAY + timedelta(minutes=minutes))
        before = done(world, FALLS)
        world.tool("ask", FALLS)
        wait_for(lambda before=before: done(world, FALLS) > before, 40, f"a look\n{world.log()}")  # type: ignore[misc]  # bound now
    wait_for(lambda: alarms(world) == ["sent"], 40, f"the mail\n{world.log()}")
    clock.set(DAY + 2 * HOUR)
    wait_for(lambda: all(done(world, one) >= 3 for one in STEADY), 60, f"the next looks\n{world.log()}")
    assert world.rows(ends) == expires
    assert alarms(world) == ["sent"]
    ids = [str(message["Message-ID"]) for message in relay.taken]
    assert len(ids) == len(set(ids))
    notes = world.one("SELECT count(*) FROM alerts_delivery WHERE kind = 'outage'")
    assert notes <= 2
    assert world.one("SELECT count(*) FROM scans_change WHERE kind = 'regressed'") == 1
    assert "Traceback" not in world.log(), world.log()[-4000:]
    seen(
        "+2 d: one look each for 48 that were missed; -1 d: every slot within an interval; 0 alerts by the jumps, "
        f"then 1 of 1; {notes} note that no clock had ticked"
    )
    assert set(met) == {200}


def page_with(world: World, cookie: str) -> int:
    request = urllib.request.Request(f"{world.url}/account/login/", headers={"Cookie": f"sessionid={cookie}"})
    try:
        with urllib.request.urlopen(request, timeout=40) as page:
            return int(page.status)
    except urllib.error.HTTPError as error:
        return error.code
