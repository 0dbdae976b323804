"""A channel and its deliveries as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from fedisec.alerts.channels.words import CHANNEL_KINDS, DELIVERY_STATES, STOPPED, kind_word
from fedisec.alerts.models import Channel, Delivery


@dataclass(frozen=True, slots=True)
class State:
    """`tone`: of the state colours; `shape`: in the sprite; never one without the word."""

    tone: str
    shape: str
    word: str


@dataclass(frozen=True, slots=True)
class Row:
    """`where`: "" for whoever may not know."""

    channel: Channel
    kind: str
    where: str
    state: State
    why: str
    last: Line | None
    may_edit: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One delivery.  `next_at`: when it is tried again; None where it is not."""

    at: datetime
    about: str
    state: State
    answer: str
    attempts: int
    next_at: datetime | None


def row_of(channel: Channel, last: Delivery | None, may_edit: bool) -> Row:
    return Row(
        channel,
        str(CHANNEL_KINDS.get(channel.kind, channel.kind)),
        channel.shown if may_edit else "",
        _state(channel, last),
        str(STOPPED.get(channel.stopped_why, "")),
        log_of(last) if last is not None else None,
        may_edit,
    )


def log_of(delivery: Delivery) -> Line:
    tone, shape, word = DELIVERY_STATES[delivery.state]
    again = delivery.next_try_at if delivery.state == "pending" and delivery.attempts else None
    return Line(
        delivery.sent_at or delivery.created_at,
        kind_word(delivery.kind),
        State(tone, shape, str(word)),
        delivery.answer,
        delivery.attempts,
        again,
    )


def _state(channel: Channel, last: Delivery | None) -> State:
    if not channel.enabled:
        return State("not_applicable", "paused", _("switched off"))
    if channel.failing_since is not None:
        return State("not_met", "not-met", _("not taken"))
    if last is None:
        return State("could_not_check", "waiting", _("nothing told yet"))
    return State("met", "met", _("works"))
