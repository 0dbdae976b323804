"""What nginx is told of TLS, and whether a tunnel runs."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import units

_LOOPBACK = ("127.", "[::1]", "localhost:", "unix:")
_TUNNELS = ("cloudflared",)  # the others may as well lead out, or be for the administrator


@dataclass(frozen=True, slots=True)
class Proxy:
    """`protocols`: the words of each ssl_protocols line; `listens`: addresses nginx is told to listen on."""

    protocols: tuple[tuple[str, ...], ...]
    listens: tuple[str, ...]
    denied: bool
    absent: bool

    @property
    def versions(self) -> tuple[str, ...]:
        """All that are named, each once."""
        return tuple(dict.fromkeys(version for line in self.protocols for version in line))

    def every_line_allows(self, version: str) -> bool:
        """Whichever of the lines counts for a server, it names this version."""
        return all(version in line for line in self.protocols)

    @property
    def only_loopback(self) -> bool:
        return all(one.startswith(_LOOPBACK) for one in self.listens)


def parse_proxy(lines: tuple[str, ...]) -> Proxy:
    """The section "proxy"."""
    protocols: list[tuple[str, ...]] = []
    listens: list[str] = []
    for line in lines:
        words = line.strip().rstrip(";{ ").split()
        if len(words) > 1 and words[0] == "ssl_protocols":
            protocols.append(tuple(words[1:9]))
        elif len(words) > 1 and words[0] == "listen":
            listens.append(words[1])
    return Proxy(
        tuple(dict.fromkeys(protocols)),
        tuple(dict.fromkeys(listens)),
        any(line.startswith("denied ") for line in lines),
        any(line == "== nginx absent" for line in lines),
    )


def tunnel_units(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Active services of the section "egress" that can carry a way in."""
    return tuple(
        name
        for name, unit in units(lines).items()
        if name.startswith(_TUNNELS) and unit.get("ActiveState") == "active"
    )
