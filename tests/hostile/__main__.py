"""`python -m tests.hostile`: see run.py."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.hostile import figures
from tests.hostile.budgets import BUDGETS, differences
from tests.hostile.child import Outcome
from tests.hostile.on_lo import add_forbidden
from tests.hostile.registry import behaviours
from tests.hostile.run import Run, complaints
from tests.lab.lab import Lab


def report(outcome: Outcome, verbose: bool) -> None:
    found = complaints(outcome)
    if verbose or found:
        met = sum(value for value in outcome.met.values() if isinstance(value, int))
        print(
            f"{outcome.name}: {outcome.seconds:.1f} s, +{outcome.growth >> 10} KiB, beside +{outcome.delay_s:.1f} s, "
            f"processor {outcome.cpu_s:.1f} s, stored {outcome.stored >> 10} KiB, met {met}",
            flush=True,
        )
    if verbose:
        by_state: dict[str, list[str]] = {}
        for item, state in outcome.states.items():
            by_state.setdefault(state, []).append(item)
        for state, items in by_state.items():
            print(f"    {state}: {' '.join(items)}")
    for text in found:
        print("  !!", text, flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--children", type=int, default=6)
    parser.add_argument("--whole", action="store_true", help="with the product's own deadlines")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/security.md")
    parser.add_argument("--budgets", action="store_true", help="take out each budget in turn")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("-v", action="store_true", dest="verbose")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args(arguments)
    add_forbidden()
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder) / "lab") as lab:
        work = given.keep or Path(folder)
        return take_out(lab, work, given) if given.budgets else run_all(lab, work, given)


def run_all(lab: Lab, folder: Path, given: argparse.Namespace) -> int:
    names = [
        b.name for b in behaviours().values()
        if not given.names or any(b.name == n or b.protocol == n for n in given.names)
    ]  # fmt: skip
    runs: list[Mapping[str, Outcome]] = []
    bad = dialled = 0
    for number in range(1, given.runs + 1):
        begun = time.monotonic()
        run = Run(lab, folder / f"run-{number}", whole=given.whole)
        run.heard = partial(report, verbose=given.verbose)
        brought = run.run(names, given.children)
        broken = sum(bool(complaints(outcome)) for outcome in brought.outcomes.values())
        if brought.canary:
            print("  !! dialled what must not be dialled:", brought.canary)
        print(
            f"run {number}: {len(names)} behaviours, {broken} broke a promise, {time.monotonic() - begun:.0f} s",
            flush=True,
        )
        bad, dialled = bad + broken, dialled + sum(brought.canary.values())
        runs.append(brought.outcomes)
    lines = figures.table(runs, dialled)
    print("\n".join(lines))
    if given.write:
        figures.write(lines, "suite")
    return 1 if bad or dialled else 0


def take_out(lab: Lab, folder: Path, given: argparse.Namespace) -> int:
    """Each budget: its behaviours with it, and without it."""
    wanted = [name for name in BUDGETS if not given.names or name in given.names]
    names = sorted({name for budget in wanted for name in BUDGETS[budget].behaviours})
    held = Run(lab, folder / "held", store=False).run(names, given.children).outcomes
    rows: list[tuple[str, str, str, str]] = []
    for number, name in enumerate(wanted):
        budget = BUDGETS[name]
        run = Run(lab, folder / f"free-{number}", without=name, store=False)
        brought = run.run(budget.behaviours, 1)
        found: list[tuple[str, list[str]]] = []
        for one in budget.behaviours:
            broken = sorted({*complaints(brought.outcomes[one])} - {*complaints(held[one])})
            found.append((one, differences(held[one], brought.outcomes[one], broken)))
        if brought.canary:
            found.insert(
                0,
                (
                    budget.behaviours[0],
                    [f"{sum(brought.canary.values())} connections to forbidden addresses"],
                ),
            )
        best = max(found, key=lambda row: len(row[1]))
        rows.append((name, budget.cap, best[0], "; ".join(best[1][:3]) or "**nothing**"))
        print(" | ".join(rows[-1]), flush=True)
    if given.write:
        figures.write(figures.budgets_table(rows), "budgets")
    return 1 if any(row[3] == "**nothing**" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
