"""Which of a host's own means keep strangers from the SSH server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from checks.facts import Missing
from checks.facts.inside import Inside
from checks.parse.host.firewall import Fate
from checks.parse.host.firewall_rules import HostRules, WayOut, host_rules, shown, way_out
from checks.parse.host.sshd import Sshd, sshd_of


class Means(Enum):
    """How the sources are limited; OPEN: not at all, UNKNOWN: that was not shown."""

    RULES = "the packet filter"
    LISTEN = "ListenAddress"
    USERS = "AllowUsers"
    OPEN = "nothing"
    UNKNOWN = "not shown"


@dataclass(frozen=True, slots=True)
class Limit:
    """`label` and `text` are evidence."""

    means: Means
    label: str = ""
    text: str = ""


def limit_of(inside: Inside, seen: tuple[int, ...] = ()) -> Limit:
    """The first means that holds for every port of sshd, and for those on which it was `seen` to answer.
    OPEN only where settings and rules were shown."""
    sshd, rules = sshd_of(inside), host_rules(inside)
    if isinstance(sshd, Sshd):
        if not sshd.listens_publicly:
            return Limit(Means.LISTEN, f"inside: {sshd.source}", sshd.shown())
        if sshd.limits_sources:
            return Limit(Means.USERS, f"inside: {sshd.source}", sshd.shown())
    if isinstance(sshd, Missing) or isinstance(rules, Missing):
        return Limit(Means.UNKNOWN)
    fates = _fates(rules, tuple(sorted({*sshd.ports, *seen})), way_out(shown(inside, "egress")))
    text = "\n".join(
        f"new connection from a public address to {where}: {fate}" for where, fate in fates.items()
    )
    label = "inside: nft list ruleset, iptables -S"
    if fates and all(fate is Fate.DROP for fate in fates.values()):
        return Limit(Means.RULES, label, text)
    is_open = any(fate is Fate.ACCEPT for fate in fates.values())
    return Limit(Means.OPEN if is_open else Means.UNKNOWN, label, text)


def _fates(rules: HostRules, ports: tuple[int, ...], way: WayOut) -> dict[str, Fate]:
    return {
        f"port {port} over IPv{family}": rules.worst(family, (port,), way).fate
        for port in ports
        for family in (4, 6)
    }
