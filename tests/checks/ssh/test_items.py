"""What the items make of an SSH server's first words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.ports import PortState
from checks.facts.ssh import SshAlgorithms, SshEndpoint, SshService
from checks.items import all_items
from checks.model import Status, Verdict

ADDRESS = "93.184.215.14"
STRICT = "kex-strict-s-v00@openssh.com"
SOUND = SshAlgorithms(
    ("sntrup761x25519-sha512@openssh.com", "curve25519-sha256", STRICT),
    ("rsa-sha2-512", "ssh-ed25519", "ecdsa-sha2-nistp256"),
    ("chacha20-poly1305@openssh.com", "aes128-ctr", "aes256-gcm@openssh.com"),
    ("umac-128-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512"),
)
LOST = Missing(Reason.CONNECTION_LOST)


def at(
    port: int = 22, *methods: str, algorithms: SshAlgorithms | Missing | None = SOUND, lets_in: bool = False
) -> SshEndpoint:
    return SshEndpoint(ADDRESS, port, PortState.OPEN, "SSH-2.0-OpenSSH_9.2", algorithms, methods, lets_in)


def dead(port: int, state: PortState | Missing) -> SshEndpoint:
    return SshEndpoint(ADDRESS, port, state)


def verdict(item_id: str, *endpoints: SshEndpoint, named: int = 22) -> Verdict:
    return judge(all_items()[item_id], Facts().with_facts(SshService("root", named, endpoints)))


MUTE = replace(at(), methods=LOST)
NOT_SSH = SshEndpoint(ADDRESS, 22, PortState.OPEN, "", LOST, LOST)
CLOSED, FILTERED = dead(22, PortState.CLOSED), dead(22, PortState.FILTERED)


@pytest.mark.parametrize(
    ("endpoints", "status", "code"),
    [
        ((at(22, "publickey"),), Status.PASS, "off"),
        ((at(22, "publickey", "gssapi-with-mic"),), Status.PASS, "off"),
        ((at(22, "publickey", "password"),), Status.FAIL, "offered"),
        ((at(22, "publickey", "keyboard-interactive"),), Status.FAIL, "offered"),
        ((at(2222, "publickey"), at(22, "password")), Status.FAIL, "offered"),
        ((at(22, lets_in=True),), Status.FAIL, "no_proof"),
        ((at(22),), Status.UNKNOWN, "not_seen"),
        ((MUTE,), Status.UNKNOWN, ""),
        ((at(2222, "publickey"), MUTE), Status.UNKNOWN, ""),
        ((MUTE, at(2222, "password")), Status.FAIL, "offered"),
        ((CLOSED,), Status.UNKNOWN, "not_seen"),
        ((FILTERED,), Status.UNKNOWN, "not_seen"),
        ((NOT_SSH,), Status.UNKNOWN, "not_seen"),
        ((dead(22, Missing(Reason.BUDGET)),), Status.UNKNOWN, "not_seen"),
        ((), Status.UNKNOWN, "not_seen"),
    ],
)
def test_password_login_off(endpoints: tuple[SshEndpoint, ...], status: Status, code: str) -> None:
    found = verdict("ssh.password_login_off", *endpoints)
    assert (found.status, found.code) == (status, code)


def test_the_reason_for_seeing_nothing_is_kept() -> None:
    found = verdict("ssh.password_login_off", dead(22, Missing(Reason.BUDGET)))
    assert found.reason is Reason.BUDGET
    assert verdict("ssh.password_login_off", CLOSED).reason is Reason.NOT_CONNECTED


@pytest.mark.parametrize(
    ("endpoints", "status", "code"),
    [
        ((at(22, "publickey", "password"),), Status.PASS, "offered"),
        ((at(22, "password"),), Status.FAIL, "not_offered"),
        ((MUTE,), Status.UNKNOWN, ""),
        ((CLOSED,), Status.UNKNOWN, "not_seen"),
    ],
)
def test_public_key_login(endpoints: tuple[SshEndpoint, ...], status: Status, code: str) -> None:
    found = verdict("ssh.public_key_login", *endpoints)
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize(
    ("endpoints", "status", "code"),
    [
        ((at(22),), Status.FAIL, "on_22"),
        ((at(2222), at(22)), Status.FAIL, "on_22"),
        ((at(2222), CLOSED), Status.PASS, "moved"),
        ((at(2222), FILTERED), Status.PASS, "moved"),
        ((CLOSED,), Status.PASS, "closed"),
        ((FILTERED,), Status.UNKNOWN, "not_seen"),
        ((at(2222), NOT_SSH), Status.UNKNOWN, "not_seen"),
        ((at(2222), dead(22, LOST)), Status.UNKNOWN, "not_seen"),
        ((), Status.UNKNOWN, "not_seen"),
    ],
)
def test_port_changed(endpoints: tuple[SshEndpoint, ...], status: Status, code: str) -> None:
    found = verdict("ssh.port_changed", *endpoints, named=2222)
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize(
    ("endpoints", "status", "code"),
    [
        ((at(22),), Status.FAIL, "open_to_us"),
        ((FILTERED,), Status.UNKNOWN, "closed_to_us"),
        ((), Status.UNKNOWN, "closed_to_us"),
    ],
)
def test_source_restricted(endpoints: tuple[SshEndpoint, ...], status: Status, code: str) -> None:
    found = verdict("ssh.source_restricted", *endpoints)
    assert (found.status, found.code) == (status, code)


def plus(**lists: str) -> SshEndpoint:
    """The sound server with more names in some lists."""
    return at(algorithms=replace(SOUND, **{k: (*getattr(SOUND, k), *v.split(",")) for k, v in lists.items()}))


NOT_STRICT = replace(SOUND, kex=("curve25519-sha256",))
NO_CHACHA = replace(NOT_STRICT, ciphers=("aes128-ctr",))
CBC_ETM = replace(NOT_STRICT, ciphers=("aes128-ctr", "aes128-cbc"))
CBC_PLAIN = replace(CBC_ETM, macs=("hmac-sha2-256",))


@pytest.mark.parametrize(
    ("endpoint", "status", "code", "names"),
    [
        (at(), Status.PASS, "sound", ""),
        (at(algorithms=replace(SOUND, kex=("curve25519-sha256", STRICT))), Status.PASS, "sound_classic", ""),
        (at(algorithms=NO_CHACHA), Status.PASS, "sound_classic", ""),
        (plus(ciphers="3des-cbc"), Status.FAIL, "broken", "3des-cbc"),
        (plus(ciphers="arcfour256,blowfish-cbc"), Status.FAIL, "broken", "arcfour256, blowfish-cbc"),
        (plus(kex="diffie-hellman-group1-sha1"), Status.FAIL, "broken", "diffie-hellman-group1-sha1"),
        (plus(host_keys="ssh-dss"), Status.FAIL, "broken", "ssh-dss"),
        (plus(macs="hmac-md5-96-etm@openssh.com"), Status.FAIL, "broken", "hmac-md5-96-etm@openssh.com"),
        (plus(macs="hmac-sha1"), Status.WARN, "weak", "hmac-sha1"),
        (plus(kex="diffie-hellman-group14-sha1"), Status.WARN, "weak", "diffie-hellman-group14-sha1"),
        (plus(host_keys="ssh-rsa"), Status.WARN, "weak", "ssh-rsa"),
        (plus(ciphers="aes256-cbc"), Status.WARN, "weak", "aes256-cbc"),
        (at(algorithms=NOT_STRICT), Status.FAIL, "terrapin", "chacha20-poly1305@openssh.com"),
        (
            at(algorithms=CBC_ETM), Status.FAIL, "terrapin",
            "aes128-cbc, umac-128-etm@openssh.com, hmac-sha2-256-etm@openssh.com",
        ),
        (at(algorithms=CBC_PLAIN), Status.WARN, "weak", "aes128-cbc"),
        (plus(kex="diffie-hellman-group14-sha256", macs="new-mac@vendor"), Status.PASS, "sound", ""),
        (at(algorithms=LOST), Status.UNKNOWN, "", ""),
        (at(algorithms=None), Status.UNKNOWN, "", ""),
        (CLOSED, Status.UNKNOWN, "not_seen", ""),
    ],
)  # fmt: skip
def test_algorithms(endpoint: SshEndpoint, status: Status, code: str, names: str) -> None:
    found = verdict("ssh.algorithms", endpoint)
    assert (found.status, found.code) == (status, code)
    assert found.data.get("names", "") == names


def test_the_worst_of_two_ports_counts() -> None:
    assert verdict("ssh.algorithms", at(2222), replace(plus(ciphers="3des-cbc"), port=22)).code == "broken"
