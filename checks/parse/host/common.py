"""What all readers of the collector's sections need: refusals, systemd's properties, headed parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from checks.facts import MissingFact
from checks.facts.inside import Inside, Section

_REFUSALS = (
    "permission denied", "operation not permitted", "access denied", "not authorized", "authorization failed",
    "must be root", "need to be root", "needs to be run as root", "run as root", "are you root", "only root",
    "root privileges", "superuser", "polkit", "requires authentication", "authentication is required",
)  # fmt: skip
_NO_SYSTEMD = ("not been booted with systemd", "failed to connect to bus", "host is down")
_HEAD = "== "


@dataclass(frozen=True, slots=True)
class Part:
    """One headed part of a section: "== LABEL REST", and the lines up to the next head."""

    label: str
    rest: str
    lines: tuple[str, ...]

    @property
    def absent(self) -> bool:
        """The command or the file is not on the server."""
        return self.rest == "absent"

    @property
    def denied(self) -> bool:
        """It may not be read by the account."""
        return self.rest == "denied" or denied(self.lines)


def denied(said: Section | tuple[str, ...]) -> bool:
    """Whether a section, or the lines of a part, hold a refusal for want of rights.  Text that merely
    mentions one counts too: ask only where lines that could be judged are missing."""
    lines = said.lines if isinstance(said, Section) else said
    return any(_refuses(line.lower()) for line in lines)


def _refuses(line: str) -> bool:
    is_head = line.startswith(_HEAD) and line.endswith(" denied")
    return is_head or any(words in line for words in _REFUSALS)


def without_systemd(lines: tuple[str, ...]) -> bool:
    """Whether systemctl or timedatectl said that there is no systemd to ask."""
    return any(words in line.lower() for line in lines for words in _NO_SYSTEMD)


def properties(lines: tuple[str, ...]) -> list[dict[str, str]]:
    """The blocks of `systemctl show`, in its order; of a repeated property the last line counts.  Lines that
    are no property are passed over, so a refusal gives an empty list."""
    blocks: list[dict[str, str]] = [{}]
    for line in lines:
        name, equals, value = line.partition("=")
        if not line.strip():
            blocks.append({})
        elif equals and name.isalnum() and name.isascii():
            blocks[-1][name] = value
    return [block for block in blocks if block]


def units(lines: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """The same blocks by their Id; blocks without one are left out."""
    return {block["Id"]: block for block in properties(lines) if "Id" in block}


def parts(lines: tuple[str, ...]) -> tuple[Part, ...]:
    """The headed parts in their order.  Lines in front of the first head form a part without a label."""
    found: list[Part] = []
    label, rest, held = "", "", list[str]()
    for line in lines:
        if not line.startswith(_HEAD):
            held.append(line)
            continue
        if label or held:
            found.append(Part(label, rest, tuple(held)))
        label, _, rest = line.removeprefix(_HEAD).strip().partition(" ")
        rest, held = rest.strip(), []
    if label or held:
        found.append(Part(label, rest, tuple(held)))
    return tuple(found)


def marked(lines: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Label -> lines, those of parts with the same label joined.  A part that is absent is not in it, of a
    denied one there is the one line "permission denied"."""
    found: dict[str, tuple[str, ...]] = {}
    for part in parts(lines):
        if not part.absent:
            held = ("permission denied",) if part.rest == "denied" else part.lines
            found[part.label] = found.get(part.label, ()) + held
    return found


def server_time(inside: Inside) -> datetime:
    """The time of the run by the server's own clock, by which its logs and stamps are dated; ours where it
    did not tell."""
    try:
        lines = inside.lines("meta")
    except MissingFact:
        return inside.seen_at
    told = next((line.removeprefix("now ") for line in lines if line.startswith("now ")), "")
    if not (told.isascii() and told.isdigit() and len(told) <= 11):
        return inside.seen_at
    return datetime.fromtimestamp(int(told), UTC)
