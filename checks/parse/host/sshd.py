"""sshd's settings: those in effect (`sshd -G`, `sshd -T`), or as far as its files tell them (sshd_config(5)).

The first value of a keyword wins, an Include is read where it stands, a Match holds to the end of its file.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from checks.errors import ParseError, Reason
from checks.facts import Missing, MissingFact
from checks.facts.inside import Inside
from checks.parse.host.common import Part, denied, parts, units
from checks.parse.host.firewall_rules import shown

_ALIASES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "keyboardinteractiveauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
}
_LISTS = frozenset({"port", "listenaddress", "allowusers", "denyusers", "allowgroups"})
_DEFAULTS = {
    "port": "22",
    "passwordauthentication": "yes",
    "kbdinteractiveauthentication": "yes",
    "usepam": "no",
    "permitrootlogin": "prohibit-password",
    "pubkeyauthentication": "yes",
    "permitemptypasswords": "no",
}
_OF_INTEREST = (
    "port", "listenaddress", "usepam", "permitrootlogin", "pubkeyauthentication", "passwordauthentication",
    "kbdinteractiveauthentication", "permitemptypasswords", "authenticationmethods", "allowusers",
)  # fmt: skip
_MAIN = "/etc/ssh/sshd_config"
_INCLUDES_MAX = 16


@dataclass(frozen=True, slots=True)
class Opening:
    """A line of a Match block that opens what the rest of the configuration may close."""

    path: str
    criteria: str
    setting: str


@dataclass(frozen=True, slots=True)
class Sshd:
    """`source` is for evidence: "sshd -G", "sshd -T" or "sshd_config".  Keys are in lower case."""

    source: str
    options: Mapping[str, tuple[str, ...]]

    def one(self, key: str) -> str:
        """The value, in lower case; "" where it is not set and has no default here."""
        values = self.options.get(key) or ()
        return values[0].lower() if values else _DEFAULTS.get(key, "")

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports of `port` and `listenaddress`, sorted."""
        named = [
            int(v) for v in self.options.get("port", ("22",)) if v.isascii() and v.isdigit() and len(v) < 6
        ]
        listed = [port for _, port in self._listening()]
        return tuple(
            sorted({*(port for port in listed if port), *(named if not all(listed) or not listed else ())})
        )

    def _listening(self) -> Iterator[tuple[str, int]]:
        for value in self.options.get("listenaddress", ()):
            host, colon, port = value.split()[0].rpartition(":") if value.split() else ("", "", "")
            if (
                not colon
                or not (port.isascii() and port.isdigit() and len(port) < 6)
                or host.count(":")
                and "]" not in host
            ):
                host, port = value, "0"
            yield host.strip("[]"), int(port)

    @property
    def listens_publicly(self) -> bool:
        """Whether some listen address is not private; without any it listens on all."""
        hosts = [host for host, _ in self._listening()]
        return not hosts or any(not _is_private(host) for host in hosts)

    @property
    def methods_start_with_key(self) -> bool:
        """AuthenticationMethods is set, and every way in begins with a key or its like."""
        chains = [chain for value in self.options.get("authenticationmethods", ()) for chain in value.split()]
        starts = {chain.split(",")[0].partition(":")[0].lower() for chain in chains}
        return bool(starts) and starts <= {"publickey", "hostbased", "gssapi-with-mic"}

    @property
    def asks_password(self) -> str:
        """How a password can be used: "password", "pam" (keyboard-interactive through PAM), "" for not."""
        if self.methods_start_with_key:
            return ""
        if self.one("passwordauthentication") != "no":
            return "password"
        asks = self.one("kbdinteractiveauthentication") != "no" and self.one("usepam") != "no"
        return "pam" if asks else ""

    @property
    def limits_sources(self) -> bool:
        """Every name in AllowUsers holds an address behind the @, and none is for everybody."""
        users = [user for value in self.options.get("allowusers", ()) for user in value.split()]
        hosts = [user.rpartition("@")[2] if "@" in user else "*" for user in users]
        return bool(hosts) and all(host and not set(host) <= set("*?.:/0") for host in hosts)

    def shown(self) -> str:
        """The lines that matter, as sshd prints them."""
        return "\n".join(f"{key} {value}" for key in _OF_INTEREST for value in self.options.get(key, ()))


