"""What nginx is told of TLS, and whether a tunnel runs."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import units

_LOOPBACK = ("127.", "[::1]", "localhost:", "unix:")
_TUNNELS = ("cloudflared",)  # the others may as well lead out, or be for the administrator


@dataclass(frozen=True, slots=True)
class Proxy:
    """`versions`: of all ssl_protocols lines; `listens`: addresses nginx is told to listen on."""

    versions: tuple[str, ...]
    listens: tuple[str, ...]
    denied: bool
    absent: bool

    @property
    def only_loopback(self) -> bool:
        return all(one.startswith(_LOOPBACK) for one in self.listens)


def parse_proxy(lines: tuple[str, ...]) -> Proxy:
    """The section "proxy"."""
    versions: list[str] = []
    listens: list[str] = []
    for line in lines:
        words = line.strip().rstrip(";{ ").split()
        if len(words) > 1 and words[0] == "ssl_protocols":
            versions += words[1:9]
        elif len(words) > 1 and words[0] == "listen":
            listens.append(words[1])
    return Proxy(
        tuple(dict.fromkeys(versions)),
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
