"""What is read of a registry's answer, honest or hostile, and what never leaves it."""

from __future__ import annotations

import dataclasses
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.codec import encode_facts
from checks.errors import ParseError
from checks.facts import Facts, Missing, seen
from checks.facts.rdap import (
    ContactRole,
    RegisteredName,
    Registration,
    RegistrationRecord,
    RegistryContact,
    RegistryStatus,
    ShownKind,
)
from checks.parse.rdap import parse_domain_answer
from tests.checks.dns.made import NOW
from tests.checks.rdap.made import ENDS, LOCKED, MASK, domain, entity, event, field, text

BAD_DATE = "malformed"


def read(*entities: Any, **more: Any) -> RegistrationRecord:
    return parse_domain_answer(text(*entities, **more), "a.test")


def test_a_good_answer_is_read_whole() -> None:
    record = read(entity("registrant", field("fn", MASK)))
    assert record == RegistrationRecord(
        statuses=(RegistryStatus.CLIENT_LOCK,),
        expires=datetime(2027, 9, 17, 12, tzinfo=UTC),
        registered=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
        changed=None,
        registrar="A Registrar",
        contacts=(RegistryContact(ContactRole.REGISTRANT, (), masked=True),),
    )


@pytest.mark.parametrize(
    ("given_name", "is_it"),
    [
        ({"ldhName": "a.test"}, True),
        ({"ldhName": "A.Test."}, True),
        ({"ldhName": None, "unicodeName": "a.test"}, True),
        ({"ldhName": "b.a.test"}, False),
        ({"ldhName": "b.test"}, False),
        ({"ldhName": None}, False),
        ({"ldhName": 7}, False),
        ({"ldhName": "ａ.test"}, True),
        ({"ldhName": "\ud800.test"}, False),
        ({"objectClassName": "entity"}, False),
        ({"objectClassName": None}, False),
    ],
)
def test_an_answer_about_another_object_is_none(given_name: dict[str, Any], is_it: bool) -> None:
    if is_it:
        assert read(**given_name).statuses
    else:
        with pytest.raises(ParseError):
            read(**given_name)


def test_a_name_beyond_ascii_is_compared_as_it_is_registered() -> None:
    answer = json.dumps(domain(ldhName=None, unicodeName="Bücher.test"))
    assert parse_domain_answer(answer, "xn--bcher-kva.test").registrar == "A Registrar"


@pytest.mark.parametrize(
    "answer",
    [
        "", "[]", "null", '"domain"', "<html>please wait</html>", "{", "NaN", '{"objectClassName": NaN}',
        "[" * 5000, '{"a":' * 100 + "1" + "}" * 100, '{"x": "' + "y" * 1_100_000 + '"}',
    ],
)  # fmt: skip
def test_what_is_no_domain_object_is_refused(answer: str) -> None:
    with pytest.raises(ParseError):
        parse_domain_answer(answer, "a.test")


