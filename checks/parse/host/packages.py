"""Installed packages, as dpkg, rpm or apk list them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_APK = re.compile(r"([a-z0-9][a-z0-9+._-]{0,100})-(\d[^-\s]{0,60}-r\d{1,4})")
_UPSTREAM = re.compile(r"(?:\d{1,9}:)?(\d{1,9}(?:\.\d{1,9}){0,5})")
# Marks that vendors of repositories leave in their versions; a distribution's own have none of them.
_VENDOR = re.compile(
    r"nodesource|pgdg|PGDG|\+maria~|rl\d~|~(?:debian|ubuntu)\.\d|-1~[a-z]{4,12}$|\.remi$|\+ubuntu\d\d\.\d\d\.\d"
    r"|sury|\+debian\d|~ppa|bbox\d"
)
_VENDOR_NAMES = ("docker-ce", "containerd.io", "cloudflared", "elasticsearch", "wazuh-agent", "falco")


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str  # as the package manager writes it, with epoch and revision
    source: str
    source_version: str = ""  # of dpkg; a rebuild of the same source has another version of its own

    @property
    def upstream(self) -> str:
        """The numbers of the version without the distribution's own, "" where there are none."""
        match = _UPSTREAM.match(self.version)
        return match[1] if match else ""

    @property
    def by_vendor(self) -> bool:
        """It comes from the repository of the software's own maker."""
        by_itself = self.name == "caddy" and "-" not in self.version  # its own packages have no revision
        return by_itself or bool(_VENDOR.search(self.version)) or self.name.startswith(_VENDOR_NAMES)


def parse_packages(lines: tuple[str, ...]) -> tuple[Package, ...]:
    """The section "packages"; only what is installed."""
    found = []
    for line in lines:
        cells = line.split("\t")
        if len(cells) >= 3:
            if cells[0].startswith("ii") and cells[2]:
                source, version = (*cells[3:5], "", "")[:2]
                found.append(Package(cells[1], cells[2][:100], source, version[:100]))
        elif match := _APK.fullmatch(line.strip()):
            found.append(Package(match[1], match[2], ""))
    return tuple(found)
