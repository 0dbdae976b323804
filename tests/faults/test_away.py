"""Which errors say that the database is away, and what a visitor and a loop make of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.test import Client

from fedisec.lib import away
from fedisec.lib.away import Outlasting, in_a_word, is_away


def caused(cause: Exception | None, kind: type[Exception] = OperationalError) -> Exception:
    error = kind("said")
    error.__cause__ = cause
    return error


def sqlite_error(tmp_path: Path, how: str) -> sqlite3.Error:
    """What SQLite itself raises."""
    path = tmp_path / "a.sqlite3"
    with closing(sqlite3.connect(path, timeout=0)) as one, closing(sqlite3.connect(path, timeout=0)) as two:
        one.execute("CREATE TABLE t (x)")
        try:
            if how == "locked":
                one.execute("BEGIN IMMEDIATE")
                two.execute("BEGIN IMMEDIATE")
            elif how == "full":
                one.execute("PRAGMA max_page_count = 3")
                one.execute("INSERT INTO t VALUES (zeroblob(100000))")
            elif how == "no place":
                sqlite3.connect(tmp_path / "none" / "b").execute("SELECT 1")
            else:
                one.execute("SELECT * FROM missing")
        except sqlite3.Error as error:
            return error
    raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "expected"), [("locked", True), ("full", True), ("no place", True), ("no table", False)]
)
def test_sqlite(tmp_path: Path, how: str, expected: bool) -> None:
    assert is_away(caused(sqlite_error(tmp_path, how))) is expected


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CannotConnectNow(), True),
        (psycopg.errors.ConnectionFailure(), True),
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.errors.DeadlockDetected(), True),
        (psycopg.errors.QueryCanceled(), False),
        (psycopg.errors.InvalidPassword(), False),
    ],
)
def test_postgresql(cause: Exception, expected: bool) -> None:
    assert is_away(caused(cause)) is expected


def test_other_errors_are_none() -> None:
    assert is_away(caused(None, InterfaceError))
    assert not is_away(caused(None, ProgrammingError))
    assert not is_away(ConnectionRefusedError())
    assert not is_away(None)


def test_only_the_first_line_is_said() -> None:
    assert in_a_word(OperationalError("one\ntwo")) == "one"
    assert in_a_word(OperationalError()) == "OperationalError"


def test_a_loop_outlasts_it_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(away, "_wait", lambda: None)
    outlasting, rounds = Outlasting(), iter([OperationalError("gone"), OperationalError("gone"), None, None])
    for error in rounds:
        with outlasting:
            if error is not None:
                raise error
    assert caplog.messages == ["the database is away, waiting for it: gone", "the database is back"]


def test_a_loop_outlasts_nothing_else() -> None:
    with pytest.raises(ZeroDivisionError), Outlasting():
        raise ZeroDivisionError


@pytest.mark.parametrize(("error", "status"), [(OperationalError("gone"), 503), (ZeroDivisionError(), 500)])
def test_a_visitor_is_told_to_come_back(
    error: Exception, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("fedisec.lib.sessions.SessionStore.load", broken)
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a" * 32
    answer = client.get("/")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("10" if status == 503 else None)
    assert ("データベースが応答しません" in answer.content.decode()) is (status == 503)
