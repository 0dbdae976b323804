"""The filter of the checklist, as it stands in the address of the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict

from checks.model import Level
from fedisec.checklist.board import Row
from fedisec.checklist.state import State


@dataclass(frozen=True, slots=True)
class Filter:
    """What the page is narrowed to; values that do not exist are ignored."""

    level: Level | None = None
    state: State | None = None
    words: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Filter:
        level, state = query.get("level", ""), query.get("state", "")
        return cls(
            Level(level) if level in set(Level) else None,
            State(state) if state in set(State) else None,
            query.get("q", "").strip()[:100],
        )

    @property
    def is_set(self) -> bool:
        return self != Filter()

    @property
    def given(self) -> dict[str, str]:
        """The fields that are set, named as in the address."""
        named = {"level": self.level or "", "state": self.state or "", "q": self.words}
        return {name: str(value) for name, value in named.items() if value}

    def apply(self, rows: Iterable[Row], language: str) -> list[Row]:
        words = folded(self.words).split()
        return [
            row
            for row in rows
            if (self.level is None or row.item.level is self.level)
            and (self.state is None or row.state.state is self.state)
            and all(word in _haystack(row, language) for word in words)
        ]


def _haystack(row: Row, language: str) -> str:
    item = row.item
    return folded(f"{item.id} {item.title.en} {item.title.ja} {row.summary(language)}")


def folded(text: str) -> str:
    """Case and width do not matter: ＴＬＳ finds TLS."""
    return unicodedata.normalize("NFKC", text).casefold()
