"""Words of the history pages."""

from __future__ import annotations

from django import template
from django.utils.translation import get_language, pgettext

from checks.items import all_items
from fedisec.history.spans import SpanView

register = template.Library()


@register.filter
def said(view: SpanView) -> str:
    """The machine's words of then, in the reader's language."""
    return view.text(get_language() or "en")


@register.filter
def item_title(item_id: str) -> str:
    """The title of an item; the id of one that this version does not know."""
    item = all_items().get(item_id)
    return item.title.in_language(get_language() or "en") if item is not None else item_id


@register.filter
def reason_word(reason: str) -> str:
    """Why a scan was made."""
    return {
        "first": pgettext("scan", "first look"),
        "scheduled": pgettext("scan", "scheduled"),
        "manual": pgettext("scan", "asked for"),
        "confirm": pgettext("scan", "second look"),
        "item": pgettext("scan", "single items"),
    }.get(reason, reason)


@register.filter
def side_word(side: str) -> str:
    """From where a scan looked; "" for both sides."""
    return {
        "outside": pgettext("scan", "from outside alone"),
        "inside": pgettext("scan", "from inside alone"),
    }.get(side, "")


@register.filter
def scan_state_word(state: str) -> str:
    """How far a scan is."""
    return {
        "queued": pgettext("scan", "waits"),
        "running": pgettext("scan", "runs"),
        "done": pgettext("scan", "done"),
        "failed": pgettext("scan", "broke off"),
    }.get(state, state)


@register.filter
def kind_word(kind: str) -> str:
    """A kind of difference between two scans."""
    return {
        "worse": pgettext("difference", "newly not met, or worse"),
        "better": pgettext("difference", "fixed, or better"),
        "other": pgettext("difference", "another value"),
        "blind": pgettext("difference", "could no longer be checked"),
        "seen": pgettext("difference", "could be checked again, or for the first time"),
    }[kind]


@register.filter
def status_word(status: str) -> str:
    """A machine's status as scans count it."""
    return {
        "pass": pgettext("status", "pass"),
        "warn": pgettext("status", "warning"),
        "fail": pgettext("status", "fail"),
        "unknown": pgettext("status", "could not check"),
        "error": pgettext("status", "error"),
        "not_applicable": pgettext("status", "not applicable"),
        "manual": pgettext("status", "for a person"),
    }.get(status, status)
