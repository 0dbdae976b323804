"""How full the local file systems are."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import marked

# Made once and full by design, too small for a share to mean anything, or of a container's host.
_PASSED_OVER = (
    "/boot/efi", "/efi", "/snap/", "/var/lib/docker/overlay2/", "/var/lib/containers/", "/run/host/",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileSystem:
    """`percent`: used share of bytes, `inodes`: of inodes, None where their number is not fixed."""

    mount: str
    percent: int
    inodes: int | None


def parse_disk(lines: tuple[str, ...]) -> tuple[FileSystem, ...]:
    """`df -PkTl` and `df -PiTl`: one row for each place, in df's order."""
    found = marked(lines)
    inodes = dict(_rows(found.get("inodes", ())))
    return tuple(
        FileSystem(mount, percent, inodes.get(mount))
        for mount, percent in dict(_rows(found.get("bytes", ()))).items()
        if not mount.startswith(_PASSED_OVER)
    )


def _rows(lines: tuple[str, ...]) -> list[tuple[str, int]]:
    """(mount, percent) of each row that has a percentage."""
    rows = []
    for line in lines:
        words = line.split(None, 6)
        percent = words[5].removesuffix("%") if len(words) == 7 else ""
        if percent.isascii() and percent.isdigit() and len(percent) < 4 and words[6].startswith("/"):
            rows.append((words[6], int(percent)))
    return rows
