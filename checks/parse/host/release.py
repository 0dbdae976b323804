"""Which release of which distribution it is, and whether the machine has a kernel of its own."""

from __future__ import annotations

from dataclasses import dataclass

# What systemd-detect-virt calls the kinds that share their host's kernel (it calls WSL one of them too).
_CONTAINERS = frozenset(
    {
        "openvz", "lxc", "lxc-libvirt", "systemd-nspawn", "docker", "podman", "rkt", "wsl", "proot", "pouch",
        "container-other", "acrn-container",
    }
)  # fmt: skip
_BY_MAJOR = frozenset({"rhel", "centos", "rocky", "almalinux", "ol", "fedora", "debian", "raspbian"})


@dataclass(frozen=True, slots=True)
class Release:
    """os-release(5).  `version` is "" for testing and rolling releases, which name none."""

    id: str
    version: str
    codename: str
    pretty: str

    @property
    def branch(self) -> str:
        """The part of the version that names a line of support: "12", "24.04", "3.22"."""
        numbers = self.version.split(".")
        return numbers[0] if self.id in _BY_MAJOR else ".".join(numbers[:2])


@dataclass(frozen=True, slots=True)
class Machine:
    """The section "meta".  `virt` is "" where nothing could tell."""

    kernel: str
    virt: str
    init: str

    @property
    def is_container(self) -> bool:
        return self.virt in _CONTAINERS


def parse_release(lines: tuple[str, ...]) -> Release | None:
    """None where the lines name no distribution."""
    values = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and name.isupper():
            values[name] = value.strip().strip("\"'")
    found = values.get("ID", "").lower()
    if not found:
        return None
    version = values.get("VERSION_ID", "")
    return Release(found, version, values.get("VERSION_CODENAME", ""), values.get("PRETTY_NAME") or found)


def parse_machine(lines: tuple[str, ...]) -> Machine:
    """The lines "word value" of the section "meta"."""
    values = dict(line.partition(" ")[::2] for line in lines)
    virt = values.get("virt", "").strip()
    return Machine(values.get("kernel", ""), "" if virt == "absent" else virt, values.get("init", ""))
