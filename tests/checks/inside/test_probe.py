"""The probe of the inside against a real OpenSSH: what it brings, and what it says where it is not let in."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from checks.codec import encode_facts
from checks.errors import ProbeError, Reason
from checks.facts import Fact, Missing
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts, PortState
from checks.facts.ssh import SshService
from checks.probes import gather, inside, ports, ssh
from checks.probes.look import Look, Probe
from checks.probes.ssh_session import read_access
from checks.target import Access, Limits, Target
from tests.checks.inside.hostile import nothing_left  # noqa: F401 - a fixture for all tests here
from tests.checks.inside.servers import (
    KEY,
    ME,
    REPORT,
    Enrolled,
    Pair,
    enrolled,
    gap_of,
    look_counting,
    look_inside,
    program,
)
from tests.checks.ssh.servers import LOOPBACK, VANTAGE, at_address, free_port


def test_the_shipped_collector_reports_through_a_plain_shell() -> None:
    with enrolled() as server:
        found = look_counting(server.access())
        log = server.log
    report = found.facts.get(Inside)
    assert report.lines("meta") and report.uid == os.geteuid()
    assert {"sockets", "release", "packages"} <= {section.name for section in report.sections}
    assert found.connections == {"ssh_in": 1}
    assert log.count("Accepted publickey") == 1 and "none" not in log.lower()


def test_a_forced_command_reports_whatever_is_asked_for(tmp_path: Path) -> None:
    line = f'restrict,command="{program(tmp_path, f"cat <<E{chr(10)}{REPORT}E")}"'
    with enrolled(before_key=line) as server:
        for forced in (True, False):
            report = look_inside(server.access(forced=forced)).get(Inside)
            assert [section.name for section in report.sections] == ["meta"]


def test_noise_of_the_login_does_not_hide_the_report(tmp_path: Path) -> None:
    noisy = f"echo You have mail.; echo oh >&2; cat <<E{chr(10)}{REPORT}E\necho bye"
    with enrolled(before_key=f'command="{program(tmp_path, noisy)}"') as server:
        assert look_inside(server.access(forced=True)).get(Inside).lines("meta") == ("uid 0",)


def test_a_report_is_whole_although_something_keeps_the_session_open(tmp_path: Path) -> None:
    lasting = f"cat <<E{chr(10)}{REPORT}E\nexec sleep 50"
    begun = time.monotonic()
    with enrolled(before_key=f'command="{program(tmp_path, lasting)}"') as server:
        assert look_inside(server.access(forced=True)).get(Inside).uid == 0
    assert time.monotonic() - begun < 40, "nobody waits for the end of the session"


def test_nothing_is_sent_without_access_or_a_confirmed_host_key() -> None:
    assert gap_of(None) == Missing(Reason.NOT_CONNECTED)
    nowhere = Enrolled(free_port(), "", Path())
    assert gap_of(nowhere.access()) == Missing(Reason.NOT_CONNECTED, "host key not confirmed")
    broken = [nowhere.access(host_key=text) for text in ("ssh-ed25519", "ssh-ed25519 !", "ssh-ed25519 AAAA")]
    assert {gap_of(access).detail for access in broken} == {"the confirmed host key cannot be read"}
    for text in ("", "x", Pair.new().private[:200]):
        gap = gap_of(nowhere.access(key=Pair(text, ""), host_key=KEY.public))
        assert gap == Missing(Reason.NOT_CONNECTED, "the private key is no OpenSSH ed25519 key")
    assert look_counting(nowhere.access()).connections == {}


def test_a_closed_port_is_refused() -> None:
    access = Enrolled(free_port(), KEY.public, Path()).access()
    assert gap_of(access) == Missing(Reason.REFUSED, f"127.0.0.1 port {access.port}")


def test_a_wrong_key_is_refused_and_the_user_named() -> None:
    with enrolled("PasswordAuthentication no", "KbdInteractiveAuthentication no") as server:
        gap = gap_of(server.access(key=Pair.new()))
        assert gap == Missing(Reason.KEY_REFUSED, f"{ME}@127.0.0.1 port {server.port}: user {ME}")


def test_a_server_that_hangs_up_on_a_wrong_key_has_refused_it() -> None:
    with enrolled("MaxAuthTries 1") as server:
        gap = gap_of(server.access(key=Pair.new()))
    assert gap.reason is Reason.KEY_REFUSED and gap.detail.endswith("Too many authentication failures")


def test_a_server_that_takes_no_keys_says_what_it_takes() -> None:
    with enrolled(
        "PubkeyAuthentication no", "PasswordAuthentication yes", "KbdInteractiveAuthentication no"
    ) as server:
        gap = gap_of(server.access())
    assert gap.reason is Reason.KEY_REFUSED and gap.detail.endswith("the server takes password")


def test_a_second_factor_is_not_given() -> None:
    with enrolled("AuthenticationMethods publickey,password", "PasswordAuthentication yes") as server:
        gap = gap_of(server.access())
        assert "Failed password" not in server.log
    assert gap.reason is Reason.KEY_REFUSED
    assert gap.detail.endswith(f"user {ME}; the server wants password beside the key")


def test_another_host_key_ends_it_before_the_login() -> None:
    with enrolled() as server:
        gap = gap_of(server.access(host_key=Pair.new().public))
        log = server.log
    assert gap.reason is Reason.HOST_KEY_CHANGED and "now ssh-ed25519 SHA256:" in gap.detail
    assert "Accepted" not in log and "ublickey" not in log and ME not in log


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_the_confirmed_key_is_asked_for_although_the_server_has_others(kind: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", other], check=True)
    confirmed = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    with enrolled(f"HostKey {other}", "ForceCommand printf '" + REPORT.replace("\n", "\\n") + "'") as server:
        assert look_inside(server.access(host_key=confirmed)).get(Inside).uid == 0
        assert look_inside(server.access()).get(Inside).uid == 0


@pytest.mark.parametrize(
    "options",
    [
        ("Ciphers aes256-gcm@openssh.com", "KexAlgorithms curve25519-sha256"),
        (
            "Ciphers aes256-ctr",
            "MACs hmac-sha2-512-etm@openssh.com",
            "KexAlgorithms diffie-hellman-group16-sha512",
        ),
    ],
    ids=["gcm", "etm"],
)
def test_a_hardened_server_that_changes_its_keys_on_the_way_is_read(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    long = "@fedisec 1\n@sec meta\n" + " a line of forty characters or thereabouts\n" * 2_900
    (tmp_path / "report").write_text(long + " =rc 0\n@end meta ms=1\n@done 7\n")
    line = f'restrict,command="cat {tmp_path}/report"'
    with enrolled("RekeyLimit 64K", "LogLevel DEBUG1", *options, before_key=line) as server:
        report = look_inside(server.access(forced=True)).get(Inside)
        assert server.log.count("SSH2_MSG_NEWKEYS received") > 1, "the keys did change"
    assert report.uid == 7 and len(report.lines("meta")) == 2_900


def test_a_server_that_shares_no_algorithm_is_too_new_for_us() -> None:
    with enrolled("Ciphers chacha20-poly1305@openssh.com") as server:
        gap = gap_of(server.access())
    assert gap.reason is Reason.NOT_BUILT and "no acceptable ciphers" in gap.detail


def test_an_account_without_a_shell_is_named() -> None:
    """As root by the account's own shell; other users can log in as themselves alone."""
    nobody = os.geteuid() == 0
    line = "" if nobody else 'command="/usr/sbin/nologin"'
    with enrolled(before_key=line) as server:
        gap = gap_of(server.access(user="nobody" if nobody else ME))
    assert gap.reason is Reason.NO_SHELL
    assert ": This account is currently not available." in gap.detail


