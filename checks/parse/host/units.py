"""The application's systemd units: what is loaded, what the running process holds, whether the two agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checks.parse.host.common import parts, units, without_systemd

SYS_ADMIN = 21  # the bit of CAP_SYS_ADMIN in a mask of capabilities, linux/capability.h
_RUNNING = frozenset({"active", "reloading"})


@dataclass(frozen=True, slots=True)
class AppUnit:
    """One loaded unit.  `process_*` None: the process showed nothing.  `changed`: its files are newer than
    its start or its loaded settings, so the process may not run with what `settings` say."""

    name: str
    running: bool
    settings: dict[str, str]  # as `systemctl show` prints them
    changed: bool
    process_no_new_privileges: bool | None
    process_sys_admin: bool | None  # CAP_SYS_ADMIN is in the process's bounding set

    def value(self, setting: str) -> str | None:
        """None where this systemd does not know the setting."""
        return self.settings.get(setting)

    @property
    def sys_admin(self) -> bool | None:
        """Whether the loaded bounding set holds CAP_SYS_ADMIN; an empty set holds nothing."""
        words = self.value("CapabilityBoundingSet")
        return None if words is None else "cap_sys_admin" in words.lower().split()


@dataclass(frozen=True, slots=True)
class AppUnits:
    """`listed`: systemd was asked and answered, so that no unit means there is none."""

    loaded: tuple[AppUnit, ...]
    listed: bool
    no_systemd: bool

    @property
    def running(self) -> tuple[AppUnit, ...]:
        return tuple(unit for unit in self.loaded if unit.running)

    @property
    def changed(self) -> AppUnit | None:
        """The first running unit that was changed after its start."""
        return next((unit for unit in self.running if unit.changed), None)


def parse_units(lines: tuple[str, ...]) -> AppUnits:
    """The section "units".  Of units that are not there systemd shows defaults as well: they are left out."""
    found = parts(lines)
    head = found[0].lines if found and not found[0].label else ()
    processes = {part.rest: _status(part.lines) for part in found if part.label == "process"}
    files = next((part for part in found if part.label == "files"), None)
    times = _times(files.lines) if files else {}
    loaded = tuple(
        _unit(name, shown, processes, times)
        for name, shown in units(head).items()
        if shown.get("LoadState") == "loaded"
    )
    absent = any(part.label == "units" and part.absent for part in found)
    return AppUnits(loaded, files is not None, absent or without_systemd(lines))


def parse_moment(text: str) -> int | None:
    """Seconds since 1970 of a time as systemd prints it in UTC ("Sat 2026-11-21 07:52:11 UTC")."""
    words = text.split()
    if len(words) != 4 or words[3] != "UTC":
        return None
    try:
        moment = datetime.strptime(f"{words[1]} {words[2]} +0000", "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
    return int(moment.timestamp())


def _unit(
    name: str, shown: dict[str, str], processes: dict[str, dict[str, str]], times: dict[str, int]
) -> AppUnit:
    status = processes.get(shown.get("MainPID", ""), {})
    started = parse_moment(shown.get("ActiveEnterTimestamp", ""))
    paths = [shown.get("FragmentPath", ""), *shown.get("DropInPaths", "").split()]
    newer = started is not None and any(times.get(path, 0) > started for path in paths)
    return AppUnit(
        name,
        shown.get("ActiveState") in _RUNNING,
        shown,
        newer or shown.get("NeedDaemonReload") == "yes",
        {"1": True, "0": False}.get(status.get("NoNewPrivs", "")),
        _holds_sys_admin(status.get("CapBnd", "")),
    )


def _status(lines: tuple[str, ...]) -> dict[str, str]:
    split = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in split}


def _holds_sys_admin(mask: str) -> bool | None:
    if not 0 < len(mask) <= 16 or not set(mask.lower()) <= set("0123456789abcdef"):
        return None
    return bool(int(mask, 16) >> SYS_ADMIN & 1)


def _times(lines: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for line in lines:
        moment, _, path = line.partition(" ")
        if moment.isascii() and moment.isdigit() and len(moment) < 13:
            found[path] = int(moment)
    return found
