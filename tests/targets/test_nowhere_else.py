"""A server that points everywhere inside: no probe follows, whatever it points with.

Canaries listen on loopback and on the address of metadata services, on every port that anything here might ask for.
In the last test everything is allowed: then they hear a lot, so they would have heard it before.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from checks.errors import ProbeError
from checks.probes import gather
from checks.target import Access, Limits, Target, Vantage
from fedisec.lib import fetch
from tests.lab import netns
from tests.targets.world import Names, Site, canaries, name_server, web_server

pytestmark = [pytest.mark.lab]
DOMAIN, GOOD = "social.example", "127.66.90.2"
METADATA = "169.254.169.254"
PORTS = (
    21,
    22,
    25,
    53,
    80,
    110,
    143,
    443,
    465,
    587,
    993,
    2222,
    3000,
    3306,
    5432,
    6379,
    8080,
    9200,
    11211,
    27017,
)
INSIDE = (*((host, port) for host in ("127.0.0.1", "::1", METADATA) for port in PORTS),)
# The same place in other words; the resolver or the C library would understand some of them.
TARGETS = (
    "http://127.0.0.1:6379/", "http://127.0.0.1/", "https://127.0.0.1/", "http://[::1]/", "http://[::1]:6379/",
    f"http://{METADATA}/latest/meta-data/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://0177.0.0.1/",
    "http://localhost/", "http://localhost.:80/", f"http://inside.{DOMAIN}/", f"https://inside.{DOMAIN}/",
    f"http://mixed.{DOMAIN}/", f"http://user@127.0.0.1:80@{DOMAIN}@127.0.0.1/", "//127.0.0.1/", "http://127。0。0。1/",
    "gopher://127.0.0.1:6379/_INFO", "file:///etc/passwd",
)  # fmt: skip


@pytest.fixture(scope="module")
def heard() -> Iterator[Callable[[], list[tuple[str, int]]]]:
    if not netns.inside():
        pytest.skip("the ports need a network namespace: python -m tests.lab.netns pytest …")
    subprocess.run(["ip", "address", "replace", f"{METADATA}/32", "dev", "lo"], check=True)
    try:
        with canaries(*free(INSIDE)) as met:
            yield met
    finally:
        subprocess.run(["ip", "address", "del", f"{METADATA}/32", "dev", "lo"], check=True)


def free(places: tuple[tuple[str, int], ...]) -> list[tuple[str, int]]:
    """Servers of other tests of this run may have some of the ports."""
    found = []
    for place in places:
        try:
            with canaries(place):
                found.append(place)
        except OSError:
            continue
    assert ("127.0.0.1", 6379) in found and ("::1", 6379) in found and (METADATA, 80) in found
    return found


@dataclass(frozen=True)
class Inside:
    """The server of DOMAIN and its names."""

    names: Names
    site: Site
    vantage: Vantage


@pytest.fixture(scope="module")
def world(
    heard: Callable[[], list[tuple[str, int]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Inside]:
    authority, file = trustme.CA(), tmp_path_factory.mktemp("inside") / "rdap.json"
    places = ["https://127.0.0.1:6379/", f"https://inside.{DOMAIN}/"]
    file.write_text(json.dumps({"services": [[["example"], places]]}))
    with name_server("127.66.90.3") as names, web_server(GOOD, Pointing(authority), DOMAIN) as site:
        vantage = Vantage(
            resolver=names.resolver,
            trust_pem=authority.cert_pem.bytes().decode(),
            allow_networks=(f"{GOOD}/32",),
            rdap_bootstrap=str(file),
            spares_itself=True,
        )
        yield Inside(names, site, vantage)


@pytest.fixture
def inside(world: Inside, heard: Callable[[], list[tuple[str, int]]]) -> Inside:
    """As at the beginning, with nothing heard."""
    world.site.pages.clear()
    world.site.met.clear()
    world.names.asked.clear()
    world.names.records.clear()
    world.names.records |= {
        (DOMAIN, "A"): [GOOD],
        (DOMAIN, "MX"): [f"10 inside.{DOMAIN}.", "20 localhost.", f"30 mixed.{DOMAIN}."],
        (DOMAIN, "NS"): [f"inside.{DOMAIN}.", "localhost."],
        (DOMAIN, "TXT"): [f'"v=spf1 ip4:127.0.0.1 ip4:{METADATA} ip6:::1 a:inside.{DOMAIN} -all"'],
        (f"inside.{DOMAIN}", "A"): ["127.0.0.1"],
        (f"inside.{DOMAIN}", "AAAA"): ["::1"],
        (f"mixed.{DOMAIN}", "A"): [GOOD, METADATA],
        (f"www.{DOMAIN}", "A"): ["127.0.0.1"],
        (f"mta-sts.{DOMAIN}", "A"): ["127.0.0.1"],
        (f"_mta-sts.{DOMAIN}", "TXT"): ['"v=STSv1; id=1"'],
        (f"_dmarc.{DOMAIN}", "TXT"): ['"v=DMARC1; p=none; rua=mailto:a@localhost"'],
        (f"_submission._tcp.{DOMAIN}", "SRV"): [f"1 1 587 inside.{DOMAIN}."],
        (f"_25._tcp.inside.{DOMAIN}", "TLSA"): ["3 1 1 " + "00" * 32],
        ("localhost", "A"): ["127.0.0.1"],
        ("localhost", "AAAA"): ["::1"],
    }
    heard()
    return world


class Pointing:
    """Like trustme's authority, with addresses of the inside in what it issues."""

    def __init__(self, authority: trustme.CA) -> None:
        self._authority = authority

    def issue_cert(self, *names: str) -> Pointing:
        return self

    def configure_cert(self, context: ssl.SSLContext) -> None:
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        signs = serialization.load_pem_private_key(self._authority.private_key_pem.bytes(), None)
        assert isinstance(signs, ec.EllipticCurvePrivateKey)
        issuer = x509.load_pem_x509_certificate(self._authority.cert_pem.bytes())
        access = [
            x509.AccessDescription(kind, x509.UniformResourceIdentifier(url))
            for kind, url in (
                (AuthorityInformationAccessOID.OCSP, "http://127.0.0.1:6379/ocsp"),
                (AuthorityInformationAccessOID.OCSP, f"http://inside.{DOMAIN}/ocsp"),
                (AuthorityInformationAccessOID.CA_ISSUERS, f"http://{METADATA}/ca"),
                (AuthorityInformationAccessOID.CA_ISSUERS, f"http://inside.{DOMAIN}/ca"),
            )
        ]
        points = [
            x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
            for url in ("http://127.0.0.1/crl", "http://[::1]/crl", f"http://inside.{DOMAIN}/crl")
        ]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)]))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=60))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), critical=False)
            .add_extension(x509.AuthorityInformationAccess(access), critical=False)
            .add_extension(x509.CRLDistributionPoints(points), critical=False)
            .sign(signs, hashes.SHA256())
        )
        with tempfile.NamedTemporaryFile() as file:
            pem, nothing = serialization.Encoding.PEM, serialization.NoEncryption()
            file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, nothing))
            file.write(certificate.public_bytes(pem))
            file.flush()
            context.load_cert_chain(file.name)


