"""Words and marks of feeds."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from fedisec.checklist.templatetags.checklist import shape
from fedisec.watch.matching import product_title
from fedisec.watch.models import Source
from fedisec.watch.standing import MARKS, WORDS, Standing, doubt_words, error_words

register = template.Library()
register.filter("product_title", product_title)
register.filter("doubt_words", doubt_words)


@register.simple_tag
def feed_mark(standing: Standing) -> SafeString:
    """Shape and word of how a feed stands."""
    colour, icon = MARKS[standing]
    return format_html('<span class="state state-{}">{}{}</span>', colour, shape(icon), WORDS[standing])


@register.filter
def what_failed(source: Source) -> str:
    return error_words(source, get_language() or "en")
