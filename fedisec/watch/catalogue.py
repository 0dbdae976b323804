"""The feeds that fedisec comes with, as rows: `data/feeds.toml` is their source, the switch an operator's."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from django.db import transaction

from fedisec.watch import lifecycles
from fedisec.watch.models import Form, Source, SourceKind

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Shipped:
    """A feed of the file."""

    slug: str
    kind: SourceKind
    form: Form
    title: str
    url: str
    asks: str
    page: str
    language: str
    about: str
    every_s: int
    enabled: bool
    sure: bool  # the address was read at its publisher's


@cache
def shipped() -> tuple[Shipped, ...]:
    table = _table()
    rows = [(kind, name, row) for kind in SourceKind for name, row in table.get(kind.value, {}).items()]
    return (*(_shipped(kind, name, row) for kind, name, row in rows), *_lifecycles())


def _lifecycles() -> Iterator[Shipped]:
    """One source for each product of the tables of support."""
    for product, name in lifecycles.names().items():
        yield Shipped(
            slug=f"ends-{product}",
            kind=SourceKind.ENDS,
            form=Form.FEED,
            title=lifecycles.title(product),
            url=lifecycles.ADDRESS.format(name),
            asks="",
            page=lifecycles.PAGE.format(name),
            language="en",
            about=product,
            every_s=lifecycles.EVERY_S,
            enabled=True,
            sure=True,
        )


@cache
def as_of() -> date:
    found: date = _table()["as_of"]
    return found


def sync() -> None:
    """Brings the rows up to the file: new ones in, changed addresses over, those it no longer names out.
    What an operator added or switched stays."""
    with transaction.atomic():
        Source.objects.filter(own=False).exclude(slug__in=[one.slug for one in shipped()]).delete()
        for one in shipped():
            _keep(one)


def _keep(one: Shipped) -> None:
    given: dict[str, Any] = {
        "kind": one.kind.value,
        "form": one.form.value,
        "title": one.title,
        "url": one.url,
        "asks": one.asks,
        "page": one.page,
        "language": one.language,
        "about": one.about,
        "every_s": one.every_s,
    }
    found, made = Source.objects.get_or_create(slug=one.slug, defaults={**given, "enabled": one.enabled})
    changed = [name for name, value in given.items() if getattr(found, name) != value]
    if made or not changed:
        return
    if "url" in changed:
        # Another address knows nothing of the old one's marks, and may be right at once.
        given |= {
            "etag": "",
            "cursor": {},
            "last_modified": "",
            "failing_since": None,
            "failures": 0,
            "next_fetch_at": None,
        }
    Source.objects.filter(pk=found.pk).update(**given)


def _shipped(kind: SourceKind, name: str, row: dict[str, Any]) -> Shipped:
    of_software = kind in {SourceKind.RELEASE, SourceKind.ADVISORIES}
    return Shipped(
        f"{kind.value}-{name}",
        kind,
        Form(row.get("form", "feed")),
        row["title"],
        row["url"],
        row.get("asks", ""),
        row["page"],
        row.get("language", "en"),
        row.get("software", name) if of_software else row.get("distribution", ""),
        int(row.get("every", 1) * HOUR_S),
        row.get("enabled", True),
        row.get("sure", True),
    )


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("data", "feeds.toml").read_text(encoding="utf-8"))
