"""A table of zones, each right or wrong in one way: signed by ldns, served by NSD, judged by unbound.

.            signed, its key is the anchor
└─ test.     signed, holds (or lacks) the DS of every zone of ZONES
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query

from checks.target import Vantage
from tests.lab.processes import Server, find_program, run

SERVERS = ("127.67.0.54", "127.67.1.54")
RESOLVER = "127.67.0.53"
OLD_ANCHOR, PLAIN = (
    "127.67.0.55",
    "127.67.0.56",
)  # unbound with another root's key; unbound that checks nothing
HOST, OTHER_HOST = "127.67.0.80", "127.67.0.81"
_DAY = 86400
_TTL = 300


def _spoil(line: str) -> str:
    """Another signature of the same length."""
    head, _, signature = line.rpartition(" ")
    return f"{head} {'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def at_signature(name: str, covers: str, change: Callable[[str], str]) -> Callable[[str], str]:
    """Changes the one line with the signature over these records; "" takes it out."""

    def changed(text: str) -> str:
        pattern = rf"(?m)^{re.escape(name)}\s.*\sRRSIG\s+{covers}\s.*$"
        made, count = re.subn(pattern, lambda m: change(re.split(r"\s*;", m[0])[0].rstrip()), text)
        assert count == 1, f"{count} signatures over {covers} {name}"
        return made

    return changed


@dataclass(frozen=True)
class Zone:
    """`ds` is what the parent holds: right, none, wrong (of a key that is gone), odd (an algorithm nobody has)."""

    records: str = ""
    algorithm: str = "ECDSAP256SHA256"
    options: tuple[str, ...] = ()
    begins_s: int = -3600
    ends_s: int = 30 * _DAY
    ds: str = "right"
    signed: bool = True
    change: Callable[[str], str] = str
    www: str = f"www IN A {HOST}\n"


_UNSEEN = "".join(f"{name}.skipped.test. 300 IN NS ns1.test.\n" for name in ("child", "isle"))

ZONES: dict[str, Zone] = {
    "rsa": Zone(algorithm="RSASHA256"),
    "rsa512": Zone(algorithm="RSASHA512"),
    "ecdsa": Zone(),
    "p384": Zone(algorithm="ECDSAP384SHA384"),
    "ed25519": Zone(algorithm="ED25519"),
    "ed448": Zone(algorithm="ED448"),
    "sha1": Zone(algorithm="RSASHA1"),
    "nsec3": Zone(options=("-n", "-t", "0")),
    "salted": Zone(options=("-n", "-t", "5", "-s", "abcd")),
    "optout": Zone(options=("-n", "-p", "-t", "0"), records=f"child IN NS ns.child\nns.child IN A {SERVERS[0]}\n"),
    "iterations": Zone(
        options=("-n", "-t", "151"), records=f"child IN NS ns.child\nns.child IN A {SERVERS[0]}\n"
    ),
    # Added after signing, so that no NSEC3 record knows of it: what opt-out is for.
    "skipped": Zone(options=("-n", "-p", "-t", "0"), change=lambda text: text + _UNSEEN),
    "child.skipped": Zone(signed=False, ds="none"),
    "isle.skipped": Zone(ds="none"),
    "child.optout": Zone(signed=False, ds="none"),
    "child.iterations": Zone(signed=False, ds="none"),
    "insecure": Zone(signed=False, ds="none"),
    "island": Zone(ds="none"),
    "expired": Zone(begins_s=-30 * _DAY, ends_s=-2 * _DAY),
    "future": Zone(begins_s=2 * _DAY),
    "wrongds": Zone(ds="wrong"),
    "oddds": Zone(ds="odd"),
    "nokeys": Zone(signed=False),
    "badset": Zone(change=at_signature("www.badset.test.", "A", _spoil)),
    "badkeys": Zone(change=at_signature("badkeys.test.", "DNSKEY", _spoil)),
    "nosig": Zone(change=at_signature("www.nosig.test.", "A", lambda line: "")),
    "alias": Zone(www="www IN CNAME www.insecure.test.\n"),
    "aliasbad": Zone(www="www IN CNAME www.expired.test.\n"),
    "aliasgood": Zone(www="www IN CNAME www.rsa.test.\n"),
    "dname": Zone(www="away IN DNAME rsa.test.\n"),
    "wildcard": Zone(www=f"* IN A {HOST}\nother IN TXT x\n"),
    "wildcard3": Zone(www=f"* IN A {HOST}\nother IN TXT x\n", options=("-n", "-t", "0")),
    "deep": Zone(www=f"www IN A {HOST}\na.b.c IN A {HOST}\n"),
    "deep3": Zone(www=f"www IN A {HOST}\na.b.c IN A {HOST}\n", options=("-n", "-t", "0")),
    "deepnosig": Zone(
        records=f"a.b.c IN A {HOST}\n", change=at_signature("a.b.c.deepnosig.test.", "A", lambda line: "")
    ),
    "mail": Zone(records="@ IN MX 10 mx.insecure.test.\n"),
}  # fmt: skip


def _head(zone: str) -> str:
    servers = "".join(f"@ IN NS ns{n}.test.\n" for n in (1, 2))
    return f"$ORIGIN {zone}\n$TTL {_TTL}\n@ IN SOA ns1.test. root.test. 1 3600 900 604800 {_TTL}\n{servers}"


def _text(name: str, zone: Zone) -> str:
    return (
        _head(f"{name}.test.")
        + f'@ IN A {HOST}\n@ IN TXT "v=spf1 -all"\n@ IN CAA 0 issue "letsencrypt.org"\n'
        + zone.www
        + zone.records
        + (f"mx IN A {HOST}\n" if name == "insecure" else "")
    )


class World:
    """The servers; `start` returns when the resolver answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._servers: list[Server] = []
        self.anchor = ""

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        held: dict[str, str] = {}
        for name, zone in ZONES.items():
            self._write(f"{name}.test.", _text(name, zone), zone, held)
        top = _head("test.") + "".join(f"ns{n} IN A {a}\n" for n, a in enumerate(SERVERS, 1))
        for name in ZONES:
            if "." not in name:
                top += "".join(f"{name} IN NS ns{n}.test.\n" for n in (1, 2)) + held.get(f"{name}.test.", "")
        self._write("test.", top, Zone(), held)
        root = _head(".").replace("@ IN NS", ". IN NS") + "test. IN NS ns1.test.\ntest. IN NS ns2.test.\n"
        glue = "".join(f"ns{n}.test. IN A {a}\n" for n, a in enumerate(SERVERS, 1))
        self._write(".", root + glue + held["test."], Zone(), held)
        self.anchor = held["."].strip()
        stranger, _ = self._keys(".", "ECDSAP256SHA256")
        self._servers.append(self._nsd())
        self._unbound(RESOLVER, self.anchor)
        self._unbound(OLD_ANCHOR, (self.folder / f"{stranger}.ds").read_text().strip())
        self._unbound(PLAIN, "")
        for server, address in zip(self._servers[1:], (RESOLVER, OLD_ANCHOR, PLAIN), strict=True):
            server.wait_ready(lambda at=address: _answers(at))  # type: ignore[misc]

    def stop(self) -> None:
        while self._servers:
            self._servers.pop().stop()

    def vantage(self, resolver: str = RESOLVER) -> Vantage:
        return Vantage(
            resolver=resolver,
            allow_networks=("127.67.0.0/16",),
            secure_name="rsa.test",
            bogus_name="www.badset.test",
            anchors=(self.anchor,),
        )

    def _keys(self, zone: str, algorithm: str) -> tuple[str, str]:
        """The base names of a fresh key-signing key and zone key."""
        make = [find_program("ldns-keygen", "ldnsutils"), "-r", "/dev/urandom", "-a", algorithm]
        make += ["-b", "2048"] if algorithm.startswith("RSA") else []
        return run([*make, "-k", zone], self.folder).strip(), run([*make, zone], self.folder).strip()

    def _write(self, name: str, text: str, zone: Zone, held: dict[str, str]) -> None:
        """The zone's file, and in `held` what its parent shall hold."""
        file = self.folder / f"{name}zone"
        if zone.ds != "none":
            signing, other = self._keys(name, zone.algorithm)
            held[name] = _ds((self.folder / f"{signing}.ds").read_text(), zone.ds)
        if not zone.signed:
            file.write_text(text)
            return
        if zone.ds in ("none", "wrong"):
            signing, other = self._keys(name, zone.algorithm)
        plain, now = self.folder / f"{name}unsigned", int(time.time())
        plain.write_text(text)
        times = ["-i", str(now + zone.begins_s), "-e", str(now + zone.ends_s)]
        sign = [
            find_program("ldns-signzone", "ldnsutils"),
            *times,
            *zone.options,
            "-o",
            name,
            "-f",
            str(file),
        ]
        run([*sign, str(plain), signing, other], self.folder)
        file.write_text(zone.change(file.read_text()))

    def _nsd(self) -> Server:
        lines = ["server:", *(f"  ip-address: {address}@53" for address in SERVERS)]
        lines += ['  username: ""', '  chroot: ""', '  database: ""', '  zonesdir: ""', "  server-count: 1"]
        lines += [f'  {key}: "{self.folder / name}"' for key, name in _NSD_FILES]
        lines += ["remote-control:", "  control-enable: no"]
        for name in (".", "test.", *(f"{z}.test." for z in ZONES)):
            lines += ["zone:", f'  name: "{name}"', f'  zonefile: "{self.folder / f"{name}zone"}"']
        config = self.folder / "nsd.conf"
        config.write_text("\n".join(lines) + "\n")
        return Server("NSD", [find_program("nsd", "nsd"), "-d", "-c", str(config)], self.folder / "nsd.log")

    def _unbound(self, address: str, anchor: str) -> None:
        config = self.folder / f"unbound-{address}.conf"
        checking = f'trust-anchor: "{anchor}"' if anchor else ""
        config.write_text(f"""server:
  interface: {address}
  access-control: 127.0.0.0/8 allow
  module-config: "{"validator " if anchor else ""}iterator"
  {checking}
  do-not-query-localhost: no
  local-zone: "test." nodefault
  num-threads: 1
  incoming-num-tcp: 100
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/unbound-{address}.pid"
  use-syslog: no
  logfile: ""
  val-log-level: 2
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: {SERVERS[0]}
  stub-addr: {SERVERS[1]}
""")
        program = find_program("unbound", "unbound")
        log = self.folder / f"unbound-{address}.log"
        self._servers.append(Server("unbound", [program, "-d", "-c", str(config)], log))


_NSD_FILES = (
    ("pidfile", "nsd.pid"), ("xfrdfile", "xfrd.state"), ("zonelistfile", "zone.list"), ("xfrdir", ""),
)  # fmt: skip


def _ds(text: str, kind: str) -> str:
    """The DS as the parent holds it; an odd one names an algorithm that is not assigned."""
    return text if kind != "odd" else re.sub(r"(DS\s+\d+)\s+\d+", r"\1 200", text)


def _answers(address: str) -> bool:
    try:
        dns.query.udp(dns.message.make_query("test.", "SOA"), address, timeout=0.5)
    except (dns.exception.DNSException, OSError):
        return False
    return True
