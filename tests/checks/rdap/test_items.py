"""End, hold, lock and privacy of the domain, judged from hand-made facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.rdap import (
    ContactRole,
    RegisteredName,
    Registration,
    RegistrationRecord,
    RegistryContact,
    RegistryStatus,
    ShownKind,
)
from tests.checks.dns.made import NOW, SLOW, short, verdict

LASTS, PRIVATE = "domain.registration_lasts", "domain.whois_private"
LOCK = RegistryStatus.CLIENT_LOCK
GARBLED = Missing(Reason.MALFORMED, "a date that is none")
WITHHELD = Missing(Reason.WITHHELD, "HTTP 429")
Record = RegistrationRecord | Missing | None


def record(
    left: float | datetime | Missing | None = 300,
    statuses: Sequence[RegistryStatus] | None = (LOCK,),
    *contacts: RegistryContact,
    thin: bool = False,
) -> RegistrationRecord:
    ends = NOW + timedelta(days=left) if isinstance(left, (int, float)) else left
    stated = None if statuses is None else tuple(statuses)
    return RegistrationRecord(stated, ends, None, None, "A Registrar", contacts, thin)


def named(found: Record, name: str = "a.test") -> RegisteredName:
    return RegisteredName(name, server="rdap.test", record=found)


def judged(item_id: str, *names: RegisteredName) -> str:
    return short(verdict(item_id, Registration(names, NOW)))


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (record(300), "pass:lasts"),
        (record(60.01), "pass:lasts"),
        (record(60), "warn:ends"),
        (record(30.01), "warn:ends"),
        (record(30), "fail:ends_soon"),
        (record(0.01), "fail:ends_soon"),
        (record(0), "fail:expired"),
        (record(-400), "fail:expired"),
        (record(300, ()), "warn:no_lock"),
        (record(300, (RegistryStatus.AUTO_RENEW,)), "warn:no_lock"),
        (record(300, (RegistryStatus.SERVER_LOCK,)), "pass:lasts"),
        (record(300, (RegistryStatus.LOCK,)), "pass:lasts"),
        (record(300, (RegistryStatus.LOCKED,)), "pass:lasts"),
        (record(330, (LOCK, RegistryStatus.AUTO_RENEW)), "pass:extended"),
        (record(45, ()), "warn:ends"),
        (record(10, ()), "fail:ends_soon"),
        (record(300, (LOCK, RegistryStatus.CLIENT_HOLD)), "fail:hold"),
        (record(300, (RegistryStatus.SERVER_HOLD,)), "fail:hold"),
        (record(None, (RegistryStatus.SERVER_HOLD,)), "fail:hold"),
        (record(-10, (RegistryStatus.CLIENT_HOLD, RegistryStatus.REDEMPTION)), "fail:hold"),
        (record(-40, (RegistryStatus.PENDING_DELETE,)), "fail:leaving"),
        (record(-40, (RegistryStatus.REDEMPTION,)), "fail:leaving"),
        (record(-40, (RegistryStatus.PENDING_RESTORE,)), "fail:leaving"),
        (record(300, None), "unknown:no_status"),
        (record(45, None), "warn:ends"),
        (record(5, None), "fail:ends_soon"),
        (record(None), "unknown:no_end"),
        (record(None, ()), "unknown:no_end"),
        (record(GARBLED), "unknown:malformed"),
        (None, "unknown:not_found"),
        (SLOW, "unknown:timeout"),
        (WITHHELD, "unknown:withheld"),
    ],
)
def test_registration_lasts(found: Record, wanted: str) -> None:
    assert judged(LASTS, named(found)) == wanted


@pytest.mark.parametrize("item_id", [LASTS, PRIVATE])
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (RegisteredName("me.github.io", lent_by="github.io"), "not_applicable:lent"),
        (RegisteredName("co.jp", record=Missing(Reason.NOT_ASKED)), "unknown:not_asked"),
    ],
)
def test_names_without_a_record(item_id: str, name: RegisteredName, wanted: str) -> None:
    assert judged(item_id, name) == wanted


def test_where_no_service_is_known_a_person_may_still_answer() -> None:
    assert judged(LASTS, RegisteredName("a.jp")) == "unknown:no_service"
    assert judged(PRIVATE, RegisteredName("a.jp")) == "manual:no_service"


@pytest.mark.parametrize(
    ("web", "mail", "wanted"),
    [
        (record(300), record(300), "pass:lasts"),
        (record(300), record(10), "fail:ends_soon"),
        (record(50), record(300), "warn:ends"),
        (record(50), record(10), "fail:ends_soon"),
        (record(300), SLOW, "pass:lasts"),
        (record(50), SLOW, "warn:ends"),
        (SLOW, record(300), "unknown:timeout"),
        (SLOW, record(10), "fail:ends_soon"),
        (SLOW, WITHHELD, "unknown:timeout"),
    ],
)
def test_the_worst_of_web_and_mail_counts(web: Record, mail: Record, wanted: str) -> None:
    assert judged(LASTS, named(web), named(mail, "mail.test")) == wanted


def test_the_mail_domain_of_a_lent_name_is_judged() -> None:
    lent = RegisteredName("me.github.io", lent_by="github.io")
    assert judged(LASTS, lent, named(record(10))) == "fail:ends_soon"
    assert judged(LASTS, lent, named(record(300))) == "pass:lasts"
    assert judged(LASTS, lent, named(SLOW)) == "unknown:timeout"


def test_the_days_left_are_whole_and_shown_with_the_date() -> None:
    made = verdict(LASTS, Registration((named(record(12.9)),), NOW))
    assert made.data == {"name": "a.test", "days": 12, "until": "2026-12-04"}
    assert made.evidence[0].label == "RDAP a.test"
    assert "expiration: 2026-12-04T09:36:00+00:00" in made.evidence[0].text
    assert "status: client transfer prohibited" in made.evidence[0].text


NAME, ORG, STREET, PHONE, MAIL = ShownKind
OWNER, ADMIN, TECH = ContactRole.REGISTRANT, ContactRole.ADMINISTRATIVE, ContactRole.TECHNICAL


def contact(role: ContactRole, *kinds: ShownKind, masked: bool = False) -> RegistryContact:
    return RegistryContact(role, kinds, masked)


HIDDEN = contact(OWNER, masked=True)
UNREAD = RegistryContact(OWNER, Missing(Reason.MALFORMED, "contact data that are no jCard"))


@pytest.mark.parametrize(
    ("contacts", "wanted"),
    [
        ((HIDDEN,), "pass:masked"),
        ((HIDDEN, contact(TECH, ORG, STREET, PHONE, MAIL)), "pass:masked"),
        ((HIDDEN, contact(ADMIN)), "pass:masked"),
        ((), "pass:none_shown"),
        ((contact(OWNER),), "pass:none_shown"),
        ((contact(OWNER, ORG),), "warn:organisation"),
        ((contact(OWNER, ORG, STREET, PHONE, MAIL),), "warn:organisation"),
        ((contact(OWNER, MAIL, masked=True),), "warn:mail_only"),
        ((HIDDEN, contact(TECH, MAIL, masked=True)), "warn:mail_only"),
        ((contact(OWNER, MAIL),), "fail:personal"),
        ((contact(OWNER, NAME),), "fail:personal"),
        ((contact(OWNER, NAME, masked=True),), "fail:personal"),
        ((contact(OWNER, STREET, masked=True),), "fail:personal"),
        ((contact(OWNER, PHONE, MAIL, masked=True),), "fail:personal"),
        ((contact(OWNER, NAME, ORG),), "fail:personal"),
        ((HIDDEN, contact(ADMIN, NAME)), "fail:personal"),
        ((HIDDEN, contact(TECH, PHONE)), "fail:personal"),
        ((UNREAD,), "unknown:malformed"),
        ((UNREAD, contact(TECH, NAME)), "fail:personal"),
        ((HIDDEN, RegistryContact(TECH, UNREAD.shown)), "unknown:malformed"),
    ],
)
def test_whois_private(contacts: tuple[RegistryContact, ...], wanted: str) -> None:
    assert judged(PRIVATE, named(record(300, (LOCK,), *contacts))) == wanted


def test_a_thin_registry_says_nothing_of_privacy() -> None:
    assert judged(PRIVATE, named(record(thin=True))) == "unknown:at_registrar"
    assert judged(PRIVATE, named(record(300, (LOCK,), HIDDEN, thin=True))) == "pass:masked"
    assert judged(PRIVATE, named(record(300, (LOCK,), contact(OWNER, NAME), thin=True))) == "fail:personal"


@pytest.mark.parametrize(("found", "wanted"), [(None, "unknown:not_found"), (WITHHELD, "unknown:withheld")])
def test_privacy_without_a_record_is_unknown(found: Record, wanted: str) -> None:
    assert judged(PRIVATE, named(found)) == wanted


def test_the_evidence_names_kinds_and_no_data() -> None:
    made = verdict(PRIVATE, Registration((named(record(300, (LOCK,), contact(OWNER, NAME, MAIL))),), NOW))
    assert [(e.label, e.text) for e in made.evidence] == [("RDAP a.test, registrant", "fn, email")]
    assert made.data == {"name": "a.test", "role": "registrant", "kinds": "fn, email"}
