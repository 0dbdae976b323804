"""The flaws that an item names, as they stand in its evidence, for a page.  Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

LABEL = "advisories"
_LINE = re.compile(
    r"(?P<name>\S{1,60}) \((?P<rated>[^()]{1,200})\): (?P<title>.{0,200}?)"
    r"(?: < (?P<fixed>[0-9][\w.+-]{0,40}))?(?: (?P<url>https?://\S{1,500}))?"
)
_SCORED = re.compile(
    r"(?P<word>[a-z]{3,8}), CVSS (?P<scale>\d\.\d) (?P<score>\d{1,2}\.\d) by the vector of (?P<by>.+)"
)
_GIVEN = re.compile(r"(?P<word>[a-z]{3,8}), as given by (?P<by>.+)")
_INFERRED = ", versions inferred"
_WORDS: dict[str, Promise] = {
    "critical": pgettext_lazy("severity", "critical"),
    "high": pgettext_lazy("severity", "high"),
    "medium": pgettext_lazy("severity", "medium"),
    "low": pgettext_lazy("severity", "low"),
    "none": pgettext_lazy("severity", "none"),
}


@dataclass(frozen=True, slots=True)
class NamedFlaw:
    """One line.  `word` and `rated` are in the reader's language."""

    name: str
    title: str
    word: str  # "" where nobody rates it
    rated: str  # by whom
    fixed: str
    url: str
    is_inferred: bool


def flaws_in(text: str) -> tuple[list[NamedFlaw], int]:
    """The flaws of a piece of evidence, and how many more there are that it does not name.  Empty where a
    line is of another form: the page shows such evidence as it is."""
    found, more = [], 0
    for line in text.splitlines():
        if line.startswith("+") and line[1:].isdecimal():
            more = int(line[1:5])
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            return [], 0
        word, rated = _rating(match["rated"].removesuffix(_INFERRED))
        found.append(
            NamedFlaw(
                match["name"],
                match["title"],
                word,
                rated,
                match["fixed"] or "",
                match["url"] or "",
                match["rated"].endswith(_INFERRED),
            )
        )
    return found, more


def _rating(text: str) -> tuple[str, str]:
    scored, given = _SCORED.fullmatch(text), _GIVEN.fullmatch(text)
    if scored is not None:
        said = _("CVSS %(scale)s %(score)s, by the vector of %(by)s") % scored.groupdict()
        return _word(scored["word"]), said
    if given is not None:
        return _word(given["word"]), _("as given by %(by)s") % given.groupdict()
    return "", pgettext("severity", "not rated")


def _word(word: str) -> str:
    return str(_WORDS.get(word, word))
