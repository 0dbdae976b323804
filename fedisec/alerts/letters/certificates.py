"""The words about a certificate of which less is left than a renewal ever leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.page import Block, Point, Points, Prose, Quote, Section
from fedisec.alerts.letters.words import item_link, line, moment, name_of, when
from fedisec.alerts.models import Notice
from fedisec.instances.models import Instance
from fedisec.scans.certificates import ITEM_ID


def newest(notices: Iterable[Notice]) -> list[Notice]:
    """The last word about each certificate: thresholds that waited together are one."""
    return list({_fingerprint(notice): notice for notice in notices}.values())


def _fingerprint(notice: Notice) -> str:
    data = notice.data if isinstance(notice.data, dict) else {}
    return line(data.get("fingerprint"), 100)


def certificate_section(instance: Instance, notice: Notice, now: datetime, *, brief: bool) -> Section:
    """From Notice.data, each key of which may be missing: "not_before", "not_after" (ISO 8601), "address"
    that showed it, "fingerprint".  `brief`: what to look at was said above, of another one."""
    data = notice.data if isinstance(notice.data, dict) else {}
    ends = when(data.get("not_after"))
    has_ended = ends is not None and ends <= now
    blocks: list[Block] = [Prose(_left(name_of(instance), ends, now), strong=True)]
    blocks += [Quote(label, text) for label, text in _which(data)]
    if not brief:
        blocks.append(Prose(_("It has not been renewed in time. Look here first:")))
        blocks.append(Points(_first_looks(), numbered=True))
    blocks.append(Prose("", item_link(instance, ITEM_ID)))
    return Section(
        _("A certificate has ended:") if has_ended else _("A certificate ends soon:"), tuple(blocks)
    )


def ending_in_short(notices: Sequence[Notice], now: datetime) -> str:
    """Of the certificate that ends first, for a subject; "" where nothing is known of its end."""
    ends = [when(one.data.get("not_after")) for one in notices if isinstance(one.data, dict)]
    first = min((end for end in ends if end is not None), default=None)
    if first is None:
        return ""
    left = first - now
    if left <= timedelta(0):
        return _("the certificate has ended")
    if left < timedelta(days=2):
        hours = int(left / timedelta(hours=1))
        words = ngettext(
            "the certificate ends in %(count)d hour", "the certificate ends in %(count)d hours", hours
        )
        return words % {"count": hours}
    words = ngettext(
        "the certificate ends in %(count)d day", "the certificate ends in %(count)d days", left.days
    )
    return words % {"count": left.days}


def _left(name: str, ends: datetime | None, now: datetime) -> str:
    if ends is None:
        return _("The certificate of %(name)s ends soon.") % {"name": name}
    left, values = ends - now, {"name": name, "at": moment(ends)}
    if left <= timedelta(0):
        return _("The certificate of %(name)s ended on %(at)s: visitors get an error.") % values
    if left < timedelta(days=2):
        count = int(left / timedelta(hours=1))
        words = ngettext(
            "The certificate of %(name)s ends in %(count)d hour, on %(at)s.",
            "The certificate of %(name)s ends in %(count)d hours, on %(at)s.",
            count,
        )
    else:
        count = left.days
        words = ngettext(
            "The certificate of %(name)s ends in %(count)d day, on %(at)s.",
            "The certificate of %(name)s ends in %(count)d days, on %(at)s.",
            count,
        )
    return words % {**values, "count": count}


def _which(data: dict[str, Any]) -> list[tuple[str, str]]:
    begins = when(data.get("not_before"))
    rows = (
        (_("Seen at:"), line(data.get("address"), 60)),
        (_("Valid from:"), moment(begins) if begins is not None else ""),
        (_("Fingerprint (SHA-256):"), line(data.get("fingerprint"), 100)),
    )
    return [(label, text) for label, text in rows if text]


def _first_looks() -> tuple[Point, ...]:
    return (
        Point(
            _("With certbot: what does a renewal say, and does its timer run?"),
            commands="certbot renew --dry-run\nsystemctl list-timers 'certbot*'",
        ),
        Point(
            _("With acme.sh or Caddy: the log of the last try."),
            commands="acme.sh --list\njournalctl -u caddy --since -2d | grep -i certificate",
        ),
        Point(
            _("A new certificate on the disk counts only once the web server has loaded it."),
            commands="systemctl reload nginx",
        ),
    )
