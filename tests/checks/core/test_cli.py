"""`python -m checks`: exit codes, JSON, what goes to which stream."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from checks.cli import EXIT_FAILS, EXIT_OK, EXIT_UNREACHABLE, EXIT_USAGE, main
from checks.codec import encode_facts
from checks.facts import Facts
from checks.facts.dns import Addresses
from checks.facts.http import FrontPage, Page, PathSeen, PlainHttp, SecretPaths
from checks.items import all_items
from checks.model import Level, Settles, Status
from tests.lab.lab import Lab

NOBODY = "127.0.0.9"  # an address of this machine on which no resolver listens
LINE = {"id", "level", "status", "code", "summary", "data", "evidence", "reason", "detail"}
HEAD = {"schema", "checks_version", "target", "started", "seconds", "connections", "items"}


class Ran:
    """One run in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        capsys.readouterr()
        self.code = main(arguments)
        self.out, self.err = capsys.readouterr()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def options(lab: Lab) -> list[str]:
    networks = [word for network in lab.networks for word in ("--allow-network", network)]
    names = ["--dnssec-names", lab.secure_name, lab.bogus_name, "--dnssec-anchor", str(lab.dnssec_anchor)]
    return ["--resolver", lab.resolver, "--trust-ca", str(lab.ca_file), *networks, *names]


def by_id(document: Any) -> dict[str, Any]:
    return {entry["id"]: entry for entry in document["items"]}


@pytest.fixture
def facts_file(tmp_path: Path) -> Path:
    """Facts with one required item that fails, app.secrets_not_served."""
    served = SecretPaths((PathSeen("/.env", 200, "dotenv", "SECRET_KEY_BASE="),))
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(encode_facts(Facts().with_facts(served))))
    return path


# items


def test_items_lists_every_item_once(capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "items")
    assert (ran.code, ran.err) == (EXIT_OK, "")
    assert [line.split()[0] for line in ran.out.splitlines()] == list(all_items())


@pytest.mark.parametrize("language", ["en", "ja"])
def test_items_as_json_describe_every_item_in_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], language: str
) -> None:
    ran = Ran(capsys, "items", "--json", "--lang", language)
    assert [entry["id"] for entry in ran.json] == list(all_items())
    for entry in ran.json:
        item = all_items()[entry["id"]]
        assert set(entry) == {"id", "level", "settles", "title", "sources", "references"}
        assert entry["title"] == item.title.in_language(language)
        assert entry["level"] in {level.value for level in Level}
        assert {Settles(s) for s in entry["settles"]} == set(item.settles)
        assert all(set(source) == {"text", "section", "url"} for source in entry["sources"])


# judge


def test_judge_gives_one_entry_per_item_with_the_documented_keys(
    capsys: pytest.CaptureFixture[str], facts_file: Path
) -> None:
    ran = Ran(capsys, "judge", str(facts_file), "--json")
    assert (ran.code, ran.err) == (EXIT_FAILS, "")
    assert set(ran.json) == HEAD
    assert [e["id"] for e in ran.json["items"]] == list(all_items())
    assert all(set(entry) == LINE for entry in ran.json["items"])
    assert {Status(entry["status"]) for entry in ran.json["items"]} >= {Status.FAIL, Status.UNKNOWN}
    failed = by_id(ran.json)["app.secrets_not_served"]
    assert failed["status"] == "fail" and failed["evidence"]


def test_only_limits_the_verdicts_and_with_them_the_exit_code(
    capsys: pytest.CaptureFixture[str], facts_file: Path
) -> None:
    ran = Ran(capsys, "judge", str(facts_file), "--json", "--only", "app.panels_closed, domain.caa")
    assert [entry["id"] for entry in ran.json["items"]] == ["app.panels_closed", "domain.caa"]
    assert ran.code == EXIT_OK


def test_a_recommended_item_that_fails_does_not_fail_the_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = Page("https://a.example/", 200, (("content-type", "text/html"),), "<html></html>")
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(encode_facts(Facts().with_facts(FrontPage(page)))))
    ran = Ran(capsys, "judge", str(path), "--json")
    failed = [e for e in ran.json["items"] if e["status"] == "fail"]
    assert failed and all(e["level"] != "required" for e in failed)
    assert ran.code == EXIT_OK


