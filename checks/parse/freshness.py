"""How fresh is what fedisec read of a feed?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from checks.errors import Reason
from checks.facts.fedisec import Feed

STALE_AFTER = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The same feeds, sorted by what is known of them."""

    fresh: tuple[Feed, ...]  # the last good answer is younger than STALE_AFTER
    stale: tuple[Feed, ...]  # it is older; or there was never one for as long, while another feed is fresh
    silent: tuple[Feed, ...]  # there was never one, and it is not known that the fault is not ours
    waiting: tuple[Feed, ...]  # nobody has asked yet


def freshness(feeds: Sequence[Feed], now: datetime) -> Freshness:
    known = [feed for feed in feeds if feed.last_ok_at is not None]
    fresh = [feed for feed in known if feed.last_ok_at and now - feed.last_ok_at <= STALE_AFTER]
    never = [feed for feed in feeds if feed.last_ok_at is None and feed.failing_since is not None]
    long = [feed for feed in never if feed.failing_since and now - feed.failing_since > STALE_AFTER]
    given_up = long if fresh else []
    return Freshness(
        tuple(fresh),
        tuple([feed for feed in known if feed not in fresh] + given_up),
        tuple(feed for feed in never if feed not in given_up),
        tuple(feed for feed in feeds if feed.last_ok_at is None and feed.failing_since is None),
    )


def titles(feeds: Iterable[Feed]) -> str:
    return ", ".join(feed.title for feed in feeds)


def reason_of(feeds: Sequence[Feed]) -> Reason:
    """Why the first of them cannot be read, as one of the closed set."""
    try:
        return Reason(feeds[0].reason)
    except (IndexError, ValueError):
        return Reason.WITHHELD  # an answer, but no good one


def shown(feeds: Iterable[Feed]) -> str:
    """One line for each: when it last gave a good answer, and what is wrong since."""
    return "\n".join(_line(feed) for feed in feeds)


def _line(feed: Feed) -> str:
    good = f"{feed.last_ok_at:%Y-%m-%d %H:%M} UTC" if feed.last_ok_at else "none yet"
    wrong = f"; {feed.error or feed.reason}" if feed.failing_since else ""
    return f"{feed.title}: last good answer {good}{wrong}{'' if feed.enabled else '; switched off'}"
