"""Ends of support as endoflife.date tells them (API v1), from the answer to what pages and scans go by.

An answer is read strictly, doubted like a feed's, and kept whole: what was believed before stays until
something believable takes its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from checks.clean import clean
from checks.data.support import (
    Tables,
    software_eol,
    stack,
    stack_as_of,
    system_titles,
    tables,
)
from checks.errors import ParseError, Reason
from checks.facts.ends import EndsOfLife, ReadEnds, ReadRelease
from fedisec.lib import fetch
from fedisec.watch.claiming import believed, failed, held
from fedisec.watch.doubts import Doubt
from fedisec.watch.models import Source
from fedisec.watch.stock_models import Lifecycle, Stock

ADDRESS = "https://endoflife.date/api/v1/products/{}/"
PAGE = "https://endoflife.date/{}"
EVERY_S = 24 * 3600
RELEASES_MAX = 300
_NAME_MAX = 40
_FIRST, _LAST = date(1985, 1, 1), date(2100, 1, 1)
BACK_MAX = timedelta(days=2 * 365)  # an end that comes that much earlier at once is not believed


def names() -> dict[str, str]:
    """Product, system or software -> its name at the source."""
    products = {name: line.eol for name, line in stack().items()}
    systems = {name: system.eol for name, system in system_titles().items() if system.eol}
    return products | systems | software_eol()


def title(product: str) -> str:
    if product in stack():
        return stack()[product].title
    return system_titles()[product].title if product in system_titles() else product.capitalize()


def parse(body: bytes) -> tuple[ReadRelease, ...]:
    """The releases of one product; ParseError where it is not what the API documents."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ParseError("no JSON") from None
    result = document.get("result") if isinstance(document, dict) else None
    rows = result.get("releases") if isinstance(result, dict) else None
    if not isinstance(rows, list):
        raise ParseError("no releases in it")
    if len(rows) > RELEASES_MAX:
        raise ParseError(f"more than {RELEASES_MAX} releases")
    return tuple(_release(row) for row in rows)


def _release(row: Any) -> ReadRelease:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str) or not row["name"].strip():
        raise ParseError("a release without a name")
    latest = row.get("latest")
    lts = _day(row.get("ltsFrom"))
    if lts is None and row.get("isLts") is True:
        lts = _day(row.get("releaseDate"))
    ends = _day(row.get("eolFrom"))
    return ReadRelease(
        clean(row["name"].strip(), _NAME_MAX, newlines=False),
        ends,
        over=row.get("isEol") is True and ends is None,
        extended=_day(row.get("eoesFrom")),
        lts=lts,
        latest=clean(str(latest.get("name") or ""), _NAME_MAX, newlines=False)
        if isinstance(latest, dict)
        else "",
    )


def _day(value: Any) -> date | None:
    """A day, None for none; what should be one and is not makes the whole answer unbelievable."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ParseError("a day that is none") from None
    if not _FIRST < found < _LAST:
        raise ParseError("a day that cannot be")
    return found


def doubt(
    releases: Sequence[ReadRelease], known: Mapping[str, date | None], today: date
) -> tuple[Doubt, str] | None:
    """Why not to believe `releases`; None where there is no reason.  `known`: the lines believed before with
    their ends."""
    if not releases:
        return Doubt.EMPTY, ""
    read = {one.name: one for one in releases}
    if known and len(read.keys() & known.keys()) * 2 < len(known):
        return Doubt.EMPTY, f"{len(read.keys() & known.keys())}/{len(known)}"
    for name, before in known.items():
        now = read.get(name)
        # What has ended is history; that it ended a little earlier hurts nobody.
        if now is None or before is None or before < today:
            continue
        if now.over or (now.ends is not None and before - now.ends > BACK_MAX):
            return Doubt.BACKWARD, f"{name}: {before}, {now.ends or 'over'}"
    supported = [one for one in releases if not one.over and (one.ends is None or one.ends >= today)]
    was = [name for name, before in known.items() if before is None or before >= today]
    if was and not supported:
        return Doubt.BACKWARD, f"{len(was)}, 0"
    return None


def known_of(product: str) -> dict[str, date | None]:
    """The lines of a product with their ends, as believed until now: of what was read, else as shipped."""
    stored = Lifecycle.objects.filter(product=product).first()
    if stored is not None:
        return {one.name: one.ends for one in releases_of(stored)}
    known = tables()
    if product in known.stack:
        return {one.name: one.ends for one in known.stack[product].releases if not one.over}
    return {name: dates.ends for name, dates in known.os.get(product, {}).items()}


def take(source: Source, answer: fetch.Raw, now: datetime, marks: dict[str, Any]) -> None:
    """A good answer of the source came: it is believed, held, or refused."""
    try:
        releases = parse(answer.body)
    except ParseError as error:
        failed(source, Reason.MALFORMED.value, str(error))
        return
    doubted = None if source.believe else doubt(releases, known_of(source.about), now.date())
    if doubted is not None:
        held(source, now, *doubted)
        return
    with transaction.atomic():
        if not believed(source, now, marks | {"believe": False}):
            return
        before = Lifecycle.objects.filter(pk=source.pk).first()
        rows = to_json(releases)
        Lifecycle.objects.filter(product=source.about).exclude(pk=source.pk).delete()
        Lifecycle.objects.update_or_create(
            source=source, defaults={"product": source.about, "releases": rows, "as_of": now.date()}
        )
        if before is None or before.releases != rows:
            place_anew(source.about)


def unchanged(source: Source, now: datetime) -> None:
    """The source says what it said before."""
    Lifecycle.objects.filter(pk=source.pk).update(as_of=now.date())


def place_anew(product: str) -> None:
    """The ends of every instance that runs it are counted anew, in the next rounds of a clock."""
    Stock.objects.filter(instance__product_endings__product=product).update(placed_on=None)


def to_json(releases: Iterable[ReadRelease]) -> list[list[Any]]:
    """[name, ends, over, extended, lts, latest] of each; days as ISO 8601, "" = none."""
    return [
        [one.name, _iso(one.ends), one.over, _iso(one.extended), _iso(one.lts), one.latest]
        for one in releases
    ]


def _iso(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def releases_of(stored: Lifecycle) -> tuple[ReadRelease, ...]:
    return tuple(
        ReadRelease(name, _from(ends), over, _from(extended), _from(lts), latest)
        for name, ends, over, extended, lts, latest in stored.releases
    )


def _from(day: str) -> date | None:
    return date.fromisoformat(day) if day else None


def news(products: Iterable[str] | None = None) -> EndsOfLife:
    """What was read and is newer than the shipped tables; None: of every product.  One query."""
    found = Lifecycle.objects.filter(as_of__gt=stack_as_of()).order_by("product")
    if products is not None:
        found = found.filter(product__in=set(products))
    return EndsOfLife(tuple(ReadEnds(one.product, one.as_of, releases_of(one)) for one in found))


def tables_now() -> Tables:
    """The shipped tables with everything that was read since."""
    return tables(news())
