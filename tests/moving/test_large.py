"""An export sees one moment, holds nobody up, and needs no more memory for more rows."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from fedisec.accounts.models import Team, User
from fedisec.moving import export as exporting
from fedisec.moving import importing
from fedisec.moving.backup import read_through
from fedisec.moving.container import NO_SECRETS, Reader
from fedisec.moving.export import export
from fedisec.scans.models import Scan
from tests.factories import an_instance

SCANS, FACTS = 300, 100_000  # characters of each: 30 MB in all
ALLOWED = 16_000_000


@contextmanager
def at_most(allowed: int) -> Iterator[None]:
    """What Python holds at once within the block, in bytes, beside what it held before."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < allowed
    finally:
        tracemalloc.stop()


def quiet(*_: object) -> None:
    """Progress that nobody watches."""


@pytest.mark.django_db(transaction=True)
def test_an_export_sees_one_moment_and_lets_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        an_instance()
    monkeypatch.setattr(exporting, "BATCH", 1)
    written = []

    def write(table: str, done: int, of: int) -> None:
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=0)) as other, other:
            other.execute(
                "INSERT INTO accounts_team (name, created_at) VALUES ('later', ?)",
                [timezone.now().isoformat()],
            )
            other.execute("UPDATE instances_instance SET domain = domain || 'x'")
        written.append(table)

    path = tmp_path / "one.fedisec"
    export(path, NO_SECRETS, "", write)
    assert len(written) > 10 and Team.objects.filter(name="later").count() == len(written)
    with path.open("rb") as file:
        read_through(file)
    with path.open("rb") as file:
        reader = Reader(file, str)
        rows = {table.name: list(reader.rows(table)) for table in reader.head.tables}
    assert len(rows["accounts_team"]) == 3
    assert all(not str(row).count("examplex") for row in rows["instances_instance"])


@pytest.mark.django_db
def test_memory_stays_flat(tmp_path: Path) -> None:
    instance = an_instance()
    Scan.objects.bulk_create(
        (
            Scan(
                instance=instance,
                state="done",
                reason="scheduled",
                facts={"n": n, "text": str(n % 10) * FACTS},
            )
            for n in range(SCANS)
        ),
        batch_size=10,
    )
    path = tmp_path / "large.fedisec"
    with at_most(ALLOWED):
        export(path, NO_SECRETS, "", quiet)
    instance.delete()
    Team.objects.all().delete()
    User.objects.all().delete()
    with path.open("rb") as file, at_most(ALLOWED):
        importing.read(file, str, quiet)
    found = Scan.objects.order_by("pk").values_list("facts__n", flat=True)
    assert list(found) == list(range(SCANS))
