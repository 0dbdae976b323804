"""The collector runs alike under every shell, and its answer is one that is read."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.clean import clean
from checks.cli import main
from checks.errors import Reason
from checks.facts import MissingFact
from checks.probes.collector import collector_script, collector_sha256
from tests.checks.inside.shells import (
    AS_NOBODY,
    SHELLS,
    Ran,
    needs,
    needs_root,
    patient_script,
    run_collector,
)

NAMES = tuple(
    """meta release sshd_effective sshd_files sshd_unit login_notice crowdsec nft iptables ufw firewalld sockets docker
    apt_config update_units update_stamps reboot mac accounts time disk redis postgres backups cert_renewal units
    app_files app_config app_accounts waf proxy edr opensnitch egress mail packages fail2ban versions
    updates_pending""".split()
)
MOVING = {"sockets", "disk", "meta"}  # what differs from one run to the next


def names(ran: Ran) -> tuple[str, ...]:
    return tuple(section.name for section in ran.report.sections)


_SMALL_ROOT = """set -eu
mount --rbind /proc "$0/proc"
mount --rbind /dev "$0/dev"
chroot "$0" /usr/bin/busybox --install -s /bin
exec chroot "$0" "$@"
"""


def test_a_machine_of_busybox_alone_is_told_of_too(tmp_path: Path) -> None:
    needs_root()
    needs("busybox", "ldd", "unshare")
    program = shutil.which("busybox") or ""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for name in [program, *re.findall(r"(/\S+) \(0x", linked)]:
        there = tmp_path / ("usr/bin/busybox" if name == program else name.lstrip("/"))
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, there)
    for folder in ("bin", "proc", "dev", "etc", "tmp"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "etc/os-release").write_text("ID=alpine\nVERSION_ID=3.22.1\n")
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n")
    script = patient_script()
    wrapped = ("unshare", "-m", "--propagation", "private", "sh", "-c", _SMALL_ROOT, str(tmp_path))
    ran = subprocess.run(
        [*wrapped, "/usr/bin/busybox", "ash", "-s"],
        input=script.encode(),
        capture_output=True,
        timeout=110,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    report = Ran(ran.stdout, ran.stderr, 0).report
    assert tuple(one.name for one in report.sections) == NAMES
    assert report.lines("release") == ("ID=alpine", "VERSION_ID=3.22.1")
    assert report.lines("accounts")[:3] == ("== uid0", "root", "toor")
    assert report.lines("update_units") == ("== systemctl absent",)
    assert "== tcp" in report.lines("sockets") and "== probe absent" in report.lines("postgres")
    shown = [line for one in report.sections for line in one.lines]
    # A tool that does not know an option tells how it is used: then the part has to be asked otherwise.
    complaints = [
        line for line in shown if re.search("Usage:|unrecognized|invalid option|applet not found", line)
    ]
    assert complaints == []


@lru_cache(maxsize=2)
def by_dash(before: tuple[str, ...] = ()) -> Ran:
    """What the others are compared with."""
    return run_collector("dash", before=before)


def comparable(ran: Ran) -> dict[str, tuple[str, ...]]:
    return {one.name: one.lines for one in ran.report.sections if one.name not in MOVING}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gives_every_section_to_a_plain_user(shell: str) -> None:
    before = AS_NOBODY if os.geteuid() == 0 else ()
    ran = run_collector(shell, before=before)
    assert (ran.code, ran.errors) == (0, b"")
    assert names(ran) == NAMES
    assert not ran.report.as_root and ran.text.startswith("@fedisec 1\n") and ran.text.endswith("\n")
    assert all(section.code is not None and not section.cut for section in ran.report.sections)
    assert comparable(ran) == comparable(by_dash(before))


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gives_every_section_to_root(shell: str) -> None:
    needs_root()
    ran = run_collector(shell)
    assert (ran.code, ran.errors) == (0, b"")
    assert names(ran) == NAMES and ran.report.as_root
    assert all(section.code is not None and not section.cut for section in ran.report.sections)
    assert comparable(ran) == comparable(by_dash())


def test_what_a_client_asks_for_is_ignored() -> None:
    asked = run_collector(
        arguments=("--", "--help", "; id"),
        environment={"SSH_ORIGINAL_COMMAND": "cat /etc/passwd", "PATH": "/nowhere"},
    )
    assert asked.code == 0 and names(asked) == NAMES
    assert comparable(asked) == comparable(by_dash())


@pytest.mark.parametrize("end", [0.1, 0.5, 0.9, 0.999])
def test_half_a_script_runs_nothing(end: float) -> None:
    text = collector_script()
    ran = run_collector(script=text[: int(len(text) * end)])
    assert ran.raw == b""


def with_section(body: str, **replaced: str) -> str:
    """The script with one section alone, that runs `body`."""
    text = re.sub(r"SECTIONS='[^']*'", "SECTIONS='meta odd'", patient_script())
    for name, value in replaced.items():
        text, count = re.subn(rf"^{name}=\d+$", f"{name}={value}", text, flags=re.MULTILINE)
        assert count == 1
    head, call = text.rsplit("\nmain ", 1)
    return f"{head}\nsection_odd() {{\n{body}\n}}\nmain {call}"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("body", "lines", "code"),
    [
        (
            "printf '@end odd ms=1\\n@done 0\\n=rc 0\\n@0\\n'; return 3",
            ("@end odd ms=1", "@done 0", "=rc 0", "@0"),
            3,
        ),
        ("printf 'no newline at the end'", ("no newline at the end",), 0),
        ("printf '=rc 0'", ("=rc 0",), 0),
        (":", (), 0),
        ("printf 'a\\n\\nb\\n'; false", ("a", "", "b"), 1),
        ("echo to stderr >&2; cat", ("to stderr",), 0),
        ("printf 'a\\000b\\n'", ("ab",), 0),
        ("exit 7", (), 7),
    ],
)
def test_a_section_says_what_it_printed_and_how_it_ended(
    shell: str, body: str, lines: tuple[str, ...], code: int
) -> None:
    if body == "exit 7":
        # A section that leaves its shell has no status of its own: it is not taken for a whole one.
        with pytest.raises(MissingFact) as missing:
            run_collector(shell, script=with_section(body)).report.lines("odd")
        assert missing.value.missing.reason is Reason.TOO_LARGE
        return
    section = run_collector(shell, script=with_section(body)).report.section("odd")
    assert (section.lines, section.code) == (lines, code)


_PIECES = st.sampled_from(
    [b"@fedisec 1", b"@sec odd", b"@end p0 ms=1", b"@done 0", b"=rc 0", b" =rc 9 cut", b"@0", b"@124", b"\n", b"\n\n",
     b"\r\n", b"\t", b"%s%n", b"\\0", b"\xff\xfe", b"$(id)"]
)  # fmt: skip
_PAYLOAD = st.lists(_PIECES | st.binary(max_size=6), max_size=12).map(b"".join)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payloads=st.lists(_PAYLOAD, min_size=12, max_size=12))
def test_whatever_a_file_holds_the_frame_stays(tmp_path: Path, payloads: list[bytes]) -> None:
    """The shell's own framing, by sections that show a file: each ends with its own status, and none opens another."""
    bodies = ""
    for n, payload in enumerate(payloads):
        (tmp_path / f"p{n}").write_bytes(payload)
        bodies += f"section_p{n}() {{\ncat '{tmp_path}/p{n}'\nreturn {n}\n}}\n"
    text = re.sub(r"SECTIONS='[^']*'", f"SECTIONS='{' '.join(f'p{n}' for n in range(12))}'", patient_script())
    head, call = text.rsplit("\nmain ", 1)
    report = run_collector(script=f"{head}\n{bodies}\nmain {call}").report
    assert [(one.name, one.code, one.cut) for one in report.sections] == [
        (f"p{n}", n, False) for n in range(12)
    ]
    for payload, one in zip(payloads, report.sections, strict=True):
        shown = payload.replace(b"\0", b"").decode("utf-8", "replace")
        expected = [clean(line, 4096) for line in shown.split("\n")]
        while expected and not expected[-1]:
            expected.pop()
        assert one.lines == tuple(expected)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "body",
    [
        "echo before; sleep 987651; echo after",
        "trap '' TERM; echo before; while :; do sleep 987651; done",
        "echo before; ( sleep 987651 & wait )",
        "while :; do :; done",
    ],
    ids=["sleeps", "hears no signal", "grandchild", "spins"],
)
def test_a_section_that_does_not_end_is_ended_with_all_it_started(shell: str, body: str) -> None:
    ran = run_collector(shell, script=with_section(body, SECONDS_PER_SECTION="1"))
    with pytest.raises(MissingFact) as missing:
        ran.report.section("odd")
    assert missing.value.missing.reason is Reason.TIMEOUT
    assert "after" not in ran.text
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 987651" not in [line.strip() for line in listed.splitlines()]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("body", ["yes", "yes | tr -d '\\n'", "head -c 70000 /dev/zero | tr '\\000' 'x'"])
def test_a_section_that_says_too_much_is_cut(shell: str, body: str) -> None:
    ran = run_collector(shell, script=with_section(body))
    section = next(one for one in ran.report.sections if one.name == "odd")
    assert section.cut and len(ran.raw) < 70_000
    with pytest.raises(MissingFact) as missing:
        ran.report.lines("odd")
    assert missing.value.missing.reason is Reason.TOO_LARGE


