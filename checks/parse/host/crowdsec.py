"""CrowdSec: the agent that judges, and the bouncers that block."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from checks.parse.host.common import denied, parts, units

PULL_MAX = timedelta(minutes=10)  # a bouncer asks every 10 s by default; slower ones every minute
_AGENT = "crowdsec.service"


@dataclass(frozen=True, slots=True)
class Bouncer:
    """`last_pull` None: it never asked."""

    name: str
    valid: bool
    last_pull: datetime | None

    def pulls(self, now: datetime) -> bool:
        return self.valid and self.last_pull is not None and now - self.last_pull <= PULL_MAX


@dataclass(frozen=True, slots=True)
class Crowdsec:
    """`agent`: None where no systemd was asked.  `bouncers`: None where they were not shown.  `running`:
    units of bouncers that are active.  `guards_ssh`: None where the collections were not shown."""

    installed: bool
    agent: bool | None
    running: tuple[str, ...]
    bouncers: tuple[Bouncer, ...] | None
    denied: bool
    guards_ssh: bool | None

    def works(self, now: datetime) -> bool:
        """The agent runs and a bouncer asks it; without the list, a bouncer's unit must be active."""
        return bool(self.agent) and bool(self.running if self.bouncers is None else self.pulling(now))

    def evidence(self) -> str:
        """The bouncers, one a line."""
        if self.bouncers is None:
            return "\n".join(f"{name} active" for name in self.running)
        return "\n".join(
            f"{one.name}: {'valid' if one.valid else 'revoked'}, last pull {one.last_pull or 'never'}"
            for one in self.bouncers
        )

    def pulling(self, now: datetime) -> tuple[Bouncer, ...]:
        return tuple(one for one in self.bouncers or () if one.pulls(now))


def parse_crowdsec(lines: tuple[str, ...]) -> Crowdsec:
    """The section `crowdsec`."""
    found = {part.label: part for part in parts(lines)}
    shown = units(found["units"].lines) if "units" in found else {}
    there = {name for name, unit in shown.items() if unit.get("LoadState") != "not-found"}
    active = {name for name, unit in shown.items() if unit.get("ActiveState") == "active"}
    part, collections = found.get("bouncers"), found.get("collections")
    listed = part.lines if part is not None and part.rest == "" else ()
    has_list = collections is not None and not collections.absent and not collections.denied
    return Crowdsec(
        installed=_AGENT in there or (part is not None and not part.absent),
        agent=_AGENT in active if _AGENT in shown else None,
        running=tuple(sorted(name for name in active if name != _AGENT)),
        bouncers=_bouncers(listed),
        denied=part is not None and (part.rest == "denied" or denied(part.lines)),
        guards_ssh=any(_is_for_ssh(line) for line in collections.lines) if collections and has_list else None,
    )


def _is_for_ssh(collection: str) -> bool:
    """The collection `linux` brings the one for sshd with it."""
    return collection.strip().lower().removesuffix(".yaml") in {"sshd", "linux", "ssh"}


def _bouncers(lines: tuple[str, ...]) -> tuple[Bouncer, ...] | None:
    """`cscli bouncers list -o raw`: a head line, then one line each.  `revoked` holds "validated" where it is
    good; later versions have `valid` or the same word."""
    head = next((n for n, line in enumerate(lines) if line.startswith("name,")), None)
    if head is None:
        return None
    names = lines[head].split(",")
    try:
        rows = [dict(zip(names, row, strict=False)) for row in csv.reader(lines[head + 1 :]) if row]
    except csv.Error:
        return None
    return tuple(
        Bouncer(row.get("name", ""), _is_valid(row), _time(row.get("last_pull", ""))) for row in rows
    )


def _is_valid(row: dict[str, str]) -> bool:
    if "valid" in row:
        return row["valid"].lower() in {"true", "validated", "valid"}
    return row.get("revoked", "").lower() in {"false", "validated"}


def _time(text: str) -> datetime | None:
    """RFC 3339, perhaps with nanoseconds."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