def parse_effective(lines: tuple[str, ...]) -> Sshd:
    """The section `sshd_effective`.  ParseError where it holds no configuration."""
    for part in parts(lines):
        if part.label in {"G", "T"}:
            options = _options(part.lines)
            if "port" in options and "passwordauthentication" in options:
                return Sshd(f"sshd -{part.label}", options)
    raise ParseError("no configuration of sshd")


def _options(lines: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        key, value = _split(line)
        if key and (key in _LISTS or key not in found):
            found[key] = (*found.get(key, ()), value)
    return found


def _split(line: str) -> tuple[str, str]:
    """Keyword and value of "Key value", "Key=value" or 'Key "value"'; a comment behind it is left out."""
    text = line.strip().replace("\t", " ")
    at = min((n for n in (text.find(" "), text.find("=")) if n >= 0), default=len(text))
    key, value = text[:at].lower(), text[at:].lstrip(" =").partition(" #")[0]
    return (_ALIASES.get(key, key), value.strip().strip('"')) if key.isalnum() else ("", "")


def parse_files(lines: tuple[str, ...]) -> Sshd:
    """The section `sshd_files`, read as sshd reads them.  ParseError where a file is not readable."""
    files = {part.label: part for part in parts(lines)}
    reader = _Files(files)
    reader.read(_MAIN, 0)
    return Sshd("sshd_config", reader.options)


class _Files:
    def __init__(self, files: Mapping[str, Part]) -> None:
        self._files = files
        self.options: dict[str, tuple[str, ...]] = {}
        self._left = 500  # files and lines that include each other in a circle end here

    def read(self, path: str, depth: int) -> None:
        part = self._files.get(path)
        self._left -= 1
        if part is None or part.denied or depth > _INCLUDES_MAX or self._left < 0:
            raise ParseError(f"{path} is not readable")
        for line in part.lines:
            key, value = _split(line)
            if key == "match":
                # "Match all" holds for everybody, but what it sets is not worth a wrong word.
                if value.lower() != "all":
                    return
            elif key == "include":
                self._include(value, depth)
            elif key and (key in _LISTS or key not in self.options):
                self.options[key] = (*self.options.get(key, ()), value)

    def _include(self, value: str, depth: int) -> None:
        for pattern in value.replace('"', " ").split():
            full = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
            if full.startswith("/etc/crypto-policies/"):
                continue  # the Red Hat family's algorithms, no way to log in
            if not full.startswith("/etc/ssh/sshd_config.d/"):
                raise ParseError(f"{full} was not collected")
            for path in sorted(path for path in self._files if fnmatchcase(path, full)):
                self.read(path, depth + 1)


def openings(lines: tuple[str, ...]) -> tuple[Opening, ...]:
    """The lines of Match blocks that let passwords or root in."""
    found: list[Opening] = []
    for part in parts(lines):
        criteria = ""
        for line in part.lines:
            key, value = _split(line)
            if key == "match":
                criteria = value
            elif criteria and _opens(key, value):
                found.append(Opening(part.label, criteria, line.strip()))
    return tuple(found)


_OPENING = {
    "passwordauthentication",
    "kbdinteractiveauthentication",
    "permitrootlogin",
    "permitemptypasswords",
}


def _opens(key: str, value: str) -> bool:
    if key == "authenticationmethods":
        return not Sshd("", {key: (value,)}).methods_start_with_key
    return key in _OPENING and value.lower() == "yes"


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    shared = address in ipaddress.ip_network("100.64.0.0/10") if address.version == 4 else False
    return (address.is_private or shared) and not address.is_unspecified


def sshd_of(inside: Inside) -> Sshd | Missing:
    """The configuration of a report: what is in effect, else what the files say.  Missing where systemd says
    that OpenSSH's server does not run: then another one let us in, and its settings are not these."""
    states = units(shown(inside, "sshd_unit"))
    if states and not any(unit.get("ActiveState") == "active" for unit in states.values()):
        return Missing(Reason.NO_TOOL, "sshd is not running")
    reason = Reason.MALFORMED
    for section, parse in (("sshd_effective", parse_effective), ("sshd_files", parse_files)):
        try:
            lines = inside.lines(section)
            reason = Reason.DENIED if denied(lines) else reason
            return parse(lines)
        except MissingFact as gap:
            reason = gap.missing.reason
        except ParseError:
            continue
    return Missing(reason, "sshd -G, sshd -T, /etc/ssh/sshd_config")
