"""One SPF record, by the letter of RFC 7208 sections 4.5, 4.6, 5, 6, 7 and 12."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from checks.errors import ParseError
from checks.parse.spf_macro import check_macros, fill, shorten

MAX_RECORD = 4096  # characters; a longer record is not judged, real ones have a few hundred
_VERSION = re.compile(r"v=spf1(?= |$)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"([+?~-]?)([A-Za-z0-9]+)(.*)", re.DOTALL)
_TOP_LABEL = re.compile(r"(?=[^A-Za-z]*[A-Za-z]|[A-Za-z0-9]+-)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_DUAL_PREFIX = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?$")
_WITH_DOMAIN = frozenset({"include", "exists"})  # a domain is a must
_MAY_DOMAIN = frozenset({"a", "mx", "ptr"})


@dataclass(frozen=True, slots=True)
class Term:
    """A mechanism or a modifier.  `kind`: all include a mx ptr ip4 ip6 exists redirect exp other."""

    kind: str
    qualifier: str = "+"  # of a mechanism
    domain: str = ""  # domain-spec as written; "" = the domain of the record
    network: str = ""  # ip4 and ip6: address/prefix
    text: str = ""
    v4_bits: int = 32  # of a and mx
    v6_bits: int = 128

    @property
    def has_macro(self) -> bool:
        return "%" in self.domain


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """The terms in order."""

    terms: tuple[Term, ...]

    @property
    def all_qualifier(self) -> str:
        """The qualifier of the first `all`; "" where there is none."""
        return next((t.qualifier for t in self.terms if t.kind == "all"), "")

    @property
    def explanation(self) -> Term | None:
        return next((t for t in self.terms if t.kind == "exp"), None)

    @property
    def redirect(self) -> Term | None:
        """The redirect, which an `all` anywhere in the record switches off (5.1)."""
        if self.all_qualifier:
            return None
        return next((t for t in self.terms if t.kind == "redirect"), None)


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record at all (4.5); "v=spf10" is not."""
    return _VERSION.match(text) is not None


def parse_spf(text: str) -> SpfRecord:
    """The record, or ParseError whose message names the term that breaks it."""
    version = _VERSION.match(text)
    if version is None:
        raise ParseError("no v=spf1 at the beginning")
    terms = tuple(_term(word) for word in text[version.end() :].split(" ") if word)
    for once in ("redirect", "exp"):
        if sum(t.kind == once for t in terms) > 1:
            raise ParseError(f"{once}= more than once")
    return SpfRecord(terms)


def expand(spec: str, domain: str, sender_domain: str) -> str | None:
    """The name that a domain-spec means in the record of `domain` for a mail from `sender_domain`; None when
    it depends on the single mail (its sender, its address)."""
    if not spec:
        return domain
    name = fill(spec, {"d": domain, "o": sender_domain})
    return None if name is None else shorten(name.rstrip(".").lower())


def _term(word: str) -> Term:
    if not word.isascii() or not word.isprintable():
        raise ParseError(f"a character that SPF does not allow in {word!a:.60}")
    modifier = _MODIFIER.fullmatch(word)
    if modifier is not None:
        return _modifier(modifier[1].lower(), modifier[2], word)
    directive = _DIRECTIVE.fullmatch(word)
    if directive is None:
        raise ParseError(f"neither mechanism nor modifier: {word:.60}")
    return _mechanism(directive[1] or "+", directive[2].lower(), directive[3], word)


def _modifier(name: str, value: str, word: str) -> Term:
    if name in ("redirect", "exp"):
        return Term(name, "", _domain_spec(value, word), "", word)
    check_macros(value, word)
    return Term("other", "", "", "", word)


def _mechanism(qualifier: str, name: str, rest: str, word: str) -> Term:
    if name == "all" and not rest:
        return Term("all", qualifier, text=word)
    if name in ("ip4", "ip6"):
        return Term(name, qualifier, "", _network(name, rest, word), word)
    if name in _WITH_DOMAIN and rest.startswith(":"):
        return Term(name, qualifier, _domain_spec(rest[1:], word), "", word)
    if name in _MAY_DOMAIN:
        spec, bits = (rest, (32, 128)) if name == "ptr" else _prefixes(rest, word)
        if not spec:
            return Term(name, qualifier, "", "", word, *bits)
        if spec.startswith(":"):
            return Term(name, qualifier, _domain_spec(spec[1:], word), "", word, *bits)
    raise ParseError(f"no such mechanism: {word:.60}")


def _prefixes(rest: str, word: str) -> tuple[str, tuple[int, int]]:
    """What stands before the prefix lengths of `a` and `mx`, and the lengths."""
    found = _DUAL_PREFIX.search(rest)
    if found is None:
        return rest, (32, 128)
    bits = int(found[1] or 32), int(found[2] or 128)
    if bits[0] > 32 or bits[1] > 128:
        raise ParseError(f"prefix length too large: {word:.60}")
    return rest[: found.start()], bits


def _network(name: str, rest: str, word: str) -> str:
    address, slash, prefix = rest[1:].partition("/")
    largest, digits = (32, 2) if name == "ip4" else (128, 3)
    if not rest.startswith(":") or (slash and not re.fullmatch(rf"0|[1-9][0-9]{{0,{digits - 1}}}", prefix)):
        raise ParseError(f"no network: {word:.60}")
    try:
        ip = ipaddress.IPv4Address(address) if name == "ip4" else ipaddress.IPv6Address(address)
    except ValueError:
        raise ParseError(f"no address: {word:.60}") from None
    bits = int(prefix) if slash else largest
    if bits > largest or "%" in address:
        raise ParseError(f"no network: {word:.60}")
    return f"{ip}/{bits}"


def _domain_spec(spec: str, word: str) -> str:
    """domain-spec = macro-string domain-end: it ends in a macro or in ".toplabel"."""
    end = check_macros(spec, word)
    tail = spec[end:]
    if end and not tail:
        return spec
    _, dot, label = tail.removesuffix(".").rpartition(".")
    if not dot or _TOP_LABEL.fullmatch(label) is None:
        raise ParseError(f"no domain name: {word:.60}")
    return spec
