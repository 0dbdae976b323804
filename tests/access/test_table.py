"""Every address × method × role, against the table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.urls import reverse

from tests.access.addresses import Address, addresses
from tests.access.asking import METHODS, Browser
from tests.access.forms import FRAGMENTS, QUERIES, arguments, form, query
from tests.access.table import REST, ROLES, TABLE
from tests.access.world import World

ADDRESSES = {address.name: address for address in addresses()}
# Reading writes there, and why.
_TRAIL = ('INTO "accounts_auditevent"',)  # what was taken out of the house stands there
_SESSION = ('"django_session"',)  # the key that is being added waits there
READS_THAT_WRITE = {
    "export": _TRAIL,
    "export_overview": _TRAIL,
    "audit_export": _TRAIL,
    "mfa_activate_totp": _SESSION,
}
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(scope="module")
def browsers(world: World) -> dict[str, Browser]:
    return {role: Browser(world.people[role]) for role in ROLES}


def url_of(address: Address, world: World) -> str:
    given = arguments(address.name, address.arguments, world.arguments(address.name, world.theirs))
    return reverse(address.name, kwargs=given)


def expected(name: str, method: str) -> list[str]:
    row = TABLE[name]
    return (row.get(method) or row.get("rest") or REST).split()


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert [a.name for a in addresses() if not a.is_named] == []
    assert len(addresses()) == len(ADDRESSES), "two addresses share a name"
    assert sorted(set(ADDRESSES) - set(TABLE)) == [], "not in tests/access/table.py"
    assert sorted(set(TABLE) - set(ADDRESSES)) == [], "no such address any more"
    assert {len(text.split()) for row in TABLE.values() for text in row.values()} == {len(ROLES)}


@pytest.mark.parametrize("name", [name for name in ADDRESSES if name in TABLE])
def test_everybody_gets_what_the_table_says(name: str, world: World, browsers: dict[str, Browser]) -> None:
    url, wrong = url_of(ADDRESSES[name], world), []
    for method in METHODS:
        for role, wanted in zip(ROLES, expected(name, method), strict=True):
            cache.clear()
            for asked in _asked(name, method, url, world):
                data = form(name, world.theirs) if method == "POST" else None
                status, _answer, written = browsers[role].ask(method, asked, data)
                if status != wanted:
                    wrong.append(f"{method} {asked} as {role}: {status}, not {wanted}")
                if method != "POST" and _unexpected(name, written):
                    wrong.append(f"{method} {asked} as {role} wrote: {written[:2]}")
    assert wrong == []


def _asked(name: str, method: str, url: str, world: World) -> Iterator[str]:
    for text in {"GET": QUERIES.get(name, ("",)), "HEAD": QUERIES.get(name, ("",))[:1]}.get(method, ("",)):
        yield f"{url}?{query(text, world.theirs)}" if text else url


def _unexpected(name: str, written: list[str]) -> list[str]:
    return [sql for sql in written if not any(table in sql for table in READS_THAT_WRITE.get(name, ()))]


@pytest.mark.parametrize("name", sorted(FRAGMENTS))
def test_parts_of_pages_are_as_closed_as_the_page(
    name: str, world: World, browsers: dict[str, Browser]
) -> None:
    url, headers = url_of(ADDRESSES[name], world), {"HX-Request": "true", "HX-Target": FRAGMENTS[name]}
    for role, wanted in zip(ROLES, expected(name, "GET"), strict=True):
        status, _answer, written = browsers[role].ask("GET", url, headers=headers)
        assert (status == "200") == (wanted in {"200", "302"}), f"{url} as {role}: {status}"
        assert status in {"200", "404", "login"}
        assert written == []
