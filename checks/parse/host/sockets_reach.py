"""Which listening sockets a stranger would reach, as far as the host itself decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from checks.facts import Missing
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts
from checks.parse.host.docker import Containers, parse_docker
from checks.parse.host.firewall import Fate
from checks.parse.host.firewall_rules import HostRules, WayOut, host_rules, shown, way_out
from checks.parse.host.sockets import Listener, parse_sockets, public

_SSH = frozenset({"ssh.service", "sshd.service", "ssh.socket", "sshd.socket"})
_WEB = frozenset({80, 443})
_MAIL = frozenset({25, 465, 587, 143, 993})


@dataclass(frozen=True, slots=True)
class Open:
    """A socket on a public address.  `fate`: what the host's rules do with a stranger's connection; MAYBE
    where they were not shown."""

    listener: Listener
    fate: Fate

    @property
    def is_expected(self) -> bool:
        """The web, SSH on any port, and mail."""
        return self.listener.port in _WEB | _MAIL or self.listener.unit in _SSH

    @property
    def name(self) -> str:
        """For a sentence: "4000 akkoma.service"."""
        held = (
            self.listener.database
            or self.listener.image
            or self.listener.unit
            or self.listener.container[:12]
        )
        return f"{self.listener.port} {held}".strip()

    def shown(self) -> str:
        """For evidence."""
        return f"{self.listener.shown()}: {_WORDS[self.fate]}"


_WORDS = {
    Fate.ACCEPT: "the host's rules let strangers in",
    Fate.DROP: "the host's rules keep strangers out",
    Fate.MAYBE: "the host's rules do not tell",
}


@dataclass(frozen=True, slots=True)
class Sockets:
    """`all`: every listening socket; `open`: those of TCP on public addresses.  `hidden`: ports that Docker
    holds for containers which were not shown."""

    all: tuple[Listener, ...]
    open: tuple[Open, ...]
    hidden: tuple[int, ...]

    def untried(self, ports: OpenPorts) -> tuple[Open, ...]:
        """The open sockets that the look from outside did not try."""
        tried = {p.port for one in ports.addresses for p in one.ports}
        return tuple(one for one in self.open if one.listener.port not in tried)


def sockets_of(inside: Inside | None) -> Sockets | None:
    """None where no socket was shown: a server that answers has one, so an empty list means nothing."""
    if inside is None:
        return None
    listening = parse_sockets(shown(inside, "sockets"))
    if not listening:
        return None
    containers = parse_docker(shown(inside, "docker"))
    known = tuple(_with_image(one, containers) for one in listening)
    known = (*known, *_published(containers, {one.port for one in public(known)}))
    rules, way = host_rules(inside), way_out(shown(inside, "egress"))
    found = tuple(Open(one, _fate(one, rules, way, containers)) for one in public(known))
    hidden = [one.port for one in public(known) if one.by_docker and not one.image and one.port not in _WEB]
    return Sockets(known, found, tuple(sorted(set(hidden))))


def _with_image(one: Listener, containers: Containers) -> Listener:
    held = next((p for p in containers.published if one.by_docker and p.port == one.port), None)
    by_id = dict(containers.images_by_id).get(one.container[:12], "")
    return replace(one, image=held.image if held is not None else by_id)


def _published(containers: Containers, listening: Collection[int]) -> Iterable[Listener]:
    """Ports that Docker leads into containers without a socket of its own (userland-proxy off)."""
    for one in containers.published:
        if one.is_public and one.protocol == "tcp" and one.port not in listening:
            yield Listener("tcp", one.host, one.port, "docker.service", image=one.image)


def _fate(one: Listener, rules: HostRules | Missing, way: WayOut, containers: Containers) -> Fate:
    if one.by_docker and containers.writes_rules:
        return Fate.ACCEPT  # led past the chain that the walk is about
    if isinstance(rules, Missing):
        return Fate.MAYBE
    families = (6,) if ":" in one.address else (4,) if "." in one.address else (4, 6)
    fates = {rules.worst(family, (one.port,), way).fate for family in families}
    return next(fate for fate in (Fate.ACCEPT, Fate.MAYBE, Fate.DROP) if fate in fates)


def names(found: Iterable[Open]) -> str:
    """For a sentence, each once, in the order of the ports."""
    return ", ".join(dict.fromkeys(one.name for one in sorted(found, key=lambda one: one.listener.port)))


def lines(found: Iterable[Open]) -> str:
    """For evidence, one a line."""
    return "\n".join(one.shown() for one in found)
