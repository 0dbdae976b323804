"""`python -m tests.security [--write] [STEP...]`: attacks fedisec with everything there is, and says what was found.

Steps that wait (slow clients) or only read the code run beside those that attack.  Exit code 1 for any finding.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.security import attacks, code, posture, suites
from tests.security.result import Result, table, write
from tests.security.site import Site

ORDER = [*code.STEPS, *suites.STEPS, *posture.STEPS, *attacks.STEPS]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/security.md")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(ORDER))
    options = parser.parse_args()
    chosen = options.steps or ORDER
    if unknown := set(chosen) - set(ORDER):
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    began = time.monotonic()
    results = sorted(_all(chosen), key=lambda one: ORDER.index(one.step))
    print("\n" + table(results))
    if options.write:
        write(results)
    count = sum(len(one.findings) for one in results)
    print(f"\n{count} findings in {(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if count else 0


def _all(chosen: list[str]) -> list[Result]:
    with ThreadPoolExecutor(2) as pool:
        beside: list[Future[Result]] = [
            pool.submit(_timed, name, step)
            for name, step in {**suites.STEPS, **code.STEPS}.items()
            if name in chosen
        ]
        results: list[Result] = []
        attacking = {**posture.STEPS, **attacks.STEPS}
        if set(attacking) & set(chosen):
            with (
                tempfile.TemporaryDirectory(prefix="fedisec-attacked-") as folder,
                Site(Path(folder)) as site,
            ):
                for name, step in attacking.items():
                    if name in chosen and name != "slow clients":
                        results.append(_timed(name, lambda step=step: step(site)))  # type: ignore[misc]  # bound now
                if "slow clients" in chosen:
                    # On an otherwise quiet machine: what is measured is time.
                    results += [one.result() for one in beside]
                    beside = []
                    results.append(_timed("slow clients", lambda: attacks.slow(site)))
        return [*results, *(one.result() for one in beside)]


def _timed(name: str, step: Callable[[], Result]) -> Result:
    began = time.monotonic()
    try:
        found = step()
    except Exception as error:  # noqa: BLE001 - a step that breaks is a finding, and the others go on
        traceback.print_exc()
        found = Result(name, "", "", [f"the step broke: {type(error).__name__}: {error}"[:500]])
    found.seconds = time.monotonic() - began
    print(f"\n== {found.step}: {found.tool}\n   {found.left_out or found.did}\n   {found.word}", flush=True)
    for line in found.findings[:40]:
        print(f"   - {line}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
