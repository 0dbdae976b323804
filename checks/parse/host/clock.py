"""The clock: is it kept right, and how systemd writes a point in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from checks.parse.host.common import marked, properties

# Zones that systemd may write without a number; the collector asks for UTC.
_ZONES = {"UTC": timedelta(0), "GMT": timedelta(0), "JST": timedelta(hours=9)}


@dataclass(frozen=True, slots=True)
class Clock:
    """None: nobody said.  `offset_s`: how far chrony is from its source."""

    service: bool | None  # systemd knows of a time service that is on
    synchronised: bool | None
    offset_s: float | None
    stratum: int | None

    @property
    def by_chrony(self) -> bool:
        """chrony follows a source."""
        return self.stratum is not None and 0 < self.stratum < 16


def parse_clock(lines: tuple[str, ...]) -> Clock:
    """The section "time"."""
    said = {name: value for block in properties(lines) for name, value in block.items()}
    chrony = dict(_pair(line) for line in marked(lines).get("chrony", ()))
    stratum = chrony.get("Stratum", "")
    offset = chrony.get("System time", "").partition(" ")[0]
    return Clock(
        _yes(said.get("NTP")),
        _yes(said.get("NTPSynchronized")),
        _number(offset),
        int(stratum) if stratum.isascii() and stratum.isdigit() and len(stratum) < 4 else None,
    )


def parse_time(text: str) -> datetime | None:
    """ "Sat 2026-11-21 08:45:16 UTC" or "@1795250716"; None for "", "n/a" and a zone that says nothing."""
    words = text.split()
    if len(words) == 1 and words[0].startswith("@"):
        return parse_epoch(words[0][1:])
    if len(words) != 4 or words[3] not in _ZONES:
        return None
    try:
        found = datetime.strptime(f"{words[1]} {words[2]}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None
    return found.replace(tzinfo=timezone(_ZONES[words[3]])).astimezone(UTC)


def parse_epoch(text: str) -> datetime | None:
    """Seconds since 1970, also with a fraction; None for anything else or past the year 9999."""
    whole = text.partition(".")[0]
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 11):
        return None
    return datetime.fromtimestamp(int(whole), UTC)


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _yes(value: str | None) -> bool | None:
    return {"yes": True, "no": False}.get(value or "")


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) < 1e12 else None
