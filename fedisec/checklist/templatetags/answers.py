"""What the pages of answers need to say who, when and from where."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from checks.model import Item
from fedisec.accounts.audit_words import action_word
from fedisec.accounts.models import AuditEvent, User
from fedisec.checklist.board import Topic
from fedisec.checklist.bulk import BulkForm, newest
from fedisec.checklist.ending import ASKED_AGAIN_AFTER
from fedisec.checklist.models import Waiver
from fedisec.checklist.sentence import filled, stamp
from fedisec.checklist.sides import Side
from fedisec.checklist.state import State
from fedisec.checklist.templatetags.checklist import state_word, tr
from fedisec.checklist.undoing import Offer, offer
from fedisec.instances.models import Instance

register = template.Library()


@register.simple_tag(takes_context=True)
def undo_offer(context: Context, instance: Instance) -> Offer | None:
    """What the reader did to several items a moment ago and can still undo; no query of its own."""
    request: HttpRequest = context["request"]
    kept = offer(request, instance)
    return kept if kept is not None and kept.count > 1 else None


@register.simple_tag
def bulk_form() -> BulkForm:
    """The empty form under a list."""
    return BulkForm()


@register.simple_tag
def pick(item: Item) -> SafeString:
    """The box that ticks a line for the form under the list.  A tag of its own, for there are many."""
    label = gettext("Choose: %(title)s") % {"title": tr(item.title)}
    box = '<input class="pick" type="checkbox" form="bulk" name="item" value="{}" aria-label="{}">'
    return format_html(box, item.id, label)


@register.filter
def newest_said(topics: Iterable[Topic]) -> str:
    """For the form under a list: the newest answer that its reader saw."""
    return newest(row for topic in topics for row in topic.rows)


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
    return filled(text, {"at": stamp(moment)})


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
