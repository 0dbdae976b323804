"""What the items make of a host's packet filter."""

from __future__ import annotations

import json
from ipaddress import ip_address

import pytest

from checks.errors import Reason
from checks.facts.inside import Inside
from checks.facts.ports import AddressPorts, OpenPorts, PortSeen, PortState
from checks.model import Status
from checks.parse.host.firewall_rules import WayOut, way_out
from checks.parse.host.ufw import Zone, parse_firewalld, parse_ufw
from tests.checks.inside.reports import filtered, no_rules_shown, report, verdict

UFW = """== conf
ENABLED=yes
IPV6=yes
DEFAULT_INPUT_POLICY="DROP"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="DROP"
== status
ERROR: You need to be root to run this script
"""
ZONES = """== state
running
== zones
public (default, active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  services: dhcpv6-client ssh
"""
ROUTES4 = "== routes\ndefault via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.7 metric 100"
ROUTES = ROUTES4 + "\ndefault via fe80::1 dev eth0 proto ra metric 100 pref medium"
MAYBE = {
    "nft": (
        json.dumps({"nftables": [
            {"chain": {"family": "inet", "table": "t", "name": "c", "hook": "input", "type": "filter", "prio": 0}},
            {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [{"xt": None}, {"drop": None}]}},
            {"chain": {"family": "inet", "table": "t", "name": "o", "hook": "output", "type": "filter", "prio": 0}},
            {"rule": {"family": "inet", "table": "t", "chain": "o", "expr": [{"xt": None}, {"drop": None}]}},
        ]}),
    ),
    "iptables": ("== variant absent",),
}  # fmt: skip


@pytest.mark.parametrize(
    ("inside", "status", "code"),
    [
        (report(**filtered("policy drop")), Status.PASS, "drops"),
        (report(**filtered("policy accept, rejected at the end")), Status.PASS, "drops"),
        (report(**filtered("ufw")), Status.PASS, "drops"),
        (report(**filtered("firewalld public"), egress=ROUTES), Status.PASS, "drops"),
        (report(**filtered("nothing")), Status.FAIL, "open"),
        (report(**filtered("policy drop, all accepted")), Status.FAIL, "open"),
        (report(**filtered("a crowdsec table alone")), Status.FAIL, "open"),
        (report(**filtered("firewalld trusted")), Status.FAIL, "open"),
        (report(**filtered("nft for IPv6 alone")), Status.FAIL, "ipv4_open"),
        (report(**filtered("iptables guide for IPv4 alone")), Status.FAIL, "ipv6_open"),
        (report(**filtered("ufw, IPv6 not loaded"), egress=ROUTES), Status.FAIL, "ipv6_open"),
        (report(**filtered("nft for IPv4 alone"), egress=ROUTES4), Status.WARN, "ipv6_unfiltered"),
        (report(**MAYBE), Status.UNKNOWN, "unclear"),
        (report(**no_rules_shown(), ufw=UFW), Status.UNKNOWN, "not_seen"),
        (report(**no_rules_shown(), firewalld=ZONES), Status.PASS, "drops_firewalld"),
        (report(**no_rules_shown(), firewalld=ZONES.replace(": default", ": ACCEPT")), Status.UNKNOWN, "not_seen"),
        (report(**no_rules_shown(), firewalld=ZONES.replace("running", "not running")), Status.UNKNOWN, "not_seen"),
        (report(**no_rules_shown()), Status.UNKNOWN, "not_seen"),
        (report(), Status.UNKNOWN, "not_seen"),
        (report(nft="", iptables=""), Status.UNKNOWN, "not_seen"),
    ],
)  # fmt: skip
def test_host_enabled(inside: Inside, status: Status, code: str) -> None:
    found = verdict("firewall.host_enabled", inside)
    assert (found.status, found.code) == (status, code)
    assert found.evidence or found.status is Status.UNKNOWN


def test_why_the_rules_were_not_seen() -> None:
    assert verdict("firewall.host_enabled", report(**no_rules_shown())).reason is Reason.DENIED
    assert verdict("firewall.host_enabled", report()).reason is Reason.NOT_ASKED
    assert verdict("firewall.host_enabled").reason is Reason.NOT_ASKED
    no_tool = report(nft="== nft absent", iptables="== variant absent")
    assert verdict("firewall.host_enabled", no_tool).reason is Reason.NO_TOOL


def test_silence_from_outside_shows_a_filter_in_front() -> None:
    inside = report(**filtered("nothing"))
    states = [PortState.FILTERED] * 10 + [PortState.OPEN]
    ports = tuple(PortSeen(4000 + n, state) for n, state in enumerate(states))
    found = verdict("firewall.host_enabled", inside, OpenPorts((AddressPorts("192.0.2.7", ports),)))
    assert (found.status, found.code, found.data["count"]) == (Status.MANUAL, "filter_in_front", 10)
    fewer = OpenPorts((AddressPorts("192.0.2.7", ports[1:]),))
    assert verdict("firewall.host_enabled", inside, fewer).code == "open"


