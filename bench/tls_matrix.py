"""The TLS matrix: what fedisec and four other scanners say of servers whose truth is known, as a table.

    python -m bench.tls_matrix [--reports FOLDER] [--again] [--servers SERVER,...] [TOOL ...]

Run by `make bench-tls`, inside a network namespace.  The scanners look one after the other, at one server
after the other.  Their reports stay in FOLDER; with --again those that lie there are judged anew, and no
scanner runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.peers import Ask, Peer, Read, commands, reports
from checks.errors import ParseError
from tests.checks.tls.matrix.fedisec_sees import look_at
from tests.checks.tls.matrix.lab import Matrix, Place
from tests.checks.tls.matrix.targets import TARGETS, Mood
from tests.checks.tls.matrix.truth import Facts, Mark, compare
from tests.checks.tls.servers import HOST

PEERS = (
    Peer(
        "sslyze",
        commands.SSLYZE,
        (str(commands.SSLYZE.with_name("pip")), "show", "sslyze"),
        commands.sslyze,
        reports.read_sslyze,
    ),
    Peer(
        "sslscan",
        commands.SSLSCAN,
        (str(commands.SSLSCAN), "--version"),
        commands.sslscan,
        reports.read_sslscan,
    ),
    Peer("nmap", commands.NMAP, (str(commands.NMAP), "--version"), commands.nmap, reports.read_nmap),
    Peer(
        "testssl.sh",
        commands.TESTSSL,
        (str(commands.TESTSSL), "--version"),
        commands.testssl,
        reports.read_testssl,
    ),
)
_PATIENCE_S = 240.0  # with an honest server
_HOSTILE_S = 30.0  # with one that only wastes time: who is not done by then is "not done"


@dataclass(frozen=True, slots=True)
class Look:
    """One scanner at one server; `ended` False: it was stopped."""

    facts: Facts
    wall_s: float
    ended: bool


@dataclass
class Row:
    """All looks of one scanner."""

    name: str
    looks: dict[str, Look] = field(default_factory=dict)

    def marks(self) -> Counter[Mark]:
        found: Counter[Mark] = Counter()
        for name, look in self._honest():
            found.update(compare(TARGETS[name].truth.facts(), look.facts).values())
        return found

    def wrong(self) -> dict[str, list[str]]:
        """server → wrong facts"""
        found = {}
        for name, look in self._honest():
            marks = compare(TARGETS[name].truth.facts(), look.facts)
            if bad := [fact for fact, mark in marks.items() if mark is Mark.WRONG]:
                found[name] = bad
        return found

    def blind(self) -> list[str]:
        """Honest servers of which it says nothing at all."""
        return [name for name, look in self._honest() if not look.facts]

    def hostile(self) -> tuple[int, int, int]:
        """(how many, looks that ended by themselves, looks with a claim)"""
        looks = [look for name, look in self.looks.items() if TARGETS[name].mood is Mood.HOSTILE]
        return len(looks), sum(look.ended for look in looks), sum(bool(look.facts) for look in looks)

    def median_s(self) -> float:
        return statistics.median(look.wall_s for _, look in self._honest())

    def _honest(self) -> list[tuple[str, Look]]:
        """Without the two that have nothing behind their first flight: only fedisec is content with it."""
        targets = ((TARGETS[name], look) for name, look in self.looks.items())
        return [(t.name, look) for t, look in targets if t.mood is not Mood.HOSTILE and t.completes]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reports", type=Path, metavar="FOLDER")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--servers", default=",".join(TARGETS), metavar="SERVER,...")
    parser.add_argument(
        "tools", nargs="*", metavar="TOOL", help=", ".join(("fedisec", *(p.name for p in PEERS)))
    )
    asked = parser.parse_args()
    servers = asked.servers.split(",")
    names = asked.tools or ["fedisec", *(peer.name for peer in PEERS)]
    peers = [peer for peer in PEERS if peer.name in names and _is_here(peer)]
    with tempfile.TemporaryDirectory(prefix="fedisec-matrix-") as scratch:
        folder = asked.reports or Path(scratch) / "reports"
        if not asked.again:
            with Matrix(Path(scratch) / "matrix", 443) as matrix:
                matrix.places = {name: at for name, at in matrix.places.items() if name in servers}
                if "fedisec" in names:
                    _run_fedisec(matrix, folder / "fedisec")
                for peer in peers:
                    _run_peer(peer, matrix, folder / peer.name)
        rows = [_fedisec_row(folder / "fedisec")] if "fedisec" in names else []
        rows += [_peer_row(peer, folder / peer.name) for peer in peers]
    _print(rows)
    return 0


def _is_here(peer: Peer) -> bool:
    if not peer.program.exists():
        print(
            f"{peer.program} is missing; its row is left out (start with `make bench-tls`)", file=sys.stderr
        )
        return False
    return True


def _run_fedisec(matrix: Matrix, folder: Path) -> None:
    """One server after the other, like everybody."""
    folder.mkdir(parents=True, exist_ok=True)
    trust = matrix.trust_file.read_text()
    for name, place in matrix.places.items():
        began = time.perf_counter()
        facts = asyncio.run(look_at(place, trust))
        (folder / name).write_text(json.dumps(facts))
        _note(folder, name, time.perf_counter() - began, ended=True)


def _run_peer(peer: Peer, matrix: Matrix, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, place in matrix.places.items():
        report = folder / name
        report.unlink(missing_ok=True)
        arguments = peer.command(_ask(place, matrix.trust_file, report))
        within_s = _HOSTILE_S if TARGETS[name].mood is Mood.HOSTILE else _PATIENCE_S
        began = time.perf_counter()
        ended = _run([str(peer.program), *arguments], folder / f"{name}.log", within_s)
        _note(folder, name, time.perf_counter() - began, ended=ended)
        print(f"{peer.name} {name}", file=sys.stderr)


def _ask(place: Place, ca_file: Path, report: Path) -> Ask:
    return Ask(place.address, place.port, HOST, ca_file, report)


def _run(command: list[str], log: Path, within_s: float) -> bool:
    """False where it had to be stopped, with all that it started."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        try:
            started.wait(within_s)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()
            return False
    return True


