"""Steps that read the code: bandit, semgrep with our own rules, pip-audit, `check --deploy`."""

from __future__ import annotations

import json
import re
import secrets
import tempfile
from collections import Counter
from pathlib import Path

from tests.security.result import TOOLS, Result, program, python, run, version_of

SAMPLES, RULES = TOOLS / "samples.py", TOOLS / "rules.yml"
CODE = ["checks", "fedisec"]
_MARK = re.compile(r"#\s*(ruleid|ok): ([a-z-]+)")


def bandit() -> Result:
    done = run([program("bandit"), "-q", "-r", *CODE, "-f", "json"], 300)
    found = json.loads(done.stdout[done.stdout.index("{") :])
    counts = Counter(one["issue_severity"] for one in found["results"])
    loud = [
        f"{one['filename']}:{one['line_number']} {one['test_id']} {one['issue_text']}"
        for one in found["results"]
        if one["issue_severity"] != "LOW"
    ]
    lines = found["metrics"]["_totals"]["loc"]
    did = f"{lines} lines; {counts['LOW']} low (assert, subprocess without a shell) are no findings"
    return Result("bandit", f"bandit {version_of('bandit')}", did, loud)


def marks() -> dict[str, dict[str, list[int]]]:
    """Rule -> ruleid or ok -> the lines below the marks of the samples."""
    found: dict[str, dict[str, list[int]]] = {}
    for number, line in enumerate(SAMPLES.read_text().splitlines(), 1):
        if mark := _MARK.search(line):
            found.setdefault(mark[2], {"ruleid": [], "ok": []})[mark[1]].append(number + 1)
    return found


def rule_ids() -> list[str]:
    return re.findall(r"^  - id: ([a-z-]+)$", RULES.read_text(), re.M)


def _scan(*paths: str) -> dict[str, object]:
    argv = [program("semgrep"), "scan", "--metrics=off", "--disable-version-check", "-q", "--json"]
    path = f"{TOOLS / '.env' / 'bin'}:/usr/bin:/bin"
    done = run([*argv, "--no-git-ignore", "--config", str(RULES), *paths], 300, PATH=path)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _hits(found: dict[str, object]) -> list[tuple[str, str, int]]:
    rows = found["results"]
    assert isinstance(rows, list)
    return [(row["check_id"].rpartition(".")[2], row["path"], row["start"]["line"]) for row in rows]


def semgrep() -> Result:
    """First each rule at its samples: a rule that finds nothing there would find nothing anywhere."""
    with tempfile.TemporaryDirectory() as folder:  # out of the way of .semgrepignore
        copy = Path(folder) / "samples.py"
        copy.write_text(SAMPLES.read_text())
        seen = {(rule, line) for rule, _path, line in _hits(_scan(str(copy)))}
    findings = []
    for rule, lines in marks().items():
        findings += [
            f"{rule} misses its sample in line {n}" for n in lines["ruleid"] if (rule, n) not in seen
        ]
        findings += [f"{rule} finds what is right in line {n}" for n in lines["ok"] if (rule, n) in seen]
    found = _scan(*CODE, "templates")
    findings += [f"{path}:{line} {rule}" for rule, path, line in _hits(found)]
    findings += [str(error) for error in found["errors"]]  # type: ignore[attr-defined]  # a list
    files = len(found["paths"]["scanned"])  # type: ignore[index]  # a dictionary
    did = f"{len(rule_ids())} rules of our own, each seen to find its sample; {files} files"
    return Result("semgrep", f"semgrep {version_of('semgrep')}", did, findings)


def pip_audit() -> Result:
    """Without the internet it audits nothing and says 0 all the same; --strict tells the difference."""
    tool = f"pip-audit {version_of('pip-audit')}"
    argv = [program("pip-audit"), "--strict", "--disable-pip", "--require-hashes", "-r", "requirements.txt"]
    done = run([*argv, "-f", "json", "--timeout", "5"], 120)
    if not done.stdout.strip().startswith("{"):
        why = (
            "needs the advisories of the internet, which this machine does not reach; with them it is a gate"
        )
        return Result("pip-audit", tool, "", left_out=why)
    rows = json.loads(done.stdout)["dependencies"]
    bad = [f"{row['name']} {row['version']} {one['id']}" for row in rows for one in row.get("vulns", [])]
    return Result("pip-audit", tool, f"{len(rows)} packages of requirements.txt", bad)


def check_deploy() -> Result:
    import django

    with tempfile.TemporaryDirectory() as folder:
        env = {
            "FEDISEC_DATA": folder,
            "FEDISEC_URL": "https://fedisec.example",
            "FEDISEC_SECRET_KEY": secrets.token_urlsafe(60),
        }
        done = run([python(), "manage.py", "check", "--deploy", "--fail-level", "WARNING"], 120, **env)
    bad = [] if done.returncode == 0 else [line for line in done.stderr.splitlines() if line.startswith("?")]
    bad = bad or ([] if done.returncode == 0 else [done.stderr[-300:]])
    return Result("check --deploy", f"Django {django.__version__}", "settings of a public installation", bad)


STEPS = {"bandit": bandit, "semgrep": semgrep, "pip-audit": pip_audit, "check --deploy": check_deploy}
