"""What the collector said on the server itself: its sections as text, read by `checks.parse.host`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checks.errors import Reason
from checks.facts import Fact, Missing, MissingFact


@dataclass(frozen=True, slots=True)
class Section:
    """One question that the collector put to the server, and all that was answered."""

    name: str
    lines: tuple[str, ...]
    code: int | None  # exit status of the last command; None where the end of the section is missing
    took_ms: int = 0
    cut: bool = False  # more was there than the collector passes on


@dataclass(frozen=True, slots=True)
class Inside(Fact):
    """One whole run of the collector.  `uid` 0: it ran as root, so a gap is no matter of rights."""

    protocol: int
    uid: int
    seen_at: datetime
    sections: tuple[Section, ...]

    @property
    def as_root(self) -> bool:
        return self.uid == 0

    def section(self, name: str) -> Section:
        """A whole section; MissingFact where it did not come, was cut, or ran out of its time."""
        found = next((one for one in self.sections if one.name == name), None)
        if found is None:
            raise MissingFact(Missing(Reason.NOT_ASKED, f"section {name}"))
        if found.code in _KILLED:
            raise MissingFact(Missing(Reason.TIMEOUT, f"section {name}"))
        if found.code is None or found.cut:
            raise MissingFact(Missing(Reason.TOO_LARGE, f"section {name}"))
        return found

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines of a whole section."""
        return self.section(name).lines


_KILLED = frozenset({124, 137})  # what timeout(1) makes of a command that it had to end
