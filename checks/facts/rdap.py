"""What the registry says of a domain: its dates, its statuses, and whether a person stands there.

Never the personal data themselves: of a contact only the kinds of data that anybody can read are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from checks.facts import Fact, Missing


class RegistryStatus(StrEnum):
    """The statuses that are judged, spelled as in RDAP (RFC 8056 maps those of EPP)."""

    CLIENT_HOLD = "client hold"
    SERVER_HOLD = "server hold"
    PENDING_DELETE = "pending delete"
    REDEMPTION = "redemption period"
    PENDING_RESTORE = "pending restore"
    CLIENT_LOCK = "client transfer prohibited"
    SERVER_LOCK = "server transfer prohibited"
    LOCK = "transfer prohibited"
    LOCKED = "locked"
    AUTO_RENEW = "auto renew period"  # extended by the registry; the registrar may still take it back


class ContactRole(StrEnum):
    REGISTRANT = "registrant"
    ADMINISTRATIVE = "administrative"
    TECHNICAL = "technical"
    BILLING = "billing"


class ShownKind(StrEnum):
    """A kind of contact data, by the name of its field (RFC 6350)."""

    NAME = "fn"
    ORGANISATION = "org"
    STREET = "adr"
    PHONE = "tel"
    MAIL = "email"


@dataclass(frozen=True, slots=True)
class RegistryContact:
    """What a stranger can read of one contact."""

    role: ContactRole
    shown: tuple[ShownKind, ...] | Missing
    masked: bool = False  # marked as redacted, or a privacy service stands in its place


@dataclass(frozen=True, slots=True)
class RegistrationRecord:
    """The registry's answer about one name."""

    statuses: tuple[RegistryStatus, ...] | None  # sorted; None where the registry states none at all
    expires: datetime | Missing | None
    registered: datetime | Missing | None = None
    changed: datetime | Missing | None = None
    registrar: str = ""
    contacts: tuple[RegistryContact, ...] = ()
    more_at_registrar: bool = False  # the answer points to another one, that of the registrar, not yet read
    registrar_url: str = ""  # where that one is, if it is an https address for this very name


@dataclass(frozen=True, slots=True)
class RegisteredName:
    """A name that somebody registered, and the registry's record of it."""

    name: str
    lent_by: str = ""  # the suffix whose owner lends this name; it is then not asked for
    server: str = ""  # "" where no RDAP service is known for the name
    record: RegistrationRecord | Missing | None = None  # None: not asked, or the registry knows no such name


@dataclass(frozen=True, slots=True)
class Registration(Fact):
    """The registered name of the instance, then that of its mail where it is another one."""

    names: tuple[RegisteredName, ...]
    seen_at: datetime
