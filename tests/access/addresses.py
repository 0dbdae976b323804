"""Every address of the project, from the URL resolver itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Address:
    """`name` is what the table knows it by: its URL name, or its route where it has none."""

    name: str
    arguments: tuple[str, ...]
    is_named: bool


def addresses() -> list[Address]:
    return list(_walk(get_resolver(), ""))


def _walk(resolver: URLResolver, space: str) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern, inner)
        else:
            yield _address(pattern, space)


def _address(pattern: URLPattern, space: str) -> Address:
    arguments = tuple(pattern.pattern.converters) or tuple(pattern.pattern.regex.groupindex)
    name = f"{space}{pattern.name}" if pattern.name else str(pattern.pattern)
    return Address(name, arguments, bool(pattern.name))
