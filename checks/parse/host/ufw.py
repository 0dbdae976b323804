"""What ufw and firewalld are told to do, as far as their own commands and files show it."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import parts

_CLOSED = frozenset({"DROP", "REJECT"})
_OPEN_TARGETS = frozenset({"ACCEPT", "CONTINUE"})


@dataclass(frozen=True, slots=True)
class Ufw:
    """`enabled`: by /etc/ufw/ufw.conf, or by its status where that was shown.  With IPV6=no ufw drops all
    IPv6 but that of loopback (ufw-init-functions), so that setting opens nothing."""

    enabled: bool
    incoming: str  # DROP, REJECT, ACCEPT; "" where it is not shown

    @property
    def drops_incoming(self) -> bool:
        return self.enabled and self.incoming in _CLOSED


def parse_ufw(lines: tuple[str, ...]) -> Ufw:
    """The section `ufw`.  Of a setting that is written twice the last one counts, as in a shell."""
    found = {part.label: part for part in parts(lines)}
    settings: dict[str, str] = {}
    for line in found["conf"].lines if "conf" in found else ():
        name, _, value = line.partition("=")
        settings[name.strip()] = value.strip().strip("\"'")
    said = [line.strip().lower() for line in found["status"].lines] if "status" in found else []
    enabled = settings.get("ENABLED", "").lower() == "yes"
    if any(line.startswith("status:") for line in said):
        enabled = "status: active" in said
    return Ufw(enabled, settings.get("DEFAULT_INPUT_POLICY", "").upper())


@dataclass(frozen=True, slots=True)
class Zone:
    """An active zone of firewalld."""

    name: str
    target: str

    @property
    def refuses(self) -> bool:
        """What no rule of the zone allows is refused: the targets default, DROP and %%REJECT%%."""
        return bool(self.target) and self.target.upper() not in _OPEN_TARGETS


def parse_firewalld(lines: tuple[str, ...]) -> tuple[Zone, ...]:
    """The active zones of the section `firewalld`; none where it is not running or shows none."""
    found = {part.label: part for part in parts(lines)}
    running = "state" in found and "running" in found["state"].lines
    if not running or "zones" not in found:
        return ()
    zones: list[Zone] = []
    name = ""
    for line in found["zones"].lines:
        if line[:1].strip() and "(" in line and "active" in line:
            name = line.partition(" ")[0]
        elif name and line.strip().startswith("target:"):
            zones.append(Zone(name, line.partition(":")[2].strip()))
            name = ""
    return tuple(zones)
