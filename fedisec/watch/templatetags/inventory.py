"""Words of the inventory page."""

from __future__ import annotations

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from checks.errors import Reason
from checks.reasons import REASONS
from fedisec.checklist.templatetags.checklist import shape, visible
from fedisec.watch.endings import Coming
from fedisec.watch.parts import Source
from fedisec.watch.placing import End, EndKind, Standing

register = template.Library()

_SHAPES = {
    Standing.SUPPORTED: ("met", "met"),
    Standing.LONG_TERM: ("met", "met"),
    Standing.OPEN: ("met", "met"),
    Standing.FOLLOWS: ("met", "met"),
    Standing.COMES: ("met", "met"),
    Standing.SOON: ("warning", "warning"),
    Standing.PAID: ("warning", "warning"),
    Standing.ENDED: ("not-met", "not_met"),
    Standing.UNKNOWN: ("unseen", "could_not_check"),
}


@register.filter
def source_of(source: Source) -> str:
    """Where something comes from."""
    return {
        Source.DISTRIBUTION: gettext("package of the distribution"),
        Source.VENDOR: gettext("package of its maker"),
        Source.IMAGE: gettext("image"),
        Source.BUILD: gettext("own build"),
        Source.UNSURE: gettext("cannot be told"),
        Source.SYSTEM: gettext("the system itself"),
        Source.OUTSIDE: gettext("seen from outside"),
        Source.HAND: gettext("written down by hand"),
    }[source]


@register.simple_tag
def support_mark(standing: Standing) -> SafeString:
    """How it stands with support: a shape and a word."""
    word = {
        Standing.SUPPORTED: gettext("supported"),
        Standing.LONG_TERM: gettext("long-term support only"),
        Standing.PAID: gettext("paid support only"),
        Standing.SOON: gettext("ends soon"),
        Standing.ENDED: gettext("ended"),
        Standing.FOLLOWS: gettext("with the distribution"),
        Standing.COMES: gettext("with the fediverse software"),
        Standing.OPEN: gettext("supported, no end known"),
        Standing.UNKNOWN: gettext("not in fedisec’s tables"),
    }[standing]
    icon, colour = _SHAPES[standing]
    return format_html('<span class="state state-{}">{}{}</span>', colour, shape(icon), word)


@register.filter
def end_words(end: End) -> SafeString:
    """One end of support: which, when, and how far off that is."""
    kind = {
        "regular": gettext("regular"),
        "long_term": gettext("long-term"),
        "paid": gettext("paid"),
    }[end.kind]
    day = format_html(
        '<time datetime="{}">{}</time>', end.day.isoformat(), date_format(end.day, "DATE_FORMAT")
    )
    if end.days < 0:
        return format_html(gettext("{kind}: ended {day}, {off}"), kind=kind, day=day, off=_off(end.days))
    return format_html(gettext("{kind}: until {day}, {off}"), kind=kind, day=day, off=_off(end.days))


def _off(days: int) -> str:
    if days == 0:
        return gettext("today")
    if days > 0:
        return ngettext("in %(days)d day", "in %(days)d days", days) % {"days": days}
    return ngettext("%(days)d day ago", "%(days)d days ago", -days) % {"days": -days}


@register.filter
def coming_words(one: Coming) -> SafeString:
    """When support ends, how far off that is, and where to go."""
    day = format_html(
        '<time datetime="{}">{}</time>', one.day.isoformat(), date_format(one.day, "DATE_FORMAT")
    )
    if one.days < 0:
        form = gettext("support ended {day}, {off}")
    elif one.support == EndKind.LONG_TERM:
        form = gettext("long-term support ends {day}, {off}")
    else:
        form = gettext("support ends {day}, {off}")
    said = format_html(form, day=day, off=_off(one.days))
    if not one.goes_to:
        return said
    return format_html("{} · {}", said, gettext("go to %(version)s") % {"version": visible(one.goes_to)})


@register.filter
def reason_words(reason: Reason) -> str:
    """Why something could not be read."""
    return REASONS[reason].in_language(get_language() or "en")
