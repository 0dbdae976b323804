"""Each budget that stands between a hostile far side and fedisec, and how to take it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from checks.target import Limits

Removal = Callable[[Limits, ExitStack], Limits]
BUDGETS: dict[str, Removal] = {}


@contextmanager
def without(budget: str, limits: Limits) -> Iterator[Limits]:
    """The limits with one budget taken out ("" for none), and the code patched to match."""
    with ExitStack() as patched:
        yield BUDGETS[budget](limits, patched) if budget else limits
