"""Makes the facts of the demo anew: the lab's good and bad server, looked at and given names that exist nowhere.

python -m tests.lab.netns python -m tests.share.make_demo_facts
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from checks.cli import main
from tests.lab.lab import Lab

FOLDER = Path(__file__).parents[2] / "fedisec" / "share" / "demo_facts"

# The name and the addresses of documentation (RFC 2606, RFC 5737, RFC 3849); the demo puts its own in their place.
_NAMES = (
    (r"files\.good-media\.test", "files.demo.example"),
    (r"(?:good|bad)\.fedi\.test", "demo.example"),
    (r"(rdap|oldmx|mx\.bogus)\.fedi\.test", r"\1.example"),
    (r"\bfedi\.test\b", "demo.example"),
    (r'(?<=["=])test(?=")', "example"),
    (r"_dmarc\.test\b", "_dmarc.example"),
    (r"127\.66\.0\.53", "192.0.2.53"),
    (r"127\.66\.[01]\.54", "192.0.2.54"),
    (r"127\.66\.0\.(?:10|20)", "192.0.2.10"),
    (r"127\.66\.0\.(?:12|22)", "192.0.2.12"),
    (r"fd66::", "2001:db8::"),
    (r"Lab E1", "E7"),
)


def look() -> None:
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder) / "lab") as lab:
        lab.reset_bad()
        networks = [word for network in lab.networks for word in ("--allow-network", network)]
        options = ["--resolver", lab.resolver, "--trust-ca", str(lab.ca_file), *networks]
        options += ["--dnssec-names", lab.secure_name, lab.bogus_name]
        options += ["--dnssec-anchor", str(lab.dnssec_anchor), "--rdap-bootstrap", str(lab.rdap_bootstrap)]
        for name, host in (("good", lab.good), ("bad", lab.bad)):
            saved = Path(folder) / f"{name}.json"
            main(["scan", host, "--json", "--dkim-selector", "fedi", "--facts-out", str(saved), *options])
            document = renamed(saved.read_text("utf-8"))
            (FOLDER / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def renamed(text: str) -> Any:
    """The facts with no trace of the lab left in them."""
    for pattern, name in _NAMES:
        text = re.sub(pattern, name, text)
    left = re.findall(r"[\w.-]*(?:\.test\b|fedi|127\.66|fd66)[\w.-]*", text)
    strange = sorted({word for word in left if not word.startswith("fedi")})
    if strange:
        sys.exit(f"names of the lab are still there: {strange}")
    document = json.loads(text, object_hook=_shortened)
    for fact in document["found"]:
        if fact["$"] == "DomainName":
            fact |= {"public_suffix": "example", "registrable": "demo.example"}
    return document


def _shortened(fact: dict[str, Any]) -> dict[str, Any]:
    """The zone of the lab and that of the server have become one."""
    if isinstance(fact.get("zones"), list):
        fact["zones"] = list(dict.fromkeys(fact["zones"]))
    return fact


if __name__ == "__main__":
    look()
