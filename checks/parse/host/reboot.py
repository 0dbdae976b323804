"""Whether a restart is due."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.parse.host.common import marked

_NUMBERS = re.compile(r"\d{1,9}|[^\d]+")
_FLAVOUR = re.compile(r"[0-9.-]*(.*)")


@dataclass(frozen=True, slots=True)
class Reboot:
    """`asked_by`: packages that ask for a restart; `required` is true even where none is named."""

    required: bool
    asked_by: tuple[str, ...]
    running: str
    newest: str  # of the installed kernels of the running one's flavour; "" where none is seen
    services: tuple[str, ...]  # that needrestart names

    @property
    def outdated(self) -> bool:
        """A newer kernel than the running one is installed."""
        return bool(self.running and self.newest) and _order(self.running) < _order(self.newest)


def parse_reboot(lines: tuple[str, ...]) -> Reboot:
    """The section "reboot"."""
    found = marked(lines)
    required = found.get("required", ())
    running = next((line.strip() for line in found.get("running", ()) if line.strip()), "")
    kernels = [
        line.partition("/vmlinuz-")[2]
        for line in found.get("kernels", ())
        if line.startswith("/boot/vmlinuz-")
    ]
    alike = [name for name in kernels if _flavour(name) == _flavour(running)]
    return Reboot(
        any(line.startswith("/") for line in required),
        tuple(line for line in required if line and not line.startswith("/"))[:50],
        running,
        max(alike, key=_order, default=""),
        tuple(
            line.partition(": ")[2]
            for line in found.get("needrestart", ())
            if line.startswith("NEEDRESTART-SVC: ")
        )[:50],
    )


def _flavour(kernel: str) -> str:
    """The words behind the numbers: "amd64", "generic", "cloud-amd64"."""
    match = _FLAVOUR.match(kernel)
    return match[1] if match else ""


def _order(kernel: str) -> list[tuple[int, int, str]]:
    """Numbers as numbers: 6.1.0-40 stands behind 6.1.0-9."""
    return [
        (1, int(part), "") if part.isdecimal() else (0, 0, part) for part in _NUMBERS.findall(kernel[:100])
    ]
