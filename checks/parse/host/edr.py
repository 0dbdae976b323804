"""Agents that watch the machine and report elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import parts, units


@dataclass(frozen=True, slots=True)
class Agents:
    """`connection`: Wazuh's own word ("connected", "pending", "disconnected"), "" where unread."""

    active: tuple[str, ...]
    down: tuple[str, ...]
    processes: tuple[str, ...]
    connection: str
    asked: bool  # units or processes could be looked at


def parse_agents(lines: tuple[str, ...]) -> Agents:
    """The section "edr".  Names lose their ".service"."""
    found = {part.label: part for part in parts(lines)}
    loaded = {
        name.removesuffix(".service"): unit
        for name, unit in units(lines).items()
        if unit.get("LoadState") == "loaded"
    }
    processes = found.get("processes")
    state = found.get("wazuh_state")
    words = dict(line.partition("=")[::2] for line in state.lines) if state else {}
    return Agents(
        tuple(name for name, unit in loaded.items() if unit.get("ActiveState") == "active"),
        tuple(name for name, unit in loaded.items() if unit.get("ActiveState") != "active"),
        tuple(dict.fromkeys(line.strip() for line in processes.lines if line.strip())) if processes else (),
        words.get("status", "").strip("' ").lower(),
        bool(units(lines)) or processes is not None,
    )
