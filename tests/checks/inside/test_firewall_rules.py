"""The walk through packet filter rules, held against what the kernel did with the same rules.

`samples/rules.json` is what `tests.checks.inside.kernel` once printed: listings of nft 1.0.6 and iptables 1.8.9,
and the ports that were open to a stranger.  Where this machine has the tools, the kernel is asked anew."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.parse.host.firewall import Fate, Packet
from checks.parse.host.firewall_rules import HostRules, WayOut, read_rules
from checks.parse.host.iptables import parse_iptables
from tests.checks.inside.kernel import PORTS
from tests.checks.inside.rulesets import RULESETS

HERE = Path(__file__).parent
RECORDED: dict[str, Any] = json.loads((HERE / "samples" / "rules.json").read_text("utf-8"))
TOOLS = ("unshare", "ip", "nft", "iptables-nft", "ip6tables-nft")
# Sets are listed without their elements, so whether these ports are in one of them cannot be told.
# Nor does this nft name the interface of an ingress chain.
HIDDEN = {(name, port) for name in ("named sets", "dropped as it comes in") for port in PORTS}
# What is tracked is not followed from one table to the next: either may be, and then the answer may be open.
EITHER = ["not tracked, accepted", "not tracked, by nft"]
# The random word that nft 1.0.6 has for the flags may be none at all; there its JSON breaks off.
EITHER += ["a table that sleeps", "a table that sleeps beside one that does not"]


def rules_of(listed: dict[str, Any]) -> HostRules:
    found = read_rules(tuple(listed["nft"]), tuple(listed["iptables"]))
    assert isinstance(found, HostRules)
    return found


def disagreements(name: str, listed: dict[str, Any]) -> list[str]:
    rules = rules_of(listed)
    found = []
    for family in (4, 6):
        for port in PORTS:
            fate = rules.fate(Packet(family, port, "eth0")).fate
            truth = Fate.ACCEPT if port in listed["open"][str(family)] else Fate.DROP
            expected = Fate.MAYBE if (name, port) in HIDDEN else truth
            if fate is not expected and not (name in EITHER and fate is Fate.MAYBE):
                found.append(f"IPv{family} port {port}: {fate}, the kernel: {truth}")
    return found


def test_every_ruleset_was_recorded() -> None:
    assert list(RECORDED) == list(RULESETS)


@pytest.mark.parametrize("name", RULESETS)
def test_the_walk_agrees_with_what_the_kernel_did(name: str) -> None:
    assert disagreements(name, RECORDED[name]) == []


@functools.cache
def kernel() -> dict[str, Any]:
    """All rulesets, loaded and knocked at in this machine's kernel."""
    if not all(shutil.which(tool) for tool in TOOLS):
        pytest.skip("needs nft, iptables and iproute2")
    command = ["unshare", "--net", *(["--map-root-user"] if os.geteuid() else [])]
    module = [sys.executable, "-m", "tests.checks.inside.kernel"]
    tried = subprocess.run([*command, "nft", "list", "ruleset"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("this kernel lets nobody filter packets in a namespace of their own")
    done = subprocess.run([*command, *module], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", RULESETS)
def test_the_walk_agrees_with_this_kernel(name: str) -> None:
    listed = kernel()[name]
    assert listed["open"] == RECORDED[name]["open"]
    assert disagreements(name, listed) == []


def test_a_rule_that_takes_other_packets_out_of_tracking_blurs_nothing() -> None:
    rules = rules_of(RECORDED["not tracked, accepted"])
    assert rules.untracks
    assert [rules.fate(Packet(6, port)).fate for port in (22, 80)] == [Fate.ACCEPT, Fate.DROP]


DROPPING = '{"chain": {"family": "inet", "table": "t", "name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}'


@pytest.mark.parametrize(
    ("before", "version", "flags", "fate"),
    [
        (("== tables", "table inet t {", "\tflags dormant", "== rules"), "1.0.6", '"x"', Fate.ACCEPT),
        (("== tables", "table inet t {", "\tflags owner,dormant", "== rules"), "1.0.6", '"x"', Fate.ACCEPT),
        (("== tables", "table inet t {", "== rules"), "1.0.6", '"dormant"', Fate.DROP),
        (
            ("== tables", "table inet u {", "\tflags dormant", "table inet t {", "== rules"),
            "1.0.6",
            '"x"',
            Fate.DROP,
        ),
        # What the plain listing does not name, or where there is none, may sleep.
        (("== tables", "table inet u {", "== rules"), "1.1.3", "[]", Fate.MAYBE),
        (("== tables", "== rules"), "1.1.3", "[]", Fate.MAYBE),
        ((), "1.0.6", '"Lester Gooch #5"', Fate.MAYBE),
        ((), "1.0.6", "[]", Fate.MAYBE),
        ((), "0.9.8", "[]", Fate.MAYBE),
        ((), "x", "[]", Fate.MAYBE),
        ((), "1.1.3", "[]", Fate.DROP),
        ((), "1.1.3", '"dormant"', Fate.ACCEPT),
    ],
)
def test_a_table_that_may_sleep_is_no_proof(
    before: tuple[str, ...], version: str, flags: str, fate: Fate
) -> None:
    table = f'{{"table": {{"family": "inet", "name": "t", "flags": {flags}}}}}'
    listed = f'{{"nftables": [{{"metainfo": {{"version": "{version}"}}}}, {table}, {DROPPING}]}}'
    found = read_rules((*before, listed), ())
    assert isinstance(found, HostRules)
    assert found.fate(Packet(4, 22)).fate is fate


NFT_EMPTY = ('{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}]}',)
DENIED = (
    "Operation not permitted (you must be root)",
    "netlink: Error: cache initialization failed: Operation not permitted",
)
DENIED_IPTABLES = (
    "== variant", "iptables v1.8.9 (nf_tables)", "== v4",
    "iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)",
)  # fmt: skip
DROPS = ("== variant", "iptables v1.8.7 (legacy)", "== v4", "-P INPUT DROP", "== v6", "-P INPUT DROP")
ACCEPTS = tuple(line.replace("DROP", "ACCEPT") for line in DROPS)


@pytest.mark.parametrize(
    ("nft", "iptables", "reason"),
    [
        (DENIED, DENIED_IPTABLES, Reason.DENIED),
        (DENIED, (), Reason.DENIED),
        (("sh: 1: nft: not found",), ("== variant absent", "== v4 absent", "== v6 absent"), Reason.NO_TOOL),
        (("absent",), ("absent",), Reason.NO_TOOL),
        ((), (), Reason.MALFORMED),
        (("{}",), (), Reason.MALFORMED),
        (('{"nftables": []}',), (), Reason.MALFORMED),
    ],
)
def test_no_listing_is_no_verdict(nft: tuple[str, ...], iptables: tuple[str, ...], reason: Reason) -> None:
    found = read_rules(nft, iptables)
    assert isinstance(found, Missing) and found.reason is reason


@pytest.mark.parametrize(
    ("nft", "iptables", "fate"),
    [
        (NFT_EMPTY, ACCEPTS, Fate.ACCEPT),
        (NFT_EMPTY, DROPS, Fate.DROP),
        (("nft: not found",), DROPS, Fate.DROP),
        (("nft: not found",), ACCEPTS, Fate.MAYBE),
        (
            NFT_EMPTY,
            ("# Warning: iptables-legacy tables present, use iptables-legacy to see them",),
            Fate.MAYBE,
        ),
    ],
)
def test_what_was_not_listed_may_drop(nft: tuple[str, ...], iptables: tuple[str, ...], fate: Fate) -> None:
    rules = read_rules(nft, iptables)
    assert isinstance(rules, HostRules)
    assert rules.worst(4, (4001, 49377)).fate is rules.worst(6, (4001,)).fate is fate


def test_the_port_that_gets_furthest_counts() -> None:
    lines = ("-P INPUT DROP", "-A INPUT -p tcp -m tcp --dport 40000:50000 -j ACCEPT")
    rules = HostRules(parse_iptables(lines, 4), marks=False, whole=True)
    assert rules.worst(4, (4001,)).fate is Fate.DROP
    assert rules.worst(4, (4001, 49377)).fate is Fate.ACCEPT


@pytest.mark.parametrize(
    ("rule", "fate"),
    [
        ("-A INPUT -m statistic --mode random --probability 0.5 -j ACCEPT", Fate.MAYBE),
        ("-A INPUT -m geoip --source-country JP -j ACCEPT", Fate.MAYBE),
        ("-A INPUT -m set --match-set admins src -j ACCEPT", Fate.DROP),
        ("-A INPUT -m set ! --match-set banned src -j ACCEPT", Fate.ACCEPT),
        ("-A INPUT -i ens3 -j ACCEPT", Fate.MAYBE),
        ("-A INPUT -i tailscale0 -j ACCEPT", Fate.DROP),
        ('-A INPUT -m comment --comment "--dport 1 \\" -j DROP" -j ACCEPT', Fate.ACCEPT),
        ('-A INPUT -m comment --comment "not closed -j ACCEPT', Fate.MAYBE),
        ("-A INPUT -j NFQUEUE --queue-num 0", Fate.MAYBE),
        ("-A INPUT -j not_listed", Fate.MAYBE),
        ("-A INPUT -p tcp -m tcp --dport ssh -j ACCEPT", Fate.MAYBE),
        ("-A INPUT -d 127.0.0.0/8 -j ACCEPT", Fate.DROP),
        ("-A INPUT -d 203.0.113.9/32 -j ACCEPT", Fate.MAYBE),
        ("-A INPUT -d 172.18.0.5/32 -j ACCEPT", Fate.DROP),
        ("-A INPUT -p tcp -m tcp --tcp-flags ALL NONE -j ACCEPT", Fate.DROP),
        ("-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT", Fate.DROP),
        ("-A INPUT -m hashlimit --hashlimit-above 5/sec --hashlimit-name x -j ACCEPT", Fate.DROP),
        ("-A INPUT -m recent ! --rcheck --name bad --rsource -j ACCEPT", Fate.ACCEPT),
        ("-A INPUT -m pkttype --pkt-type multicast -j ACCEPT", Fate.DROP),
        ("-A INPUT -m mark --mark 0x0/0xff -j ACCEPT", Fate.ACCEPT),
        ("-A INPUT -m owner --uid-owner 5 -j ACCEPT", Fate.MAYBE),
        ("-A INPUT -m socket --transparent -j ACCEPT", Fate.MAYBE),
        ("-A INPUT -m socket -j ACCEPT", Fate.MAYBE),
        ("-A INPUT -m rpfilter --loose --invert -j ACCEPT", Fate.DROP),
        ("-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT", Fate.DROP),
        ("-A INPUT", Fate.DROP),
    ],
)
def test_what_a_rule_means_to_a_stranger(rule: str, fate: Fate) -> None:
    rules = HostRules(parse_iptables(("-P INPUT DROP", rule), 4), marks=False, whole=True)
    assert rules.fate(Packet(4, 4001)).fate is fate


@pytest.mark.parametrize(
    ("rule", "fate"),
    [
        ("-A INPUT -d 172.18.0.5/32 -j ACCEPT", Fate.ACCEPT),
        ("-A INPUT -d 172.18.0.0/16 -j ACCEPT", Fate.ACCEPT),
        ("-A INPUT -d 203.0.113.9/32 -j ACCEPT", Fate.DROP),
    ],
)
def test_a_known_address_of_its_own_settles_a_rule(rule: str, fate: Fate) -> None:
    rules = HostRules(parse_iptables(("-P INPUT DROP", rule), 4), marks=False, whole=True)
    way = WayOut(own=frozenset({ip_address("172.18.0.5"), ip_address("2001:db8::1")}))
    assert rules.worst(4, (4001,), way).fate is fate


def of_nft(
    *statements: object, policy: str = "drop", hook: str = "input", more: tuple[object, ...] = ()
) -> HostRules:
    table = {"family": "inet", "table": "t"}
    chain = {**table, "name": "c", "type": "filter", "hook": hook, "prio": 0, "policy": policy}
    metainfo = {"metainfo": {"version": "1.1.3"}}
    objects = [metainfo, {"chain": chain}, *more, {"rule": {**table, "chain": "c", "expr": statements}}]
    found = read_rules((json.dumps({"nftables": objects}),), ())
    assert isinstance(found, HostRules)
    return found


def match(left: object, right: object, op: str = "==") -> dict[str, object]:
    return {"match": {"op": op, "left": left, "right": right}}


ACCEPT: dict[str, object] = {"accept": None}
PORT = {"payload": {"protocol": "tcp", "field": "dport"}}


@pytest.mark.parametrize(
    ("statements", "fate"),
    [
        ((ACCEPT,), Fate.ACCEPT),
        ((None,), Fate.MAYBE),
        (({"xt": None},), Fate.MAYBE),
        (({"xt": {"type": "match", "name": "multiport"}}, ACCEPT), Fate.MAYBE),
        (({"xt": {"type": "match", "name": "comment"}}, ACCEPT), Fate.ACCEPT),
        (({"xt": {"type": "target", "name": "LOG"}},), Fate.DROP),
        (({"xt": {"type": "target", "name": "NEW"}},), Fate.MAYBE),
        (({"queue": {"num": 0}},), Fate.MAYBE),
        (({"vmap": {"key": PORT, "data": "@ports"}},), Fate.MAYBE),
        (({"vmap": {"key": PORT, "data": {"set": [[4001, ACCEPT]]}}},), Fate.ACCEPT),
        (({"vmap": {"key": PORT, "data": {"set": [[22, ACCEPT], ["*", {"continue": None}]]}}},), Fate.MAYBE),
        ((match(PORT, 4000, ">"), ACCEPT), Fate.ACCEPT),
        ((match(PORT, 4000, "<="), ACCEPT), Fate.DROP),
        ((match(PORT, {"set": [{"elem": {"val": 4001, "comment": "x"}}]}), ACCEPT), Fate.ACCEPT),
        ((match({"meta": {"key": "cpu"}}, 1), ACCEPT), Fate.MAYBE),
        ((match({"numgen": {"mode": "random", "mod": 2}}, 0), ACCEPT), Fate.MAYBE),
        ((match({"meta": {"key": "iifname"}}, "wg0", "!="), ACCEPT), Fate.ACCEPT),
        ((match({"meta": {"key": "iifname"}}, "ens3"), ACCEPT), Fate.MAYBE),
        ((match({"payload": {"protocol": "udp", "field": "dport"}}, 53, "!="), ACCEPT), Fate.DROP),
        ((match({"payload": {"protocol": "ip", "field": "saddr"}}, {"range": ["93.0.0.0", "93.255.0.0"]}), ACCEPT), Fate.ACCEPT),
        ((match({"payload": {"protocol": "ip", "field": "saddr"}}, "@admins"), ACCEPT), Fate.DROP),
        ((match({"ct": {"key": "state"}}, ["established", "related"], "!="), ACCEPT), Fate.ACCEPT),
        ((match({"fib": {"result": "type", "flags": ["daddr"]}}, {"set": ["broadcast", "multicast"]}), ACCEPT), Fate.DROP),
        (({"jump": {"target": "nowhere"}},), Fate.MAYBE),
        (({"jump": {"target": "c"}},), Fate.MAYBE),
        (({"limit": {"rate": 1, "per": "day", "inv": True}}, ACCEPT), Fate.DROP),
    ],
)  # fmt: skip
def test_what_a_statement_of_nft_means(statements: tuple[object, ...], fate: Fate) -> None:
    assert of_nft(*statements).fate(Packet(4, 4001)).fate is fate


def test_a_table_that_sleeps_does_nothing_where_the_listing_says_so() -> None:
    sleeping = {"table": {"family": "inet", "name": "t", "flags": ["dormant"]}}
    assert of_nft(more=(sleeping,)).fate(Packet(4, 1)).fate is Fate.ACCEPT


def test_where_ports_are_sent_does_not_matter() -> None:
    nat = {"chain": {"family": "ip", "table": "nat", "name": "PREROUTING", "type": "nat", "hook": "prerouting",
                     "prio": -100, "policy": "accept"}}  # fmt: skip
    rule = {"rule": {"family": "ip", "table": "nat", "chain": "PREROUTING", "expr": [{"xt": None}]}}
    assert of_nft(ACCEPT, more=(nat, rule)).fate(Packet(4, 80)).fate is Fate.ACCEPT


def test_a_chain_of_another_interface_is_not_met() -> None:
    head = {
        "family": "netdev",
        "table": "t",
        "type": "filter",
        "hook": "ingress",
        "prio": 0,
        "policy": "drop",
    }
    at = {dev: {"chain": {**head, "name": dev, "dev": dev}} for dev in ("eth0", "wg0")}
    assert of_nft(ACCEPT, more=(at["eth0"],)).fate(Packet(4, 80, "eth0")).fate is Fate.DROP
    assert of_nft(ACCEPT, more=(at["eth0"],)).fate(Packet(4, 80, "ens3")).fate is Fate.ACCEPT
    assert of_nft(ACCEPT, more=(at["eth0"],)).fate(Packet(4, 80)).fate is Fate.MAYBE
    assert of_nft(ACCEPT, more=(at["wg0"],)).fate(Packet(4, 80)).fate is Fate.ACCEPT
    unnamed = {"chain": {**head, "name": "x"}}
    assert of_nft(ACCEPT, more=(unnamed,)).fate(Packet(4, 80, "eth0")).fate is Fate.MAYBE


def test_outgoing_packets_meet_the_output_chains() -> None:
    mine = match({"meta": {"key": "skuid"}}, {"set": ["mastodon", 0]})
    rules = of_nft(mine, ACCEPT, hook="output")
    assert rules.fate(Packet(4, 4001, outgoing=True)).fate is Fate.DROP
    assert rules.fate(Packet(4, 4001)).fate is Fate.ACCEPT
    there = match(
        {"payload": {"protocol": "ip", "field": "daddr"}}, {"prefix": {"addr": "10.0.0.0", "len": 8}}
    )
    assert (
        of_nft(there, {"drop": None}, policy="accept", hook="output")
        .fate(Packet(4, 4001, outgoing=True))
        .fate
        is Fate.ACCEPT
    )


def test_a_mark_is_unknown_once_a_rule_sets_one() -> None:
    marked = match({"meta": {"key": "mark"}}, 5)
    assert of_nft(marked, ACCEPT).fate(Packet(4, 1)).fate is Fate.DROP
    sets = {"rule": {"family": "inet", "table": "t", "chain": "c",
                     "expr": [{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 5}}]}}  # fmt: skip
    assert of_nft(marked, ACCEPT, more=(sets,)).fate(Packet(4, 1)).fate is Fate.MAYBE


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 70000) | st.sampled_from(
        ["c", "t", "inet", "ip", "ip6", "input", "filter", "nat", "drop", "@s", "tcp", "dport", "*", "10.0.0.0", "new"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(
            ["match", "left", "right", "op", "set", "prefix", "addr", "len", "range", "concat", "&", "|", "payload", "meta",
             "ct", "fib", "flags", "key", "protocol", "field", "vmap", "data", "elem", "val", "jump", "target", "xt",
             "type", "name", "limit", "inv", "stmt", "meter", "mangle", "accept", "drop", "quota", "map"]
        ), inner, max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(_JSON, max_size=4), _JSON, st.sampled_from([4, 6]), st.booleans())
def test_no_json_breaks_the_walk(
    statements: list[object], elements: object, family: int, outgoing: bool
) -> None:
    named = {"set": {"family": "inet", "table": "t", "name": "s", "elem": elements}}
    odd = {"chain": statements, "rule": elements, "table": {"family": "inet", "flags": elements}}
    rules = of_nft(*statements, more=(named, odd))
    assert rules.fate(Packet(family, 22, outgoing=outgoing)).fate in Fate


_WORDS = st.sampled_from(
    ["-A", "INPUT", "-j", "-g", "!", "-s", "-d", "-i", "-p", "tcp", "--dport", "--dports", "1:2", ":", "--tcp-flags", "ALL",
     "SYN", "--ctstate", "NEW", "--mark", "0x", "1/2", "-P", "-N", "ACCEPT", "DROP", "X", '"', "--comment", "--match-set",
     "10.0.0.0/8", "::/0", "255.255.255.255"]
)  # fmt: skip


@given(st.lists(st.lists(_WORDS, max_size=10).map(" ".join), max_size=8), st.booleans())
def test_no_line_of_iptables_breaks_the_walk(lines: list[str], outgoing: bool) -> None:
    said = ("-P INPUT DROP", "-P OUTPUT DROP", *(f"-A INPUT {line}" for line in lines), *lines)
    with suppress(ParseError):  # a line may take the policy away again
        rules = HostRules(parse_iptables(said, 6), marks=False, whole=True)
        assert rules.fate(Packet(6, 22, outgoing=outgoing)).fate in Fate