def test_the_text_shows_a_failure_with_its_evidence_in_both_languages(
    capsys: pytest.CaptureFixture[str], facts_file: Path
) -> None:
    english = Ran(capsys, "judge", str(facts_file)).out
    japanese = Ran(capsys, "judge", str(facts_file), "--lang", "ja").out
    item = all_items()["app.secrets_not_served"]
    assert f"{item.title.en}  [required, not met]" in english
    assert f"{item.title.ja}  [必須, 未達成]" in japanese
    assert "SECRET_KEY_BASE=" in english and "SECRET_KEY_BASE=" in japanese


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot read"),
        (b"", "is no facts file"),
        (b"\xff\xfe\x00", "is no facts file"),
        (b"[]", "is no facts file"),
        (b'{"schema": 99, "found": [], "missing": {}}', "is no facts file"),
        (b'{"schema": 1, "found": [{"$": "Popen"}], "missing": {}}', "is no facts file"),
        (b'{"schema": 1, "found": ' + b"[" * 100_000, "is no facts file"),
    ],
    ids=["none", "empty", "binary", "a list", "another schema", "unknown fact", "deep"],
)
def test_a_file_that_holds_no_facts_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "facts.json"
    if content is not None:
        path.write_bytes(content)
    ran = Ran(capsys, "judge", str(path))
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    assert ran.err.startswith("checks: ") and told in ran.err
    assert ran.err.count("\n") == 1


# usage


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", ""),
        ("scan", "127.0.0.1"),
        ("scan", "localhost"),
        ("scan", "single"),
        ("scan", "a..example"),
        ("scan", "x" * 300 + ".example"),
        ("scan", "a\x1b[31m.example"),
        ("scan", "a.example", "--mail-from", "nodots"),
        ("scan", "a.example", "--only", "no.such"),
        ("scan", "a.example", "--allow-network", "everything"),
        ("scan", "a.example", "--resolver", "resolver.example"),
        ("scan", "a.example", "--resolver", "127.0.0.9:99999"),
        ("scan", "a.example", "--origin", "origin.example"),
        ("scan", "a.example", "--trust-ca", "/nonexistent/roots.pem"),
        ("scan", "a.example", "--trust-ca", __file__),
        ("scan", "a.example", "--trust-ca", sys.executable),
        ("scan", "a.example", "--trust-ca", os.devnull),
        ("scan", "a.example", "--facts-out", "/dev/null/facts.json"),
        ("judge", "/dev/null/facts.json"),
        ("judge", "/"),
    ],
    ids=lambda arguments: " ".join(arguments)[:50].encode("ascii", "replace").decode().replace("\x1b", "ESC"),
)
def test_bad_input_gives_one_clear_line_and_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("checks.cli.gather", None)  # nothing may be looked at
    ran = Ran(capsys, *arguments)
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    assert ran.err.startswith("checks: ") and ran.err.count("\n") == 1
    assert len(ran.err) > len("checks: \n") and "\x1b" not in ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("no-such-command",),
        ("items", "--lang", "fr"),
        ("scan",),
        ("scan", "a.example", "--ssh-port", "0"),
        ("scan", "a.example", "--ssh-port", "65536"),
        ("scan", "a.example", "--ssh-port", "ssh"),
        ("scan", "a.example", "--dnssec-names", "one"),
    ],
    ids=" ".join,
)
def test_what_the_parser_refuses_ends_with_code_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == EXIT_USAGE
    assert out == "" and "error: " in err.splitlines()[-1]


# scan


def test_a_target_without_addresses_ends_with_code_3_and_all_items_unknown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "facts.json"
    ran = Ran(
        capsys, "scan", "a.example", "--resolver", NOBODY, "--allow-network", "127.0.0.0/8", "--json",
        "--facts-out", str(out),
    )  # fmt: skip
    assert ran.code == EXIT_UNREACHABLE
    assert ran.err == "checks: a.example could not be reached\n"
    entries = by_id(ran.json)
    assert entries.keys() == all_items().keys()
    told = {entry["status"] for key, entry in entries.items() if key != "domain.permanent"}
    assert told == {"unknown", "manual"}
    assert Ran(capsys, "judge", str(out), "--json").json["items"] == ran.json["items"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_goes_to_a_terminal_on_standard_error_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["scan", "a.example", "--resolver", NOBODY, "--json"]) == EXIT_UNREACHABLE
    shown = terminal.getvalue()
    for phase in ("dns", "mail", "tls", "web", "software", "ssh", "ports"):
        assert f"\r\x1b[K{phase} 1/" in shown, phase
    assert "\n" not in shown.rsplit("\r\x1b[K", 1)[0]  # one line, written over
    json.loads(capsys.readouterr().out)


