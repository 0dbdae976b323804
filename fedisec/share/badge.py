"""The badge: level and date as a small SVG, drawn with the reader's own fonts at a width fixed here."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from checks.model import Level
from fedisec.checklist.board import LevelCount, Posture
from fedisec.checklist.templatetags.checklist import level_word

STALE = timedelta(days=3)  # older looks are shown, and not in the colour of a verdict
_MET, _OPEN, _UNSURE = "#1d6b3a", "#7a4d00", "#51606b"
_PAD = 7


@dataclass(frozen=True, slots=True)
class Badge:
    """Two fields of text, the second on a colour."""

    label: str
    text: str
    colour: str

    @property
    def label_width(self) -> int:
        return _width(self.label) + 2 * _PAD

    @property
    def width(self) -> int:
        return self.label_width + _width(self.text) + 2 * _PAD


def badge_of(standing: Posture, looked_at: datetime | None, *, demo: bool, now: datetime) -> Badge:
    """What the badge says, in the active language."""
    label = _("fedisec demo") if demo else "fedisec"
    if looked_at is None:
        return Badge(label, _("not looked at yet"), _UNSURE)
    day = timezone.localdate(looked_at).isoformat()
    text, colour = _verdict(standing.levels)
    return Badge(label, f"{text} · {day}", _UNSURE if now - looked_at > STALE else colour)


def _verdict(levels: tuple[LevelCount, ...]) -> tuple[str, str]:
    required, recommended = levels[0], levels[1]
    if required.met < required.applicable:
        return f"{level_word(Level.REQUIRED)} {required.met}/{required.applicable}", _OPEN
    if recommended.met < recommended.applicable:
        return _("all required met"), _MET
    return _("all required and recommended met"), _MET


def svg(badge: Badge) -> str:
    texts = {"label_width": badge.label_width, "width": badge.width, "rest": badge.width - badge.label_width}
    texts |= {"label_text": _width(badge.label), "text_text": _width(badge.text), "pad": _PAD}
    return render_to_string("share/badge.svg", {"badge": badge, "text_x": badge.label_width + _PAD} | texts)


def _width(text: str) -> int:
    """Pixels at 11 px, near enough: the text is stretched or pressed to it."""
    return round(sum(11 if unicodedata.east_asian_width(sign) in "WF" else _narrow(sign) for sign in text))


def _narrow(sign: str) -> float:
    if sign in " .:|il·/-jtfr":
        return 4.2
    return 9.5 if sign in "mwMW" else 6.6
