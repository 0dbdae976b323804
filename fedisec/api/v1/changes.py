"""What became different, and what feeds said that concerns an instance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from ninja import Router
from pydantic import AfterValidator, AwareDatetime

from checks.items import all_items
from fedisec.api.models import Scope
from fedisec.api.v1 import paging, reach
from fedisec.api.v1.items import evidence_of
from fedisec.api.v1.paging import Cursor, Limit
from fedisec.api.v1.reach import Key
from fedisec.api.v1.schemas import ChangeOut, Page, WarningOut
from fedisec.lib.visible import harmless
from fedisec.scans.models import Change
from fedisec.watch.models import Concern, Said
from fedisec.watch.telling import severity_of

router = Router(tags=["changes"])
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _sane(moment: datetime) -> datetime:
    if not _FIRST <= moment <= _LAST:
        raise ValueError("a moment between 2000 and 2200")
    return moment


Since = Annotated[AwareDatetime, AfterValidator(_sane)]


@reach.serves(router, "GET", "/changes", Scope.READ, Page[ChangeOut])
def list_changes(
    request: HttpRequest,
    response: HttpResponse,
    since: Since | None = None,
    instance: Key | None = None,
    cursor: Cursor = "",
    limit: Limit = paging.MOST,
) -> dict[str, Any]:
    """Confirmed changes, the oldest first: who keeps the last cursor gets each of them once."""
    found = Change.objects.filter(instance__in=reach.instances(request).values("pk"))
    if instance is not None:
        found = found.filter(instance=reach.instance(request, instance))
    if since is not None:
        found = found.filter(created_at__gt=since)
    rows, following = paging.piece(found.select_related("instance"), cursor, limit)
    return paging.answer(request, response, [_change(one) for one in rows], following)


@reach.serves(router, "GET", "/warnings", Scope.READ, Page[WarningOut])
def list_warnings(
    request: HttpRequest,
    response: HttpResponse,
    instance: Key | None = None,
    said: Said | None = None,
    cursor: Cursor = "",
    limit: Limit = paging.MOST,
) -> dict[str, Any]:
    """Advisories that name what an instance runs, the newest first."""
    found = Concern.objects.filter(instance__in=reach.instances(request).values("pk"))
    if instance is not None:
        found = found.filter(instance=reach.instance(request, instance))
    if said is not None:
        found = found.filter(said=said.value)
    full = found.select_related("instance", "entry__source")
    rows, following = paging.piece(full, cursor, limit, newest_first=True)
    return paging.answer(request, response, [_warning(one) for one in rows], following)


def _change(one: Change) -> dict[str, Any]:
    language, item = get_language() or "en", all_items().get(one.item_id)
    text = item.codes.get(one.code) if item is not None else None
    return {
        "id": one.pk,
        "instance": one.instance_id,
        "domain": one.instance.domain,
        "scan": one.scan_id,
        "item_id": one.item_id,
        "title": item.title.in_language(language) if item is not None else "",
        "kind": one.kind,
        "before": one.before,
        "after": one.after,
        "code": one.code,
        "summary": text.filled(language, one.data) if text is not None else "",
        "data": harmless(one.data),
        "evidence": evidence_of(one.evidence),
        "at": one.created_at,
    }


def _warning(one: Concern) -> dict[str, Any]:
    entry = one.entry
    return {
        "id": one.pk,
        "instance": one.instance_id,
        "domain": one.instance.domain,
        "product": one.product,
        "matched": one.matched,
        "by_cpe": one.by_cpe,
        "severity": severity_of(entry),
        "title": entry.title,
        "url": entry.url,
        "summary": entry.summary,
        "source": entry.source.title,
        "published_at": entry.published_at,
        "said": one.said,
        "said_at": one.said_at,
        "at": one.created_at,
    }