def silence(*counts: int) -> OpenPorts:
    """One address for each count of ports without an answer."""
    found = (
        AddressPorts(f"192.0.2.{n}", tuple(PortSeen(4000 + p, PortState.FILTERED) for p in range(count)))
        for n, count in enumerate(counts)
    )
    return OpenPorts(tuple(found))


@pytest.mark.parametrize(
    ("ufw", "outside", "status", "code"),
    [
        (UFW, silence(10), Status.PASS, "drops_ufw"),
        (UFW, silence(30, 10), Status.PASS, "drops_ufw"),
        (UFW, silence(30, 9), Status.UNKNOWN, "not_seen"),
        (UFW, silence(), Status.UNKNOWN, "not_seen"),
        (UFW.replace("ENABLED=yes", "ENABLED=no"), silence(30), Status.UNKNOWN, "not_seen"),
        (UFW.replace('INPUT_POLICY="DROP', 'INPUT_POLICY="ACCEPT'), silence(30), Status.UNKNOWN, "not_seen"),
        (UFW.replace("ERROR: You", "Status: inactive\nYou"), silence(30), Status.UNKNOWN, "not_seen"),
    ],
)
def test_the_files_of_ufw_count_with_their_effect_alone(
    ufw: str, outside: OpenPorts, status: Status, code: str
) -> None:
    found = verdict("firewall.host_enabled", report(**no_rules_shown(), ufw=ufw), outside)
    assert (found.status, found.code) == (status, code)


SNITCH = (
    '== units\nId=opensnitch.service\nActiveState=active\n== config\n"DefaultAction": "deny"\n== rules\n4'
)
OUT = (
    "== variant",
    "iptables v1.8.9 (legacy)",
    "== v4",
    "-P INPUT ACCEPT",
    "-P OUTPUT DROP",
    "== v6",
    "-P INPUT ACCEPT",
)
EMPTY = '{"nftables": [{"metainfo": {"version": "1.0.6"}}]}'


@pytest.mark.parametrize(
    ("inside", "status", "code"),
    [
        (report(opensnitch=SNITCH), Status.PASS, "opensnitch"),
        (report(opensnitch=SNITCH.replace("=active", "=inactive"), **filtered("ufw")), Status.FAIL, "open"),
        (report(opensnitch=SNITCH.replace("deny", "allow"), **filtered("nothing")), Status.FAIL, "open"),
        (report(**filtered("policy drop")), Status.FAIL, "open"),
        (report(nft=EMPTY, iptables=(*OUT, "-P OUTPUT DROP")), Status.PASS, "restricted"),
        (report(nft=EMPTY, iptables=OUT), Status.FAIL, "ipv6_open"),
        (report(nft=EMPTY, iptables=OUT, egress=ROUTES4), Status.PASS, "restricted"),
        (report(**MAYBE), Status.UNKNOWN, "unclear"),
        (report(**no_rules_shown(), ufw=UFW.replace('OUTPUT_POLICY="ACCEPT', 'OUTPUT_POLICY="DROP')), Status.UNKNOWN, "not_seen"),
        (report(**no_rules_shown(), ufw=UFW), Status.UNKNOWN, "not_seen"),
        (report(), Status.UNKNOWN, "not_seen"),
    ],
)  # fmt: skip
def test_egress_restricted(inside: Inside, status: Status, code: str) -> None:
    found = verdict("firewall.egress_restricted", inside)
    assert (found.status, found.code) == (status, code)


def test_the_way_out() -> None:
    own = frozenset({ip_address("192.0.2.7")})
    assert way_out(tuple(ROUTES.split("\n"))) == WayOut("eth0", True, own)
    assert way_out(tuple(ROUTES4.split("\n"))) == WayOut("eth0", False, own)
    assert way_out(("== routes", "default dev wg0 scope link", "default via 192.0.2.1 dev eth0")) == WayOut(
        "", False
    )
    assert way_out(("== routes absent",)) == way_out(()) == WayOut()


def test_the_words_of_ufw_and_firewalld() -> None:
    told = tuple(UFW.replace("ERROR: You need to be root to run this script", "Status: active").split("\n"))
    assert parse_ufw(told).drops_incoming
    assert not parse_ufw(()).enabled
    assert parse_firewalld(tuple(ZONES.split("\n"))) == (Zone("public", "default"),)
    assert not Zone("x", "ACCEPT").refuses and not Zone("x", "").refuses and Zone("x", "%%REJECT%%").refuses
