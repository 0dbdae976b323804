"""What a channel is told, as plain values."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language

from checks.clean import clean
from checks.items import all_items
from fedisec.alerts.models import Delivery, MailKind, Notice

EVIDENCE_MAX = 200
_TYPES = {
    MailKind.REGRESSION.value: "instance.regressed",
    MailKind.RECOVERY.value: "instance.recovered",
    MailKind.UNREACHABLE.value: "instance.unreachable",
}


def facts_of(delivery: Delivery) -> dict[str, Any]:
    """A JSON-able dict: "type", "instance" (a domain, or null for several or none), "items", "counts" by
    status, "link"."""
    notices = list(delivery.notices.select_related("change__instance", "instance"))
    items = [_item(notice) for notice in notices if notice.change is not None]
    domain = delivery.instance.domain if delivery.instance is not None else None
    counts: dict[str, int] = {}
    for item in items:
        counts[item["status"]] = counts.get(item["status"], 0) + 1
    return {
        "type": _TYPES.get(delivery.kind, f"instance.{delivery.kind}" if domain else delivery.kind),
        "instance": domain,
        "items": items,
        "counts": counts,
        "link": settings.PUBLIC_URL + (reverse("instance", args=[domain]) if domain else reverse("overview")),
    }


def _item(notice: Notice) -> dict[str, Any]:
    change = notice.change
    assert change is not None
    item, language = all_items().get(change.item_id), get_language() or "en"
    code = item.codes.get(change.code) if item is not None else None
    evidence = clean(change.evidence[0][1], EVIDENCE_MAX, newlines=False) if change.evidence else ""
    return {
        "id": change.item_id,
        "instance": change.instance.domain,
        "level": item.level.value if item is not None else None,
        "title": item.title.in_language(language) if item is not None else change.item_id,
        "status": notice.kind,
        "summary": code.filled(language, change.data) if code is not None else change.code,
        "evidence": evidence,
        "link": settings.PUBLIC_URL + reverse("item", args=[change.instance.domain, change.item_id]),
    }
