"""What a mail is made of as plain values, for webhooks."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fedisec.alerts.letters.items import evidence_of, said_of
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.letters.words import EVIDENCE_MAX, address, item_link, line, link_of
from fedisec.alerts.models import MailKind, Notice

ITEMS_MAX = 200
_TYPES = {MailKind.REGRESSION.value: "regressed", MailKind.RECOVERY.value: "recovered"}
_INSTANCE_KINDS = frozenset(MailKind) - {MailKind.OUTAGE, MailKind.TEST, MailKind.DIGEST, MailKind.NEWS}


def facts_of(mail: Mail) -> dict[str, Any]:
    """{"type": "instance.regressed" …, "instance": domain or None for several and for none, "items": [{"id",
    "instance", "level", "title", "status", "summary", "evidence", "link"}], "counts": {status: number},
    "link"}.  `status`: the kind of change, or of the notice.  200 items at most; `counts` counts all."""
    statuses = Counter(_status(notice) for notice in mail.notices)
    kind = mail.notices[0].kind if mail.notices else mail.delivery.kind
    news = _TYPES.get(kind, kind)
    instances = list(mail.instances.values())
    one = instances[0] if len(instances) == 1 else None
    return {
        "type": f"instance.{news}" if kind in _INSTANCE_KINDS else news,
        "instance": one.domain if one is not None else None,
        "items": [_item(mail, notice) for notice in mail.notices[:ITEMS_MAX] if notice.instance is not None],
        "counts": dict(statuses),
        "link": link_of(one) if one is not None else address("overview"),
    }


def _status(notice: Notice) -> str:
    return notice.change.kind if notice.change is not None else notice.kind


def _item(mail: Mail, notice: Notice) -> dict[str, Any]:
    change, instance = notice.change, notice.instance
    assert instance is not None
    item_id = _item_id(notice)
    item = mail.items.get(item_id)
    return {
        "id": item_id,
        "instance": instance.domain,
        "level": item.level.value if item is not None else None,
        "title": mail.items.title(item_id) if item_id else "",
        "status": _status(notice),
        "summary": said_of(change, mail.items) if change is not None else "",
        "evidence": line(evidence_of(change), EVIDENCE_MAX) if change is not None else "",
        "link": item_link(instance, item_id),
    }


def _item_id(notice: Notice) -> str:
    if notice.change is not None:
        return notice.change.item_id
    if notice.incident is not None:
        return notice.incident.item_id
    data = notice.data if isinstance(notice.data, dict) else {}
    return line(data.get("item"), 60)
