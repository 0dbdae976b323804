"""What nginx is told: TLS versions, addresses to listen on, whom to believe a visitor's address, limits."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import denied

_LOOPBACK = ("127.", "[::1]", "localhost:", "unix:")
_SEEN = "# configuration file "


@dataclass(frozen=True, slots=True)
class Nginx:
    """`seen`: files of its configuration were shown; `denied`: some of them, or all, may not be read.
    `protocols`: the words of each ssl_protocols line; `listens`: addresses it is told to listen on;
    `limits`: lines that limit requests; each different one once."""

    seen: bool
    denied: bool
    absent: bool
    protocols: tuple[tuple[str, ...], ...]
    listens: tuple[str, ...]
    real_ip_from: tuple[str, ...]  # whom it believes the header with the visitor's address
    real_ip_header: str
    limits: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """nginx is there, and every file of its configuration could be read."""
        return self.seen and not self.denied

    @property
    def versions(self) -> tuple[str, ...]:
        """All versions of TLS that are named, each once."""
        return tuple(dict.fromkeys(version for line in self.protocols for version in line))

    def every_line_allows(self, version: str) -> bool:
        """Whichever of the lines counts for a server, it names this version."""
        return all(version in line for line in self.protocols)

    @property
    def only_loopback(self) -> bool:
        return all(one.startswith(_LOOPBACK) for one in self.listens)


def parse_proxy(lines: tuple[str, ...]) -> Nginx:
    """The section "proxy": single settings of the enabled configuration, and the names of its files."""
    values: dict[str, list[list[str]]] = {}
    for line in lines:
        words = line.strip().rstrip(";{ \t").split()
        if len(words) > 1:
            values.setdefault(words[0].lower(), []).append(words[1:9])
    return Nginx(
        any(line.startswith(_SEEN) for line in lines),
        denied(lines) or any(line.startswith("denied ") for line in lines),
        any(line == "== nginx absent" for line in lines),
        tuple(dict.fromkeys(tuple(words) for words in values.get("ssl_protocols", ()))),
        tuple(dict.fromkeys(words[0] for words in values.get("listen", ()))),
        tuple(words[0] for words in values.get("set_real_ip_from", ())),
        next((words[0] for words in values.get("real_ip_header", ())), ""),
        tuple(dict.fromkeys("limit_req " + " ".join(words) for words in values.get("limit_req", ()))),
    )
