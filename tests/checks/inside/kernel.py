"""Loads packet filters into a real kernel, knocks from another network namespace, and tells who got in.

    unshare --net [--map-root-user] python -m tests.checks.inside.kernel NAME...

Prints one JSON object: name -> {"nft": lines, "iptables": lines, "open": {"4": [ports], "6": [ports]}}.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from checks.parse.collector import parse_report
from checks.parse.host.firewall import STRANGERS
from checks.probes.collector import collector_script
from tests.checks.inside.rulesets import RULESETS, Ruleset

PORTS = (22, 80, 4001)
SERVER = {4: "93.184.215.1", 6: "2606:2800:21f:cb07::1"}
_KNOCK_S = (
    0.5  # a SYN that is dropped stays without an answer; on a veth pair one that is not takes microseconds
)
_SCRATCH = ("raw", "mangle", "filter")


def run(*command: str, given: str = "") -> str:
    done = subprocess.run(command, input=given, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}\n{given}")
    return done.stdout


class Stranger:
    """A process in a network namespace of its own that knocks when told."""

    def __init__(self) -> None:
        command = ["unshare", "--net", sys.executable, "-m", "tests.checks.inside.kernel", "--knock"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin and self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        self._out.readline()
        pid = str(self._process.pid)
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0", "netns", pid)
        run("ip", "link", "set", "lo", "up")
        for family, address in SERVER.items():
            flags = ["nodad"] if family == 6 else []
            run("ip", "addr", "add", f"{address}/{'24' if family == 4 else '64'}", "dev", "eth0", *flags)
        run("ip", "link", "set", "eth0", "up")
        self.ask("up")

    def ask(self, word: str) -> dict[str, list[int]]:
        self._in.write(word + "\n")
        self._in.flush()
        answer: dict[str, list[int]] = json.loads(self._out.readline())
        return answer

    def leave(self) -> None:
        self._in.close()
        self._process.wait(10)


def _be_the_stranger() -> None:
    print("here", flush=True)
    for line in sys.stdin:
        if line.strip() == "up":
            for family, address in STRANGERS.items():
                flags = ["nodad"] if family == 6 else []
                run("ip", "addr", "add", f"{address}/{'24' if family == 4 else '64'}", "dev", "far0", *flags)
            run("ip", "link", "set", "far0", "up")
        print(json.dumps(_knock()), flush=True)


def _knock() -> dict[str, list[int]]:
    """All ports at once; a refusal or a reset counts as closed."""
    pending: dict[socket.socket, tuple[int, int]] = {}
    poll = select.epoll()
    for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        for port in PORTS:
            knocker = socket.socket(kind)
            knocker.setblocking(False)
            knocker.connect_ex((SERVER[family], port))
            poll.register(knocker, select.EPOLLOUT | select.EPOLLERR | select.EPOLLHUP)
            pending[knocker] = (family, port)
    by_number = {one.fileno(): one for one in pending}
    found: dict[str, list[int]] = {"4": [], "6": []}
    end = time.monotonic() + _KNOCK_S
    left = _KNOCK_S
    while by_number and left > 0:
        # The last look comes after the end: what arrived while this process had to wait has arrived in time.
        left = end - time.monotonic()
        for number, _ in poll.poll(max(0.0, left)):
            knocker = by_number.pop(number)
            poll.unregister(number)
            if knocker.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                family, port = pending[knocker]
                found[str(family)].append(port)
    for knocker in pending:
        knocker.close()
    return {family: sorted(ports) for family, ports in found.items()}


def load(ruleset: Ruleset) -> None:
    """Replaces all rules of the namespace."""
    run("nft", "-f", "-", given="flush ruleset\n" + ruleset.nft)
    for tool, rules in (("iptables-nft", ruleset.v4), ("ip6tables-nft", ruleset.v6)):
        if rules:
            run(f"{tool}-restore", given=_as_restored(rules))


def _as_restored(rules: str) -> str:
    """`iptables -S`, other tables than filter behind a line "*TABLE" -> what iptables-restore takes: chains first."""
    restored = ""
    for table in re.split(
        r"^\*", rules.strip() if rules.startswith("*") else f"*filter\n{rules}", flags=re.M
    )[1:]:
        name, *lines = table.strip().split("\n")
        heads = [line.split() for line in lines if line[:2] in {"-P", "-N"}]
        chains = [f":{words[1]} {words[2] if words[0] == '-P' else '-'} [0:0]" for words in heads]
        added = (line for line in lines if line.startswith("-A"))
        restored += "\n".join([f"*{name}", *chains, *added, "COMMIT", ""])
    return restored


def listing() -> dict[str, list[str]]:
    """The two sections as the collector prints them."""
    script = re.sub(r"SECTIONS='[^']*'", "SECTIONS='nft iptables'", collector_script())
    said = parse_report(run("sh", "-s", given=script).encode(), datetime.now(UTC))
    return {name: list(said.lines(name)) for name in ("nft", "iptables")}


def main(names: list[str]) -> None:
    listeners = []
    for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        for port in PORTS:
            listener = socket.socket(kind)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == 6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(("::" if family == 6 else "0.0.0.0", port))
            listener.listen(512)
            listeners.append(listener)
    stranger = Stranger()
    seen: dict[str, object] = {}
    for name in names:
        load(RULESETS[name])
        # The listing first, as knocking may add to sets; -t leaves their elements out anyhow.
        seen[name] = {**listing(), "open": stranger.ask("knock")}
    stranger.leave()
    print(json.dumps(seen))


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[3])
    if sys.argv[1:] == ["--knock"]:
        _be_the_stranger()
    else:
        main(sys.argv[1:] or list(RULESETS))
