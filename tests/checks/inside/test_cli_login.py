"""`scan --ssh`: what the options need, what is said where the login fails, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter

import pytest

from checks import cli_login
from checks.cli import EXIT_FAILS, EXIT_NOT_INSIDE, EXIT_OK, EXIT_UNREACHABLE, EXIT_USAGE, main
from checks.codec import decode_facts
from checks.facts.inside import Inside
from checks.model import Text
from tests.checks.inside.servers import KEY, ME, REPORT, Enrolled, Pair, enrolled
from tests.checks.ssh.servers import free_port
from tests.lab.lab import Lab

NOBODY = "127.0.0.9"
ANSWERS = "ForceCommand printf '" + REPORT.replace("\n", "\\n") + "'"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "fedisec_key"
    path.write_text(KEY.private)
    return path


def scan(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and standard error of a scan that no resolver helps."""
    capsys.readouterr()
    code = main(["scan", "a.example", "--resolver", NOBODY, "--allow-network", "127.0.0.0/8", *arguments])
    return code, capsys.readouterr().err


def login(server: Enrolled, key: Path, known: str | None = None) -> list[str]:
    return [
        "--ssh",
        f"{ME}@127.0.0.1:{server.port}",
        "--key",
        str(key),
        "--known-host",
        known or server.host_key,
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--key", "{key}"], "go with --ssh USER@HOST"),
        (["--forced"], "go with --ssh USER@HOST"),
        (["--ssh", "a.example"], "give USER@HOST"),
        (["--ssh", "x@a.example:0"], "give USER@HOST"),
        (["--ssh", "x@a.example:70000"], "give USER@HOST"),
        (["--ssh", "-oProxyCommand=x@a.example"], "give USER@HOST"),
        (["--ssh", "x y@a.example"], "give USER@HOST"),
        (["--ssh", "x@a.example"], "--ssh needs --key FILE"),
        (["--ssh", "x@a.example", "--key", "{key}"], "ssh-keyscan -t ed25519 -p 22 a.example"),
        (["--ssh", "x@a.example", "--key", "/nonexistent", "--known-host", KEY.public], "cannot read /nonexistent"),
        (["--ssh", "x@a.example", "--key", "{known}", "--known-host", KEY.public], "no OpenSSH ed25519 key"),
        (["--ssh", "x@a.example", "--key", "{key}", "--known-host", "/nonexistent"], "cannot read /nonexistent"),
        (["--ssh", "x@a.example", "--key", "{key}", "--known-host", "{known}"], "no host key for a.example port 22"),
        (["--ssh", "x@a.example", "--key", "{key}", "--known-host", "ssh-ed25519 AAAA"], "no host key for a.example"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_before_the_scan(
    arguments: list[str], words: str, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"b.example {KEY.public}\n")
    filled = [text.format(key=key_file, known=known) for text in arguments]
    filled = [f"{filled[0]}={filled[1]}", *filled[2:]] if len(filled) > 1 else filled
    code, err = scan(capsys, *filled)
    assert code == EXIT_USAGE
    assert words in err and err.count("\n") == 1 and KEY.body not in err


def test_a_scan_with_a_login_brings_the_inside(
    key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "facts.json"
    known = tmp_path / "known_hosts"
    with enrolled(ANSWERS) as server:
        known.write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
        options = [*login(server, key_file, str(known)), "--forced", "--facts-out", str(saved)]
        code, err = scan(capsys, *options)
    assert (code, err) in {(EXIT_OK, ""), (EXIT_FAILS, "")}
    assert decode_facts(json.loads(saved.read_text())).get(Inside).lines("meta") == ("uid 0",)
    assert KEY.body not in saved.read_text()


def test_a_login_that_fails_says_why_and_what_to_do(
    key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Pair.new()
    with enrolled(ANSWERS, key=other) as server:
        code, err = scan(capsys, *login(server, key_file))
        where = f"{ME}@127.0.0.1 port {server.port}"
        assert code == EXIT_UNREACHABLE, "nothing else was seen of it"
        assert f"checks: not seen from inside: key refused: {where}: user {ME}" in err
        assert f"add this line to ~/.ssh/authorized_keys of {ME}: restrict {KEY.public}\n" in err
        _, err = scan(capsys, *login(server, key_file, other.public))
        assert "host key changed" in err and "ssh-keygen -lf" in err
    _, err = scan(capsys, *login(Enrolled(free_port(), KEY.public, tmp_path), key_file))
    assert "refused: 127.0.0.1 port" in err and "see whether sshd listens there" in err
    assert KEY.body not in err


def test_a_failed_login_changes_the_exit_code_of_a_good_scan(
    lab: Lab, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = [word for network in (*lab.networks, "127.0.0.0/8") for word in ("--allow-network", network)]
    seen = ["scan", "good.fedi.test", "--resolver", lab.resolver, "--trust-ca", str(lab.ca_file), *networks]
    server = Enrolled(free_port(), KEY.public, tmp_path)
    assert main([*seen, "--only", "ssh.port_changed", *login(server, key_file)]) == EXIT_NOT_INSIDE
    assert "not seen from inside" in capsys.readouterr().err


def test_what_is_said_follows_the_language(
    key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, err = scan(capsys, "--ssh", "x@a.example", "--lang", "ja")
    assert err.startswith("checks: --ssh には --key FILE が必要です。")
    server = Enrolled(free_port(), KEY.public, tmp_path)
    _, err = scan(capsys, *login(server, key_file), "--lang", "ja")
    assert f"内部を確認できませんでした：接続が拒否されました（127.0.0.1 port {server.port}" in err
    assert "sshd が待ち受けているか確認してください" in err
    assert "checks: a.example に接続できませんでした" in err


def test_every_sentence_has_the_same_gaps_in_both_languages() -> None:
    texts = [value for value in vars(cli_login).values() if isinstance(value, Text)]
    assert len(texts) > 5
    for text in [*texts, *cli_login._CURES.values()]:
        en, ja = ({name for _, name, *_ in Formatter().parse(one) if name} for one in (text.en, text.ja))
        assert en == ja and text.en != text.ja, text
