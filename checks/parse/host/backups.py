"""Traces of backups: jobs, how their last run ended, and the files they left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from checks.parse.host.clock import parse_epoch, parse_time
from checks.parse.host.common import parts, units

_DIGITS = re.compile(r"\d+")
# What Debian itself keeps in /var/backups: lists of packages and accounts, no data.
_NOT_DATA = re.compile(
    r"/(?:dpkg\.(?:status|arch|diversions|statoverride)|apt\.extended_states|alternatives\.tar"
    r"|aptitude\.pkgstates|(?:g?shadow|passwd|group)\.bak|infodir|debtags)[^/]{0,40}$"
)
_UNFINISHED = re.compile(
    r"(?:\.(?:part|tmp|partial|lock|log|sha\d{1,3}|md5|sig|asc|json|txt|conf)|/unfinished)$"
)
_DUMP = re.compile(
    r"(?:\.(?:dump|sql|pgdump|pgsql|dmp|rdb|db|sqlite3?)|dump|pg_|postgres|psql|mysql|mariadb|database|mastodon|akkoma"
    r"|pleroma|misskey|sharkey|firefish|iceshrimp|pixelfed|gotosocial|peertube|friendica|lemmy)",
    re.IGNORECASE,
)
_OTHER_DATA = re.compile(r"media|upload|storage|config|conf\b|etc\b|globals|roles|schema", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Run:
    """The service behind a timer.  `ended` None: it has not run since the machine started."""

    service: str
    ended: datetime | None
    well: bool
    result: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that a backup left."""

    path: str
    size: int
    at: datetime

    @property
    def series(self) -> str:
        """The path without its numbers, so that Monday's and Tuesday's file are the same thing."""
        return _DIGITS.sub("#", self.path)

    @property
    def is_dump(self) -> bool:
        """By its name it holds a database, and not just its roles or the media."""
        name = self.path.rpartition("/")[2][:200]
        return bool(_DUMP.search(name)) and not _OTHER_DATA.search(name)


@dataclass(frozen=True, slots=True)
class Backups:
    timers: tuple[str, ...]  # that are not known to be off
    runs: tuple[Run, ...]
    cron: tuple[str, ...]  # "FILE WORD"
    tools: tuple[str, ...]
    files: tuple[Kept, ...]  # newest first
    remotes: tuple[str, ...]
    gaps: tuple[str, ...]  # places that may not be looked into, or could not in time

    @property
    def scheduled(self) -> tuple[str, ...]:
        return (*self.timers, *self.cron)

    def newest(self) -> tuple[Kept, Kept | None] | None:
        """The newest dump of a database, and the one before it in the same series; with no dump, the newest
        of the other files and None."""
        dumps = [one for one in self.files if one.is_dump]
        newest = next(iter(dumps or self.files), None)
        if newest is None:
            return None
        older = (one for one in dumps if one.series == newest.series and one.at < newest.at)
        return newest, next(older, None)


def parse_backups(lines: tuple[str, ...]) -> Backups:
    """The section "backups"."""
    held: dict[str, list[str]] = {}
    gaps: list[str] = []
    for part in parts(lines):
        if part.rest.endswith("denied"):
            gaps.append(part.rest.removesuffix("denied").strip() or part.label)
        held.setdefault(part.label, []).extend(part.lines)
    cron = [line for line in held.get("cron", ()) if not line.startswith("denied ")]
    for name in ("cron", "files"):
        gaps += [
            line.partition(" ")[2] for line in held.get(name, ()) if line.startswith(("denied ", "slow "))
        ]
    states = units(tuple(held.get("timer_states", ())))
    timers = (
        word
        for line in held.get("timers", ())
        for word in line.split()[:20]
        if word.endswith(".timer") and states.get(word, {}).get("ActiveState", "active") == "active"
    )
    files = [kept for line in held.get("files", ()) if (kept := _kept(line))]
    return Backups(
        tuple(dict.fromkeys(timers)),
        _runs(tuple(held.get("services", ()))),
        tuple(line for line in cron if line.strip()),
        tuple(word for line in held.get("tools", ()) for word in line.split()[:50]),
        tuple(sorted(files, key=lambda one: one.at, reverse=True)),
        tuple(line.strip() for line in held.get("remotes", ()) if line.strip()),
        tuple(dict.fromkeys(gaps)),
    )


def _runs(lines: tuple[str, ...]) -> tuple[Run, ...]:
    return tuple(
        Run(
            name,
            parse_time(unit.get("ExecMainExitTimestamp", "")),
            unit.get("Result") == "success" and unit.get("ExecMainStatus", "0") == "0",
            unit.get("Result", ""),
        )
        for name, unit in units(lines).items()
        if name.endswith(".service")
    )


def _kept(line: str) -> Kept | None:
    """ "MTIME SIZE PATH"; None for what is no backup."""
    seconds, _, rest = line.strip().partition(" ")
    size, _, path = rest.partition(" ")
    at = parse_epoch(seconds)
    if at is None or not (size.isascii() and size.isdigit() and len(size) < 16) or not path.startswith("/"):
        return None
    if _NOT_DATA.search(path[-300:]) or _UNFINISHED.search(path[-50:]):
        return None
    return Kept(path, int(size), at)
