"""Whether a restart is due."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.parse.host.common import marked

_NUMBERS = re.compile(r"\d{1,9}|[a-z]+")
_WORD = re.compile(r"[a-z]+")
# Marks of the release in a version: 6.12.48+deb13-amd64, 5.14.0-503.el9_5.x86_64.
_NO_FLAVOUR = frozenset({"deb", "bpo", "el", "fc"})


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


def _flavour(kernel: str) -> tuple[str, ...]:
    """The words in it: "amd", "generic", "cloud amd".  A name without a number in front, as Alpine's "lts",
    tells no version."""
    if not kernel[:1].isdigit():
        return ("", kernel)
    return tuple(word for word in _WORD.findall(kernel[:100]) if word not in _NO_FLAVOUR)


def _order(kernel: str) -> list[tuple[int, int, str]]:
    """Numbers as numbers: 6.1.0-40 stands behind 6.1.0-9."""
    return [
        (1, int(part), "") if part.isdecimal() else (0, 0, part) for part in _NUMBERS.findall(kernel[:100])
    ]
