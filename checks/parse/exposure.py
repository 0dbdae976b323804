"""A finished port scan, read for the items: what is open, how dangerous that is, and what stayed unseen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from checks.data.network import Danger, watched_ports
from checks.facts import Missing
from checks.facts.dns import Lookup
from checks.facts.mail import MailRoutes
from checks.facts.ports import OpenPorts, PortSeen, PortState

DATABASES = frozenset(
    {"redis", "postgresql", "mysql", "mongodb", "memcached", "elasticsearch", "meilisearch", "sonic"}
)
_NAMES = {
    "redis": "Redis", "postgresql": "PostgreSQL", "mysql": "MySQL", "mongodb": "MongoDB",
    "elasticsearch": "Elasticsearch", "meilisearch": "Meilisearch", "sonic": "Sonic",
    "docker": "Docker API", "ssh": "SSH", "ftp": "FTP", "vnc": "VNC", "http": "HTTP",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenPort:
    """An open port with what it means."""

    address: str
    seen: PortSeen
    danger: Danger

    @property
    def label(self) -> str:
        """ "6379 Redis": what answers there, or what the port is for where nothing was recognised."""
        entry = watched_ports().get(self.seen.port)
        usual = entry.service if entry else ""
        return f"{self.seen.port} {_NAMES.get(self.seen.service, self.seen.service) or usual}".strip()


def open_of(ports: OpenPorts) -> tuple[OpenPort, ...]:
    """All open ports of all addresses.  SSH is SSH on whichever port it speaks; a page of an operator's tool
    is a way to control the server wherever it shows."""
    return tuple(
        OpenPort(one.address, port, _danger(port))
        for one in ports.addresses
        for port in one.ports
        if port.state is PortState.OPEN
    )


def _danger(port: PortSeen) -> Danger:
    if port.service == "ssh":
        return Danger.SSH
    if port.service == "panel":
        return Danger.CONTROL
    entry = watched_ports().get(port.port)
    return entry.danger if entry else Danger.OTHER


def gap_of(ports: OpenPorts, numbers: Collection[int] | None = None) -> Missing | None:
    """Why some port could not be seen, the first such reason; `numbers`: only these ports count."""
    for one in ports.addresses:
        for port in one.ports:
            if isinstance(port.state, Missing) and (numbers is None or port.port in numbers):
                return port.state
    return None


def labels(found: Iterable[OpenPort]) -> str:
    """The ports for a sentence, each once: "5432 PostgreSQL, 6379 Redis"."""
    by_number = {one.seen.port: one.label for one in sorted(found, key=lambda one: one.seen.port)}
    return ", ".join(by_number.values())


def proof(found: Iterable[OpenPort]) -> str:
    """Evidence lines: address, port and what it answered."""
    return "\n".join(
        f"{one.address} port {one.label}: {one.seen.answer or 'connection accepted'}" for one in found
    )


def receives_mail(routes: MailRoutes, addresses: Iterable[str]) -> bool:
    """Whether an MX of the domain leads to one of the addresses."""
    wanted = set(addresses)
    lookups = [lookup for host in routes.hosts for lookup in (host.v4, host.v6)]
    return any(isinstance(lookup, Lookup) and wanted & set(lookup.records) for lookup in lookups)