def test_a_server_that_allows_no_session_is_named() -> None:
    with enrolled("MaxSessions 0") as server:
        gap = gap_of(server.access())
    assert gap.reason is Reason.DENIED and gap.detail.endswith(f"no session for user {ME}")


def test_a_collector_that_is_not_installed_is_named() -> None:
    with enrolled() as server:
        gap = gap_of(server.access(forced=True))
    assert gap.reason is Reason.NO_TOOL and "fedisec-collect is not there: " in gap.detail


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("exit 126", Reason.DENIED, "may not run the collector"),
        (
            "echo Password change required but no TTY available. >&2; exit 1",
            Reason.DENIED,
            "has expired: Password change",
        ),
        ("echo hello; exit 3", Reason.MALFORMED, "no report, exit status 3; the server said: hello"),
        ("echo @fedisec 7", Reason.MALFORMED, "another version (7)"),
        ("printf '@fedisec 1\\n@sec a\\n x'", Reason.MALFORMED, "breaks off in section a"),
        ("kill -9 $$", Reason.MALFORMED, "no report"),
        ("exec tr '\\0' x < /dev/zero", Reason.TOO_LARGE, "more than 1048576 bytes"),
        ("exec tr '\\0' x < /dev/zero >&2", Reason.TOO_LARGE, "more than 65536 bytes of errors"),
        ("printf '\\033[31mred\\n'", Reason.MALFORMED, "said: \ufffd[31mred"),
    ],
)
def test_what_is_no_report_is_unknown(text: str, reason: Reason, words: str, tmp_path: Path) -> None:
    with enrolled(before_key=f'command="{program(tmp_path, text)}"') as server:
        gap = gap_of(server.access(forced=True))
    assert gap.reason is reason and words in gap.detail


