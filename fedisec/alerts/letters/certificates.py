"""The words about a certificate of which less is left than a renewal ever leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.page import Block, Point, Points, Prose, Quote, Section
from fedisec.alerts.letters.words import item_link, joined, line, moment, name_of, when
from fedisec.alerts.models import Notice
from fedisec.instances.models import Instance

_ITEM = "tls.certificate_lasts"
_NAMES_MAX = 5


def certificate_section(instance: Instance, notice: Notice) -> Section:
    """From Notice.data, each key of which may be missing: "ends" (ISO 8601), "days" left, "names", "address",
    "issuer", "fingerprint", "threshold"."""
    data = notice.data if isinstance(notice.data, dict) else {}
    ends = when(data.get("ends"))
    blocks: list[Block] = [Prose(_left(instance, notice, data), strong=True)]
    blocks += [Quote(label, text) for label, text in _which(data)]
    blocks.append(Prose(_("Its renewal has not happened in time. Look here first:")))
    blocks.append(
        Points(
            (
                Point(
                    _("With certbot: what does a renewal say, and does its timer run?"),
                    commands="certbot renew --dry-run\nsystemctl list-timers 'certbot*'",
                ),
                Point(
                    _("With acme.sh or Caddy: the log of the last try."),
                    commands="acme.sh --list\njournalctl -u caddy --since -2d | grep -i certificate",
                ),
                Point(
                    _(
                        "A new certificate that is on the disk already counts once the web server has "
                        "loaded it."
                    ),
                    commands="systemctl reload nginx",
                ),
            ),
            numbered=True,
        )
    )
    blocks.append(Prose("", item_link(instance, _ITEM)))
    title = (
        _("A certificate has ended:") if ends and ends <= notice.created_at else _("A certificate ends soon:")
    )
    return Section(title, tuple(blocks))


def _left(instance: Instance, notice: Notice, data: dict[str, Any]) -> str:
    ends = when(data.get("ends"))
    values: dict[str, object] = {"name": _name(instance, data)}
    if ends is None:
        days = data.get("days")
        if not isinstance(days, int | float):
            return _("The certificate of %(name)s ends soon.") % values
        values["count"] = int(days)
        return _days(int(days)) % values
    values["at"] = moment(ends)
    left = ends - notice.created_at
    if left <= timedelta(0):
        return _("The certificate of %(name)s ended on %(at)s: visitors get an error.") % values
    if left < timedelta(days=2):
        hours = int(left / timedelta(hours=1))
        values["count"] = hours
        words = ngettext(
            "The certificate of %(name)s ends in %(count)d hour, on %(at)s.",
            "The certificate of %(name)s ends in %(count)d hours, on %(at)s.",
            hours,
        )
        return words % values
    values["count"] = left.days
    words = ngettext(
        "The certificate of %(name)s ends in %(count)d day, on %(at)s.",
        "The certificate of %(name)s ends in %(count)d days, on %(at)s.",
        left.days,
    )
    return words % values


def _days(days: int) -> str:
    return ngettext(
        "The certificate of %(name)s ends in %(count)d day.",
        "The certificate of %(name)s ends in %(count)d days.",
        days,
    )


def _name(instance: Instance, data: dict[str, Any]) -> str:
    return line(data.get("name"), 253) or name_of(instance)


def _which(data: dict[str, Any]) -> list[tuple[str, str]]:
    names = data.get("names")
    known = [line(one, 253) for one in names if isinstance(one, str)] if isinstance(names, list) else []
    address = data.get("address") or data.get("addresses")
    shown = (
        joined(line(one, 60) for one in address[:_NAMES_MAX])
        if isinstance(address, list)
        else line(address, 60)
    )
    rows = (
        (_("Its names:"), joined(known[:_NAMES_MAX]) + ("…" if len(known) > _NAMES_MAX else "")),
        (_("Seen at:"), shown),
        (_("Issued by:"), line(data.get("issuer"), 200)),
        (_("Fingerprint (SHA-256):"), line(data.get("fingerprint"), 100)),
    )
    return [(label, text) for label, text in rows if text]
