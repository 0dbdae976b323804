"""Which kinds of contact data a jCard shows to everybody, and what of them is only a mask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from checks.facts.rdap import ContactRole, ShownKind
from checks.parse.json_caps import at, list_at, text_at

_TEXT_MAX = 300
_PARTS_MAX = 40
# A value that only says that there is none.
_MASK = re.compile(
    r"redacted|^(data protected|not disclosed|undisclosed|withheld\b|statutory masking|masked\b|"
    r"non-?public\b|not (public|shown|available|published|applicable)\b|hidden$|private$|confidential$|"
    r"gdpr\b|personal data\b|please (query|contact)\b|n/?a$|none$|unknown$|[-*x.]+$|非公開|非表示)",
    re.IGNORECASE,
)
# Names under which registrars stand in for their customers.
_SERVICE = re.compile(
    r"whois ?(privacy|guard|proxy|agent|protect|masking)|privacy ?(protect|service|guard|hero|link)|"
    r"(domain|contact|perfect|private|super|moniker|my) privacy|withheld for privacy|domains ?by ?proxy|"
    r"proxy (service|registration|llc|inc)|whoisproxy|identity protect|domain (id shield|protection service)|"
    r"private registration|registration private|on behalf of .* owner|1337 services|njalla|"
    r"情報公開代行|whois ?代行|公開代行サービス",
    re.IGNORECASE,
)
# Hosts of addresses that lead to the owner without naming them.
_FORWARDER = re.compile(
    r"privacy|proxy|whois|anonym|withheld|redact|protect|masked|^contact\.gandi\.net$|(^|\.)o-w-o\.info$",
    re.IGNORECASE,
)
# Not a person: a desk.
_DESK = re.compile(
    r"\b(admin\w*|hostmaster|webmaster|postmaster|department|team|support|registr\w+|domains?|dns|noc|office|"
    r"legal|technical|contact|management|operations|it)\b|担当|部$|管理者",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Seen:
    kinds: frozenset[ShownKind]
    masked: bool


@dataclass(frozen=True, slots=True)
class Redactions:
    """What the answer itself says was taken out (RFC 9537), as lower-case texts with their method."""

    entries: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, document: dict[str, Any]) -> Redactions:
        found = []
        for entry in list_at(document, "redacted") or []:
            name = text_at(entry, "name", "type") or text_at(entry, "name", "description") or ""
            found.append((name.lower(), (text_at(entry, "method") or "removal").lower()))
        return cls(tuple(found))

    def names(self, role: ContactRole) -> bool:
        return any(self._is_of(name, role) for name, _ in self.entries)

    def replaces_mail(self, role: ContactRole) -> bool:
        """Whether the address that stands there was put in the place of the owner's."""
        return any(
            self._is_of(name, role) and "mail" in name and method == "replacementvalue"
            for name, method in self.entries
        )

    @staticmethod
    def _is_of(name: str, role: ContactRole) -> bool:
        if name.endswith(" id"):  # a number in the registry's books
            return False
        return role.value in name or (role is not ContactRole.REGISTRANT and name.startswith(role.value[:4]))


def look_at_card(fields: list[Any], *, mail_replaced: bool = False) -> Seen:
    """The kinds of personal data in the fields of a jCard.  A privacy service's data are nobody's."""
    texts = _read(fields)
    names, organisations = _told(texts["fn"] + texts["n"]), _told(texts["org"])
    if any(_SERVICE.search(text) for text in texts["fn"] + texts["org"]):
        return Seen(frozenset(), masked=True)
    masked = any(_MASK.search(text) for values in texts.values() for text in values)
    kinds = set(_who(names, organisations, is_organisation="org" in texts["kind"]))
    if _told(texts["adr"]):
        kinds.add(ShownKind.STREET)
    if any(len(re.sub(r"\D", "", text)) >= 5 for text in _told(texts["tel"])):
        kinds.add(ShownKind.PHONE)
    mails = [text for text in _told(texts["email"]) if "@" in text]
    if mail_replaced or any(_FORWARDER.search(mail.rpartition("@")[2]) for mail in mails):
        masked, mails = True, []
    if mails:
        kinds.add(ShownKind.MAIL)
    return Seen(frozenset(kinds), masked)


def _who(names: list[str], organisations: list[str], *, is_organisation: bool) -> Iterator[ShownKind]:
    if organisations or (names and is_organisation):
        yield ShownKind.ORGANISATION
    if not names or is_organisation:
        return
    same = {_squeezed(text) for text in organisations}
    if any(_squeezed(name) not in same and not _DESK.search(name) for name in names):
        yield ShownKind.NAME


def _squeezed(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()


def _told(texts: list[str]) -> list[str]:
    """Those that say something."""
    return [text for text in texts if re.search(r"\w", text) and not _MASK.search(text)]


def _read(fields: list[Any]) -> dict[str, list[str]]:
    """The texts of the fields that matter, those of one name together."""
    texts: dict[str, list[str]] = {k: [] for k in ("fn", "n", "org", "kind", "adr", "tel", "email")}
    for field in fields:
        if not isinstance(field, list) or len(field) < 4 or not isinstance(field[0], str):
            continue
        name = field[0].lower()
        if name == "adr":
            texts["adr"] += _street(field)
        elif name == "n":
            texts["n"] += [" ".join(_texts(field[3]))]
        elif name in texts:
            texts[name] += [t for value in field[3:8] for t in _texts(value)]
    texts["tel"] = [text.removeprefix("tel:") for text in texts["tel"]]
    texts["kind"] = [text.lower() for text in texts["kind"]]
    if any(_MASK.search(text) for text in texts["fn"]):
        texts["n"] = []
    return texts


def _street(field: list[Any]) -> list[str]:
    """Box, extension and street of an address; town, region and country are no address yet.  An address that
    is not taken apart stands in `label`, one line a part (RFC 7095 3.3.1.3)."""
    parts = field[3] if isinstance(field[3], list) else []
    found = [text for part in parts[:3] for text in _texts(part)]
    label = at(field[1], "label")
    if isinstance(label, str):
        lines = [line.strip() for line in re.split(r"[\n,]", label[:_TEXT_MAX]) if line.strip()]
        found += lines if len(lines) > 1 and re.search(r"\d", label) else []
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value[:_TEXT_MAX].strip()]
    if isinstance(value, list):
        return [part[:_TEXT_MAX].strip() for part in value[:_PARTS_MAX] if isinstance(part, str)]
    return []