# What a scan asks a web server for.
PAGES = (
    "/", "/about", "/.well-known/security.txt", "/robots.txt", "/api/v1/instance", "/api/v2/instance", "/api/meta",
    "/.well-known/host-meta", "/auth/sign_up", "/manifest", "/manifest.json", "/nodeinfo/2.0", "/nodeinfo/2.1",
)  # fmt: skip


def nodeinfo() -> bytes:
    rel = "http://nodeinfo.diaspora.software/ns/schema/2."
    links = [{"rel": f"{rel}{n % 2}", "href": url} for n, url in enumerate(TARGETS)]
    return json.dumps({"links": links}).encode()


def look(vantage: Vantage, wall_s: float = 6.0) -> None:
    """A whole scan, the login over SSH to a place inside included."""
    access = Access(f"inside.{DOMAIN}", 22, "root", "", "", True)
    target = Target(DOMAIN, origins=("127.0.0.1", METADATA, "::1"), access=access)
    asyncio.run(gather(target, vantage, Limits(wall_s=wall_s, inside_s=1.0, connect_s=2.0, dns_s=20.0)))


def test_nothing_that_a_server_names_is_visited(
    inside: Inside, heard: Callable[[], list[tuple[str, int]]]
) -> None:
    point_everywhere(inside.site)
    look(inside.vantage)
    assert {"/", "/.well-known/nodeinfo"} <= set(inside.site.met), "it was looked at"
    assert heard() == []


def point_everywhere(site: Site) -> None:
    for path, url in zip(PAGES, (*TARGETS, *TARGETS), strict=False):
        site.pages[path] = (302, b"", {"Location": url})
    site.pages["/.well-known/nodeinfo"] = (200, nodeinfo(), {"Content-Type": "application/json"})


def test_a_name_with_one_address_inside_is_not_visited_at_all(
    inside: Inside, heard: Callable[[], list[tuple[str, int]]]
) -> None:
    """Which of its addresses a look gets is the choice of whoever runs the name: all must be fit."""
    inside.names.records[DOMAIN, "A"] = [GOOD, "127.0.0.1"]
    look(inside.vantage)
    assert not inside.site.met and heard() == []


def test_an_answer_that_changes_changes_nothing(
    inside: Inside, heard: Callable[[], list[tuple[str, int]]]
) -> None:
    """Rebinding: right when it is vetted, inside when it is dialled; and in the look after."""
    inside.names.records[DOMAIN, "A"] = lambda turn: [GOOD] if turn == 0 else ["127.0.0.1"]
    look(inside.vantage, wall_s=3.0)
    assert "/" in inside.site.met
    assert inside.names.asked[DOMAIN, "A"] == 1, "asked once, and that is what is dialled"
    inside.site.met.clear()
    look(inside.vantage)
    assert not inside.site.met and heard() == []


@pytest.mark.parametrize("url", TARGETS)
def test_what_fedisec_itself_fetches_goes_nowhere_inside(
    inside: Inside, heard: Callable[[], list[tuple[str, int]]], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Feeds, webhooks, the sign of life, proofs: all by `fetch`, directly and by a redirect."""
    monkeypatch.setattr(fetch, "vantage", lambda: inside.vantage)
    inside.site.pages["/feed"] = (302, b"", {"Location": url})
    ports = frozenset({80, 443, 6379})
    with pytest.raises(ProbeError):
        fetch.request("POST", url, body=b"{}", ports=ports, deadline_s=5.0)
    for begun in (url, f"https://{DOMAIN}/feed"):
        with pytest.raises(ProbeError):
            fetch.get(begun, ports=ports, deadline_s=5.0)
    assert heard() == [] and inside.site.met == ["/feed"]


def test_the_canaries_would_have_heard_it(inside: Inside, heard: Callable[[], list[tuple[str, int]]]) -> None:
    point_everywhere(inside.site)
    look(replace(inside.vantage, allow_networks=("0.0.0.0/0", "::/0")), wall_s=4.0)
    met = heard()
    assert {port for _, port in met} >= {25, 443}, met
