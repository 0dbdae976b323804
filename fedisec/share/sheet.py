"""What leaves the house about an instance: its rows and the words for them.  Every form is made from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape

from django.conf import settings
from django.db.models import Max, Q
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import get_language

from checks.clean import clean
from fedisec.checklist.board import Posture, Row, posture, rows_of_all, software_of, topics
from fedisec.checklist.filters import Filter
from fedisec.checklist.sentence import sentence
from fedisec.instances.models import Instance
from fedisec.scans.models import ITEM, ItemState, Scan, ScanState


@dataclass(frozen=True, slots=True)
class Sheet:
    """One instance at one moment.  `rows` may be narrowed by a filter; what is counted never is."""

    instance: Instance
    rows: tuple[Row, ...]
    by_topic: Mapping[str, tuple[int, int]]  # topic -> met, applicable
    posture: Posture
    sentence: str  # plain text
    software: str
    looked_at: datetime | None  # end of the last finished look
    language: str
    made_at: datetime

    @property
    def url(self) -> str:
        return page_url(self.instance)


def sheet_of(instance: Instance, query: QueryDict | None = None) -> Sheet:
    """The instance in the active language, narrowed to the filter that `query` holds."""
    sheet = sheets_of([instance])[0]
    if query is None:
        return sheet
    return replace(sheet, rows=tuple(Filter.of(query).apply(sheet.rows, sheet.language)))


def sheets_of(instances: Sequence[Instance], *, evidence: bool = True) -> list[Sheet]:
    """The same for many, in as many queries as for one.  Without `evidence` less is held in memory."""
    now, language = timezone.now(), get_language() or "en"
    states = ItemState.objects.all() if evidence else ItemState.objects.defer("evidence")
    rows, looks = rows_of_all(instances, states, now=now), _looks(instances)
    return [_sheet(each, rows[each.pk], looks.get(each.pk, _Looks()), language, now) for each in instances]


@dataclass(frozen=True, slots=True)
class _Looks:
    """When the last look ended well, and whether the newest one broke off."""

    done_at: datetime | None = None
    failed: bool = False


def _looks(instances: Sequence[Instance]) -> dict[int, _Looks]:
    done, failed = Q(state=ScanState.DONE) & ~Q(reason=ITEM), Q(state=ScanState.FAILED)
    found = (
        Scan.objects.filter(instance__in=instances)
        .order_by()
        .values("instance")
        .annotate(newest=Max("pk"), failed=Max("pk", filter=failed), done_at=Max("finished_at", filter=done))
    )
    return {row["instance"]: _Looks(row["done_at"], row["failed"] == row["newest"]) for row in found}


def _sheet(instance: Instance, rows: Sequence[Row], looks: _Looks, language: str, now: datetime) -> Sheet:
    standing = posture(rows)
    said = sentence(standing, scanned=looks.done_at is not None, failed=looks.failed)
    counts = {topic.id: (topic.met, topic.applicable) for topic in topics(rows)}
    return Sheet(
        instance, tuple(rows), counts, standing, plain(said), software_of(rows), looks.done_at, language, now
    )


def plain(html: str) -> str:
    """The words of a sentence that holds nothing but `<time>` as markup."""
    return unescape(strip_tags(html))


def page_url(instance: Instance) -> str:
    return settings.PUBLIC_URL + reverse("instance", args=[instance.domain])


def item_url(instance: Instance, item_id: str) -> str:
    return settings.PUBLIC_URL + reverse("item", args=[instance.domain, item_id])


def evidence_of(row: Row) -> Iterator[tuple[str, str]]:
    """(label, text) of what was seen, with control characters made visible at this door too."""
    if row.machine is not None:
        for label, text in row.machine.evidence:
            yield clean(label, 200, newlines=False), clean(text)


def instant(moment: datetime | None) -> str | None:
    """UTC, to the second, as RFC 3339 has it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
