"""The tables of docs/security.md: what the suite measured, and what each budget holds back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.hostile.child import Outcome
from tests.hostile.model import PROTOCOLS
from tests.hostile.registry import behaviour as of_name

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
_BEGIN, _END = "<!-- hostile -->", "<!-- /hostile -->"
_NAMES = {"dns": "DNS", "tcp": "TCP", "tls": "TLS", "smtp": "SMTP", "http": "HTTP", "json": "JSON", "xml": "XML", "ssh": "SSH", "collector": "report from inside"}  # fmt: skip


def table(runs: Sequence[Mapping[str, Outcome]], dialled: int) -> list[str]:
    """A row per protocol, over all runs."""
    lines = [
        "| far side | behaviours | wrong verdicts | crashes | longest look, of its limit | largest growth | false alerts | other scan later by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    everything = [outcome for run in runs for outcome in run.values()]
    groups = [(_NAMES[p], [o for o in everything if of_name(o.name).protocol == p]) for p in PROTOCOLS]
    for name, found in [*groups, ("all", everything)]:
        if not found:
            continue
        slowest = max(found, key=lambda o: o.seconds / o.limit_s)
        lines.append(
            f"| {name} | {len({o.name for o in found})} | {sum(len(o.wrong) for o in found)} "
            f"| {sum(len(o.crashes) for o in found)} | {slowest.seconds:.1f} s of {slowest.limit_s:.0f} s "
            f"| {max(o.growth for o in found) / 2**20:.1f} MiB | {sum(len(o.alerts) for o in found)} "
            f"| {max(o.delay_s for o in found):.1f} s |"
        )
    lines += [
        "",
        f"{len(runs)} runs, one after the other; a look has a quarter of the product's time, every other cap is the product's; "
        "seconds in which the machine had other work are left out. "
        f"Connections to addresses that may never be dialled: {dialled}.",
    ]
    return lines


def budgets_table(rows: Sequence[tuple[str, str, str, str]]) -> list[str]:
    """Budget, its cap, the behaviour that shows it, what happens without it."""
    return [
        "| budget taken out | its cap | a behaviour that it holds back | without it |",
        "|---|---|---|---|",
        *(f"| {budget} | {cap} | {name} | {what} |" for budget, cap, name, what in rows),
    ]


def write(lines: Sequence[str], part: str) -> None:
    """Puts one of the two tables (`part`: suite, budgets) into the document."""
    begin, end = f"<!-- hostile {part} -->", f"<!-- /hostile {part} -->"
    text = DOCUMENT.read_text(encoding="utf-8")
    block = "\n".join([begin, "", *lines, "", end])
    if begin in text:
        head, _, rest = text.partition(begin)
        text = head + block + rest.partition(end)[2]
    else:
        head, _, rest = text.partition(_END)
        text = f"{head.rstrip()}\n{block}\n{_END}{rest}"
    DOCUMENT.write_text(text, encoding="utf-8")
