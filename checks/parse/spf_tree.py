"""The SPF tree as a person would draw it: each look-up with its number, and what its branch costs."""

from __future__ import annotations

from dataclasses import replace

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.dns import Lookup
from checks.parse.spf import MAX_RECORD, is_spf
from checks.parse.spf_walk import MAX_LOOKUPS, Branch, SpfWalk

MAX_LINES = 40
_TERM_MAX, _DEEP = 60, 12
RECORDS_KEPT = 20

_MARKS = {
    "void": "no record",
    "macro": "depends on the single mail",
    "unseen": "no answer",
    "not_asked": "not asked",
    "not_followed": "not followed any further",
    "include_none": "no SPF record there",
    "redirect_none": "no SPF record there",
    "none": "no SPF record",
    "several": "several SPF records",
    "syntax": "syntax error",
    "loop": "leads back to itself",
    "mx_many": "more than ten mail hosts",
}


def drawn(walked: SpfWalk) -> str:
    """MAX_LINES lines at most; what is left out is counted in the last one."""
    tree = walked.tree
    lines = [_line(branch) for branch in tree[:MAX_LINES]]
    if len(tree) > MAX_LINES:
        lines[-1] = f"… and {len(tree) - MAX_LINES + 1} more"
    return "\n".join(lines)


def _line(branch: Branch) -> str:
    told = [_MARKS.get(branch.mark, branch.mark)] if branch.mark else []
    if not branch.depth or branch.lookups > 1:
        told.insert(0, _count(branch.lookups, "look-up"))
        told += [f"{branch.voids} empty"] if branch.voids else []
    if branch.number > MAX_LOOKUPS:
        told.append("over the limit")
    number = f"{branch.number or '-':>2}  " if branch.depth else ""
    text = branch.text if len(branch.text) <= _TERM_MAX else branch.text[: _TERM_MAX - 1] + "…"
    return f"{'  ' * min(branch.depth, _DEEP)}{number}{text}{'   ' if told else ''}{', '.join(told)}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def kept(answer: Lookup | Missing) -> Lookup | Missing:
    """What the walk needs of an answer, so that stored facts stay small: of TXT records those of SPF, and
    none that is longer than any that is judged."""
    if isinstance(answer, Missing):
        return answer
    records = answer.records
    if answer.rdtype == "TXT":
        records = tuple(text for text in records if is_spf(text))
    if any(len(text) > MAX_RECORD for text in records):
        return Missing(Reason.TOO_LARGE, f"{answer.rdtype} {answer.name}")
    return replace(answer, records=records[:RECORDS_KEPT], signatures=())
