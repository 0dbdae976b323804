"""What is looked at, from where, and within which manners: frozen and validated."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import idna

from checks.lookalike import shown

# Names that never belong to a public instance: RFC 6761, RFC 6762, RFC 8375, RFC 9476.
_LOCAL_SUFFIXES = ("localhost", "localdomain", "local", "internal", "invalid", "onion", "alt", "home.arpa")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class TargetError(ValueError):
    """Input that is no target.  `code`: empty, too_long, control, address, local, single_label, bad_name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Access:
    """How fedisec may log in to the server itself."""

    host: str  # address or name to dial; "" = the target's domain, or its origin where a CDN stands in front
    port: int
    user: str
    private_key: str = field(repr=False)  # OpenSSH PEM, ed25519; never in logs, facts or messages
    host_key: str  # "TYPE BASE64" that a person confirmed; "" = not yet, then nothing is sent
    forced: bool  # a forced command runs the installed collector; otherwise the script goes to `sh -s`


@dataclass(frozen=True, slots=True)
class Target:
    """One instance.  `domain` is the web name as A-labels, lower case, without trailing dot."""

    domain: str
    mail_from: str = ""  # domain of the From address where it differs
    dkim_selectors: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()  # addresses behind a CDN that the admin names
    ssh_port: int = 22
    ssh_user: str = "root"  # user the offered methods are asked for; nobody is logged in
    message: bytes = field(default=b"", repr=False)  # a mail of the server, to verify its DKIM signatures
    access: Access | None = None  # None: fedisec was not connected

    @property
    def mail_domain(self) -> str:
        return self.mail_from or self.domain

    @property
    def unicode_domain(self) -> str:
        """As people write it; what could be taken for another name stays in A-labels."""
        return shown(self.domain)


def parse_domain(text: str) -> str:
    """The A-label domain in what a person pasted: a name (Unicode too), a URL or a @user@domain handle.
    Raises TargetError with a code that the form turns into a sentence."""
    if any(ord(c) < 32 or ord(c) == 127 for c in text.strip()):
        raise TargetError("control")
    name = text.strip()
    if not name:
        raise TargetError("empty")
    if len(name) > 2048:
        raise TargetError("too_long")
    if "://" in name:
        try:
            given = urlsplit(name)
            name = given.hostname or ""
            if given.port == 0:
                raise TargetError("bad_name")
        except ValueError:
            raise TargetError("bad_name") from None
    elif "/" in name:
        name = name.split("/", 1)[0]
    if "@" in name:
        name = name.rsplit("@", 1)[1]
    return _domain(name)


def _domain(name: str) -> str:
    if not name.strip("."):
        raise TargetError("empty")
    if _is_address(name):
        raise TargetError("address")
    name, port = _without_port(name)
    if port is not None and not 0 < port < 65536:
        raise TargetError("bad_name")
    name = name.rstrip(".")
    if _is_address(name):
        raise TargetError("address")
    try:
        ascii_name = idna.encode(name, uts46=True).decode("ascii").lower().rstrip(".")
    except (idna.IDNAError, UnicodeError):
        raise TargetError("too_long" if len(name) > 253 else "bad_name") from None
    if len(ascii_name) > 253:
        raise TargetError("too_long")
    labels = ascii_name.split(".")
    if any(ascii_name == s or ascii_name.endswith("." + s) for s in _LOCAL_SUFFIXES):
        raise TargetError("local")
    if len(labels) < 2:
        raise TargetError("single_label")
    if _NUMBER.fullmatch(labels[-1]):  # whoever reads it as an address dials something else than we vetted
        raise TargetError("address")
    if not all(_LABEL.match(label) for label in labels):
        raise TargetError("bad_name")
    return ascii_name


def _without_port(name: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(\[.*\]|[^:]*):([0-9]{1,9})", name)
    return (found[1], int(found[2])) if found is not None else (name, None)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]").split("%")[0])
    except ValueError:
        return False
    return True


def parse_resolver(text: str) -> tuple[str, int]:
    """ "ADDRESS", "ADDRESS:PORT" or "[V6]:PORT"; ValueError for anything else."""
    host, port = text.strip(), "53"
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") if rest else port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not 0 < int(port) < 65536:
        raise ValueError(f"no port: {port}")
    ipaddress.ip_address(host.partition("%")[0])
    return host, int(port)


@dataclass(frozen=True, slots=True)
class Vantage:
    """From where fedisec looks; set by the operator, never by a form."""

    resolver: str = ""  # "ADDRESS" or "ADDRESS:PORT"; "" = the system's
    trust_pem: str = ""  # extra trusted roots, PEM
    allow_networks: tuple[str, ...] = ()  # CIDR that may be dialled although not public
    deny_networks: tuple[str, ...] = ()  # CIDR that is never dialled, public or allowed
    own_networks: tuple[str, ...] = ()  # CIDR that fedisec is known by: dialled where allowed as well
    spares_itself: bool = False  # whether addresses of the machine that looks count as its own
    contact_url: str = "https://github.com/fedisec/fedisec"
    secure_name: str = "."  # known to be signed well
    bogus_name: str = "dnssec-failed.org"  # known to be signed wrongly
    anchors: tuple[str, ...] = ()  # DS or DNSKEY records of the root, one a line; () = the shipped ones
    rdap_bootstrap: str = ""  # path of a list of RDAP services in IANA's form; "" = the shipped one

    @property
    def user_agent(self) -> str:
        return f"fedisec/0.1 (security checklist for fediverse servers; +{self.contact_url})"


@dataclass(frozen=True, slots=True)
class Limits:
    """Manners and floors of one scan from outside (per target): reached = the rest is unknown."""

    wall_s: float = 60.0
    inside_s: float = 60.0  # more of it where fedisec logs in as well
    dns_s: float = 40.0
    connect_s: float = 5.0
    request_s: float = 15.0
    budget: dict[str, int] = field(
        default_factory=lambda: {
            "tls": 25,
            "http": 20,
            "dns": 80,
            "tcp": 160,
            "smtp": 16,
            "ssh": 2,
            "ssh_in": 1,
            "rdap": 2,
            "rdap_hop": 4,
            "crl": 4,
        }
    )
    at_once: int = 8  # TLS connections to one address at a time; 1 after the first refusal, reset or time-out
    wire_bytes: int = 1_000_000
    body_bytes: int = 2_000_000
    header_bytes: int = 100 * 1024
