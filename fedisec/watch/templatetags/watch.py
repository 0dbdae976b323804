"""Words and marks of feeds."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from fedisec.checklist.templatetags.checklist import shape, visible
from fedisec.watch.matching import product_title
from fedisec.watch.models import Concern, Source, Verdict
from fedisec.watch.standing import MARKS, WORDS, Standing, doubt_words, error_words

register = template.Library()
register.filter("product_title", product_title)
register.filter("doubt_words", doubt_words)


@register.simple_tag
def feed_mark(standing: Standing) -> SafeString:
    """Shape and word of how a feed stands."""
    colour, icon = MARKS[standing]
    return format_html('<span class="state state-{}">{}{}</span>', colour, shape(icon), WORDS[standing])


# Verdict -> (class of the colour, shape of the sprite, words)
_SAYS = {
    Verdict.UPDATE: (
        "not_met",
        "not-met",
        _("The distribution has repaired it; the update is not installed."),
    ),
    Verdict.OPEN: ("warning", "warning", _("The distribution has no repair yet.")),
    Verdict.IGNORED: ("warning", "warning", _("The distribution has decided not to repair it.")),
    Verdict.ENDED: ("warning", "warning", _("The distribution no longer looks after this package.")),
    Verdict.REPAIRED: (
        "met",
        "met",
        _("The installed package has the distribution's repair, or never had the flaw."),
    ),
}


@register.simple_tag
def distribution_says(concern: Concern) -> SafeString:
    """What the distribution says of the package, and in which version it is repaired."""
    colour, icon, words = _SAYS[Verdict(concern.verdict)]
    said = format_html('<span class="state state-{}">{}{}</span>', colour, shape(icon), words)
    if not concern.repaired_in:
        return said
    return format_html('{} <span class="mono muted">{}</span>', said, visible(concern.repaired_in))


@register.filter
def what_failed(source: Source) -> str:
    return error_words(source, get_language() or "en")
