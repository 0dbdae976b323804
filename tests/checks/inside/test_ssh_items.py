"""What the SSH items make of the wire and of the configuration together."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.facts import Fact, Missing
from checks.facts.inside import Inside
from checks.facts.ports import PortState
from checks.facts.ssh import SshEndpoint, SshService
from checks.model import Status
from tests.checks.inside.reports import filtered, no_rules_shown, report, verdict
from tests.checks.inside.test_sshd import DUMP, FILES

NO_ROOT = "== T denied\nsshd: no hostkeys available -- exiting."
HIDDEN_FILES = "== /etc/ssh/sshd_config denied"
MATCH = """== /etc/ssh/sshd_config 644 root root 1
PasswordAuthentication no
Match Address 10.0.0.0/8
  PasswordAuthentication yes
"""


def told(files: str = "", **changed: str) -> Inside:
    """A report with sshd's dump, some values changed, and perhaps files."""
    dump = DUMP
    for key, value in changed.items():
        lines = [line for line in dump.split("\n") if not line.startswith(key + " ")]
        dump = "\n".join([lines[0], f"{key} {value}", *lines[1:]])
    return report(sshd_effective=dump, **({"sshd_files": files} if files else {}))


def wire(*methods: str, port: int = 22, named: int = 22, lets_in: bool = False) -> SshService:
    one = SshEndpoint("192.0.2.7", port, PortState.OPEN, "SSH-2.0-x", None, methods, lets_in)
    return SshService("root", named, (one,))


def silent(state: PortState | Missing = PortState.FILTERED) -> SshService:
    return SshService("root", 22, (SshEndpoint("192.0.2.7", 22, state),))


