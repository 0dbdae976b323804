"""What an account can read of a server: the collector's sections, each with how much came.  Pure."""

from __future__ import annotations

from enum import StrEnum

from checks.facts.inside import Inside, Section
from checks.parse.host.common import denied

_HEAD = "== "
_KILLED = frozenset({124, 137})  # ended by timeout(1)


class Sight(StrEnum):
    """How much of a section came."""

    FINE = "fine"
    PARTLY = "partly"  # some of it may not be read
    DENIED = "denied"
    ABSENT = "absent"  # there is nothing of the kind on the server
    CUT = "cut"  # too long, or too slow


def sections_of(report: Inside) -> tuple[tuple[str, str], ...]:
    """Name and sight of each section, in the collector's order."""
    return tuple((section.name, sight(section).value) for section in report.sections)


def sight(section: Section) -> Sight:
    """What a section is good for, at a glance; its items judge more finely."""
    if section.code is None or section.cut or section.code in _KILLED:
        return Sight.CUT
    refused = [line for line in section.lines if denied((line,)) or line.startswith("denied /")]
    if any(_tells(line) for line in section.lines if line not in refused):
        return Sight.PARTLY if refused else Sight.FINE
    return Sight.DENIED if refused else Sight.ABSENT


def _tells(line: str) -> bool:
    """Whether a line says something of the server, and not merely what is not there."""
    if line.startswith(_HEAD):
        return len(line.split()) > 3  # a file's path with its owner and mode
    return bool(line.strip()) and not line.endswith(("not found", " absent", "No such file or directory"))
