"""Steps that measure how the installation stands: MDN's Observatory, and fedisec's own outside checks on itself."""

from __future__ import annotations

import json
import shutil

from tests.lab import places as at
from tests.security.result import TOOLS, Result, python, run
from tests.security.site import Site

AT_LEAST = 130
OBSERVATORY = TOOLS / ".observatory" / "node_modules" / "@mdn" / "mdn-http-observatory"
# Names are looked up by the system, which knows nothing of the lab.
LOOKUP = f"""
const dns = require("node:dns"), real = dns.lookup;
dns.lookup = (name, options, then) => {{
  if (typeof options === "function") [options, then] = [{{}}, options];
  if (name !== "{at.GOOD}") return real(name, options, then);
  const found = {{ address: "{at.GOOD_IP}", family: 4 }};
  return options.all ? then(null, [found]) : then(null, found.address, found.family);
}};
"""


def observatory(site: Site) -> Result:
    node = shutil.which("node")
    if node is None or not OBSERVATORY.exists():
        why = "needs Node 20 and the package @mdn/mdn-http-observatory of npm"
        return Result("MDN Observatory", "mdn-http-observatory", "", left_out=why)
    version = json.loads((OBSERVATORY / "package.json").read_text())["version"]
    preload = OBSERVATORY / "conf" / "hsts-preload.json"
    if not preload.exists():
        preload.write_text("{}")  # of the internet; without it nobody gets its five points
    hook = site.folder / "lookup.cjs"
    hook.write_text(LOOKUP)
    env = {"NODE_EXTRA_CA_CERTS": str(site.lab.ca_file), "NODE_OPTIONS": f"--require {hook}"}
    done = run([node, str(OBSERVATORY / "src" / "scan.js"), at.GOOD], 120, **env)
    tool = f"mdn-http-observatory {version}"
    try:
        found = json.loads(done.stdout)
        score, grade = int(found["scan"]["score"]), found["scan"]["grade"]
    except (ValueError, KeyError):
        return Result("MDN Observatory", tool, "", [f"no score: {done.stdout[-300:]}{done.stderr[-300:]}"])
    bad = [f"{name}: {one['result']}" for name, one in found["tests"].items() if not one["pass"]]
    bad += [f"{score} points"] if score < AT_LEAST else []
    return Result("MDN Observatory", tool, f"the sign-in page behind nginx: {score} points, {grade}", bad)


# What a fedisec on loopback cannot have; all else has to be met, or be about another program than fedisec.
CANNOT = {
    "edge.cdn": "no content delivery network on loopback",
    "http.hsts_preload": "the lab's name is a subdomain, which no list takes",
    "tls.post_quantum": "the OpenSSL of the machine's nginx knows no X25519MLKEM768",
    "ssh.port_changed": "the lab's SSH server, which is on port 22 on purpose",
    "ssh.source_restricted": "the lab's SSH server, which lets this machine in on purpose",
}
# Not connected over SSH; only the dashboard knows; fedisec is no fediverse software, so its answers are none.
NOT_ASKED = {"not_connected", "dashboard_only", "malformed"}


def itself(site: Site) -> Result:
    """The command line of fedisec at the domain behind which fedisec itself answers."""
    lab = site.lab
    argv = [python(), "-m", "checks", "scan", at.GOOD, "--json", "--resolver", lab.resolver]
    argv += ["--trust-ca", str(lab.ca_file), "--dnssec-names", lab.secure_name, lab.bogus_name]
    argv += ["--dnssec-anchor", str(lab.dnssec_anchor), "--rdap-bootstrap", str(lab.rdap_bootstrap)]
    argv += ["--dkim-selector", "fedi"]
    for network in lab.networks:
        argv += ["--allow-network", network]
    done = run(argv, 300)
    try:
        rows = json.loads(done.stdout)["items"]
    except (ValueError, KeyError):
        return Result("fedisec on itself", "fedisec", "", [f"no report: {done.stderr[-300:]}"])
    met = [row["id"] for row in rows if row["status"] == "pass"]
    bad = [
        f"{row['id']}: {row['status']} {row['code'] or row['reason']}"
        for row in rows
        if row["status"] not in {"pass", "manual", "not_applicable"}
        and not (row["status"] == "unknown" and row["reason"] in NOT_ASKED)
        and row["id"] not in CANNOT
    ]
    bad += [] if len(met) >= MET_AT_LEAST else [f"only {len(met)} items are met"]
    did = f"{len(met)} items met behind nginx with a certificate of the lab; cannot be here: {', '.join(CANNOT)}"
    return Result("fedisec on itself", "fedisec", did, bad)


MET_AT_LEAST = 35
STEPS = {"MDN Observatory": observatory, "fedisec on itself": itself}
