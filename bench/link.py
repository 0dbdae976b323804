"""A slow link between the lab and a namespace for the scanner: every packet is held for half a round trip.

    with slow_link(rtt_s=0.02) as link:  # inside the lab's namespace; children and sockets are now outside it
        before = link.counters()
        ...                              # scan
        used = link.counters() - before

The kernel's netem is not everywhere, so a process stands between two tun devices and forwards what it reads,
some milliseconds later: handshakes, port scans and DNS are delayed alike, which a proxy on a port cannot do.
It also counts what the scanner sends (TCP connections by port, DNS questions over UDP), for every tool alike.
Needs root, `ip` and /dev/net/tun.

`machine_link` puts the same between this namespace and a booted machine of tests/hosts, beside its own link.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import netns

_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_LAB, _SCANNER = ("127.96.0.1", "fd67::1"), ("127.96.0.2", "fd67::2")  # the two ends
_NEAR, FAR = "fd66::51", "fd66::52"  # of a machine's slow link
_PACKET_MAX = 65_536
_SYN_ONLY, _SYN_MASK = 0x02, 0x17  # SYN without ACK, RST, FIN
_TCP, _UDP = 6, 17


@dataclass(frozen=True)
class Sent:
    """What left the scanner: connections tried, by address and port (each counted once, whatever was sent
    again), and questions to port 53 over UDP."""

    tcp: Counter[tuple[str, int]] = field(default_factory=Counter)
    dns: int = 0

    def to(self, addresses: Container[str], port: int) -> int:
        """Connections to one port of some addresses."""
        return sum(n for (address, number), n in self.tcp.items() if number == port and address in addresses)

    def __sub__(self, other: Sent) -> Sent:
        return Sent(self.tcp - other.tcp, self.dns - other.dns)


class Link:
    """The running forwarder."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def counters(self) -> Sent:
        """All that was sent since the start."""
        answer = self._ask("count")
        return Sent(Counter({(address, port): n for address, port, n in answer["tcp"]}), answer["dns"])

    def rtt(self, rtt_s: float) -> None:
        """Another round trip from now on."""
        self._ask(f"rtt {rtt_s}")

    def _ask(self, line: str) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def slow_link(rtt_s: float) -> Iterator[Link]:
    """Moves this thread to the far end of a new link; back at the end.  Call it from the main thread, inside
    a namespace of `tests.lab.netns`, where the servers are."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    mark = os.environ[netns.MARK]
    command = [sys.executable, "-m", "bench.link", str(rtt_s)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise SystemExit("the slow link did not start (root, `ip` and /dev/net/tun are needed)")
        far = os.open(f"/proc/{process.pid}/ns/net", os.O_RDONLY)
        _setns(far)
        os.close(far)
        os.environ[netns.MARK] = os.readlink("/proc/thread-self/ns/net")
        yield Link(process)
    finally:
        _setns(home)
        os.close(home)
        os.environ[netns.MARK] = mark
        process.terminate()
        process.wait()


@contextmanager
def machine_link(init: int, rtt_s: float) -> Iterator[None]:
    """A machine, of which `init` is a process, answers at FAR as well, with a round trip of `rtt_s`."""
    command = [sys.executable, "-m", "bench.link", str(rtt_s), str(init)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise SystemExit("the slow link did not start (root, `ip` and /dev/net/tun are needed)")
        yield
    finally:
        process.terminate()
        process.wait()


def _setns(fd: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def main() -> int:
    """The forwarder: starts in the lab's namespace, makes the scanner's, and tells of it on stdout."""
    rtt_s = float(sys.argv[1])
    if len(sys.argv) > 2:
        return _forward_to_machine(sys.argv[2], rtt_s)
    lab = _tun("lab0")
    _configure("lab0", _LAB, _SCANNER)
    _ip("route", "replace", "local", "127.66.0.0/15", "dev", "lo", "table", "local")
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    scanner = _tun("scan0")
    _ip("link", "set", "lo", "up")
    _configure("scan0", _SCANNER, _LAB)
    # What is loopback in the lab is a network like any other here.
    _ip("route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
    _ip("addr", "del", "127.0.0.1/8", "dev", "lo")
    _ip("addr", "add", "127.0.0.1/32", "dev", "lo")
    _ip("route", "add", "127.64.0.0/10", "dev", "scan0", "src", _SCANNER[0])
    _ip("-6", "route", "add", "fd66::/64", "dev", "scan0", "src", _SCANNER[1])
    print("ready", flush=True)
    Forwarder(lab, scanner, rtt_s / 2).run()
    return 0


def _forward_to_machine(init: str, rtt_s: float) -> int:
    near = _tun("slow0")
    _configure_ipv6("slow0", _NEAR, FAR)
    beyond = os.open(f"/proc/{init}/ns/net", os.O_RDONLY)
    _setns(beyond)
    far = _tun("slow1")
    _configure_ipv6("slow1", FAR, _NEAR)
    print("ready", flush=True)
    Forwarder(far, near, rtt_s / 2).run()
    return 0


def _tun(name: str) -> int:
    """A tun device in the present namespace; IP packets without a header of its own."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


