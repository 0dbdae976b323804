"""What is exported comes back the same, in every table and every column, from either database to the other."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from fedisec.moving.tables import LEFT, WITHOUT
from tests.running.conftest import MakeWorld
from tests.running.world import World

Rows = dict[str, dict[str, dict[str, str]]]
PHRASE = "correct horse battery staple"


def rows_of(world: World) -> Rows:
    found: Rows = json.loads(world.module("tests.moving.tool", "print"))
    return {table: rows for table, rows in found.items() if table not in LEFT}


def without_trail_of_the_move(rows: Rows) -> Rows:
    """Both sides note that they were exported or imported."""
    own = ("'installation.exported'", "'installation.imported'")
    kept = {k: row for k, row in rows["accounts_auditevent"].items() if row["action"] not in own}
    return rows | {"accounts_auditevent": kept}


def told(said: str) -> dict[str, Any]:
    return dict(json.loads(said.splitlines()[-1]))


def passphrase_file(folder: Path) -> str:
    path = folder / "phrase"
    path.write_text(PHRASE + "\n")
    return str(path)


@pytest.mark.timeout(240)
def test_everything_goes_to_postgresql_and_back(make_world: MakeWorld, tmp_path: Path) -> None:
    phrase = ("--passphrase-file", passphrase_file(tmp_path))
    small = make_world("embedded", begin="prepared")
    small.module("tests.moving.tool", "fill")
    before = rows_of(small)
    assert [table for table, rows in before.items() if not rows] == []  # nothing is compared with nothing
    first = tmp_path / "first.fedisec"
    said = told(small.manage("export", str(first), "--with-secrets", *phrase))
    assert said["rows"] == sum(map(len, before.values()))
    assert oct(first.stat().st_mode & 0o777) == "0o600"
    grown = make_world("grown", begin="prepared")
    grown.manage("import", str(first), *phrase)
    assert without_trail_of_the_move(rows_of(grown)) == before
    new = grown.manage(
        "shell", "-v", "0", "-c", "from tests.factories import an_instance; print(an_instance().pk)"
    )
    assert int(new) == 1 + max(map(int, before["instances_instance"]))  # the sequences go on behind the rows
    second = tmp_path / "second.fedisec"
    after = rows_of(grown)
    grown.manage("export", str(second), "--with-secrets", *phrase)
    again = make_world("embedded")  # without any tables
    again.env["FEDISEC_STATIC"] = small.env["FEDISEC_STATIC"]
    again.manage("import", str(second), *phrase)
    assert without_trail_of_the_move(rows_of(again)) == without_trail_of_the_move(after)
    assert os.stat(again.data / "keys").st_mode & 0o777 == 0o400


@pytest.mark.wide
@pytest.mark.timeout(240)
def test_without_secrets(make_world: MakeWorld, tmp_path: Path) -> None:
    old, new = make_world("embedded", begin="prepared"), make_world("embedded", begin="prepared")
    old.module("tests.moving.tool", "fill")
    path = tmp_path / "plain.fedisec"
    old.manage("export", str(path))
    said = told(new.manage("import", str(path)))
    before, after = rows_of(old), without_trail_of_the_move(rows_of(new))
    for table, rows in before.items():
        given = WITHOUT.get(table, {})
        expected = {} if given is None else {
            key: row | {column: repr(value) for column, value in given.items()} for key, row in rows.items()
        }  # fmt: skip
        if table != "accounts_auditevent":
            assert after[table] == expected, table
    operators = [
        row for row in after["accounts_user"].values() if row["is_superuser"] == "True" == row["is_active"]
    ]
    assert len(said["links"]) == len(operators) > 0