def test_a_collector_that_never_ends_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "WALL_S", 1.5)
    for text in ("exec sleep 60", "while :; do echo; sleep 0.05; done"):
        with enrolled(before_key=f'command="{program(tmp_path, text)}"') as server:
            assert gap_of(server.access(forced=True)).reason is Reason.TIMEOUT


def test_the_private_key_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("paramiko").setLevel(logging.DEBUG)
    with enrolled("ForceCommand printf '" + REPORT.replace("\n", "\\n") + "'") as server:
        access = server.access()
        seen = [
            repr(access),
            repr(Target("instance.example", access=access)),
            str(read_access(access)),
        ]
        for one in (access, server.access(key=Pair.new()), server.access(host_key=Pair.new().public)):
            facts = look_inside(one)
            seen += [repr(facts), json.dumps(encode_facts(facts))]
        with pytest.raises(ProbeError) as caught:
            read_access(Access("", 22, "x", KEY.private.replace("OPENSSH", "RSA"), server.host_key, False))
        seen += [repr(caught.value), str(caught.value.__context__), caplog.text]
    assert KEY.body not in "\n".join(seen) and "PRIVATE" not in "\n".join(seen)
    assert not [r for r in caplog.records if "paramiko" in r.name or r.name == "checks.ssh.silenced"]


@pytest.mark.parametrize("both", [True, False], ids=["two ports answer", "one port answers"])
def test_a_scan_opens_two_connections_to_ssh_with_the_login_among_them(
    both: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        enrolled("LogLevel VERBOSE") as server,
        enrolled("LogLevel VERBOSE") as other,
        socket.create_server((LOOPBACK, 443)),  # otherwise the port scan takes SSH for its anchor
    ):
        usual = other.port if both else free_port()
        monkeypatch.setattr(ssh, "_DEFAULT_PORT", usual)
        target = Target("instance.example", ssh_port=server.port, access=server.access())
        probes = (at_address(LOOPBACK), *ssh.PROBES, *inside.PROBES, *ports.PROBES)
        gathered = asyncio.run(gather(target, VANTAGE, Limits(), probes=probes))
        logs = server.log + other.log
    # One more in each log: the lab waits until the server answers.
    assert logs.count("Connection from") - 2 == 2
    assert logs.count("Accepted publickey") == 1
    assert gathered.connections["ssh_in"] == 1 and Inside in gathered.facts.found
    named = gathered.facts.get(SshService).on_port(server.port)
    assert named is not None and (named.state is PortState.OPEN) is not both
    seen = gathered.facts.get(OpenPorts).addresses[0].ports
    assert server.port in {port.port for port in seen}


def test_a_slow_login_takes_no_time_from_the_scan() -> None:
    async def late(look: Look) -> list[Fact]:
        assert 9 < look.net.remaining_s() <= 12
        return []

    access = Enrolled(free_port(), KEY.public, Path()).access()
    target = Target("instance.example", access=access)
    limits = Limits(wall_s=5.0, inside_s=7.0)
    gathered = asyncio.run(
        gather(target, VANTAGE, limits, probes=(Probe("late", "ports", (OpenPorts,), late),))
    )
    assert gathered.facts.missing[OpenPorts].reason is Reason.NOT_ASKED
