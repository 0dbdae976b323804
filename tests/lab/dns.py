"""DNS of the lab: keys and signatures by ldns, NSD with authority, a validating unbound in front of it."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab import places as at
from tests.lab.processes import Server, find_program, run
from tests.lab.zones import zone_texts

_DNS_PORT = 53
# Children first: a parent holds the DS of a child's key.
_SIGNED = ("good.fedi.test.", "bogus.fedi.test.", "good-media.test.", "fedi.test.", "test.", ".")


def start_dns(folder: Path, tlsa: tuple[str, ...]) -> list[Server]:
    """Signs the zones in `folder` and starts both servers; they may not answer yet (see `dns_ready`)."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = zone_texts(dkim_public_key(), tlsa)
    anchor = _sign_all(folder, texts)
    anchor_file(folder).write_text(anchor + "\n")
    return [_nsd(folder, list(texts)), _unbound(folder, anchor)]


def anchor_file(folder: Path) -> Path:
    """The root's key-signing key, for whoever validates by themselves."""
    return folder / "root.key"


def dns_ready() -> bool:
    """True once the resolver answers for the good domain with authenticated data."""
    query = dns.message.make_query(at.SECURE_NAME, "A", want_dnssec=True)
    try:
        answer = dns.query.udp(query, at.RESOLVER_IP, timeout=0.5)
    except (dns.exception.DNSException, OSError):
        return False
    return answer.rcode() == dns.rcode.NOERROR and bool(answer.flags & dns.flags.AD)


def dkim_public_key() -> str:
    """The public half of a fresh RSA-2048 key, as a DKIM record holds it."""
    key = rsa.generate_private_key(65537, 2048).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def _sign_all(folder: Path, texts: dict[str, str]) -> str:
    """Writes NAME.zone for each zone; returns the root's key-signing key as a trust anchor."""
    ds: dict[str, str] = {}
    anchor = ""
    inception = str(int(time.time()) - 3600)
    for zone, text in texts.items():
        if zone not in _SIGNED:
            _file(folder, zone).write_text(text)
    for zone in _SIGNED:
        keygen = [find_program("ldns-keygen", "ldnsutils"), "-a", "ECDSAP256SHA256"]
        signing, zone_key = run([*keygen, "-k", zone], folder).strip(), run([*keygen, zone], folder).strip()
        ds[zone] = (folder / f"{signing}.ds").read_text()
        anchor = (folder / f"{signing}.key").read_text()
        children = [child for child in ds if child != zone and _parent(child) == zone]
        plain = folder / f"{_stem(zone)}.unsigned"
        plain.write_text(text_with_ds(texts[zone], [ds[child] for child in children]))
        sign = find_program("ldns-signzone", "ldnsutils")
        run(
            [
                sign,
                "-i",
                inception,
                "-o",
                zone,
                "-f",
                str(_file(folder, zone)),
                str(plain),
                signing,
                zone_key,
            ],
            folder,
        )
    _spoil(_file(folder, "bogus.fedi.test."))
    return anchor.strip()


def text_with_ds(text: str, ds: list[str]) -> str:
    return text + "".join(record.strip() + "\n" for record in ds)


def _parent(zone: str) -> str:
    """The zone that delegates `zone`."""
    return {"good.fedi.test.": "fedi.test.", "bogus.fedi.test.": "fedi.test.", "test.": "."}.get(
        zone, "test."
    )


def _stem(zone: str) -> str:
    return zone.rstrip(".") or "root"


def _file(folder: Path, zone: str) -> Path:
    return folder / f"{_stem(zone)}.zone"


def _spoil(signed: Path) -> None:
    """Breaks every signature but those over the keys, so that the chain holds up to the data."""
    spoiled, count = re.subn(
        r"(?m)^(.*\sRRSIG\s+(?!DNSKEY)\S+\s.*\s)(\S)(\S+)$",
        lambda m: f"{m[1]}{'A' if m[2] != 'A' else 'B'}{m[3]}",
        signed.read_text(),
    )
    if count == 0:
        raise ValueError(f"no signature found in {signed}")
    signed.write_text(spoiled)


def _nsd(folder: Path, zones: list[str]) -> Server:
    listen = (at.NS1_IP, at.NS2_IP, at.NS1_IP6, at.NS2_IP6)
    lines = ["server:", *(f"  ip-address: {address}@{_DNS_PORT}" for address in listen)]
    lines += [f'  {key}: ""' for key in ("username", "chroot", "database")]
    lines += [f'  {key}: "{folder / name}"' for key, name in _NSD_FILES]
    lines += ["  server-count: 1", "  verbosity: 1", "remote-control:", "  control-enable: no"]
    for zone in zones:
        lines += ["zone:", f'  name: "{zone}"', f'  zonefile: "{_file(folder, zone)}"']
    config = folder / "nsd.conf"
    config.write_text("\n".join(lines) + "\n")
    return Server("NSD", [find_program("nsd", "nsd"), "-d", "-c", str(config)], folder / "nsd.log")


_NSD_FILES = (
    ("pidfile", "nsd.pid"), ("zonesdir", ""), ("xfrdfile", "xfrd.state"),
    ("zonelistfile", "zone.list"), ("xfrdir", ""),
)  # fmt: skip


def _unbound(folder: Path, anchor: str) -> Server:
    config = folder / "unbound.conf"
    config.write_text(f"""server:
  interface: {at.RESOLVER_IP}
  port: {_DNS_PORT}
  access-control: 127.0.0.0/8 allow
  module-config: "validator iterator"
  trust-anchor: "{anchor}"
  do-not-query-localhost: no
  local-zone: "test." nodefault
  prefer-ip6: no
  num-threads: 1
  incoming-num-tcp: 100
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  verbosity: 1
  val-log-level: 2
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: {at.NS1_IP}
  stub-addr: {at.NS2_IP}
""")
    program = find_program("unbound", "unbound")
    return Server("unbound", [program, "-d", "-c", str(config)], folder / "unbound.log")
