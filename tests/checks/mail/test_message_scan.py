"""`scan --dkim-message`: the mail's selectors are watched, its signatures verified, the mail itself kept nowhere."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from checks.cli import EXIT_USAGE, main
from checks.codec import decode_facts
from checks.facts import Missing
from checks.facts.mail import DkimAnswers, DkimMessage, Origin, Proof
from checks.model import Status
from checks.probes import gather, mail
from checks.target import Target
from tests.checks.dns.server import Table, name_server, vantage
from tests.checks.mail.mails import HEAD, key, quoted, signed

TABLE: Table = {("s._domainkey.a.test", "TXT"): quoted(key().record)}


def scan(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """The command line in a process of its own, with a name server beside it."""

    async def run() -> tuple[int, str, str]:
        async with name_server(TABLE) as server:
            resolver = vantage(server).resolver
            command = [sys.executable, "-m", "checks", "scan", "a.test", "--resolver", resolver, *arguments]
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
            out, err = await process.communicate(stdin)
            return process.returncode or 0, out.decode(), err.decode()

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["file", "-"])
def test_a_mail_that_verifies_is_a_pass(path: str, tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(signed())
    where = "-" if path == "-" else str(tmp_path / "mail.eml")
    facts = tmp_path / "facts.json"
    arguments = ["--dkim-message", where, "--only", "mail.dkim", "--json", "--facts-out", str(facts)]
    _, out, err = scan(*arguments, stdin=signed() if path == "-" else b"")
    line = json.loads(out)["items"][0]
    assert (line["status"], line["code"]) == (Status.PASS, "verified"), err
    assert line["data"] == {"domain": "a.test", "selector": "s", "kind": "rsa", "bits": 2048}
    stored = facts.read_text()
    assert "somebody asked" not in stored and "password" not in stored and "notify@" not in stored
    found = decode_facts(json.loads(stored)).get(DkimMessage)
    assert [s.proof for s in found.signatures] == [Proof.VERIFIED]


def told(arguments: Iterable[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["scan", "a.test", *arguments]) == EXIT_USAGE
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "the mail is empty"),
        (b"hello", "no mail source"),
        (HEAD, "no DKIM-Signature header"),
        (b"x" * 1_100_000, "larger than 1 MiB"),
        (signed().replace(b"notify@a.test", b"x@b.test"), "add --mail-from b.test"),
    ],
    ids=["empty", "prose", "unsigned", "large", "from elsewhere"],
)
def test_a_file_that_cannot_be_used_is_a_usage_error_before_any_look(
    raw: bytes, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mail.eml").write_bytes(raw)
    assert sentence in told(["--dkim-message", str(tmp_path / "mail.eml")], capsys)


def test_a_file_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot read /nowhere/mail.eml" in told(["--dkim-message", "/nowhere/mail.eml"], capsys)


def test_without_a_mail_nothing_is_claimed_about_one() -> None:
    async def run() -> object:
        async with name_server(TABLE) as server:
            found = await gather(Target("a.test"), vantage(server), probes=mail.PROBES)
            return found.facts.missing[DkimMessage]

    assert isinstance(asyncio.run(run()), Missing)


def test_a_selector_may_name_its_own_domain() -> None:
    async def run() -> DkimAnswers:
        target = Target("sub.a.test", dkim_selectors=("s._domainkey.a.test", "s"))
        async with name_server(TABLE) as server:
            return (await gather(target, vantage(server), probes=mail.PROBES)).facts.get(DkimAnswers)

    keys = asyncio.run(run()).keys
    assert [(k.origin, bool(getattr(k.answer, "records", ()))) for k in keys] == [
        (Origin.NAMED, True),
        (Origin.NAMED, False),
    ]
