"""What was observed: frozen, JSON-able, and honest about what could not be seen.

A fact is a frozen dataclass deriving from `Fact`, in one of this package's modules.  A part of a fact that
could not be seen is a `Missing` in its place; a fact that could not be seen at all stands in `Facts.missing`.
`None` in a fact means "none exists", never "we failed".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from checks.errors import ProbeError, Reason


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of every top-level fact; the class itself is the key under which it is found."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Stands where a value could not be seen."""

    reason: Reason
    detail: str = ""

    @classmethod
    def of(cls, error: ProbeError) -> Missing:
        return cls(error.reason, error.detail)


class MissingFact(LookupError):
    """Raised by `Facts.get`; the runner turns it into UNKNOWN with the reason."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(missing.reason)
        self.missing = missing


F = TypeVar("F", bound=Fact)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one look at a target brought: `found` and `missing` are keyed by fact class, disjoint."""

    found: Mapping[type[Fact], Fact] = field(default_factory=dict)
    missing: Mapping[type[Fact], Missing] = field(default_factory=dict)

    def get(self, kind: type[F]) -> F:
        """The fact, or MissingFact with the reason it is not there."""
        fact = self.found.get(kind)
        if fact is None:
            raise MissingFact(self.missing.get(kind, Missing(Reason.NOT_ASKED)))
        assert isinstance(fact, kind)
        return fact

    def maybe(self, kind: type[F]) -> F | None:
        """The fact where an item can do without it."""
        fact = self.found.get(kind)
        return fact if isinstance(fact, kind) else None

    def with_facts(self, *facts: Fact) -> Facts:
        """A copy in which `facts` replace what was found or missing under their classes."""
        more = {type(fact): fact for fact in facts}
        return Facts({**self.found, **more}, {k: v for k, v in self.missing.items() if k not in more})


def seen(value: T | Missing) -> T:
    """The value of a fact's part, or MissingFact: lets an item read a part as if it were always there."""
    if isinstance(value, Missing):
        raise MissingFact(value)
    return value
