"""The filter of the overview, as it stands in the address of the page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from fedisec.checklist.trouble import Condition


@dataclass(frozen=True, slots=True)
class Sieve:
    """What the page is narrowed to; a condition that does not exist is ignored."""

    condition: Condition | None = None
    tag: str = ""
    software: str = ""
    words: str = ""
    team: int = 0

    @classmethod
    def of(cls, query: QueryDict) -> Sieve:
        condition, team = query.get("is", ""), query.get("team", "")
        return cls(
            Condition(condition) if condition in set(Condition) else None,
            query.get("tag", "").strip()[:30],
            query.get("software", "").strip()[:100],
            query.get("q", "").strip()[:100],
            int(team) if team.isascii() and team.isdecimal() and len(team) < 19 else 0,
        )

    @property
    def is_set(self) -> bool:
        return self != Sieve()

    @property
    def query(self) -> str:
        """The filter as the part of an address after "?"; the same filter is always the same text."""
        given = {"is": self.condition or "", "tag": self.tag, "software": self.software, "q": self.words}
        given["team"] = str(self.team) if self.team else ""
        return urlencode({name: value for name, value in given.items() if value})
