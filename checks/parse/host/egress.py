"""Ways out of the server, and tunnels into it: units, interfaces and the default routes."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import parts, units

_INBOUND = ("cloudflared", "frpc")
_VPN = ("warp-svc", "wg-quick@", "openvpn", "tailscaled", "tor")
_TUNNEL_LINKS = ("wg", "tun", "tap", "CloudflareWARP", "warp", "tailscale", "proton", "mullvad", "nordlynx")


@dataclass(frozen=True, slots=True)
class Ways:
    """Units by what they carry, each "active" or what it is instead; `routes` None: they were not shown."""

    inbound: dict[str, str]
    vpns: dict[str, str]
    warp_connected: bool
    links: tuple[str, ...]  # interfaces that are up or of unknown state
    routes: tuple[str, ...] | None  # the interface of each default route, IPv4 and IPv6

    @property
    def tunnels(self) -> tuple[str, ...]:
        """Active units that carry traffic in; a VPN may do so too, or serve its admins alone."""
        return tuple(name for name, state in self.inbound.items() if state == "active")

    @property
    def down(self) -> tuple[str, ...]:
        return tuple(name for name, state in self.inbound.items() if state != "active")

    @property
    def vpn_signs(self) -> tuple[str, ...]:
        """Units and interfaces that show that a VPN is up, wherever it leads."""
        active = tuple(name for name, state in self.vpns.items() if state == "active")
        return active + tuple(link for link in self.links if is_tunnel(link))


def is_tunnel(link: str) -> bool:
    """Whether an interface is one of a VPN, by the name that its software gives it."""
    return link.startswith(_TUNNEL_LINKS)


def parse_egress(lines: tuple[str, ...]) -> Ways:
    """The section "egress".  Units that are not there are left out."""
    found = {part.label: part for part in parts(lines)}
    shown = units(found["units"].lines) if "units" in found else {}
    states = {
        name.removesuffix(".service"): block.get("ActiveState", "")
        for name, block in shown.items()
        if block.get("LoadState") == "loaded"
    }
    links = [line.split() for line in found["links"].lines] if "links" in found else []
    warp = found["warp"].lines if "warp" in found else ()
    routes = found.get("routes")
    return Ways(
        {name: state for name, state in states.items() if name.startswith(_INBOUND)},
        {name: state for name, state in states.items() if name.startswith(_VPN)},
        any("connected" in line.lower().replace("disconnected", "") for line in warp),
        tuple(
            words[0].partition("@")[0] for words in links if len(words) > 1 and words[1] in {"UP", "UNKNOWN"}
        ),
        None if routes is None or routes.absent else _devices(routes.lines),
    )


def shielded_tunnels(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Active units that encrypt all that they carry in; of the others that depends on their settings."""
    return tuple(name for name in parse_egress(lines).tunnels if name.startswith("cloudflared"))


def _devices(lines: tuple[str, ...]) -> tuple[str, ...]:
    split = (line.split() for line in lines if line.startswith("default "))
    return tuple(
        words[words.index("dev") + 1]
        for words in split
        if "dev" in words and words.index("dev") + 1 < len(words)
    )