def in_a_shell(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "checks", *arguments]
    return subprocess.run(command, text=True, capture_output=True, timeout=60, check=False, **more)


def test_it_runs_as_a_module() -> None:
    ran = in_a_shell("items", "--json", "--lang", "ja")
    assert (ran.returncode, ran.stderr) == (EXIT_OK, "")
    assert len(json.loads(ran.stdout)) == len(all_items())
    assert in_a_shell("scan", "localhost").returncode == EXIT_USAGE
    unreachable = in_a_shell("scan", "a.example", "--resolver", NOBODY)
    assert unreachable.returncode == EXIT_UNREACHABLE
    assert unreachable.stderr == "checks: a.example could not be reached\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        command = [sys.executable, "-m", "checks", "items"]
        ran = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (EXIT_OK, b"")


@pytest.mark.lab
def test_the_good_instance_ends_with_code_0_and_judges_the_same_from_its_file(
    lab: Lab, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "facts.json"
    ran = Ran(capsys, "scan", lab.good, "--json", "--facts-out", str(out), *options(lab))
    failed = [e["id"] for e in ran.json["items"] if e["status"] == "fail" and e["level"] == "required"]
    assert (ran.code, failed, ran.err) == (EXIT_OK, [], "")
    assert set(ran.json) == HEAD and ran.json["target"] == {"domain": lab.good}
    assert [e["id"] for e in ran.json["items"]] == list(all_items())
    assert all(set(entry) == LINE for entry in ran.json["items"])
    assert [e for e in ran.json["items"] if e["status"] == "error"] == []
    assert ran.json["seconds"] > 0 and ran.json["connections"]["dns"] > 0
    assert abs((datetime.now(UTC) - datetime.fromisoformat(ran.json["started"])).total_seconds()) < 120
    again = Ran(capsys, "judge", str(out), "--json")
    assert again.code == EXIT_OK
    assert again.json["items"] == ran.json["items"]


@pytest.mark.lab
def test_the_bad_instance_ends_with_code_1_and_speaks_japanese(
    lab: Lab, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "facts.json"
    ran = Ran(capsys, "scan", lab.bad, "--lang", "ja", "--facts-out", str(out), *options(lab))
    assert (ran.code, ran.err) == (EXIT_FAILS, "")
    assert all_items()["app.secrets_not_served"].title.ja in ran.out
    assert "必須, 未達成" in ran.out
    limited = Ran(capsys, "judge", str(out), "--json", "--only", "app.secrets_not_served")
    assert [e["status"] for e in limited.json["items"]] == ["fail"]
    assert limited.code == EXIT_FAILS


@pytest.mark.lab
def test_a_host_on_which_nothing_answers_ends_with_code_3(
    lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name leads to an address, but all that is there is a name server."""
    monkeypatch.setattr("checks.probes.net._BACK_OFF_S", (0.01,))
    ran = Ran(capsys, "scan", "ns1.good.fedi.test", "--json", *options(lab))
    assert ran.code == EXIT_UNREACHABLE
    assert ran.err == "checks: ns1.good.fedi.test could not be reached\n"


def test_a_closed_port_80_alone_is_no_sign_of_life(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from checks.cli import _unreachable

    addresses = Addresses("a.example", ("192.0.2.1",), ())
    assert _unreachable(Facts().with_facts(addresses, PlainHttp(closed=True)))
    page = Page("http://a.example/", 503, (), "")
    assert not _unreachable(Facts().with_facts(addresses, PlainHttp(closed=False, hops=(page,))))
    assert not _unreachable(Facts().with_facts(addresses, FrontPage(page)))
