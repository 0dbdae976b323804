"""A mail that somebody pasted, or its headers alone: who it is from, and what its DKIM signatures say.

RFC 6376 section 3.5, read strictly and within bounds.  Nothing is verified here (see `dkim_verify`), and
ARC and Authentication-Results say nothing: whoever pastes a mail could have written them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import idna

from checks.data.suffixes import same_registrable
from checks.errors import ParseError
from checks.parse.dkim import DOMAIN, SELECTOR
from checks.parse.tags import parse_tags

MAX_MESSAGE = 1024 * 1024
MAX_HEAD = 128 * 1024
MAX_FIELDS = 500
MAX_SIGNATURE = 8192  # bytes of one DKIM-Signature header
MAX_SIGNATURES = 8
MAX_FROM = 2048
_BLANKS_MAX = 40  # in a row inside a signature: a folded line needs some ten

_FIELD = re.compile(rb"([!-9;-~]{1,100}):")
_NUMBER = re.compile(r"[0-9]{1,12}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_CANONICAL = ("simple", "relaxed")
ALGORITHMS = ("rsa-sha256", "ed25519-sha256", "rsa-sha1")


class MessageError(ParseError):
    """Text that is no mail to learn from.  `code`: empty, too_large, no_headers, too_many, no_signature,
    no_from, several_from."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature header.  Where `fault` is set it cannot be relied on, and says why."""

    domain: str = ""  # d=, lower case
    selector: str = ""  # s=, lower case
    algorithm: str = ""  # a=
    head_form: str = "simple"  # canonicalization of c=
    body_form: str = "simple"
    length: int | None = None  # l=: octets of the body that are signed; None = all
    signed_s: int | None = None  # t=, seconds since 1970
    expires_s: int | None = None  # x=
    identity: str = ""  # i=, its domain
    fault: str = ""

    @property
    def key_name(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class PastedMail:
    """The mail, with CRLF line ends.  `body` is None where only the headers were pasted."""

    from_domain: str
    signatures: tuple[Signature, ...]
    fields: tuple[tuple[bytes, bytes], ...] = field(repr=False)  # name, the rest with its CRLF
    body: bytes | None = field(default=None, repr=False)


def read_message(raw: bytes) -> PastedMail:
    """What can be learnt from a mail of MAX_MESSAGE bytes at most; MessageError where it is nothing."""
    if len(raw) > MAX_MESSAGE:
        raise MessageError("too_large")
    text = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").lstrip(b"\n")
    if not text.strip():
        raise MessageError("empty")
    head, blank, body = text.partition(b"\n\n")
    if len(head) > MAX_HEAD:
        raise MessageError("too_many" if blank else "no_headers")
    fields = _fields(head.rstrip(b"\n"))
    signatures = [value for name, value in fields if name.lower() == b"dkim-signature"]
    if not signatures:
        raise MessageError("no_signature")
    if len(signatures) > MAX_SIGNATURES:
        raise MessageError("too_many")
    whole = bool(blank) and bool(body.strip())
    return PastedMail(
        _from_domain([value for name, value in fields if name.lower() == b"from"]),
        tuple(_signature(value) for value in signatures),
        fields,
        # A mail ends with a line end; copies often lack it.  More of them change nothing (3.4.3).
        body.replace(b"\n", b"\r\n") + b"\r\n" if whole else None,
    )


def is_own(mail: PastedMail, domain: str) -> bool:
    """Whether a signature of `domain` counts for the From address (relaxed alignment, RFC 9989 4.4)."""
    return same_registrable(domain, mail.from_domain)


def selectors_to_watch(mail: PastedMail, mail_domain: str) -> tuple[str, ...]:
    """The selectors of its domain's own signatures, as `parse.dkim.key_name` takes them."""
    own = [s for s in mail.signatures if s.domain and is_own(mail, s.domain)]
    return tuple(dict.fromkeys(s.selector if s.domain == mail_domain else s.key_name for s in own))


def _fields(head: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The header fields in order, each with the lines that continue it (RFC 5322 2.2)."""
    found: list[tuple[bytes, list[bytes]]] = []
    for number, line in enumerate(head.split(b"\n")):
        if number == 0 and line.startswith((b"From ", b">From ")):
            continue  # the first line of a mail in an mbox
        if line[:1] in (b" ", b"\t") and found:
            found[-1][1].append(line)
            continue
        name = _FIELD.match(line)
        if name is None:
            raise MessageError("no_headers")
        found.append((name[1], [line[name.end() :]]))
        if len(found) > MAX_FIELDS:
            raise MessageError("too_many")
    return tuple((name, b"\r\n".join(lines) + b"\r\n") for name, lines in found)


def _from_domain(values: list[bytes]) -> str:
    """The domain of the one address in From: the name before it may hold anything, also an @."""
    if not values or len(values[0]) > MAX_FROM:
        raise MessageError("no_from")
    if len(values) > 1:
        raise MessageError("several_from")
    text = _QUOTED.sub("", " ".join(values[0].decode("utf-8", "replace").split()))
    text = re.sub(r"\([^()]{0,1000}\)", "", text)
    _, bracket, rest = text.rpartition("<")
    address = rest.partition(">")[0] if bracket else text
    domain = address.strip().rpartition("@")[2].strip().rstrip(".")
    if "@" not in address:
        raise MessageError("no_from")
    try:
        domain = idna.encode(domain, uts46=True).decode("ascii").lower()
    except UnicodeError:  # idna.IDNAError is one
        raise MessageError("no_from") from None
    if len(domain) > 253 or DOMAIN.fullmatch(domain) is None:
        raise MessageError("no_from")
    return domain


def _signature(value: bytes) -> Signature:
    try:
        return _read(value)
    except ParseError as error:
        return Signature(fault=str(error))


def _read(value: bytes) -> Signature:
    if len(value) > MAX_SIGNATURE:
        raise ParseError("longer than any signature")
    if re.search(rb"\s{%d}" % _BLANKS_MAX, value):
        raise ParseError("too many blanks in a row")
    if not value.isascii():
        raise ParseError("a character outside ASCII")
    tags = dict(parse_tags(value.decode("ascii"), strict=True))
    if missing := [name for name in ("v", "a", "b", "bh", "d", "h", "s") if not tags.get(name)]:
        raise ParseError(f"no {missing[0]}= tag")
    domain, selector = tags["d"].lower().rstrip("."), tags["s"].lower()
    if len(domain) > 253 or DOMAIN.fullmatch(domain) is None:
        raise ParseError("d= is no domain")
    if len(selector) > 200 or SELECTOR.fullmatch(selector) is None:
        raise ParseError("s= is no selector")
    identity = tags.get("i", f"@{domain}").lower().rpartition("@")[2]
    found = Signature(
        domain,
        selector,
        tags["a"].lower(),
        *_forms(tags.get("c", "simple/simple").lower()),
        _number(tags, "l"),
        _number(tags, "t"),
        _number(tags, "x"),
        identity,
    )
    return _with_fault(found, tags)


def _with_fault(found: Signature, tags: dict[str, str]) -> Signature:
    """What makes a signature worthless although its names can be read (6.1.1)."""
    signed = [name.strip().lower() for name in tags["h"].split(":")]
    packed = ["".join(tags[name].split()) for name in ("b", "bh")]
    if tags["v"] != "1":
        fault = "v= is not 1"
    elif found.algorithm not in ALGORITHMS:
        fault = f"unknown algorithm {found.algorithm:.30}"
    elif "from" not in signed:
        fault = "From is not signed"
    elif found.identity != found.domain and not found.identity.endswith(f".{found.domain}"):
        fault = "i= is not in d="
    elif not all(_BASE64.fullmatch(text) and len(text) % 4 == 0 for text in packed):
        fault = "b= or bh= is not base64"
    elif "dns/txt" not in [q.strip() for q in tags.get("q", "dns/txt").split(":")]:
        fault = "q= is not dns/txt"
    elif found.expires_s is not None and found.signed_s is not None and found.expires_s < found.signed_s:
        fault = "x= is before t="
    else:
        return found
    return Signature(found.domain, found.selector, found.algorithm, identity=found.identity, fault=fault)


def _forms(text: str) -> tuple[str, str]:
    head, slash, body = text.partition("/")
    if head not in _CANONICAL or (slash and body not in _CANONICAL):
        raise ParseError("c= is unknown")
    return head, body or "simple"


def _number(tags: dict[str, str], name: str) -> int | None:
    if name not in tags:
        return None
    if _NUMBER.fullmatch(tags[name]) is None:
        raise ParseError(f"{name}= is no number")
    return int(tags[name])
