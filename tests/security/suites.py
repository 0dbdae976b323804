"""Steps that are tests of their own: who may what, and the hostile suite."""

from __future__ import annotations

import re

from tests.security.result import ROOT, Result, python, run


def access() -> Result:
    done = run([python(), "-m", "pytest", "tests/access", "-q", "-p", "no:randomly"], 600)
    return Result("access table", "pytest", _counted(done.stdout), _failed(done.stdout, done.returncode))


def hostile() -> Result:
    script = ROOT / "tools" / "hostile.sh"
    if not script.exists():
        return Result("hostile suite", "tools/hostile.sh", "", left_out="there is no tools/hostile.sh")
    done = run(["sh", str(script), python()], 1200)
    said = [line for line in done.stdout.splitlines() if line.strip()]
    failed = _failed(done.stdout, done.returncode)
    return Result("hostile suite", "tools/hostile.sh", (said or ["said nothing"])[-1][:200], failed)


def _counted(said: str) -> str:
    found = re.findall(r"^.*\d+ (?:passed|failed).*$", said, re.M)
    return re.sub(r"=+", "", found[-1]).strip() if found else "no test ran"


def _failed(said: str, code: int) -> list[str]:
    lines = re.findall(r"^(?:FAILED|ERROR) .*$", said, re.M)
    return lines or ([] if code == 0 else [f"exit code {code}: {said[-300:]}"])


STEPS = {"access table": access, "hostile suite": hostile}
