"""A web server that plays the publishers, and sources that point to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from fedisec.instances.models import Instance
from fedisec.watch.models import Source, SourceKind, Stack
from tests.factories import an_instance
from tests.watch.site import Site, site

AddSource = Callable[..., Source]
AddRunner = Callable[..., Instance]


@pytest.fixture
def web(settings: Settings) -> Iterator[Site]:
    settings.ALLOW_NETWORKS = ("127.0.0.1/32",)
    settings.FEEDS = True
    with site() as served:
        yield served


@pytest.fixture
def source(web: Site, db: None) -> AddSource:
    """Makes a source whose address is a path of `web`; due now."""

    def make(path: str = "/feed", kind: SourceKind = SourceKind.WARNINGS, **fields: Any) -> Source:
        fields = {"slug": f"{kind.value}{path}", "title": path[1:], "own": True, **fields}
        return Source.objects.create(kind=kind, url=web.url(path), next_fetch_at=timezone.now(), **fields)

    return make


@pytest.fixture
def runs(db: None) -> AddRunner:
    """Makes an instance that was seen to run something; all that a feed needs to be worth reading."""

    def make(software: str = "mastodon", version: str = "4.7.2", **fields: Any) -> Instance:
        products = fields.pop("products", [])
        distribution, family = fields.pop("distribution", ""), fields.pop("family", software)
        seen = {name: fields.pop(name) for name in ("release", "packages", "owned") if name in fields}
        instance = an_instance(**fields)
        Stack.objects.create(
            instance=instance,
            software=software,
            family=family,
            version=version,
            products=products,
            distribution=distribution,
            made_at=timezone.now(),
            **seen,
        )
        return instance

    return make
