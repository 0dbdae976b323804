"""What each fault is, what must come of it, and what was seen: one row of docs/reliability.md.

A test names its fault with `@fault("R1", "…", "…")` and says what it saw with the fixture `seen`.  With
FEDISEC_FAULTS_TABLE=FILE the rows of a run are added to that file, one JSON object a line;
`python -m tests.faults.table FILE` prints them as a table, with --markdown as Markdown; with --write they take
the place of those in docs/reliability.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

full = pytest.mark.full  # only in `make test-faults`
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
OK, BROKEN, LEFT_OUT = "ok", "NOT OK", "left out"


def fault(number: str, name: str, expected: str) -> pytest.MarkDecorator:
    """For a test: the number in the list of faults, what goes wrong, and what is to come of it."""
    return pytest.mark.fault(number=number, name=name, expected=expected)


@dataclass(frozen=True, slots=True)
class Row:
    number: str
    name: str
    expected: str
    seen: str
    outcome: str

    def save(self, path: Path) -> None:
        with path.open("a") as file:
            file.write(json.dumps(asdict(self)) + "\n")


def load(path: Path) -> list[Row]:
    return [Row(**json.loads(line)) for line in path.read_text().splitlines()]


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row for each fault: what was seen in its cases, each once."""
    cases: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        cases.setdefault((row.number, row.name), []).append(row)
    return [_merge(found) for _, found in sorted(cases.items(), key=lambda item: _place(item[0][0]))]


def _place(number: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, number))
    return int(digits or 0), number


def _merge(found: Sequence[Row]) -> Row:
    seen = list(dict.fromkeys(row.seen for row in found if row.seen))
    outcomes = {row.outcome for row in found}
    outcome = next(word for word in (BROKEN, LEFT_OUT, OK) if word in outcomes)
    count = f"{len(found)} cases: " if len(found) > 1 else ""
    return Row(found[0].number, found[0].name, found[0].expected, count + "; ".join(seen), outcome)


def as_markdown(rows: Sequence[Row]) -> str:
    head = ["| # | fault | expected | seen | |", "| --- | --- | --- | --- | --- |"]
    lines = [f"| {r.number} | {r.name} | {r.expected} | {r.seen} | {r.outcome} |" for r in rows]
    return "\n".join(head + lines)


def as_text(rows: Sequence[Row]) -> str:
    return "\n".join(
        f"{r.number:4} {r.name}\n     expected: {r.expected}\n     seen:     {r.seen or '-'}\n     {r.outcome}"
        for r in rows
    )


def write(table: str, mark: str = "faults") -> None:
    """Puts the table between the two marks of docs/reliability.md."""
    text = PAGE.read_text()
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    before, rest = text.split(begin)
    PAGE.write_text(f"{before}{begin}{table}\n{end}{rest.split(end)[1]}")


def main(path: str, form: str = "") -> int:
    rows = merged(load(Path(path)))
    print(as_markdown(rows) if form == "--markdown" else as_text(rows))
    if form == "--write":
        write(as_markdown(rows))
    print(f"\n{sum(row.outcome == OK for row in rows)} of {len(rows)} faults survived")
    return int(any(row.outcome == BROKEN for row in rows))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
