"""The outside scan beside the scanners that people use today: time, CPU, connections.  Run by `make bench`.

All look at the lab's good server over a link with 20 ms round trip (bench/link.py), in the same run, one
after the other.  Connections and DNS questions are counted on the link, for every program alike.  Each peer
has an environment of its own: they are measured beside, never linked.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from bench import measure
from bench.link import Link, slow_link
from bench.measure import Cost, median, table
from checks.evaluate import evaluate
from checks.probes import ALL_PROBES, dns, gather, mail, tls
from checks.probes.look import Probe
from checks.target import Target, Vantage
from tests.lab.lab import Lab
from tests.lab.places import GOOD_IP, GOOD_IP6

HERE = Path(__file__).parent
RTT_S = 0.02
SCANS = 64
RUNS, PEER_RUNS = 5, 3
WEB = (GOOD_IP, GOOD_IP6)

_CHECKDMARC = """
import sys, time, checkdmarc
started = time.perf_counter(), time.process_time()
checkdmarc.check_domains([sys.argv[1]], nameservers=[sys.argv[2]])
print(time.perf_counter() - started[0], time.process_time() - started[1])
"""

Peers = dict[str, Cost | None]
"""By name; None where the program is not installed."""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="fedisec-bench-") as folder, Lab(Path(folder)) as lab:
        loop_ms = measure.loop_ms()
        with slow_link(RTT_S) as link:
            rounds = [_own(link, lab)]
            peers = _peers(link, lab)
            rounds.append(_own(link, lab))
            many = _many(lab, Path(folder))
            rounds.append(_own(link, lab))
        near_ms = _cpu_near_ms(lab)
    own = {name: median([cost for runs in rounds for cost in runs[name]]) for name in rounds[0]}
    print(_costs(own, peers))
    print()
    print(_bars(own, peers, many, near_ms))
    print(f"\nA fixed loop of Python took {loop_ms:.1f} ms of CPU before, {measure.loop_ms():.1f} ms after.")
    print(f"Processes that wanted a processor meanwhile: {os.getloadavg()[1]:.1f} (five minutes' average).")
    return 0


def _vantage(lab: Lab) -> Vantage:
    return Vantage(
        lab.resolver,
        lab.ca_file.read_text(),
        tuple(lab.networks),
        secure_name=lab.secure_name,
        bogus_name=lab.bogus_name,
        rdap_bootstrap=str(lab.rdap_bootstrap),
        anchors=tuple(lab.dnssec_anchor.read_text().splitlines()),
    )


def _own(link: Link, lab: Lab) -> dict[str, list[Cost]]:
    """One round; there are three, before, between and after the others: a shared machine is not equally fast
    all the time."""
    vantage = _vantage(lab)
    target = Target(lab.good, dkim_selectors=("fedi",))

    def scan(probes: tuple[Probe, ...]) -> Callable[[], object]:
        return lambda: evaluate(asyncio.run(gather(target, vantage, probes=probes)).facts)

    def costs(probes: tuple[Probe, ...]) -> list[Cost]:
        measure.here(link, WEB, scan(probes))  # the first one of a process reads tables and certificates
        return [measure.here(link, WEB, scan(probes)) for _ in range(RUNS)]

    addresses = next(probe for probe in dns.PROBES if probe.name == "addresses")
    command = [sys.executable, "-m", "checks", "scan", lab.good, "--json", "--dkim-selector", "fedi"]
    command += ["--resolver", lab.resolver, "--trust-ca", str(lab.ca_file)]
    command += [
        "--dnssec-anchor",
        str(lab.dnssec_anchor),
        "--dnssec-names",
        lab.secure_name,
        lab.bogus_name,
        "--rdap-bootstrap",
        str(lab.rdap_bootstrap),
    ]
    command += [word for network in lab.networks for word in ("--allow-network", network)]
    return {
        "TLS": costs((addresses, *tls.PROBES)),
        "DNS and mail": costs((*dns.PROBES, *mail.PROBES)),
        "whole scan": costs(ALL_PROBES),
        "whole scan, new process": [measure.process(link, WEB, command)],
    }


def _cpu_near_ms(lab: Lab) -> float:
    """On loopback: over the link the kernel charges us for the packets of the tun device as well."""
    target, vantage = Target(lab.good, dkim_selectors=("fedi",)), _vantage(lab)
    costs = []
    for _ in range(3 * RUNS + 2):
        cpu = time.process_time()
        evaluate(asyncio.run(gather(target, vantage)).facts)
        costs.append(time.process_time() - cpu)
    return 1000 * statistics.median(costs[2:])


def _peers(link: Link, lab: Lab) -> Peers:
    sslyze = HERE / ".env" / "bin" / "sslyze"
    there: Peers = {"sslyze": None, "checkdmarc": None, "sslscan": None, "nmap": None, "testssl.sh": None}
    commands = {
        "sslyze": [str(sslyze), f"{lab.good}:443{{{GOOD_IP}}}"],
        "sslscan": ["sslscan", "--sni-name=" + lab.good, GOOD_IP + ":443"],
        "nmap": ["nmap", "-n", "-Pn", "-p443", "--script=ssl-enum-ciphers", GOOD_IP],
        "testssl.sh": ["testssl", "--ip", GOOD_IP, "--warnings", "off", *_TESTSSL_PARTS, lab.good],
    }
    for name, command in commands.items():
        if shutil.which(command[0]):
            runs = 1 if name == "testssl.sh" else PEER_RUNS
            there[name] = median([measure.process(link, WEB, command) for _ in range(runs)])
    there["checkdmarc"] = _checkdmarc(link, lab)
    return there


# Protocols, ciphers by strength, forward secrecy, preference, certificate: what the TLS probe tells as well.
_TESTSSL_PARTS = ("-p", "-s", "-f", "-P", "-S")


def _checkdmarc(link: Link, lab: Lab) -> Cost | None:
    """In its process, its start left out: as favourable to it as our own measurement is to us."""
    python = HERE / ".env-checkdmarc" / "bin" / "python"
    if not python.exists():
        return None
    costs = []
    env = os.environ | {"SSL_CERT_FILE": str(lab.ca_file), "REQUESTS_CA_BUNDLE": str(lab.ca_file)}
    for _ in range(PEER_RUNS):
        before = link.counters()
        command = [str(python), "-c", _CHECKDMARC, lab.good, lab.resolver]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
        wall, cpu = map(float, done.stdout.split()[-2:])
        sent = link.counters() - before
        costs.append(Cost(wall, cpu, sum(sent.tcp.values()), sent.to(WEB, 443), sent.dns))
    return median(costs)


def _many(lab: Lab, folder: Path) -> dict[str, float]:
    written = folder / "vantage.json"
    written.write_text(json.dumps({"domain": lab.good, "vantage": asdict(_vantage(lab))}))
    command = [sys.executable, "-m", "bench.many", str(written), str(SCANS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _costs(own: dict[str, Cost], peers: Peers) -> str:
    rows = [(f"fedisec, {name}", cost) for name, cost in own.items()] + list(peers.items())
    head = ("what", "wall s", "CPU s", "TCP connections", "of them to the instance's 443", "DNS questions")
    return table(
        head,
        [
            [name, f"{c.wall_s:.3f}", f"{c.cpu_s:.3f}", str(c.tcp), str(c.web), str(c.dns)]
            if c is not None
            else [name, *("not installed",) * 5]
            for name, c in rows
        ],
    )


def _bars(own: dict[str, Cost], peers: Peers, many: dict[str, float], near_ms: float) -> str:
    whole, scan = own["whole scan"], own["whole scan"].wall_s
    rows = [
        _ratio("TLS phase ÷ sslyze, wall", own["TLS"].wall_s, peers["sslyze"], 0.06),
        _ratio("whole scan ÷ sslyze alone, wall", scan, peers["sslyze"], 0.10),
        _ratio("whole scan ÷ testssl.sh alone, wall", scan, peers["testssl.sh"], 0.02),
        _ratio("DNS and mail ÷ checkdmarc, wall", own["DNS and mail"].wall_s, peers["checkdmarc"], 0.25),
        _most("whole scan, wall, s", scan, 0.5),
        _most("whole scan, CPU, ms, on loopback", near_ms, 120),
        _most("whole scan, CPU, ms, over the link", whole.cpu_s * 1000, 120),
        _most("connections to port 443 of the instance", whole.web, 24),
        _most("TCP connections", whole.tcp, 150),
        _least(f"{SCANS} scans at once, scans a minute", many["per_minute"], 300),
        _most(f"{SCANS} scans at once, memory, MB", many["rss_mb"], 150),
        _most(f"{SCANS} scans at once, CPU per scan, ms", many["cpu_ms"], 120),
        _least(
            f"{SCANS} scans at once, items passed by the worst (alone: {many['passes_alone']:.0f})",
            many["passes_fewest"],
            many["passes_alone"],
        ),
    ]
    return table(("figure", "bar", "measured", "met"), rows)


def _ratio(name: str, own_s: float, peer: Cost | None, bar: float) -> list[str]:
    if peer is None:
        return [name, f"≤ {bar}", "peer not installed", "–"]
    return _most(name, own_s / peer.wall_s, bar)


def _most(name: str, value: float, bar: float) -> list[str]:
    return [name, f"≤ {bar:g}", f"{value:.3g}", "yes" if value <= bar else "no"]


def _least(name: str, value: float, bar: float) -> list[str]:
    return [name, f"≥ {bar:g}", f"{value:.3g}", "yes" if value >= bar else "no"]


if __name__ == "__main__":
    sys.exit(main())
