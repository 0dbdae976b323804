"""What listens on the server: `ss -Hlntue`, or /proc/net/tcp and tcp6 where ss is missing."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from checks.data.network import Danger, watched_ports
from checks.parse.host.common import parts

_STATES = {"LISTEN": "tcp", "UNCONN": "udp"}
_CGROUP = re.compile(r"cgroup:(\S{1,300})")
_CONTAINER = re.compile(
    r"(?:docker|libpod)-([0-9a-f]{12,64})\.scope|/(?:docker|libpod_parent)/(?:libpod-)?([0-9a-f]{64})"
)
_DATABASES = {
    "redis": "Redis", "valkey": "Valkey", "keydb": "KeyDB", "postgres": "PostgreSQL",
    "pgbouncer": "PgBouncer", "mysql": "MySQL", "mariadb": "MariaDB", "mongo": "MongoDB",
    "memcached": "memcached", "elasticsearch": "Elasticsearch", "opensearch": "OpenSearch",
    "meilisearch": "Meilisearch", "sonic": "Sonic",
}  # fmt: skip
_APPS = (
    "mastodon-web", "mastodon-streaming", "pleroma", "akkoma", "misskey", "sharkey", "firefish", "iceshrimp",
    "foundkey", "cherrypick", "calckey", "gotosocial", "lemmy", "peertube", "pixelfed", "friendica", "mitra",
)  # fmt: skip
_OWN_NETWORKS = ("lo", "wg", "tun", "tap", "tailscale", "docker", "br-", "virbr")


@dataclass(frozen=True, slots=True)
class Listener:
    """One socket.  `address` without brackets, "*" for both families; `device` behind its %.  `unit`: the
    systemd unit that holds it, "" where that is not shown; `container`: the id, where one holds it."""

    protocol: str
    address: str
    port: int
    unit: str = ""
    container: str = ""
    device: str = ""
    image: str = ""  # of the container behind the port, where that is known

    @property
    def is_loopback(self) -> bool:
        if self.device == "lo":
            return True
        found = _address(self.address)
        return found is not None and found.is_loopback

    @property
    def is_private(self) -> bool:
        """Reached from loopback, a private network or one link only."""
        found = _address(self.address)
        if self.device.startswith(_OWN_NETWORKS) or found is None:
            return bool(self.device) and self.device.startswith(_OWN_NETWORKS)
        shared = found.version == 4 and found in ipaddress.ip_network("100.64.0.0/10")
        return not found.is_unspecified and (found.is_private or found.is_link_local or shared)

    @property
    def by_docker(self) -> bool:
        """Held by Docker's or Podman's own process on behalf of a published port."""
        return self.unit in {"docker.service", "snap.docker.dockerd.service", "podman.service"}

    @property
    def database(self) -> str:
        """The name of the database, cache or search engine that listens; "" if it is none.  By its unit;
        a port that is usually one counts only where no unit is shown, or it is Docker's."""
        image = self.image.rpartition("/")[2]
        held = image or self.unit
        name = next((shown for word, shown in _DATABASES.items() if held.startswith(word)), "")
        if name or (self.unit and not self.by_docker and not self.container):
            return name
        entry = watched_ports().get(self.port)
        return entry.service if entry is not None and entry.danger is Danger.DATABASE else ""

    @property
    def app(self) -> str:
        """The unit of a fediverse application's own web server, "" if it is none."""
        return self.unit if self.unit.startswith(_APPS) else ""

    def shown(self) -> str:
        """For evidence: "0.0.0.0:4000 akkoma.service"."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        device = f"%{self.device}" if self.device else ""
        return f"{host}{device}:{self.port} {self.unit or self.container[:12]}".strip()


def parse_sockets(lines: tuple[str, ...]) -> tuple[Listener, ...]:
    """The section `sockets`, in its order; lines that are no listening socket are passed over."""
    if any(line.startswith("== tcp") for line in lines):
        return tuple(_of_proc(lines))
    found = (_of_ss(line) for line in lines)
    return tuple(one for one in found if one is not None)


def _of_ss(line: str) -> Listener | None:
    words = line.split()
    if words and words[0] in {"tcp", "udp"}:
        words = words[1:]
    if len(words) < 5 or words[0] not in _STATES:
        return None
    host, _, port = words[3].rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) <= 5):
        return None
    host, _, device = host.replace("]%", "%").strip("[]").partition("%")
    group = _CGROUP.search(line)
    unit, container = _owner(group[1]) if group else ("", "")
    return Listener(_STATES[words[0]], host.strip("[]"), int(port), unit, container, device.strip("[]"))


def _owner(cgroup: str) -> tuple[str, str]:
    """The innermost service or socket unit of a control group, and the container."""
    held = _CONTAINER.search(cgroup)
    names = [name for name in cgroup.split("/") if name.endswith((".service", ".socket"))]
    return (names[-1] if names else ""), ((held[1] or held[2]) if held else "")


def _of_proc(lines: tuple[str, ...]) -> Iterator[Listener]:
    for part in parts(lines):
        for line in part.lines:
            words = line.split()
            if len(words) < 4 or words[3] != "0A" or words[1].count(":") != 1:
                continue
            host, _, port = words[1].partition(":")
            address = _of_hex(host)
            if address is not None and re.fullmatch(r"[0-9A-F]{4}", port):
                yield Listener("tcp", address, int(port, 16))


def _of_hex(text: str) -> str | None:
    """The address of /proc/net/tcp: words of four bytes, each with the lowest byte first."""
    if not re.fullmatch(r"[0-9A-F]{8}|[0-9A-F]{32}", text):
        return None
    raw = b"".join(bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8))
    return str(ipaddress.ip_address(raw))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def public(listeners: Iterable[Listener]) -> tuple[Listener, ...]:
    """TCP sockets that are bound to an address which is not private."""
    return tuple(one for one in listeners if one.protocol == "tcp" and not one.is_private)
