"""fail2ban: whether it runs, which jails guard SSH, and whether these have something to read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.parse.host.common import Part, denied, parts, units

_ADDED = re.compile(r"\['add', '([^']{1,100})', '([^']{0,40})'\]")
_LOG = re.compile(r"\['set', '([^']{1,100})', '(?:logpath|addlogpath)', '([^']{1,300})'")
# Several words: "_SYSTEMD_UNIT=sshd.service", "+", "_COMM=sshd".
_MATCH = re.compile(r"\['set', '([^']{1,100})', 'addjournalmatch', '([^']{1,300}(?:', '[^']{1,300}){0,8})'")
_LISTED = re.compile(r"(File list|Journal matches):\s*(.*)")


@dataclass(frozen=True, slots=True)
class Jail:
    """A jail whose name holds "ssh".  `sources`: log files and journal matches; () where none is shown."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fail2ban:
    """`installed`: the unit or the client is there; None where neither could be asked.  `active`: None where
    no systemd was asked.  `jails`: those that guard SSH; None where neither the server nor its configuration
    showed any.  `loaded`: they are those of the running server, not of the configuration alone."""

    installed: bool | None
    active: bool | None
    state: str  # ActiveState and Result of the unit
    jails: tuple[Jail, ...] | None
    loaded: bool
    denied: bool


def parse_fail2ban(lines: tuple[str, ...]) -> Fail2ban:
    """The section `fail2ban`."""
    found = parts(lines)
    named = {part.label: part for part in found}
    unit = units(named["unit"].lines).get("fail2ban.service", {}) if "unit" in named else {}
    status = named.get("status")
    loaded = _loaded(status)
    jails = (
        tuple(_jail(part) for part in found if part.label == "jail")
        if loaded
        else _configured(named.get("config"))
    )
    absent = status is not None and status.absent
    load = unit.get("LoadState")
    is_there = (
        True if load not in {None, "not-found"} else False if absent else None if status is None else True
    )
    return Fail2ban(
        installed=is_there,
        active=unit["ActiveState"] == "active" if "ActiveState" in unit else True if loaded else None,
        state=" ".join(unit[key] for key in ("ActiveState", "Result") if key in unit),
        jails=jails,
        loaded=loaded,
        denied=status is not None and denied(status.lines),
    )


_UNIT = re.compile(r"_SYSTEMD_UNIT=(\S+)")


def reads_journal_of(source: str, unit: str = "ssh.service", version: tuple[int, int] | None = None) -> bool:
    """Whether a journal match catches what sshd says.  From OpenSSH 9.8 on the process that logs a failed
    login is sshd-session, so that a match by the name sshd alone catches nothing."""
    if unit in _UNIT.findall(source) or "_COMM=sshd-session" in source:
        return True
    return "_COMM=sshd" in source and (version is None or version < (9, 8))


def _loaded(status: Part | None) -> bool:
    return status is not None and any("Jail list:" in line for line in status.lines)


def _jail(part: Part) -> Jail:
    listed = (_LISTED.search(line) for line in part.lines)
    return Jail(part.rest, tuple(match[2].strip() for match in listed if match and match[2].strip()))


def _configured(part: Part | None) -> tuple[Jail, ...] | None:
    """From the dump of the configuration, which every user may ask for."""
    text = "\n".join(part.lines) if part is not None else ""
    backends = dict(_ADDED.findall(text))
    if not backends:
        return None
    # Every filter brings its match along; the journal is read with the backend systemd alone.
    matches = [
        (jail, source.replace("', '", " "))
        for jail, source in _MATCH.findall(text)
        if backends.get(jail, "").startswith("systemd")
    ]
    sources = [*_LOG.findall(text), *matches]
    guarding = [name for name in backends if "ssh" in name.lower()]
    return tuple(Jail(name, tuple(source for jail, source in sources if jail == name)) for name in guarding)
