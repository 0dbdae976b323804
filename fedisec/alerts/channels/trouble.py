"""That the other side did not take what it was told."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Stop(StrEnum):
    """Why fedisec switched a channel off by itself."""

    GONE = "gone"  # the receiver answered 410


class NotTaken(Exception):
    """`answer`: one clean line without secrets.  `final`: another try is of no use.  `pause`: the least time
    before it, if the other side named one.  `maybe_arrived`: it may have been taken nevertheless.  `stop`:
    the channel is to be switched off."""

    def __init__(
        self,
        answer: str,
        final: bool = False,
        *,
        pause: timedelta | None = None,
        maybe_arrived: bool = False,
        stop: Stop | None = None,
    ) -> None:
        super().__init__(answer)
        self.answer, self.final, self.pause = answer, final, pause
        self.maybe_arrived, self.stop = maybe_arrived, stop
