"""Who may log in to the server itself, and counts of the app's staff."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import parts


@dataclass(frozen=True, slots=True)
class Accounts:
    """`empty` None: the file of passwords may not be read."""

    uid0: tuple[str, ...]
    empty: tuple[str, ...] | None
    groups: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class AppAccounts:
    """Counts from the app's own database; None where it could not be asked."""

    staff: int | None
    without_second_factor: int | None
    blocked_mail_domains: int | None
    refused: bool
    absent: bool


def parse_accounts(lines: tuple[str, ...]) -> Accounts:
    """The section "accounts"."""
    found = {part.label: part for part in parts(lines)}
    uid0, empty, admins = found.get("uid0"), found.get("empty"), found.get("admins")
    return Accounts(
        tuple(line for line in uid0.lines if line) if uid0 else (),
        tuple(line for line in empty.lines if line)
        if empty and not empty.denied and not empty.absent
        else None,
        tuple(
            (line.partition(":")[0], tuple(name for name in line.partition(":")[2].split(",") if name))
            for line in (admins.lines if admins else ())
            if ":" in line
        ),
    )


def parse_app_accounts(lines: tuple[str, ...]) -> AppAccounts:
    """The section "app_accounts": lines "word number", heads, or a lone word why there are none."""
    words = [line.strip().removeprefix("== ") for line in lines]
    counts: dict[str, int] = {}
    for word in words:
        name, _, number = word.rpartition(" ")
        if number.isascii() and number.isdigit() and len(number) < 10:
            counts[name] = counts.get(name, 0) + int(number)
    return AppAccounts(
        counts.get("staff"),
        counts.get("staff_without_second_factor"),
        counts.get("email_domain_blocks"),
        any(word.endswith((" denied", "ermission denied")) for word in words),
        any(word.endswith(" absent") for word in words),
    )
