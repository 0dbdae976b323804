"""Mandatory access control: SELinux and AppArmor."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import parts, units


@dataclass(frozen=True, slots=True)
class Mac:
    """`selinux`: "enforcing", "permissive" or "" (not there).  `profiles` None: they may not be read."""

    selinux: str
    selinux_later: str  # what the file sets for the next start
    apparmor: bool
    apparmor_unit: str  # ActiveState, "" where there is no unit
    profiles: dict[str, int] | None  # mode -> how many
    lsm: tuple[str, ...]


def parse_mac(lines: tuple[str, ...]) -> Mac:
    """The section "mac"."""
    found = {part.label: part for part in parts(lines)}

    def first(label: str) -> str:
        part = found.get(label)
        return next((line.strip() for line in part.lines if line.strip()), "") if part else ""

    profiles = found.get("aa_status")
    unit = units(found["unit"].lines).get("apparmor.service", {}) if "unit" in found else {}
    later = first("selinux_config")
    return Mac(
        {"1": "enforcing", "0": "permissive"}.get(first("selinux"), ""),
        later.removeprefix("SELINUX=").strip("\"' ").lower() if later.startswith("SELINUX=") else "",
        first("apparmor_enabled") == "Y",
        unit.get("ActiveState", "") if unit.get("LoadState") == "loaded" else "",
        _counts(profiles.lines) if profiles and not profiles.absent and not profiles.denied else None,
        tuple(name for name in first("lsm").split(",") if name),
    )


def _counts(lines: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for line in lines:
        mode, _, count = line.partition(" ")
        if mode.isalpha() and count.isascii() and count.isdigit() and len(count) < 8:
            found[mode] = int(count)
    return found
