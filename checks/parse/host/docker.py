"""Containers of Docker and Podman: which ports they publish, and who holds the way to command them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from checks.parse.host.common import Part, denied, parts
from checks.parse.host.sockets import Listener

_PUBLISHED = re.compile(r"(\S{1,60}):(\d{1,5})(?:-(\d{1,5}))?->[\d-]{1,11}/(tcp|udp|sctp)")
_NO_RULES = re.compile(r'"iptables"\s*:\s*false')
_WEB = {("tcp", 80), ("tcp", 443), ("udp", 443)}
_ENTRIES_MAX = 50  # of one container
_PORTS_MAX = 100  # of a published range; more are not told apart


@dataclass(frozen=True, slots=True)
class Published:
    """A port of the host that leads into a container.  `host` is the address on which it is open."""

    container: str
    image: str
    host: str
    port: int
    protocol: str

    @property
    def is_public(self) -> bool:
        return not Listener(self.protocol, self.host, self.port).is_private

    @property
    def is_web(self) -> bool:
        return (self.protocol, self.port) in _WEB

    def shown(self) -> str:
        return f"{self.host}:{self.port}/{self.protocol} -> {self.container} ({self.image})"


@dataclass(frozen=True, slots=True)
class Containers:
    """`gone`: neither Docker nor Podman is installed and running.  `listed`: the containers were shown, so
    that an empty list means none.  `holders`: containers that have Docker's socket mounted.  `socket`: mode,
    owner and group of it, "" if there is none.  `tcp`: lines of daemon.json that open the API on TCP.
    `writes_rules`: Docker leads its ports past the host's own rules."""

    gone: bool
    listed: bool
    denied: bool
    published: tuple[Published, ...] = ()
    images: tuple[tuple[str, str], ...] = ()  # name, image of every container
    images_by_id: tuple[tuple[str, str], ...] = ()  # first 12 digits of the id, image
    holders: tuple[tuple[str, str], ...] = ()  # name, image
    socket: str = ""
    tcp: tuple[str, ...] = ()
    writes_rules: bool = True

    @property
    def is_open_to_all(self) -> bool:
        """Every user of the machine may use the socket."""
        mode = self.socket.split(" ")[0]
        return bool(re.fullmatch(r"[0-7]{3,4}", mode)) and int(mode[-1]) & 6 == 6


def parse_docker(lines: tuple[str, ...]) -> Containers:
    """The section `docker`."""
    found = {part.label: part for part in parts(lines)}
    rows = [*_rows(found.get("ps")), *_rows(found.get("podman"))]
    socket = next((line for line in _lines(found.get("socket")) if re.match(r"[0-7]{3,4} ", line)), "")
    daemon = _lines(found.get("daemon"))
    said = _lines(found.get("version")) + _lines(found.get("ps"))
    is_denied = denied(said) or any(found[name].denied for name in ("ps", "podman") if name in found)
    version = next((line for line in _lines(found.get("version")) if re.match(r"\d", line)), "")
    return Containers(
        gone=_is_gone(found.get("version"), ("absent",))
        and _is_gone(found.get("podman"), ("absent", "unused")),
        listed=bool(version) and not is_denied or bool(_rows(found.get("podman"))),
        denied=is_denied,
        published=tuple(one for row in rows for one in _ports(row)),
        images=tuple((row[1], row[2]) for row in rows),
        images_by_id=tuple((row[0][:12], row[2]) for row in rows),
        holders=_holders(found.get("inspect"), rows),
        socket=socket,
        tcp=tuple(line.strip() for line in daemon if "tcp://" in line),
        writes_rules=not any(_NO_RULES.search(line) for line in daemon),
    )


def _is_gone(part: Part | None, words: tuple[str, ...]) -> bool:
    """A part that is missing says nothing; one that says so does."""
    if part is None:
        return False
    stopped = any("Cannot connect to the Docker daemon" in line for line in part.lines)
    return part.rest in words or stopped


def _lines(part: Part | None) -> tuple[str, ...]:
    return part.lines if part is not None and not part.absent else ()


def _rows(part: Part | None) -> list[list[str]]:
    """ID, name, image, ports, status of each container."""
    return [row for line in _lines(part) if len(row := line.split("\t")) >= 4]


def _ports(row: list[str]) -> Iterable[Published]:
    for host, first, last, protocol in _PUBLISHED.findall(row[3])[:_ENTRIES_MAX]:
        low, high = int(first), int(last or first)
        for port in range(low, min(high, low + _PORTS_MAX, 65535) + 1):
            yield Published(row[1], row[2], _bare(host), port, protocol)


def _bare(host: str) -> str:
    """ "[::]" and the "::" in front of ":6380" of older versions alike."""
    return host.strip("[]") or "::"


def _holders(part: Part | None, rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    names = {row[0]: (row[1], row[2]) for row in rows}
    cells = (line.split("\t") for line in _lines(part))
    return tuple(
        names.get(row[0], (row[0][:12], "")) for row in cells if len(row) >= 4 and "docker.sock" in row[3]
    )
