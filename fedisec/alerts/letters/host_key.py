"""The words of the alarm: a server shows another SSH host key than the confirmed one."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from fedisec.alerts.letters.page import Page, Point, Points, Prose, Quote, Section
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.letters.words import address, line, link_of, moment, name_of, subject_line, when
from fedisec.alerts.models import Notice
from fedisec.enrolment.steps import compare_command

_KEY_MAX = 120


def host_key(mail: Mail, notices: Sequence[Notice]) -> Page:
    """From what was stored when the logins were stopped: the access may be confirmed or gone by now."""
    notice = notices[-1]
    instance = notice.instance
    data = notice.data if isinstance(notice.data, dict) else {}
    name = name_of(instance)
    after = line(data.get("after"), _KEY_MAX)
    at = when(data.get("seen_at")) or notice.created_at
    return Page(
        subject_line(name, _("another SSH host key, logins stopped")),
        name,
        lead=(
            Prose(_("%(name)s, seen on %(moment)s") % {"name": name, "moment": moment(at)}),
            Prose(
                _(
                    "The server showed another SSH host key than the confirmed one. fedisec did not log "
                    "in, and will not until somebody has confirmed the new key."
                ),
                strong=True,
            ),
            Quote(_("Confirmed:"), line(data.get("before"), _KEY_MAX)),
            Quote(_("Shown now:"), after),
        ),
        sections=(
            Section(
                _("What it may mean:"),
                (
                    Points(
                        (
                            Point(
                                _(
                                    "The server was installed anew or moved, or its SSH keys were made "
                                    "anew. If that was you, all is well."
                                )
                            ),
                            Point(
                                _(
                                    "The name or the address leads to another machine: DNS, a floating "
                                    "address, port forwarding."
                                )
                            ),
                            Point(
                                _(
                                    "Somebody stands in between, and sees whatever is typed into a session "
                                    "that accepts the new key."
                                )
                            ),
                        )
                    ),
                ),
            ),
            Section(_("What to do first:"), (Points(_steps(after), numbered=True),)),
        ),
        close=(Prose("", address("ssh", instance.domain) if instance is not None else link_of(None)),),
        foot=(Prose(_("fedisec mails this at once, and once for each new key.")),),
    )


def _steps(after: str) -> tuple[Point, ...]:
    return (
        Point(
            _(
                "Log in nowhere over SSH before this is clear, and accept no changed key. Use the console "
                "that your hoster gives you."
            )
        ),
        Point(_("There, print the key of the server itself:"), commands=compare_command(after)),
        Point(
            _(
                "If it is the one shown now, confirm it in fedisec. If not, another machine answers: find "
                "out which before anybody logs in."
            )
        ),
    )
