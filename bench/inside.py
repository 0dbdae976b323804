"""The look from inside, beside Lynis on the same machine and beside one SSH command for each section.

Run by `make bench-inside`, as root.  Booted Debian machines (tests/hosts) with fail2ban, CrowdSec and Lynis
are looked at over a plain link, and over one that holds every packet for half of 100 ms.  Connections and
bytes are counted by the machine's own packet filter, for everybody alike.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import paramiko

from bench import measure
from bench.link import FAR, machine_link
from bench.measure import table
from checks.facts.inside import Inside
from checks.probes.collector import collector_script
from checks.probes.ssh_session import load_key
from tests.hosts.bans import GUARDED, await_guards, banned
from tests.hosts.faults import RELEASES
from tests.hosts.look import KEY, good, log_in
from tests.hosts.machines import Machine, booted

RTT_S = 0.1
RUNS, PEER_RUNS, BAN_SCANS = 5, 3, 50

# A third way in: the forced command without more rights.  One section for each command, run from a file there
# so that nothing has to be sent; apt has the cache that every update leaves behind.
_PREPARE = r"""
useradd -m -s /bin/sh forced
install -d -m 700 -o forced -g forced /home/forced/.ssh
sed 's|sudo -n ||' /home/fedisec/.ssh/authorized_keys >/home/forced/.ssh/authorized_keys
chown forced: /home/forced/.ssh/authorized_keys
cd /usr/local/lib
sed '$d' /usr/local/sbin/fedisec-collect >one-section
echo 'settle_environment; find_limit; "section_$1" </dev/null 2>&1 | head -c 65536' >>one-section
apt-cache gencaches >/dev/null 2>&1
"""
_COUNTERS = """
nft add table inet seen
for way in input output; do
    nft "add chain inet seen $way { type filter hook $way priority -300; }"
