"""The words of the alarm: a server shows another SSH host key than the confirmed one."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from checks.clean import clean
from fedisec.alerts.models import Delivery
from fedisec.alerts.words import Words, subject_line
from fedisec.enrolment.steps import compare_command

_KEY_MAX = 120


def about_host_key(delivery: Delivery, language: str) -> Words:
    """From what was stored when the logins were stopped: the access may be confirmed or gone by now."""
    assert delivery.instance is not None
    notice = delivery.notices.order_by("-pk").first()
    assert notice is not None
    instance, data = delivery.instance, notice.data
    after = clean(data["after"], _KEY_MAX, newlines=False)
    context = {
        "language": language,
        "name": clean(instance.name, 253, newlines=False),
        "seen_at": datetime.fromisoformat(data["seen_at"]),
        "before": clean(data["before"], _KEY_MAX, newlines=False),
        "after": after,
        "command": compare_command(after),
        "link": settings.PUBLIC_URL + reverse("ssh", args=[instance.domain]),
    }
    return Words(subject_line(instance.name, _("another SSH host key, logins stopped")), "host_key", context)
