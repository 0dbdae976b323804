"""What a step of `make test-security` did and found, and the table of all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools" / "security"
PAGE = ROOT / "docs" / "security.md"


@dataclass(slots=True)
class Result:
    """`tool` with its version; `did` in a few words with figures; `findings` is empty when all is well.  `left_out`
    says why a step could not run on this machine; then nothing was found, and nothing was shown either."""

    step: str
    tool: str
    did: str
    findings: list[str] = field(default_factory=list)
    left_out: str = ""
    seconds: float = 0.0

    @property
    def word(self) -> str:
        return (
            "left out" if self.left_out else f"{len(self.findings)} findings" if self.findings else "nothing"
        )


def run(argv: list[str], timeout_s: float, **env: str) -> subprocess.CompletedProcess[str]:
    """A tool without a terminal, and without settings of ours."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FEDISEC_S")}
    return subprocess.run(
        argv, cwd=ROOT, env={**clean, **env}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, errors="replace", timeout=timeout_s, check=False,
    )  # fmt: skip


def program(name: str, env: str = ".env") -> str:
    """The path of a tool in its own environment."""
    return str(TOOLS / env / "bin" / name)


def version_of(package: str, env: str = ".env") -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return run([program("python", env), "-c", code], 60).stdout.strip()


def table(results: list[Result]) -> str:
    lines = ["| step | tool | what it did | found | s |", "|---|---|---|---|---|"]
    for one in results:
        did = one.left_out or one.did
        lines.append(f"| {one.step} | {one.tool} | {did} | {one.word} | {one.seconds:.0f} |")
    return "\n".join(lines)


def write(results: list[Result]) -> None:
    """Puts the table between its markers in docs/security.md; rows of steps that did not run stay."""
    text = PAGE.read_text()
    begin, end = "<!-- tools -->\n", "<!-- /tools -->"
    head, rest = text.split(begin)
    old, tail = rest.split(end)
    fresh = {
        f"| {one.step} |": row for one, row in zip(results, table(results).splitlines()[2:], strict=True)
    }
    kept = [row for row in old.splitlines()[2:] if row.startswith("| ")]
    rows = [next((new for key, new in fresh.items() if row.startswith(key)), row) for row in kept]
    rows += [row for row in fresh.values() if row not in rows]
    made = "\n".join([*table([]).splitlines(), *rows])
    PAGE.write_text(f"{head}{begin}{made}\n{end}{tail}")


def python() -> str:
    return sys.executable
