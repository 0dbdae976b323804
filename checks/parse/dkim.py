"""A DKIM key record: RFC 6376 section 3.6.1, RFC 8301 (key sizes), RFC 8463 (Ed25519)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from checks.errors import ParseError
from checks.parse.tags import parse_tags

_RSA_OID = bytes.fromhex("2a864886f70d010101")
_KEY_CHARS_MAX = 8192
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"  # underscores are not allowed, and in use
SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")


@dataclass(frozen=True, slots=True)
class DkimKey:
    """`bits` is 0 for a revoked key (empty `p=`) and 256 for Ed25519."""

    kind: str  # rsa, ed25519
    bits: int
    revoked: bool
    testing: bool
    hashes: tuple[str, ...]  # empty = all
    for_mail: bool


def key_name(selector: str, domain: str) -> str:
    """Where the key lies.  A selector may name its domain itself ("s._domainkey.example.org"), for mail that
    is signed by the domain above the one in From."""
    return selector if "._domainkey." in selector else f"{selector}._domainkey.{domain}"


def parse_selector(text: str) -> str:
    """A selector as a person writes it, also "s._domainkey" and the whole name of the record; lower case.
    ParseError for anything else."""
    selector, mark, domain = text.strip().rstrip(".").lower().partition("._domainkey")
    if len(selector) > 200 or SELECTOR.fullmatch(selector) is None:
        raise ParseError("no selector")
    if not mark or not domain:
        return selector
    if len(domain) > 253 or not domain.startswith(".") or DOMAIN.fullmatch(domain[1:]) is None:
        raise ParseError("no domain after _domainkey")
    return f"{selector}._domainkey{domain}"


def parse_dkim(text: str) -> DkimKey:
    """The key, or ParseError that says what is wrong with the record."""
    tags = parse_tags(text, strict=True)
    values = dict(tags)
    if "v" in values and (tags[0][0] != "v" or values["v"] != "DKIM1"):
        raise ParseError("v= is not DKIM1 or not first")
    if "p" not in values:
        raise ParseError("no p= tag")
    kind = values.get("k", "rsa").lower()
    if kind not in ("rsa", "ed25519"):
        raise ParseError(f"unknown key type {kind:.20}")
    flags, services = _words(values.get("t", "")), _words(values.get("s", "*"))
    packed = "".join(values["p"].split())
    bits = _bits(kind, packed) if packed else 0
    return DkimKey(
        kind,
        bits,
        not packed,
        "y" in flags,
        _words(values.get("h", "")),
        bool({"*", "email"} & set(services)),
    )


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in value.split(":") if word.strip())


def _bits(kind: str, packed: str) -> int:
    if len(packed) > _KEY_CHARS_MAX:
        raise ParseError("key longer than any key")
    try:
        raw = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise ParseError("p= is not base64") from None
    if kind == "rsa":
        return _rsa_bits(raw)
    if len(raw) != 32:
        raise ParseError("an Ed25519 key has 32 bytes")
    return 256


def _rsa_bits(raw: bytes) -> int:
    """The length of the modulus, from SubjectPublicKeyInfo or a bare RSAPublicKey."""
    body = _element(raw, 0x30)[0]
    if body[:1] == b"\x30":
        algorithm, rest = _element(body, 0x30)
        if _element(algorithm, 0x06)[0] != _RSA_OID:
            raise ParseError("p= holds no RSA key")
        wrapped = _element(rest, 0x03)[0]
        body = _element(wrapped[1:], 0x30)[0]
    modulus, rest = _element(body, 0x02)
    exponent = _element(rest, 0x02)[0]
    if not modulus or not exponent or modulus[0] & 0x80:
        raise ParseError("p= holds no RSA key")
    return int.from_bytes(modulus, "big").bit_length()


def _element(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the DER element at the front, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise ParseError("p= is not a key in DER")
    size, start = data[1], 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or len(data) < 2 + count:
            raise ParseError("p= is not a key in DER")
        size, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    if len(data) < start + size:
        raise ParseError("the key is cut off")
    return data[start : start + size], data[start + size :]