@pytest.mark.parametrize(
    ("date", "wanted"),
    [
        (ENDS, "2027-09-17T12:00:00+00:00"),
        ("2027-09-17t12:00:00z", "2027-09-17T12:00:00+00:00"),
        ("2027-09-17T12:00:00.5Z", "2027-09-17T12:00:00.500000+00:00"),
        ("2027-09-17T12:00:00.123456789Z", "2027-09-17T12:00:00.123456+00:00"),
        ("2027-09-17T21:00:00+09:00", "2027-09-17T12:00:00+00:00"),
        ("2027-09-17T12:00:00", BAD_DATE),
        ("2027-09-17", BAD_DATE),
        ("2027-13-17T12:00:00Z", BAD_DATE),
        ("0001-01-01T00:00:00+14:00", BAD_DATE),
        ("9999-12-31T23:59:59-14:00", BAD_DATE),
        ("17.9.2027", BAD_DATE),
        ("", BAD_DATE),
        (None, BAD_DATE),
        (1821182400, BAD_DATE),
        ({"date": ENDS}, BAD_DATE),
        ("2" * 5000, BAD_DATE),
    ],
)
def test_dates(date: Any, wanted: str) -> None:
    found = read(events=[event("expiration", date)]).expires
    assert (found.reason if isinstance(found, Missing) else found and found.isoformat()) == wanted


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (None, None),
        ([], None),
        ("soon", None),
        ([event("registration", ENDS)], None),
        ([None, 7, [], event("Expiration", ENDS)], "2027-09-17"),
        ([{"eventAction": 7, "eventDate": ENDS}], None),
        ([event("expiration", ENDS), event("expiration", "2026-12-01T00:00:00Z")], "2026-12-01"),
        ([event("expiration", ENDS), event("registrar expiration", "2026-12-01T00:00:00Z")], "2026-12-01"),
        ([event("expiration", ENDS), event("registrar expiration", "never")], BAD_DATE),
    ],
)
def test_the_earliest_end_counts(events: Any, wanted: str | None) -> None:
    found = read(events=events).expires
    assert (
        found.reason.value if isinstance(found, Missing) else found and found.date().isoformat()
    ) == wanted


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (["active"], ()),
        ([LOCKED, "Server Hold"], ("client transfer prohibited", "server hold")),
        (["clientTransferProhibited"], ("client transfer prohibited",)),
        (["pendingDelete", "redemption period"], ("pending delete", "redemption period")),
        (["autoRenewPeriod", LOCKED, LOCKED], ("auto renew period", "client transfer prohibited")),
        (["x" * 10_000, None, 7, "locked"], ("locked",)),
        ([], None),
        ("active", None),
        (None, None),
        ([7, None], None),
    ],
)
def test_statuses(status: Any, wanted: tuple[str, ...] | None) -> None:
    assert read(status=status).statuses == wanted


NAME, ORG, STREET, PHONE, MAIL = ShownKind
PERSON, COMPANY = field("fn", "Jane Doe"), field("org", "Example Ltd")
HOME = field("adr", ["", "", "1 Main Street", "Springfield", "", "12345", "US"])
TOWN = field("adr", ["", "", "", "Springfield", "", "12345", "US"])
TELEPHONE, ADDRESS = field("tel", "tel:+1.5555551234"), field("email", "jane@doe.test")
KIND = {"individual": field("kind", "individual"), "org": field("kind", "org")}


@pytest.mark.parametrize(
    ("fields", "shown", "masked"),
    [
        ([PERSON], [NAME], False),
        ([PERSON, HOME, TELEPHONE, ADDRESS], [NAME, STREET, PHONE, MAIL], False),
        ([PERSON, COMPANY], [NAME, ORG], False),
        ([field("fn", "EXAMPLE Ltd."), COMPANY], [ORG], False),
        ([field("fn", "Domain Administrator"), COMPANY], [ORG], False),
        ([field("fn", "Example Ltd"), KIND["org"], HOME], [ORG, STREET], False),
        ([field("fn", ""), field("n", ["Doe", "Jane", "", "", ""])], [NAME], False),
        ([field("fn", MASK), field("n", ["Doe", "", "", "", ""])], [], True),
        ([field("fn", ""), COMPANY], [ORG], False),
        ([field("fn", MASK), TOWN], [], True),
        ([field("fn", MASK), HOME], [STREET], True),
        ([field("fn", MASK), field("tel", MASK), field("email", MASK), field("adr", ["", "", MASK, "", "", "", "US"])], [], True),
        ([field("fn", ""), field("adr", "", label="1 Main Street\nSpringfield")], [STREET], False),
        ([field("fn", ""), field("adr", "", label=f"{MASK}\n{MASK} 1")], [], True),
        ([field("fn", ""), field("adr", "", label="United States")], [], False),
        ([field("fn", ""), field("adr", ["", "", ["1 Main Street", "Flat 2"], "", "", "", ""])], [STREET], False),
        ([field("fn", ""), field("tel", "")], [], False),
        ([field("fn", "Domains By Proxy, LLC"), HOME, TELEPHONE, field("email", "x@domainsbyproxy.com")], [], True),
        ([field("fn", "Contact Privacy Inc. Customer 0123"), HOME], [], True),
        ([field("fn", "On behalf of a.test owner"), field("org", "Identity Protection Service"), HOME], [], True),
        ([field("fn", "Whois Privacy Protection Service by onamae.com"), HOME, TELEPHONE], [], True),
        ([field("fn", "Whois情報公開代行サービス"), TELEPHONE], [], True),
        ([field("fn", MASK), field("email", "a1b2c3@contact.gandi.net")], [], True),
        ([field("fn", MASK), ADDRESS], [MAIL], True),
        ([field("fn", MASK), field("email", "https://registrar.test/contact/1234")], [], True),
        ([field("fn", "Please query the RDAP service of the registrar")], [], True),
        ([field("fn", "Jane Doe"), field("org", "N/A")], [NAME], True),
        ([field("fn", "Privacy Matters e.V."), KIND["org"]], [ORG], False),
        ([field("fn", "Jane Hidden"), HOME], [NAME, STREET], False),
        ([["fn"], "fn", None, [7, {}, "text", "Jane Doe"], ["fn", {}, "text", 7], ["fn", {}, "text", {"a": 1}]], [], False),
        ([["adr", None, None, None], ["adr", {"label": 7}, "text", "x"], ["tel", {}, "uri", [[[]]]]], [], False),
        ([["fn", [], "text", "Jane Doe", "again"]], [NAME], False),
    ],
)  # fmt: skip
def test_contacts(fields: list[Any], shown: list[ShownKind], masked: bool) -> None:
    [contact] = read(entity("registrant", field("version", "4.0"), *fields)).contacts
    assert contact == RegistryContact(ContactRole.REGISTRANT, tuple(shown), masked)


