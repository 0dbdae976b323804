"""Words that several kinds of mail share; all in the active language and time zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from checks.clean import clean
from checks.model import Level
from checks.target import Target
from fedisec.instances.models import Instance

SUBJECT_MAX = 120
NAME_MAX = 60
EVIDENCE_MAX = 200
TEXT_MAX = 500


def subject_line(name: str, news: str) -> str:
    """One line that says of whom and what; the name is cut before the news is.  No name: fedisec itself."""
    words = f"[fedisec] {line(name, NAME_MAX)}: {news}" if name else f"[fedisec] {news}"
    return line(words, SUBJECT_MAX)


def line(value: object, limit: int = TEXT_MAX) -> str:
    """Anything as one clean line."""
    return clean(str(value), limit, newlines=False) if value is not None else ""


def name_of(instance: Instance | None) -> str:
    return line(instance.name, 253) if instance is not None else "fedisec"


def as_written(domain: object) -> str:
    """A domain out of JSON as people write it, Unicode where it has any."""
    return line(Target(line(domain, 253)).unicode_domain, 253)


def servers(count: int) -> str:
    return ngettext("%(count)d server", "%(count)d servers", count) % {"count": count}


def address(view: str, *args: str) -> str:
    return settings.PUBLIC_URL + reverse(view, args=args)


def web_address(value: Any) -> str:
    """An address out of a feed goes nowhere but to the web."""
    url = line(value, 500)
    if any(letter.isspace() or letter in "<>\"'`\ufffd" for letter in url):
        return ""
    try:
        return url if urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname else ""
    except ValueError:
        return ""


def link_of(instance: Instance | None) -> str:
    return address("instance", instance.domain) if instance is not None else address("overview")


def item_link(instance: Instance | None, item_id: str) -> str:
    """The page of an item; that of the instance for what is no item."""
    if instance is None or "." not in item_id or "/" in item_id:
        return link_of(instance)
    return address("item", instance.domain, item_id)


def level_word(level: Level | None) -> str:
    words = {
        Level.REQUIRED: _("required"),
        Level.RECOMMENDED: _("recommended"),
        Level.OPTIONAL: _("optional"),
    }
    return words[level] if level is not None else ""


def when(value: Any) -> datetime | None:
    """A moment out of JSON (ISO 8601) or as it is; None for anything else."""
    if isinstance(value, str):
        try:
            value = parse_datetime(value)
        except ValueError:  # well formed, and no such day
            return None
    if not isinstance(value, datetime):
        return None
    return value if timezone.is_aware(value) else value.replace(tzinfo=timezone.get_default_timezone())


def moment(at: datetime) -> str:
    """Day, time and zone."""
    here = timezone.localtime(at)
    return _("%(at)s (%(zone)s)") % {
        "at": date_format(here, "DATETIME_FORMAT"),
        "zone": date_format(here, "T"),
    }


def day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATE_FORMAT")


def span(since: datetime, until: datetime) -> str:
    """From when to when; the day is said once where it is the same."""
    start, end = timezone.localtime(since), timezone.localtime(until)
    form = "TIME_FORMAT" if start.date() == end.date() else "DATETIME_FORMAT"
    values = {
        "start": date_format(start, "DATETIME_FORMAT"),
        "end": date_format(end, form),
        "zone": date_format(end, "T"),
    }
    return _("from %(start)s to %(end)s (%(zone)s)") % values


def long(since: datetime, until: datetime) -> str:
    """How long, in one unit: "18 days"."""
    return timesince(since, until, depth=1).replace("\xa0", " ")


def after(*sentences: str) -> str:
    """Sentences in a row; some languages put no space between them."""
    said = ""
    for sentence in sentences:
        if sentence:
            said = _("%(first)s %(second)s") % {"first": said, "second": sentence} if said else sentence
    return said


def joined(parts: Iterable[str]) -> str:
    """Names in a row: "a, b, c"."""
    return _(", ").join(part for part in parts if part)


def counted(parts: Iterable[str]) -> str:
    """Pieces of news in a row: "2 items are no longer met; 1 is met again"."""
    return _("; ").join(part for part in parts if part)
