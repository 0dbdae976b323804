"""What renews the certificate, and how it went."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.backups import Run
from checks.parse.host.clock import parse_time
from checks.parse.host.common import parts, units


@dataclass(frozen=True, slots=True)
class Renewal:
    """Names of timers and servers that are there, by whether they are active; `cron`: "FILE WORD"."""

    timers: tuple[str, ...]
    stopped: tuple[str, ...]
    runs: tuple[Run, ...]
    cron: tuple[str, ...]
    servers: tuple[str, ...]
    gaps: tuple[str, ...]


def parse_renewal(lines: tuple[str, ...]) -> Renewal:
    """The section "cert_renewal"."""
    held = {part.label: part.lines for part in parts(lines)}
    timers = _loaded(held.get("timers", ()))
    cron = held.get("cron", ())
    return Renewal(
        tuple(name for name, unit in timers.items() if unit.get("ActiveState") == "active"),
        tuple(name for name, unit in timers.items() if unit.get("ActiveState") != "active"),
        tuple(
            Run(
                name,
                parse_time(unit.get("ExecMainExitTimestamp", "")),
                unit.get("Result") == "success" and unit.get("ExecMainStatus", "0") == "0",
                unit.get("Result", ""),
            )
            for name, unit in units(held.get("services", ())).items()
        ),
        tuple(line for line in cron if line.strip() and not line.startswith("denied ")),
        tuple(
            name
            for name, unit in units(held.get("servers", ())).items()
            if unit.get("ActiveState") == "active"
        ),
        tuple(line.removeprefix("denied ") for line in cron if line.startswith("denied ")),
    )


def _loaded(lines: tuple[str, ...]) -> dict[str, dict[str, str]]:
    return {
        name: unit for name, unit in units(lines).items() if unit.get("LoadState") in {"loaded", "masked"}
    }
