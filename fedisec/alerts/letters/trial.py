"""The words of a test mail."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from fedisec.alerts.letters.page import Page, Prose
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.letters.words import address, moment, subject_line
from fedisec.alerts.models import Notice


def trial(mail: Mail, notices: Sequence[Notice]) -> Page:
    """Somebody asked for it."""
    at = moment(notices[-1].created_at if notices else mail.delivery.created_at)
    return Page(
        subject_line("", _("a test, and it arrived")),
        "fedisec",
        lead=(
            Prose(
                _("This is the test that was asked for on %(at)s. It came the same way as every alarm.")
                % {"at": at}
            ),
            Prose(
                _(
                    "If it lay among the junk mail, tell your mail provider that it is none: an alarm "
                    "would lie there too."
                )
            ),
        ),
        close=(Prose("", address("overview")),),
        foot=(Prose(_("Somebody who runs this fedisec, or you, pressed “send a test”.")),),
    )
