"""Who may read the files that hold the application's secrets."""

from __future__ import annotations

from dataclasses import dataclass

_SHARED = frozenset({"users", "nogroup", "nobody", "staff", "games"})  # groups that join strangers


@dataclass(frozen=True, slots=True)
class SecretFile:
    """One file as stat(1) shows it: `mode` holds the twelve bits of its rights."""

    path: str
    mode: int
    owner: str
    group: str

    @property
    def open_to_all(self) -> bool:
        return bool(self.mode & 0o006)

    @property
    def open_to_group(self) -> bool:
        """The group may write, or it is one that strangers share."""
        return bool(self.mode & 0o020) or bool(self.mode & 0o040 and self.group in _SHARED)

    def __str__(self) -> str:
        return f"{self.mode:o} {self.owner} {self.group} {self.path}"


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """`closed`: folders that may not be entered, behind which files may lie."""

    files: tuple[SecretFile, ...]
    closed: tuple[str, ...]


def parse_app_files(lines: tuple[str, ...]) -> SecretFiles:
    """The section "app_files": "MODE OWNER GROUP SIZE PATH" and "denied FOLDER"; others are passed over."""
    files, closed = [], []
    for line in lines:
        words = line.split(" ", 4)
        if line.startswith("denied /"):
            closed.append(line.removeprefix("denied "))
        elif len(words) == 5 and words[4].startswith("/") and _is_mode(words[0]):
            files.append(SecretFile(words[4], int(words[0], 8), words[1], words[2]))
    return SecretFiles(tuple(files), tuple(closed))


def _is_mode(word: str) -> bool:
    return 0 < len(word) <= 4 and set(word) <= set("01234567")