def _note(folder: Path, name: str, wall_s: float, *, ended: bool) -> None:
    note = {"wall_s": wall_s, "ended": ended, "when": datetime.now(UTC).isoformat()}
    (folder / f"{name}.note").write_text(json.dumps(note))


def _fedisec_row(folder: Path) -> Row:
    return Row(
        "fedisec",
        {name: _look(folder, name, lambda report, _: json.loads(report)) for name in _names(folder)},
    )


def _peer_row(peer: Peer, folder: Path) -> Row:
    names = _names(folder)
    return Row(f"{peer.name} {_version(peer)}", {name: _look(folder, name, peer.read) for name in names})


def _names(folder: Path) -> list[str]:
    return [name for name in TARGETS if (folder / f"{name}.note").exists()]


def _look(folder: Path, name: str, read: Read) -> Look:
    note = json.loads((folder / f"{name}.note").read_text())
    report = folder / name
    facts: Facts = {}
    if report.exists():
        try:
            facts = read(report.read_text(errors="replace"), datetime.fromisoformat(note["when"]))
        except (ValueError, LookupError, SyntaxError, ParseError):  # cut off, or without a word of TLS
            facts = {}
    return Look(facts, note["wall_s"], note["ended"])


def _version(peer: Peer) -> str:
    done = subprocess.run(peer.version, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr))
    return found[0] if found else "?"


def _print(rows: list[Row]) -> None:
    print("| scanner | right | wrong | not reported | blind to | median s | hostile: ended, with a claim |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        marks, (hostile, ended, claims) = row.marks(), row.hostile()
        counts = " | ".join(str(marks[mark]) for mark in Mark)
        end = f"{len(row.blind())} | {row.median_s():.2f} | {ended} of {hostile}, {claims}"
        print(f"| {row.name} | {counts} | {end} |")
    print()
    for row in rows:
        by_facts: dict[str, list[str]] = {}
        for server, facts in row.wrong().items():
            by_facts.setdefault(", ".join(facts), []).append(server)
        words = [f"{facts} ({', '.join(servers)})" for facts, servers in by_facts.items()] or ["nothing"]
        print(f"* {row.name}: wrong: {'; '.join(words)}. Says nothing of: {', '.join(row.blind()) or '-'}.")


if __name__ == "__main__":
    sys.exit(main())