def _configure(device: str, here: tuple[str, str], there: tuple[str, str]) -> None:
    # Before the addresses: what belongs to 127.0.0.0/8 may cross this device, and no address is tried out.
    Path(f"/proc/sys/net/ipv4/conf/{device}/route_localnet").write_text("1")
    Path(f"/proc/sys/net/ipv4/conf/{device}/rp_filter").write_text("0")
    Path(f"/proc/sys/net/ipv6/conf/{device}/accept_dad").write_text("0")
    _ip("link", "set", device, "up", "txqueuelen", "10000")
    _ip("addr", "add", here[0], "peer", there[0], "dev", device)
    _ip("-6", "addr", "add", here[1], "peer", there[1], "dev", device)


def _configure_ipv6(device: str, here: str, there: str) -> None:
    _ip("link", "set", device, "up", "txqueuelen", "10000")
    _ip("-6", "addr", "add", here, "peer", there, "dev", device, "nodad")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class Forwarder:
    """Reads from both devices, holds each packet for `delay_s`, writes it to the other one."""

    def __init__(self, lab: int, scanner: int, delay_s: float) -> None:
        self.lab, self.scanner, self.delay_s = lab, scanner, delay_s
        self._held: deque[tuple[float, int, bytes]] = deque()
        self._connections: set[tuple[bytes, bytes]] = set()  # (addresses, ports)
        self._dns = 0

    def run(self) -> None:
        commands = sys.stdin.fileno()
        poll = select.poll()
        for fd in (self.lab, self.scanner, commands):
            poll.register(fd, select.POLLIN)
        while True:
            wait_ms = max(0.0, (self._held[0][0] - time.monotonic()) * 1000) if self._held else None
            for fd, _ in poll.poll(wait_ms):
                if fd == commands:
                    line = sys.stdin.readline()
                    if not line:
                        return
                    print(json.dumps(self._answer(line)), flush=True)
                else:
                    self._read(fd)
            self._release()

    def _read(self, fd: int) -> None:
        to = self.scanner if fd == self.lab else self.lab
        while True:
            try:
                packet = os.read(fd, _PACKET_MAX)
            except BlockingIOError:
                return
            if fd == self.scanner:
                self._count(packet)
            self._held.append((time.monotonic() + self.delay_s, to, packet))

    def _release(self) -> None:
        now = time.monotonic()
        while self._held and self._held[0][0] <= now:
            _, to, packet = self._held.popleft()
            try:
                os.write(to, packet)
            except OSError:
                continue  # a full queue drops, as on a real link

    def _count(self, packet: bytes) -> None:
        if packet[0] >> 4 == 4:
            protocol, start, addresses = packet[9], (packet[0] & 15) * 4, packet[12:20]
        else:
            protocol, start, addresses = packet[6], 40, packet[8:40]
        if protocol == _TCP and packet[start + 13] & _SYN_MASK == _SYN_ONLY:
            self._connections.add((addresses, packet[start : start + 4]))
        elif protocol == _UDP and packet[start + 2 : start + 4] == b"\x00\x35":
            self._dns += 1

    def _answer(self, line: str) -> dict[str, object]:
        if line.startswith("rtt "):
            self.delay_s = float(line.split()[1]) / 2
        tcp = Counter(
            (str(ipaddress.ip_address(addresses[len(addresses) // 2 :])), int.from_bytes(ports[2:]))
            for addresses, ports in self._connections
        )
        return {"tcp": [(address, port, n) for (address, port), n in tcp.items()], "dns": self._dns}


if __name__ == "__main__":
    sys.exit(main())
