"""The headers of a mail: which one it is, below which it stands, and how to stop it."""

from __future__ import annotations

from fedisec.alerts import unsubscribe
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.models import Delivery, DeliveryState

_ROOTS_MAX = 10  # References may grow long: ten incidents find their mails, the rest need not


def headers_of(mail: Mail, *, is_answer: bool) -> dict[str, str]:
    """Date is set by whoever sends; nothing here comes from a host."""
    headers = {"Message-ID": mail.delivery.message_id, "Auto-Submitted": "auto-generated"}
    headers |= unsubscribe.header_of(mail.delivery)
    if is_answer:
        roots = _roots(mail)
        if roots:
            headers |= {"In-Reply-To": roots[0], "References": " ".join(reversed(roots))}
    return headers


def _roots(mail: Mail) -> list[str]:
    """Of each incident that the mail speaks of, the first mail that told this reader: the oldest incident
    first.  One query."""
    incidents = {notice.incident_id for notice in mail.notices if notice.incident_id is not None}
    if not incidents or mail.delivery.user_id is None:
        return []
    before = Delivery.objects.filter(
        user=mail.delivery.user_id,
        notices__incident__in=incidents,
        pk__lt=mail.delivery.pk,
        state=DeliveryState.SENT,
    )
    rows = before.order_by("notices__incident", "pk").values_list("notices__incident", "message_id")
    first: dict[int, str] = {}
    for incident, message_id in rows:
        first.setdefault(incident, message_id)
    return list(dict.fromkeys(first.values()))[:_ROOTS_MAX]