LOST = SshService(
    "root", 22, (SshEndpoint("192.0.2.7", 22, PortState.OPEN, "SSH-2.0-x", None, Missing(Reason.TIMEOUT)),)
)
UNREADABLE = report(sshd_effective=NO_ROOT, sshd_files=HIDDEN_FILES)


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((wire("publickey"), told()), Status.PASS, "off"),
        ((wire("publickey"), UNREADABLE), Status.PASS, "off"),
        ((wire("publickey"), told(MATCH)), Status.WARN, "match_opens"),
        ((wire("publickey"), told(passwordauthentication="yes")), Status.WARN, "differs"),
        ((wire("publickey"), told(kbdinteractiveauthentication="yes")), Status.WARN, "differs"),
        ((wire("publickey", "password"), told()), Status.FAIL, "offered"),
        ((wire("publickey", "keyboard-interactive"), told()), Status.FAIL, "offered"),
        ((wire(lets_in=True), told()), Status.FAIL, "no_proof"),
        ((silent(), told()), Status.PASS, "off_inside"),
        ((LOST, told()), Status.PASS, "off_inside"),
        ((told(),), Status.PASS, "off_inside"),
        ((silent(), told(MATCH)), Status.WARN, "match_opens"),
        ((silent(), told(passwordauthentication="yes")), Status.FAIL, "on_inside"),
        ((silent(), told(permitemptypasswords="yes")), Status.FAIL, "on_inside"),
        ((silent(), told(kbdinteractiveauthentication="yes")), Status.FAIL, "pam_asks"),
        ((silent(), report(sshd_effective=NO_ROOT, sshd_files=FILES)), Status.FAIL, "on_inside"),
        ((silent(), UNREADABLE), Status.UNKNOWN, "not_seen"),
        ((LOST, UNREADABLE), Status.UNKNOWN, ""),
        ((UNREADABLE,), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_password_login_off(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("ssh.password_login_off", *facts)
    assert (found.status, found.code) == (status, code)


def test_the_configuration_stands_beside_what_the_server_offered() -> None:
    found = verdict("ssh.password_login_off", wire("password"), told(passwordauthentication="yes"))
    assert [one.label for one in found.evidence] == ["SSH 192.0.2.7 port 22", "inside: sshd -T"]
    assert "passwordauthentication yes" in found.evidence[1].text


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((wire("publickey"), told(pubkeyauthentication="no")), Status.PASS, "offered"),
        ((wire("password"), told()), Status.FAIL, "not_offered"),
        ((silent(), told()), Status.PASS, "allowed"),
        ((silent(), told(pubkeyauthentication="no")), Status.FAIL, "switched_off"),
        ((silent(), UNREADABLE), Status.UNKNOWN, "not_seen"),
        ((UNREADABLE,), Status.UNKNOWN, ""),
    ],
)
def test_public_key_login(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("ssh.public_key_login", *facts)
    assert (found.status, found.code) == (status, code)


ROOT_MATCH = "== /etc/ssh/sshd_config 644 root root 1\nMatch Address 192.0.2.0/24\nPermitRootLogin yes\n"


@pytest.mark.parametrize(
    ("inside", "status", "code"),
    [
        (told(permitrootlogin="no"), Status.PASS, "no"),
        (told(), Status.PASS, "keys_only"),
        (told(permitrootlogin="forced-commands-only"), Status.PASS, "keys_only"),
        (told(permitrootlogin="yes", passwordauthentication="yes"), Status.FAIL, "yes"),
        (told(permitrootlogin="yes", kbdinteractiveauthentication="yes"), Status.FAIL, "yes"),
        (told(permitrootlogin="yes"), Status.WARN, "yes_without_passwords"),
        (told(ROOT_MATCH, permitrootlogin="no", passwordauthentication="yes"), Status.WARN, "match_opens"),
        (told(ROOT_MATCH, permitrootlogin="no"), Status.PASS, "no"),
        (told(permitrootlogin="perhaps"), Status.WARN, "other_value"),
        (report(sshd_effective=NO_ROOT, sshd_files=FILES), Status.PASS, "keys_only"),
        (UNREADABLE, Status.UNKNOWN, ""),
        (report(), Status.UNKNOWN, ""),
    ],
)
def test_root_login_off(inside: Inside, status: Status, code: str) -> None:
    found = verdict("ssh.root_login_off", inside)
    assert (found.status, found.code) == (status, code)


def test_a_refusal_is_named() -> None:
    assert verdict("ssh.root_login_off", UNREADABLE).reason is Reason.DENIED


def listening(*ports: int, **rules: tuple[str, ...]) -> Inside:
    lines = "\n".join(
        f"tcp LISTEN 0 128 0.0.0.0:{port} 0.0.0.0:* ino:1 sk:1 cgroup:/system.slice/ssh.service <->"
        for port in ports
    )
    return report(sockets=lines, sshd_effective=DUMP, **rules)


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((wire("publickey"), listening(2222)), Status.FAIL, "on_22"),
        ((silent(PortState.CLOSED), listening(22)), Status.PASS, "closed"),
        ((silent(), listening(2222)), Status.PASS, "listens_elsewhere"),
        ((silent(), listening(22)), Status.UNKNOWN, "not_seen"),
        ((silent(), listening(22, **filtered("nft for IPv4 alone"))), Status.FAIL, "listens_on_22"),
        ((silent(), listening(22, **filtered("a map without a way for the interface"))), Status.PASS, "kept_from_22"),
        ((listening(2222),), Status.PASS, "listens_elsewhere"),
        ((silent(), report(sockets="")), Status.UNKNOWN, "not_seen"),
        ((report(),), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_port_changed(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("ssh.port_changed", *facts)
    assert (found.status, found.code) == (status, code)


PRIVATE = report(sshd_effective=DUMP.replace("[::]:22", "10.8.0.1:22").replace("0.0.0.0:22", "[fd00::1]:22"))
USERS = report(sshd_effective=DUMP.replace("usepam yes", "usepam yes\nallowusers admin@203.0.113.5"))
CLOSED = report(sshd_effective=DUMP, **filtered("a map without a way for the interface"))
WEB_ONLY = report(sshd_effective=DUMP, **filtered("marks"))
OPEN = report(sshd_effective=DUMP, **filtered("policy drop"))
DENIED = report(sshd_effective=DUMP, **no_rules_shown())


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((wire("publickey"),), Status.FAIL, "open_to_us"),
        ((wire("publickey"), OPEN), Status.FAIL, "open_to_us"),
        ((wire("publickey"), DENIED), Status.UNKNOWN, ""),
        ((wire("publickey"), CLOSED), Status.PASS, "by_rules"),
        ((wire("publickey"), WEB_ONLY), Status.PASS, "by_rules"),
        ((wire("publickey", port=80), WEB_ONLY), Status.FAIL, "open_to_us"),
        ((wire("publickey"), USERS), Status.PASS, "by_users"),
        ((silent(), PRIVATE), Status.PASS, "by_address"),
        ((PRIVATE,), Status.PASS, "by_address"),
        ((silent(), OPEN), Status.UNKNOWN, "closed_to_us"),
        ((silent(),), Status.UNKNOWN, "closed_to_us"),
        ((OPEN,), Status.UNKNOWN, ""),
    ],
)
def test_source_restricted(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("ssh.source_restricted", *facts)
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((wire("publickey"), CLOSED), Status.MANUAL, "limited"),
        ((PRIVATE,), Status.MANUAL, "limited"),
        ((wire("publickey"), OPEN), Status.FAIL, "direct"),
        ((silent(), OPEN), Status.UNKNOWN, "closed_to_us"),
        ((wire("publickey"), DENIED), Status.UNKNOWN, "rules_not_seen"),
        ((wire("publickey"),), Status.UNKNOWN, ""),
    ],
)
def test_bastion(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("ssh.bastion", *facts)
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (
            "== pam\n/etc/pam.d/sshd:58 /usr/local/sbin/login-notice\n== sshrc\n== profile",
            Status.MANUAL,
            "likely",
        ),
        ("== pam\n== sshrc\n== profile\n/etc/profile.d/notify.sh", Status.MANUAL, "likely"),
        ("== pam\n== sshrc\n== profile", Status.MANUAL, "nothing_found"),
        ("", Status.UNKNOWN, ""),
    ],
)
def test_login_notice(said: str, status: Status, code: str) -> None:
    found = verdict("ssh.login_notice", report(login_notice=said))
    assert (found.status, found.code) == (status, code)
