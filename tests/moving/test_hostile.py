"""A file of an export is somebody else's input: whatever it holds, it is refused in one sentence."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from fedisec.accounts.models import Team, User
from fedisec.instances.models import Instance
from fedisec.moving import container, sealing, telling
from fedisec.moving.container import NO_SECRETS, NotReadable, Reader, writer
from fedisec.moving.export import export
from fedisec.moving.importing import CannotImport, read
from fedisec.moving.sealing import CHUNK, OpeningReader, SealingWriter
from tests.factories import an_instance

PHRASE = "correct horse battery staple"
FIRST = b"fedisec-export 1 plain\n"


def nobody(*_: object) -> None:
    """Progress that nobody watches."""


@pytest.fixture
def lines(db: None, tmp_path: Path) -> list[Any]:
    """Of the export of a small installation, which is then empty again."""
    an_instance(domain="kept.example")
    path = tmp_path / "good.fedisec"
    export(path, NO_SECRETS, "", nobody)
    Instance.objects.all().delete()
    Team.objects.all().delete()
    User.objects.all().delete()
    plain = gzip.decompress(path.read_bytes().partition(b"\n")[2])
    return [json.loads(line) for line in plain.splitlines()]


def packed(lines: list[Any], honest: bool = True) -> io.BytesIO:
    """A file of these lines; `honest`: with the right sum at its end."""
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines[:-1])
    end = {"rows": len(lines) - 2, "sha256": hashlib.sha256(body).hexdigest()} if honest else lines[-1]
    return io.BytesIO(FIRST + gzip.compress(body + json.dumps(end).encode() + b"\n"))


def refused(file: io.BytesIO) -> str:
    """Why a file is refused; nothing of it stays."""
    before = User.objects.count(), Team.objects.count()
    with pytest.raises((NotReadable, CannotImport)) as caught:
        read(file, lambda: PHRASE, nobody)
    assert (User.objects.count(), Team.objects.count()) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def row_of(lines: list[Any], table: str) -> tuple[list[str], list[Any]]:
    """The columns of a table and its first row."""
    at = 1
    for one in lines[0]["tables"]:
        if one["name"] == table:
            return one["columns"], lines[at]
        at += one["rows"]
    raise AssertionError(table)


def test_as_it_was_written_it_is_taken(lines: list[Any]) -> None:
    read(packed(lines), str, nobody)
    assert Team.objects.get().instances.get().domain == "kept.example"


BAD_VALUES: list[tuple[str, str, Any, str]] = [
    ("accounts_user", "email", "x" * 255, "longer than 254 characters"),
    ("accounts_user", "email", 7, "no text"),
    ("accounts_user", "email", "a\0b", "holds a NUL"),
    ("accounts_user", "email", "\ud800", "holds half a character"),
    ("accounts_user", "email", None, "no text"),
    ("accounts_user", "is_active", 1, "neither true nor false"),
    ("accounts_user", "id", 2**63, "a number out of range"),
    ("accounts_user", "id", True, "no whole number"),
    ("accounts_user", "date_joined", "yesterday", "no date or time"),
    ("accounts_user", "date_joined", "2026-01-01T00:00:00", "a time without its zone"),
    ("accounts_user", "date_joined", "2" * 10_000, "no date or time"),
    ("instances_instance", "ssh_port", -1, "a number out of range"),
    ("instances_instance", "origins", [float("inf")], "no JSON"),
    ("instances_instance", "origins", ["\ud800"], "holds half a character"),
    ("instances_instance", "origins", {"a\0": 1}, "holds a NUL"),
    ("instances_instance", "team_id", 99_999, "do not belong together"),
]


@pytest.mark.parametrize(("table", "column", "value", "words"), BAD_VALUES)
def test_a_bad_value_is_refused(lines: list[Any], table: str, column: str, value: Any, words: str) -> None:
    names, row = row_of(lines, table)
    row[names.index(column)] = value
    assert words in refused(packed(lines))


def test_depth_has_a_bound(lines: list[Any]) -> None:
    names, row = row_of(lines, "instances_instance")
    deep: Any = []
    for _ in range(70):
        deep = [deep]
    row[names.index("origins")] = deep
    assert "nested deeper than 64" in refused(packed(lines))
    body = FIRST + gzip.compress(b"[" * 200_000 + b"\n")
    assert "no JSON" in refused(io.BytesIO(body))


def test_what_stands_around_the_rows_is_held_too(lines: list[Any]) -> None:
    def changed(**given: Any) -> io.BytesIO:
        return packed([lines[0] | given, *lines[1:]])

    tables = lines[0]["tables"]
    assert "no export of fedisec" in refused(io.BytesIO(b"something else\n"))
    assert "no export of fedisec" in refused(io.BytesIO(b""))
    assert "has format 2" in refused(io.BytesIO(b"fedisec-export 2 plain\n"))
    assert "not that of an export" in refused(changed(more=1))
    assert "not that of an export" in refused(changed(tables=[*tables, tables[0]]))
    assert "not that of an export" in refused(changed(tables=[{"name": "x"}]))
    assert "not that of an export" in refused(changed(migrations={"scans": "0001"}))
    newer = lines[0]["migrations"] | {"scans": ["0001_initial", "9999_of_tomorrow"]}
    assert "knows no scans.9999_of_tomorrow" in refused(changed(migrations=newer))
    fewer = lines[0]["migrations"] | {"scans": ["0001_initial"]}
    assert "give import a database without any tables" in refused(changed(migrations=fewer))
    assert "the file lacks the table" in refused(changed(tables=[t for t in tables if t["rows"]]))
    other = [{**t, "name": "auth_user"} if t["name"] == "accounts_team" else t for t in tables]
    assert "a table 'auth_user' that its version does not have" in refused(changed(tables=other))
    fewer = [{**t, "columns": t["columns"][:-1]} if t["name"] == "accounts_team" else t for t in tables]
    assert "has not the columns of its version" in refused(changed(tables=fewer))


def test_a_file_that_was_cut_or_changed_is_refused(lines: list[Any]) -> None:
    whole = packed(lines).getvalue()
    for length in range(len(FIRST), len(whole), max(1, len(whole) // 40)):
        refused(io.BytesIO(whole[:length]))
    assert "damaged" in refused(packed([*lines[:-1], {"rows": 1, "sha256": "0" * 64}], honest=False))
    assert "has not its columns" in refused(packed([*lines[:3], [1], *lines[3:]]))
    more = io.BytesIO(FIRST + gzip.compress(gzip.decompress(whole[len(FIRST) :]) + b"[1]\n"))
    assert "damaged" in refused(more)


def test_a_line_has_a_bound(lines: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "LINE_MAX", 4096)
    names, row = row_of(lines, "instances_instance")
    row[names.index("origins")] = ["x" * 5000]
    assert "too long" in refused(packed(lines))


def test_a_bomb_is_no_more_than_a_line(lines: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "HEAD_MAX", 4096)
    assert "too long" in refused(io.BytesIO(FIRST + gzip.compress(b" " * 50_000_000)))


def test_into_an_installation_in_use_nothing_goes(lines: list[Any]) -> None:
    an_instance()
    assert "this installation is in use" in refused(packed(lines))


@settings(max_examples=300)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_refused(data: bytes, zipped: bool) -> None:
    file = io.BytesIO(FIRST + (gzip.compress(data) if zipped else data))
    with pytest.raises(NotReadable):
        Reader(file, str)


# under a passphrase


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sealing._SCRYPT, "n", 2)


def sealed(data: bytes) -> bytes:
    out = io.BytesIO()
    box = SealingWriter(out, PHRASE, b"head")
    box.write(data)
    box.close()
    return out.getvalue()


def opened(data: bytes) -> bytes:
    return io.BufferedReader(OpeningReader(io.BytesIO(data), lambda: PHRASE, b"head")).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_sealed_opens(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    assert opened(sealed(data)) == data


def test_what_was_moved_cut_added_or_changed_does_not_open() -> None:
    whole = sealed(b"a" * (3 * CHUNK + 5))
    head, step = 23, CHUNK + 16
    chunks = [whole[head + n * step : head + (n + 1) * step] for n in range(4)]
    others = {
        "cut at a chunk": whole[: head + 3 * step],
        "cut within": whole[:-1],
        "swapped": whole[:head] + chunks[1] + chunks[0] + chunks[2] + chunks[3],
        "twice": whole[:head] + chunks[0] + chunks[0] + chunks[1] + chunks[2] + chunks[3],
        "added": whole + b"x",
        "changed": whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:],
        "another's salt": bytes([whole[0] ^ 1]) + whole[1:],
        "no head": b"",
    }
    for name, data in others.items():
        with pytest.raises((sealing.Damaged, sealing.WrongPassphrase)):
            opened(data)
            raise AssertionError(name)


def test_another_passphrase_is_told_from_nothing_else() -> None:
    out = io.BytesIO()
    with writer(out, PHRASE) as lines:
        lines.row([1])
    out.seek(0)
    with pytest.raises(NotReadable, match="the passphrase is not the one of this file"):
        Reader(out, lambda: "another one")


def test_a_passphrase_is_long_enough_and_never_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "phrase"
    path.write_text("short\n")
    with pytest.raises(CommandError, match="12 characters or more"):
        telling.passphrase(str(path), twice=True)
    with pytest.raises(CommandError, match="cannot read the passphrase"):
        telling.passphrase(str(tmp_path / "none"), twice=True)


@pytest.mark.django_db
def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        call_command("export", str(path))
    assert path.read_text() == "precious" and list(tmp_path.iterdir()) == [path]