done
nft add rule inet seen input tcp dport 22 'tcp flags & (syn|ack) == syn' counter
nft add rule inet seen input tcp dport 22 counter
nft add rule inet seen output tcp sport 22 counter
"""


@dataclass(frozen=True)
class Cost:
    """The median of some runs.  Bytes as on the wire, with the headers of IP and TCP."""

    wall_s: float
    connections: float
    sent: float
    received: float
    fastest_s: float


def main() -> int:
    trees = Path(os.environ["FEDISEC_HOSTS"])
    loop_ms = measure.loop_ms()
    with tempfile.TemporaryDirectory(prefix="fedisec-bench-") as folder:
        for number, release in enumerate(RELEASES, 1):
            script = f"{good()}\n{GUARDED}\n{_PREPARE}"
            place = Path(folder) / release
            above = trees / f"{release}-more"
            with booted(trees / release, f"bench-{release}", number, script, place, above) as machine:
                print(f"## {_name(machine)}\n\n{Bench(machine, place).report()}\n", flush=True)
    print(f"A fixed loop of Python took {loop_ms:.1f} ms of CPU before, {measure.loop_ms():.1f} ms after.")
    return 0


def _name(machine: Machine) -> str:
    words = machine.run('. /etc/os-release; echo "$PRETTY_NAME"; ssh -V 2>&1; lynis show version').split("\n")
    return f"{words[0]}, {words[1].split(',')[0]}, Lynis {words[2]}"


class Bench:
    """Everybody at one machine."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self._key = folder / "key"
        self._key.write_text(KEY.private)
        self._key.chmod(0o600)
        self._known = folder / "known"
        self._known.write_text("".join(f"{one} {machine.host_key}\n" for one in (machine.address, FAR)))
        self._sections = _sections()

    def report(self) -> str:
        await_guards(self._machine)
        self._machine.run(_COUNTERS)
        with machine_link(self._machine.init, RTT_S):
            near, far = self._all(self._machine.address), self._all(FAR)
        lynis = self._cost(self._lynis, PEER_RUNS)
        done, bans = self._fifty()
        rows = [_row(name, near[name], far[name]) for name in near]
        rows.append(["Lynis, root, on the machine itself", f"{lynis.wall_s:.1f}", *("–",) * 5])
        head = (
            "what",
            "near, s",
            f"{RTT_S * 1000:.0f} ms, s",
            "fastest",
            "connections",
            "kB sent",
            "kB received",
        )
        return f"{table(head, rows)}\n\n{_bars(far, lynis, done, bans)}"

    def _all(self, address: str) -> Mapping[str, Cost]:
        own: dict[str, Callable[[], object]] = {
            "fedisec, forced command with sudo": lambda: self._scan(address, "fedisec", forced=True),
            "fedisec, forced command": lambda: self._scan(address, "forced", forced=True),
            "fedisec, script sent": lambda: self._scan(address, "plain", forced=False),
        }
        count = len(self._sections)
        costs = {name: self._cost(run, RUNS) for name, run in own.items()}
        costs[f"{count} commands, one connection"] = self._cost(lambda: self._commands(address), PEER_RUNS)
        costs[f"{count} runs of ssh"] = self._cost(lambda: self._programs(address), PEER_RUNS)
        return costs

    def _cost(self, run: Callable[[], object], runs: int) -> Cost:
        seen = []
        for _ in range(runs):
            before, begun = self._counters(), time.perf_counter()
            run()
            wall_s = time.perf_counter() - begun
            seen.append((wall_s, *(a - b for a, b in zip(self._counters(), before, strict=True))))
        wall, connections, sent, received = (statistics.median(one) for one in zip(*seen, strict=True))
        return Cost(wall, connections, sent, received, min(one[0] for one in seen))

    def _counters(self) -> tuple[int, int, int]:
        """Connections begun, bytes in, bytes out."""
        lines = self._machine.run("nft list table inet seen | grep counter").splitlines()
        words = [line.split() for line in lines]
        packets, (taken, given) = (
            int(words[0][words[0].index("packets") + 1]),
            (int(one[one.index("bytes") + 1]) for one in words[1:]),
        )
        return packets, taken, given

    def _scan(self, address: str, user: str, *, forced: bool) -> None:
        report = log_in(self._machine, user, forced=forced, address=address).get(Inside)
        assert len(report.sections) == len(self._sections)
        slow = [one.name for one in report.sections if one.code == 124]
        assert not slow, f"out of time: {slow}"

    def _commands(self, address: str) -> None:
        transport = paramiko.Transport((address, 22))
        try:
            transport.start_client(timeout=10)
            transport.auth_publickey("plain", load_key(KEY.private))
            for name in self._sections:
                channel = transport.open_session()
                channel.exec_command(f"sh /usr/local/lib/one-section {name}")
                while channel.recv(65536):
                    pass
                channel.close()
        finally:
            transport.close()

    def _programs(self, address: str) -> None:
        options = ("-F", "none", "-o", f"UserKnownHostsFile={self._known}", "-o", "BatchMode=yes")
        for name in self._sections:
            command = ("ssh", *options, "-i", str(self._key), "-l", "plain", address)
            subprocess.run(
                (*command, f"sh /usr/local/lib/one-section {name}; exit 0"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )

    def _lynis(self) -> None:
        self._machine.run("lynis audit system --quick --no-colors </dev/null >/dev/null", 600)

    def _fifty(self) -> tuple[int, str]:
        """Scans that ended with a report, of 50 in a row; who was banned."""
        done = sum(log_in(self._machine).get(Inside).as_root for _ in range(BAN_SCANS))
        time.sleep(2)  # what was logged last is read
        return done, " ".join(" ".join(banned(self._machine)).split()) or "nobody"


def _sections() -> tuple[str, ...]:
    text = collector_script()
    return tuple(text.split("SECTIONS='")[1].split("'")[0].split())


def _row(name: str, near: Cost, far: Cost) -> list[str]:
    sizes = (f"{far.sent / 1000:.0f}", f"{far.received / 1000:.0f}")
    return [
        name,
        f"{near.wall_s:.2f}",
        f"{far.wall_s:.2f}",
        f"{far.fastest_s:.2f}",
        f"{far.connections:.0f}",
        *sizes,
    ]


def _bars(far: Mapping[str, Cost], lynis: Cost, done: int, bans: str) -> str:
    sudo, _, sent, commands, programs = far.values()
    rows = [
        [f"{name}, {RTT_S * 1000:.0f} ms, s", "≤ 2.5", f"{one.wall_s:.2f}", _met(one.wall_s <= 2.5)]
        for name, one in list(far.items())[:3]
    ]
    own = max(list(far.values())[:3], key=lambda one: one.wall_s)
    rows += [
        [
            "slowest of these ÷ Lynis",
            "≤ 0.1",
            f"{own.wall_s / lynis.wall_s:.3f}",
            _met(own.wall_s <= lynis.wall_s / 10),
        ],
        ["script sent ÷ one connection, many commands", "", f"{sent.wall_s / commands.wall_s:.2f}", "–"],
        ["script sent ÷ many runs of ssh", "", f"{sent.wall_s / programs.wall_s:.3f}", "–"],
        ["connections of a scan", "1", f"{sudo.connections:.0f}", _met(sudo.connections == 1)],
        [
            f"of {BAN_SCANS} scans in a row ended with a report",
            str(BAN_SCANS),
            str(done),
            _met(done == BAN_SCANS),
        ],
        ["banned by fail2ban or CrowdSec", "nobody", bans, _met(bans == "nobody")],
    ]
    return table(("figure", "bar", "measured", "met"), rows)


def _met(good_enough: bool) -> str:
    return "yes" if good_enough else "no"


if __name__ == "__main__":
    sys.exit(main())
