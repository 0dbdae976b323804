"""The drawings of the trends: SVG without script and without style attributes.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from checks.model import Level
from fedisec.history.points import Point, blanks, lines

SPARK_DAYS = 30
_WIDTH, _HEIGHT, _EDGE = 1000.0, 100.0, 4.0  # of the drawing; the page stretches it
_SPARK_WIDTH, _SPARK_HEIGHT = 96, 24

Place = Callable[[Point], float]


@dataclass(frozen=True, slots=True)
class Line:
    """One level over the days shown."""

    level: Level
    points: tuple[Point, ...]

    @property
    def first(self) -> Point:
        return self.points[0]

    @property
    def last(self) -> Point:
        return self.points[-1]

    @property
    def change(self) -> str:
        """How many more or fewer are met than on the first day; "" for as many."""
        more = self.last.met - self.first.met
        return f"{more:+d}".replace("-", "−") if more else ""


def spark(points: Sequence[Point], first: date, gap: timedelta) -> SafeString:
    """SPARK_DAYS days from `first` on, small; "" where there are not two days to connect."""
    if len(points) < 2:
        return SafeString("")
    shares = [point.share for point in points]
    low = min(shares)
    wide = (_SPARK_WIDTH - 4) / (SPARK_DAYS - 1)
    tall = (_SPARK_HEIGHT - 6) / max(max(shares) - low, 0.1)  # a flat line stays flat
    path = _path(
        lines(points, gap),
        lambda point: (point.day - first).days * wide + 2,
        lambda point: _SPARK_HEIGHT - 3 - (point.share - low) * tall,
    )
    told = _("%(days)d days: from %(first)d of %(first_of)d met to %(last)d of %(last_of)d") % {
        "days": SPARK_DAYS,
        "first": points[0].met,
        "first_of": points[0].of,
        "last": points[-1].met,
        "last_of": points[-1].of,
    }
    return format_html(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        'fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" '
        'stroke-linejoin="round"><title>{}</title><path d="{}"/></svg>',
        told, told, path, w=_SPARK_WIDTH, h=_SPARK_HEIGHT,
    )  # fmt: skip


def _path(parts: Sequence[Sequence[Point]], x: Place, y: Place) -> str:
    """The unbroken lines as one path; a day that stands alone is a dot (a line of no length, round ends)."""
    drawn = []
    for part in parts:
        spots = [f"{x(point):.1f} {y(point):.1f}" for point in part]
        drawn.append(f"M{spots[0]}" + ("L" + "L".join(spots[1:]) if spots[1:] else "h0"))
    return "".join(drawn)


def plot(found: Sequence[Line], first: date, today: date, gap: timedelta, low: float) -> SafeString:
    """The levels from `first` to `today`; the scale goes from the share `low` to 1."""
    span = max((today - first).days, 1)

    def at(day: date) -> float:
        return (day - first).days / span * _WIDTH

    def x(point: Point) -> float:
        return at(point.day)

    def y(point: Point) -> float:
        return _EDGE + (1 - point.share) / (1 - low) * (_HEIGHT - 2 * _EDGE)

    grid = format_html_join(
        "",
        '<path class="trend-grid" d="M0 {}H{}"/>',
        ((f"{spot:.1f}", _WIDTH) for spot in (_EDGE, _HEIGHT / 2, _HEIGHT - _EDGE)),
    )
    missed = format_html_join(
        "",
        '<rect class="trend-gap" x="{}" y="0" width="{}" height="{}"/>',
        (
            (f"{at(a):.1f}", f"{at(b) - at(a):.1f}", _HEIGHT)
            for a, b in blanks(found[0].points, first, today, gap)
        ),
    )
    drawn = format_html_join(
        "",
        '<path class="trend-line trend-{}" d="{}"/>',
        ((line.level.value, _path(lines(line.points, gap), x, y)) for line in reversed(found)),
    )
    return format_html(
        '<svg class="trend-plot" role="img" aria-labelledby="trend-title trend-desc" '
        'viewBox="0 0 {} {}" preserveAspectRatio="none"><title id="trend-title">{}</title>'
        '<desc id="trend-desc">{}</desc>{}{}{}</svg>',
        _WIDTH, _HEIGHT, _("Met of applicable items, by level"), _told(found), missed, grid, drawn,
    )  # fmt: skip


def _told(found: Sequence[Line]) -> str:
    """The drawing in words."""
    words = {
        Level.REQUIRED: _("Required"),
        Level.RECOMMENDED: _("Recommended"),
        Level.OPTIONAL: _("Optional"),
    }
    told = [
        _("%(level)s: %(first)d of %(first_of)d on %(from)s, %(last)d of %(last_of)d on %(to)s.")
        % {
            "level": words[line.level],
            "first": line.first.met,
            "first_of": line.first.of,
            "from": date_format(line.first.day, "DATE_FORMAT"),
            "last": line.last.met,
            "last_of": line.last.of,
            "to": date_format(line.last.day, "DATE_FORMAT"),
        }
        for line in found
    ]
    return " ".join(told)
