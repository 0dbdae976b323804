"""`manage.py fedisec`: tables for people, JSON for programs, exit codes for cron and CI."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from fedisec.checklist import daily
from fedisec.history.models import Standing
from fedisec.scans.models import ItemState, Scan
from fedisec.system import cli
from tests.factories import a_user, an_instance

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(*words: str, terminal: bool = False) -> tuple[int, str, str]:
    """(exit code, standard output, standard error)"""
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    try:
        call_command("fedisec", *words, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def not_met(instance: Any, number: int) -> None:
    daily.note(instance)
    Standing.objects.filter(instance=instance).update(required_not_met=number)


def test_status_is_a_table_on_a_terminal_and_json_elsewhere() -> None:
    user = a_user()
    not_met(an_instance(user, domain="a.example"), 0)
    not_met(an_instance(user, domain="bb.example"), 2)
    code, out, _ = said("status", "--lang", "en", terminal=True)
    head, *rows = out.splitlines()
    assert code == 1 and head.startswith("Server      Required: not met") and len(rows) == 2
    assert rows[1].split()[:2] == ["bb.example", "2"]
    code, out, _ = said("status")
    assert [row["domain"] for row in json.loads(out)["instances"]] == ["a.example", "bb.example"]
    assert said("status", "a.example")[0] == 0
    code, out, err = said("status", "c.example", "--lang", "en")
    assert (code, out, err) == (3, "", "fedisec: there is no server c.example here\n")


def test_columns_hold_wide_letters() -> None:
    out = Terminal()
    from django.core.management.base import OutputWrapper

    cli._table(OutputWrapper(out), ("サーバ", "x"), [["a", "1"], ["\x1b[31mb", "2"]])
    lines = out.getvalue().splitlines()
    assert lines[0] == "サーバ   x" or lines[0].startswith("サーバ")
    assert "\x1b" not in out.getvalue()
    assert len({cli._width(line) for line in lines}) == 1


def test_a_scan_is_queued_and_its_end_told(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = an_instance(domain="a.example")
    assert said("scan", "a.example", "--no-wait")[0] == 0
    scan = Scan.objects.get()
    assert (scan.state, scan.reason) == ("queued", "manual")

    def ends(seconds: float) -> None:
        Scan.objects.update(state="done")
        not_met(instance, 1)

    monkeypatch.setattr("time.sleep", ends)
    code, out, err = said("scan", "a.example", "--lang", "en", terminal=True)
    assert code == 1 and "/instances/a.example/" in out
    assert "[........................] 0/" in err
    code, out, _ = said("scan", "a.example")
    assert json.loads(out)


def test_a_scan_that_does_not_end_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    an_instance(domain="a.example")
    code, out, err = said("scan", "a.example", "--timeout", "-1", "--lang", "en")
    assert (code, out) == (3, "") and "it goes on in the background" in err
    monkeypatch.setattr("time.sleep", lambda s: Scan.objects.update(state="failed", error="three tries"))
    code, _, err = said("scan", "a.example", "--lang", "en")
    assert code == 3 and "three tries" in err


def test_a_made_up_server_is_not_looked_at() -> None:
    an_instance(domain="demo.example", demo=True)
    assert said("scan", "demo.example")[0] == 3


def test_two_teams_with_one_domain_are_told_apart() -> None:
    one, _ = (
        an_instance(a_user(email="a@x.example"), domain="a.example"),
        an_instance(a_user(email="b@x.example"), domain="a.example"),
    )
    code, _, err = said("diff", "a.example", "--lang", "en")
    assert code == 3 and "--team" in err
    one.team.name = "ours"
    one.team.save()
    assert "not looked at twice" in said("diff", "a.example", "--team", "ours", "--lang", "en")[2]


@pytest.mark.parametrize("form", cli.FORMATS)
def test_exports_go_to_standard_output(form: str) -> None:
    instance = an_instance(domain="a.example")
    ItemState.objects.filter(instance=instance).delete()
    for words in (("a.example",), ()):
        code, out, _ = said("export", *words, "--format", form)
        assert code == 0 and "a.example" in out


def test_a_bar_is_as_wide_as_it_is() -> None:
    assert cli.progress_bar(0, 0).startswith("[....")
    assert cli.progress_bar(5, 10) == f"[{'#' * 12}{'.' * 12}] 5/10"
    assert "." not in cli.progress_bar(10, 10)


@pytest.mark.parametrize("words", [(), ("nothing",), ("scan",), ("status", "--lang", "fr")])
def test_wrong_words_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("fedisec", *words)
