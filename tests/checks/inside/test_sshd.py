"""sshd's settings as read from its own dump and from its files, held against the real sshd."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.parse.host.sshd import Opening, openings, parse_effective, parse_files, sshd_of
from tests.checks.inside.reports import report

DUMP = """== T
port 22
listenaddress [::]:22
listenaddress 0.0.0.0:22
usepam yes
permitrootlogin without-password
pubkeyauthentication yes
passwordauthentication no
kbdinteractiveauthentication no
permitemptypasswords no
authenticationmethods any
== version
OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.20 7 Apr 2026
"""
FILES = """== /etc/ssh/sshd_config 644 root root 1700000000
Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
UsePAM yes
== /etc/ssh/sshd_config.d/50-cloud-init.conf 600 root root 1700000000
PasswordAuthentication yes
"""


def dump(**changed: str) -> tuple[str, ...]:
    lines = []
    for line in DUMP.strip().split("\n"):
        key = line.partition(" ")[0]
        lines.append(f"{key} {changed.pop(key)}" if key in changed and line[0] != "=" else line)
    more = tuple(f"{key} {value}" for key, value in changed.items())
    return (*lines[:2], *more, *lines[2:])


@pytest.mark.parametrize(
    ("changed", "asks"),
    [
        ({}, ""),
        ({"passwordauthentication": "yes"}, "password"),
        ({"kbdinteractiveauthentication": "yes"}, "pam"),
        ({"kbdinteractiveauthentication": "yes", "usepam": "no"}, ""),
        ({"passwordauthentication": "yes", "authenticationmethods": "publickey"}, ""),
        ({"passwordauthentication": "yes", "authenticationmethods": "publickey,password publickey"}, ""),
        (
            {
                "kbdinteractiveauthentication": "yes",
                "authenticationmethods": "publickey,keyboard-interactive:pam",
            },
            "",
        ),
        ({"passwordauthentication": "yes", "authenticationmethods": "publickey password"}, "password"),
        ({"passwordauthentication": "yes", "authenticationmethods": "password,publickey"}, "password"),
    ],
)
def test_when_a_password_lets_in(changed: dict[str, str], asks: str) -> None:
    assert parse_effective(dump(**changed)).asks_password == asks


@pytest.mark.parametrize(
    ("users", "limited"),
    [
        ("admin@203.0.113.5 root@10.0.0.0/8", True),
        ("admin@203.0.113.5 backup", False),
        ("admin@*", False),
        ("admin@0.0.0.0/0", False),
        ("admin@", False),
        ("*@2001:db8::/32", True),
    ],
)
def test_users_that_may_come_from_some_addresses_only(users: str, limited: bool) -> None:
    assert parse_effective(dump(allowusers=users)).limits_sources is limited
    assert not parse_effective(dump()).limits_sources


def test_ports_and_addresses() -> None:
    lines = ("== G", "port 22", "port 2222", "passwordauthentication no", "listenaddress 10.0.0.5:22",
             "listenaddress 10.0.0.5:2222", "listenaddress [fd00::1]:2022")  # fmt: skip
    found = parse_effective(lines)
    assert (found.source, found.ports, found.listens_publicly) == ("sshd -G", (22, 2022, 2222), False)
    assert parse_effective(lines[:5]).listens_publicly is False
    assert parse_effective(lines[:4]).listens_publicly is True
    assert parse_effective(dump()).listens_publicly is True
    tailnet = parse_effective((*lines[:4], "listenaddress 100.64.3.1:22"))
    assert tailnet.listens_publicly is False


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("== G absent",),
        ("== T denied", "sshd: no hostkeys available -- exiting."),
        ("== T", "/etc/ssh/sshd_config: line 2: Bad configuration option: FooBar"),
        ("== T", "Missing privilege separation directory: /run/sshd"),
    ],
)
def test_what_is_no_configuration(lines: tuple[str, ...]) -> None:
    with pytest.raises(ParseError):
        parse_effective(lines)


CONFIGS: dict[str, tuple[str, ...]] = {
    "a drop-in comes first": (
        "Include D/*.conf\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM yes",
        "PasswordAuthentication yes",
    ),
    "a drop-in at the end": ("PasswordAuthentication no\nInclude D/*.conf", "PasswordAuthentication yes\nPort 2200"),
    "names in their order": ("Include D/*.conf", "PermitRootLogin yes", "PermitRootLogin no\nPort 2022"),
    "a Match ends with its file": ("Include D/*.conf\nPasswordAuthentication no", "Match User backup\n  ForceCommand /bin/false"),
    "an option behind a Match": ("Port 2222\nMatch User backup\n  ForceCommand /bin/false\nPasswordAuthentication no",),
    "the old name": ("ChallengeResponseAuthentication no\nPasswordAuthentication no\nUsePAM yes",),
    "left to the defaults": ("UsePAM yes\nPasswordAuthentication no",),
    "several ports": ("Port 22\nPort 2222\nListenAddress 10.0.0.5\nListenAddress [::1]:2022",),
    "signs": ('Port=2201\nPermitRootLogin = "no"\n\tPasswordAuthentication\tno # never\nusepam no',),
    "chains": ("AllowUsers admin1@203.0.113.5 root@10.0.0.0/8\nAuthenticationMethods publickey,keyboard-interactive:pam",),
    "a relative Include": ("Include sshd_config.d/*.conf\nPubkeyAuthentication yes", "PubkeyAuthentication no"),
    "methods twice": ("AuthenticationMethods publickey\nAuthenticationMethods password\nUsePAM yes",),
    "users twice": ("AllowUsers a@192.0.2.1\nAllowUsers b",),
    "nothing": ("",),
}  # fmt: skip
KEYS = ("port", "usepam", "permitrootlogin", "pubkeyauthentication", "passwordauthentication",
        "kbdinteractiveauthentication", "permitemptypasswords")  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_the_files_are_read_as_sshd_reads_them(name: str, tmp_path: Path) -> None:
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert sshd is not None, "the lab needs sshd"
    folder = tmp_path / "sshd_config.d"
    folder.mkdir()
    main, *more = (text.replace("D/", "/etc/ssh/sshd_config.d/") for text in CONFIGS[name])
    lines = ["== /etc/ssh/sshd_config 644 root root 1", *main.split("\n")]
    (tmp_path / "sshd_config").write_text(
        main.replace("/etc/ssh", str(tmp_path)).replace("Include sshd_", f"Include {tmp_path}/sshd_") + "\n"
    )
    for number, text in enumerate(more):
        (folder / f"{number}.conf").write_text(text + "\n")
        lines += [f"== /etc/ssh/sshd_config.d/{number}.conf 644 root root 1", *text.split("\n")]
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True, timeout=60
    )
    done = subprocess.run(
        [sshd, "-T", "-f", tmp_path / "sshd_config", "-h", tmp_path / "key", "-C", "user=x,host=h,addr=192.0.2.1"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    truth, found = parse_effective(("== T", *done.stdout.split("\n"))), parse_files(tuple(lines))
    assert {key: found.one(key).replace("prohibit-password", "without-password") for key in KEYS} == {
        key: truth.one(key) for key in KEYS
    }
    assert found.ports == truth.ports
    assert found.asks_password == truth.asks_password
    assert found.limits_sources == truth.limits_sources


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("== /etc/ssh/sshd_config denied",),
        ("== /etc/ssh/sshd_config 644 root root 1", "Include /opt/x.conf"),
        ("== /etc/ssh/sshd_config 644 root root 1", "Include /etc/ssh/sshd_config.d/*.conf",
         "== /etc/ssh/sshd_config.d/*.conf denied"),
        ("== /etc/ssh/sshd_config 644 root root 1", "Include /etc/ssh/sshd_config.d/a",
         "== /etc/ssh/sshd_config.d/a 644 root root 1", "Include /etc/ssh/sshd_config.d/a"),
    ],
)  # fmt: skip
def test_files_that_are_not_all_there_say_nothing(lines: tuple[str, ...]) -> None:
    with pytest.raises(ParseError):
        parse_files(lines)


def test_the_policy_of_the_red_hat_family_is_passed_over() -> None:
    main = ("== /etc/ssh/sshd_config 600 root root 1", "Include /etc/crypto-policies/back-ends/opensshserver.config",
            "PermitRootLogin no")  # fmt: skip
    assert parse_files(main).one("permitrootlogin") == "no"


def test_what_a_match_opens() -> None:
    lines = ("== /etc/ssh/sshd_config 644 root root 1", "PasswordAuthentication yes", "Match Address 10.0.0.0/8",
             "  PasswordAuthentication yes", "  X11Forwarding yes", "Match User a", "AuthenticationMethods password",
             "PermitRootLogin no", "== /etc/ssh/sshd_config.d/a.conf 644 root root 1", "PermitRootLogin yes")  # fmt: skip
    assert openings(lines) == (
        Opening("/etc/ssh/sshd_config", "Address 10.0.0.0/8", "PasswordAuthentication yes"),
        Opening("/etc/ssh/sshd_config", "User a", "AuthenticationMethods password"),
    )


def test_settings_of_a_server_that_does_not_run_are_none() -> None:
    units = "Id=ssh.service\nLoadState=loaded\nActiveState=inactive\n\nId=ssh.socket\nActiveState={}"
    stopped = sshd_of(report(sshd_effective=DUMP, sshd_unit=units.format("inactive")))
    assert isinstance(stopped, Missing) and stopped.reason is Reason.NO_TOOL
    assert not isinstance(sshd_of(report(sshd_effective=DUMP, sshd_unit=units.format("active"))), Missing)
    none = "System has not been booted with systemd as init system (PID 1). Can't operate."
    assert not isinstance(sshd_of(report(sshd_effective=DUMP, sshd_unit=none)), Missing)


def test_what_is_in_effect_comes_before_the_files() -> None:
    both = sshd_of(report(sshd_effective=DUMP, sshd_files=FILES))
    assert not isinstance(both, Missing) and both.source == "sshd -T" and both.asks_password == ""
    refused = "== T denied\nsshd: no hostkeys available -- exiting."
    by_files = sshd_of(report(sshd_effective=refused, sshd_files=FILES))
    assert not isinstance(by_files, Missing) and by_files.source == "sshd_config"
    assert by_files.asks_password == "password"
    hidden = sshd_of(report(sshd_effective=refused, sshd_files="== /etc/ssh/sshd_config denied"))
    assert isinstance(hidden, Missing) and hidden.reason is Reason.DENIED
    nothing = sshd_of(report())
    assert isinstance(nothing, Missing) and nothing.reason is Reason.NOT_ASKED