def test_the_whole_report_stays_under_its_bound_and_says_what_was_left_out() -> None:
    ran = run_collector(script=with_section("yes xxxxxxxxxxxxxxxxxxxxxxxx", BYTES_IN_ALL="3000"))
    assert len(ran.raw) < 4000 and ran.report.sections[1].cut
    late = run_collector(script=with_section("echo asked", SECONDS_IN_ALL="-1"))
    assert [section.code for section in late.report.sections] == [124, 124]


def test_without_timeout_only_what_cannot_hang_is_run() -> None:
    script = patient_script().replace("timeout -k 1 5 true", "false").replace("timeout -t 5 true", "false")
    ran = run_collector(script=script)
    assert names(ran) == ("meta",)
    with pytest.raises(MissingFact) as missing:
        ran.report.lines("sockets")
    assert missing.value.missing.reason is Reason.NOT_ASKED


def test_shellcheck_finds_nothing() -> None:
    needs("shellcheck")
    found = subprocess.run(
        ["shellcheck", "-s", "sh", "-"], input=collector_script(), capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_the_command_line_prints_the_script_and_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collector"]) == 0
    printed = capsys.readouterr().out
    assert printed == collector_script() and printed.startswith("#!/bin/sh\n")
    assert main(["collector", "--sha256"]) == 0
    assert capsys.readouterr().out == f"{hashlib.sha256(printed.encode()).hexdigest()}\n"
    assert collector_sha256() == hashlib.sha256(printed.encode()).hexdigest()


def test_no_temporary_file_is_needed() -> None:
    # Here-documents are files in some shells.
    assert "<<" not in collector_script()
    assert shutil.which("sh")
