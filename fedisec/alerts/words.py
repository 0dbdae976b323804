"""What every kind of mail is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checks.clean import clean

SUBJECT_MAX = 120
NAME_MAX = 60


@dataclass(frozen=True, slots=True)
class Words:
    """`template`: mail/NAME.txt and mail/NAME.html.  `is_answer`: belongs below the mail before it."""

    subject: str
    template: str
    context: Mapping[str, Any]
    is_answer: bool = False


def subject_line(name: str, news: str) -> str:
    """One line that says of whom and what; the name is cut before the news is."""
    words = f"[fedisec] {clean(name, NAME_MAX, newlines=False)}: {news}"
    return clean(words, SUBJECT_MAX, newlines=False)