def redacted(*names: str, method: str | None = None) -> list[dict[str, Any]]:
    more = {} if method is None else {"method": method}
    return [{"name": {"description": name}, **more} for name in names]


@pytest.mark.parametrize(
    ("entities", "more", "wanted"),
    [
        ([], {}, []),
        ([], {"redacted": redacted("Registrant Name")}, [("registrant", [], True)]),
        ([], {"redacted": redacted("Registry Registrant ID", "Tech Email")}, []),
        ([], {"redacted": [None, {}, {"name": "Registrant"}, 7]}, []),
        ([entity("registrant")], {}, [("registrant", [], False)]),
        ([entity("registrant", remarks=[{"title": MASK}])], {}, [("registrant", [], True)]),
        ([entity("technical", PERSON)], {}, [("technical", ["fn"], False)]),
        ([entity("registrant", field("fn", ""), ADDRESS)], {"redacted": redacted("Registrant Email", method="replacementValue")}, [("registrant", [], True)]),
        ([entity("registrant", field("fn", ""), ADDRESS)], {"redacted": redacted("Registrant Email", method="partialValue")}, [("registrant", ["email"], True)]),
        ([entity("technical", field("fn", ""), ADDRESS)], {"redacted": redacted("Tech Email", method="replacementValue")}, [("technical", [], True)]),
        ([{"roles": ["registrant", "Technical"], "vcardArray": ["vcard", [PERSON]]}], {}, [("registrant", ["fn"], False), ("technical", ["fn"], False)]),
        ([entity("registrar", PERSON, entities=[entity("technical", PERSON), entity("abuse", PERSON)])], {}, []),
        ([entity("registrant", field("fn", MASK), entities=[entity("administrative", PERSON)])], {}, [("registrant", [], True), ("administrative", ["fn"], False)]),
        ([None, 7, "registrant", {"roles": "registrant"}, {"roles": [None]}], {}, []),
    ],
)  # fmt: skip
def test_entities(
    entities: list[Any], more: dict[str, Any], wanted: list[tuple[str, list[str], bool]]
) -> None:
    contacts = read(*entities, **more).contacts
    assert [(c.role, list(seen(c.shown)), c.masked) for c in contacts] == wanted


@pytest.mark.parametrize(
    "contact",
    [
        {"vcardArray": None}, {"vcardArray": []}, {"vcardArray": ["vcard"]}, {"vcardArray": ["vcard", {}]},
        {"vcardArray": "vcard"}, {"vcardArray": ["jcard", []]}, {"jscard": {"name": {"full": "Jane Doe"}}},
    ],
)  # fmt: skip
def test_a_contact_in_no_known_form_is_unseen_and_not_hidden(contact: dict[str, Any]) -> None:
    [found] = read({"roles": ["registrant"], **contact}).contacts
    assert isinstance(found.shown, Missing)


