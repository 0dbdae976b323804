"""From a delivery to its page: who says what kind of thing, and the last resort for what nobody knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from fedisec.alerts import unsubscribe
from fedisec.alerts.letters.alarms import alarms
from fedisec.alerts.letters.digest import digest
from fedisec.alerts.letters.host_key import host_key
from fedisec.alerts.letters.news import news
from fedisec.alerts.letters.outage import outage
from fedisec.alerts.letters.page import Page, Point, Points, Prose, Section
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.letters.reminders import reminders
from fedisec.alerts.letters.trial import trial
from fedisec.alerts.letters.words import address, link_of, moment, name_of, subject_line
from fedisec.alerts.models import MailKind, Notice
from fedisec.alerts.packing import ALARMS

Teller = Callable[[Mail, Sequence[Notice]], Page]


def _other(mail: Mail, notices: Sequence[Notice]) -> Page:
    """A notice of a kind that this version has no words for still says where and when."""
    points = [
        Point(f"{name_of(one.instance)}, {moment(one.created_at)}", link_of(one.instance)) for one in notices
    ]
    return Page(
        subject_line(name_of(mail.delivery.instance), _("something changed")),
        "fedisec",
        lead=(Prose(_("Something changed; the dashboard shows what.")), Points(tuple(points))),
        close=(Prose("", address("overview")),),
    )


TELLERS: dict[str, Teller] = {
    **{kind.value: alarms for kind in ALARMS},
    MailKind.HOST_KEY.value: host_key,
    MailKind.REMINDER.value: reminders,
    MailKind.ENDING.value: reminders,
    MailKind.DIGEST.value: digest,
    MailKind.NEWS.value: news,
    MailKind.OUTAGE.value: outage,
    MailKind.TEST.value: trial,
}


def page_of(mail: Mail) -> Page:
    """What the mail says, and how its reader changes what comes."""
    page = _told(mail)
    if mail.delivery.user_id is None:
        return page
    ways = [Prose(_("Choose what you hear of:"), address("notifications"))]
    end = unsubscribe.link_of(mail.delivery)
    if end:
        ways.append(Prose(_("End mails like this one:"), end))
    return replace(page, foot=(*page.foot, *ways))


def _told(mail: Mail) -> Page:
    """Kinds that come together only by chance are told one below the other."""
    families: dict[Teller, list[Notice]] = defaultdict(list)
    for notice in mail.notices:
        teller = TELLERS.get(notice.kind, _other)
        if teller is alarms and notice.instance is None:
            teller = _other
        families[teller].append(notice)
    pages = [teller(mail, notices) for teller, notices in families.items()]
    if not pages:
        return _other(mail, ())
    first, *rest = pages
    for page in rest:
        more = Section(page.title, (*page.lead,), chapter=True)
        first = replace(
            first,
            sections=(*first.sections, more, *page.sections, Section("", page.close)),
            is_answer=first.is_answer and page.is_answer,
        )
    return first
