"""What the pages of answers need to say who, when and from where."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from fedisec.accounts.audit_words import action_word
from fedisec.accounts.models import AuditEvent, User
from fedisec.checklist.ending import ASKED_AGAIN_AFTER
from fedisec.checklist.models import Waiver
from fedisec.checklist.sentence import stamp
from fedisec.checklist.sides import Side
from fedisec.checklist.state import State
from fedisec.checklist.templatetags.checklist import state_word

register = template.Library()


@register.filter
def person(user: User | None) -> str:
    """Who said it; accounts can be gone."""
    return str(user) if user is not None else gettext("somebody whose account is gone")


@register.filter
def asked_again(waiver: Waiver) -> datetime:
    """When a waiver without an end is asked about again."""
    return waiver.created_at + timedelta(days=ASKED_AGAIN_AFTER)


@register.filter
def looked_word(moment: datetime, side: Side) -> SafeString:
    """When and from where it was looked at."""
    text = {
        Side.OUTSIDE: gettext("Last looked at %(at)s, from outside."),
        Side.SERVER: gettext("Last looked at %(at)s, on the server itself, over SSH."),
        Side.BOTH: gettext("Last looked at %(at)s, from outside and on the server itself."),
        Side.ITSELF: gettext("Last looked at %(at)s, in fedisec's own settings."),
    }[side]
    # The sentences are ours and `stamp` escapes: nothing foreign gets in.
    return mark_safe(text % {"at": stamp(moment)})


@register.filter
def decided_word(side: Side | str) -> str:
    """Who decided, where it was fedisec."""
    return {
        Side.OUTSIDE: gettext("seen by fedisec from outside"),
        Side.SERVER: gettext("seen by fedisec on the server"),
        Side.BOTH: gettext("seen by fedisec from outside and on the server"),
        Side.ITSELF: gettext("by fedisec's own settings"),
    }.get(Side(side) if side else Side.OUTSIDE, "")


@register.filter
def action_of(event: AuditEvent) -> str:
    return action_word(event.action)


@register.filter
def state_or_text(word: str) -> str:
    """A state as it is called on the pages; anything else as it is."""
    if not word:
        return gettext("nothing")
    return state_word(word) if word in set(State) else word
