"""One mail, ready to send, in its reader's language and time zone; and the same in short for channels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation

from fedisec.alerts.letters.compose import page_of
from fedisec.alerts.letters.page import Page
from fedisec.alerts.letters.plain import plain
from fedisec.alerts.letters.reading import read
from fedisec.alerts.letters.summary import facts_of
from fedisec.alerts.letters.threads import headers_of
from fedisec.alerts.models import Delivery
from fedisec.lib.middleware import zone


@dataclass(frozen=True, slots=True)
class Summary:
    """What a channel is told.  `html`: a whole page.  `facts`: JSON-able, see `letters.summary`."""

    subject: str
    text: str
    html: str
    facts: dict[str, Any]


def letter_of(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail of `delivery`, ready to send."""
    assert delivery.user is not None
    with _in_words_of(delivery) as language:
        mail = read(delivery)
        page = page_of(mail)
        letter = EmailMultiAlternatives(
            subject=page.subject,
            body=plain(page),
            to=[delivery.user.email],
            headers=headers_of(mail, is_answer=page.is_answer),
        )
        letter.attach_alternative(_html(page, language), "text/html")
    return letter


def summary_of(delivery: Delivery) -> Summary:
    """The same words for a channel, and what they are made of as plain values."""
    with _in_words_of(delivery) as language:
        mail = read(delivery)
        page = page_of(mail)
        return Summary(page.subject, plain(page), _html(page, language), facts_of(mail))


@contextmanager
def _in_words_of(delivery: Delivery) -> Iterator[str]:
    """The language and time zone of whoever it is for are active."""
    reader = delivery.user if delivery.user is not None else delivery.channel
    assert reader is not None
    language = reader.language or settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(zone(reader.time_zone)):
        yield language


def _html(page: Page, language: str) -> str:
    html: str = render_to_string("mail/letter.html", {"page": page, "language": language})
    return html