@pytest.mark.parametrize(
    ("links", "further"),
    [
        ([{"rel": "related", "href": "https://rdap.registrar.test/domain/A.TEST"}], True),
        ([{"rel": "self", "href": "https://rdap.test/domain/a.test"}], False),
        ([{"rel": "related", "href": "https://registrar.test/"}], False),
        ([None, 7, {"rel": 7, "href": []}], False),
        ("none", False),
    ],
)
def test_a_thin_registry_points_to_the_registrar(links: Any, further: bool) -> None:
    assert read(links=links).more_at_registrar is further


def test_no_personal_data_are_kept() -> None:
    secrets = ["Jane Doe", "Example Ltd", "1 Main Street", "5555551234", "jane@doe.test", "Springfield"]
    everybody = [entity(role.value, PERSON, COMPANY, HOME, TELEPHONE, ADDRESS) for role in ContactRole]
    record = read(*everybody, remarks=[{"title": "Jane Doe"}])
    fact = Registration((RegisteredName("a.test", server="rdap.test", record=record),), NOW)
    stored = json.dumps(encode_facts(Facts({Registration: fact})))
    assert "registrant" in stored
    assert not [secret for secret in secrets if secret in stored]


def test_a_gap_tells_nothing_of_a_contact_either() -> None:
    [found] = read({"roles": ["registrant"], "vcardArray": ["Jane Doe", "jane@doe.test"]}).contacts
    assert "jane" not in json.dumps(dataclasses.asdict(found)).lower()


def test_the_name_of_the_registrar_is_cleaned_and_cut() -> None:
    record = read(entities=[entity("registrar", field("fn", "Evil\u202e\x1b[31m" + "x" * 5000))])
    assert len(record.registrar) == 100
    assert not set("\u202e\x1b") & set(record.registrar)


def test_far_too_many_entities_are_cut() -> None:
    people = [entity("technical", PERSON) for _ in range(5000)]
    assert len(read(*people).contacts) <= 100


def deep(levels: int) -> dict[str, Any]:
    return entity("technical", PERSON, entities=[deep(levels - 1)] if levels else [])


def test_entities_within_entities_end() -> None:
    assert len(read(deep(12)).contacts) <= 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20)
    | st.sampled_from([MASK, LOCKED, ENDS, "fn", "adr", "vcard", "registrant", "expiration", "domain", "related"]),
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(
        st.sampled_from(["roles", "vcardArray", "entities", "events", "eventAction", "eventDate", "name", "label",
                         "status", "links", "redacted", "method", "remarks", "title", "type", "x"]),
        inner, max_size=5,
    ),
    max_leaves=40,
)  # fmt: skip
MEMBERS = st.dictionaries(
    st.sampled_from(["status", "events", "entities", "links", "redacted", "unicodeName"]), JSON, max_size=6
)


@settings(max_examples=80, deadline=None)
@given(MEMBERS)
def test_any_members_are_read_or_refused(members: dict[str, Any]) -> None:
    record = parse_domain_answer(json.dumps(domain(**members)), "a.test")
    assert isinstance(record, RegistrationRecord)


@settings(max_examples=80, deadline=None)
@given(st.lists(JSON, max_size=8), JSON)
def test_any_card_is_read_or_unseen(fields: list[Any], parameters: Any) -> None:
    card = [*fields, ["adr", parameters, "text", fields], ["fn", parameters, "text", parameters]]
    found = read({"roles": ["registrant"], "vcardArray": ["vcard", card]}).contacts
    assert [contact.role for contact in found] == [ContactRole.REGISTRANT]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_any_text_is_read_or_refused(answer: str) -> None:
    with pytest.raises(ParseError):
        parse_domain_answer(answer, "a.test")


@pytest.mark.parametrize(
    "value",
    [
        "on behalf of " * 600,
        "privacy " * 1000,
        "-" * 8000,
        "x." * 4000,
        "redacte" * 1100,
        "\n," * 4000,
        "1\n" * 4000,
    ],
)
def test_eight_kilobytes_take_no_time(value: str) -> None:
    fields = [
        field("fn", value),
        field("org", value),
        field("adr", [value], label=value),
        field("email", value),
    ]
    answer = text(
        *(entity("registrant", *fields) for _ in range(2)),
        status=[value],
        events=[event("expiration", value)],
    )
    begun = time.perf_counter()
    parse_domain_answer(answer, "a.test")
    assert time.perf_counter() - begun < 0.25
