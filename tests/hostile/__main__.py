"""`python -m tests.hostile`: see run.py."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.hostile.child import Outcome
from tests.hostile.registry import behaviours
from tests.hostile.run import Run, complaints
from tests.lab.lab import Lab


def report(outcome: Outcome, verbose: bool) -> None:
    found = complaints(outcome)
    if verbose or found:
        met = sum(value for value in outcome.met.values() if isinstance(value, int))
        print(
            f"{outcome.name}: {outcome.seconds:.1f} s, +{outcome.growth >> 10} KiB, beside +{outcome.delay_s:.1f} s, "
            f"stored {outcome.stored >> 10} KiB, met {met}",
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
    parser.add_argument("--children", type=int, default=8)
    parser.add_argument("--whole", action="store_true", help="with the product's own deadlines")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/security.md")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("-v", action="store_true", dest="verbose")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args(arguments)
    names = [
        b.name for b in behaviours().values()
        if not given.names or any(b.name == n or b.protocol == n for n in given.names)
    ]  # fmt: skip
    bad = 0
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder) / "lab") as lab:
        for number in range(given.runs):
            begun = time.monotonic()
            place = (given.keep or Path(folder)) / f"run-{number + 1}"
            run = Run(lab, place, whole=given.whole)
            run.heard = partial(report, verbose=given.verbose)
            brought = run.run(names, given.children)
            bad += sum(bool(complaints(outcome)) for outcome in brought.outcomes.values())
            if brought.canary:
                bad += 1
                print("  !! dialled what must not be dialled:", brought.canary)
            print(
                f"run {number + 1}: {len(names)} behaviours, {bad} with broken promises, {time.monotonic() - begun:.0f} s"
            )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
