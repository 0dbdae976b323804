"""The shapes that all sections share."""

from __future__ import annotations

import pytest

from checks.facts.inside import Section
from checks.parse.host.common import Part, denied, marked, parts, properties, units, without_systemd


@pytest.mark.parametrize(
    "line",
    [
        "Operation not permitted (you must be root)",
        "iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)",
        "ERROR: You need to be root to run this script",
        "2026-11-21 08:03:56,743 fail2ban [5311]: ERROR   Permission denied to socket: /var/run/fail2ban/fail2ban.sock, (you must be root)",
        "Authorization failed.",
        "    Make sure polkit agent is running or run the application as superuser.",
        "E: Could not open lock file - open (13: Permission denied), are you root?",
        "== inspect denied",
    ],
)
def test_a_refusal_is_known(line: str) -> None:
    assert denied(("first line", line))
    assert denied(Section("nft", (line,), 1))


@pytest.mark.parametrize(
    "line", ["", "ActiveState=active", "== ps absent", "FirewallD is not running", "denied"]
)
def test_what_is_no_refusal(line: str) -> None:
    assert not denied((line,))


def test_blocks_of_properties() -> None:
    lines = ("PrivateTmp=no", "Id=a.service", "", "", "Id=b.service", "User=x=y", "Failed to get properties")
    assert properties(lines) == [{"PrivateTmp": "no", "Id": "a.service"}, {"Id": "b.service", "User": "x=y"}]
    assert units(lines)["b.service"]["User"] == "x=y"
    said = ("System has not been booted with systemd as init system (PID 1). Can't operate.",)
    assert properties(said) == [] and without_systemd(said)


def test_headed_parts() -> None:
    lines = (
        "before",
        "== jail sshd",
        "a",
        "== jail sshd-ddos",
        "b",
        "== v4 absent",
        "== v6 denied",
        "== empty",
    )
    assert [(one.label, one.rest, one.lines) for one in parts(lines)] == [
        ("", "", ("before",)), ("jail", "sshd", ("a",)), ("jail", "sshd-ddos", ("b",)),
        ("v4", "absent", ()), ("v6", "denied", ()), ("empty", "", ()),
    ]  # fmt: skip
    assert marked(lines) == {"": ("before",), "jail": ("a", "b"), "v6": ("permission denied",), "empty": ()}
    assert Part("v4", "absent", ()).absent and Part("v6", "denied", ()).denied
    assert Part("v4", "", ("you must be root",)).denied
