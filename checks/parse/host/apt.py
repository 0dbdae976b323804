"""Updates: what is configured, what ran when, and what is waiting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from checks.parse.host.clock import parse_epoch, parse_time
from checks.parse.host.common import denied, marked, parts, units

_LINE = re.compile(r'([A-Za-z][A-Za-z0-9:_-]{0,120}) "([^"]{0,500})";')
_INST = re.compile(r"Inst (\S{1,200}) (?:\[([^\]]{1,200})\] )?\((\S{1,200}) ([^()]{0,500})")
_ADVISORY = re.compile(
    r"(\S{3,60})\s+((?:Critical|Important|Moderate|Low|None|Unknown)/Sec\.|security)\s+(\S{1,200})"
)
_ALL_ORIGINS = re.compile(r"^(?:origin|o|site)=\*$|^\*:\*$")
_OFF = frozenset({"", "0", "false", "no", "off", "never"})


@dataclass(frozen=True, slots=True)
class AptConfig:
    """What apt's own daily job is told.  `security`: the security source is among those installed from."""

    enabled: bool
    lists: bool
    upgrade: bool
    security: bool
    reboots: bool


@dataclass(frozen=True, slots=True)
class UpdateRuns:
    """Names of timers that are active, of those that are not, and of units that are not there."""

    active: tuple[str, ...]
    inactive: tuple[str, ...]
    failed: tuple[str, ...]  # services whose last run ended badly
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stamps:
    """When the parts of the daily job last ended well; None where they never did.  Newest wins of several."""

    lists: datetime | None
    upgrade: datetime | None
    kept_back: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits.  `tool` "" where nothing could be asked; `errors` are apt's own complaints."""

    tool: str
    security: tuple[str, ...]  # "openssl 3.0.20 → 3.0.22"
    others: int
    errors: tuple[str, ...]
    refused: bool = False


def parse_apt_config(lines: tuple[str, ...]) -> AptConfig | None:
    """`apt-config dump`; None where it says nothing, as on a system without apt."""
    values: dict[str, list[str]] = {}
    for line in lines:
        if match := _LINE.match(line):
            values.setdefault(match[1].lower().rstrip(":"), []).append(match[2])
    if not values:
        return None
    origins = values.get("unattended-upgrade::origins-pattern", [])
    origins += values.get("unattended-upgrade::allowed-origins", [])
    return AptConfig(
        enabled=_on(values, "apt::periodic::enable", default="1"),
        lists=_on(values, "apt::periodic::update-package-lists"),
        upgrade=_on(values, "apt::periodic::unattended-upgrade"),
        security=any("security" in origin.lower() or _ALL_ORIGINS.search(origin) for origin in origins),
        reboots=_on(values, "unattended-upgrade::automatic-reboot"),
    )


def _on(values: dict[str, list[str]], name: str, default: str = "") -> bool:
    return (values.get(name) or [default])[-1].strip().lower() not in _OFF


def parse_update_units(lines: tuple[str, ...]) -> UpdateRuns | None:
    """`systemctl show` of the timers and services; None where systemd was not asked."""
    asked = units(lines)
    if not asked:
        return None
    found = {name: unit for name, unit in asked.items() if unit.get("LoadState") in {"loaded", "masked"}}
    timers = {name: unit for name, unit in found.items() if name.endswith(".timer")}
    return UpdateRuns(
        tuple(name for name, unit in timers.items() if unit.get("ActiveState") == "active"),
        tuple(name for name, unit in timers.items() if unit.get("ActiveState") != "active"),
        tuple(
            name
            for name, unit in found.items()
            if name.endswith(".service")
            and parse_time(unit.get("ExecMainExitTimestamp", "")) is not None
            and unit.get("Result", "success") != "success"
        ),
        tuple(name for name, unit in asked.items() if unit.get("LoadState") == "not-found"),
    )


def parse_stamps(lines: tuple[str, ...]) -> Stamps:
    """The section "update_stamps": lines "SECONDS PATH", then the headed parts."""
    times: dict[str, datetime] = {}
    for line in next((part.lines for part in parts(lines) if part.label == ""), ()):
        seconds, _, path = line.partition(" ")
        at = parse_epoch(seconds)
        if at is not None:
            times[path.rpartition("/")[2]] = at
    lists = [times[name] for name in ("update-stamp", "update-success-stamp") if name in times]
    upgrades = [times[name] for name in ("unattended-upgrades-stamp", "upgrade-stamp") if name in times]
    kept = marked(lines).get("kept_back", ())
    words = tuple(word for line in kept for word in line.split()[:50]) if not denied(kept) else ()
    return Stamps(max(lists, default=None), max(upgrades, default=None), words[:50])


def parse_pending(lines: tuple[str, ...]) -> Pending:
    """What apt would install (simulated), or what dnf knows from its cache."""
    found = {part.label: part for part in parts(lines)}
    apt, dnf = found.get("apt"), found.get("dnf")
    if apt is not None and not apt.absent:
        return _by_apt(apt.lines, apt.denied)
    if dnf is not None and not dnf.absent:
        names = tuple(match[3] for line in dnf.lines if (match := _ADVISORY.match(line.strip())))
        return Pending("dnf", tuple(dict.fromkeys(names)), 0, (), dnf.denied)
    return Pending("", (), 0, ())


def _by_apt(lines: tuple[str, ...], refused: bool) -> Pending:
    security, others = [], 0
    for line in lines:
        if not (match := _INST.match(line)):
            continue
        if "security" in match[4].lower():
            security.append(f"{match[1]} {match[2] or '–'} → {match[3]}")
        else:
            others += 1
    errors = tuple(line for line in lines if line.startswith("E:"))
    return Pending("apt", tuple(security), others, errors, refused)
