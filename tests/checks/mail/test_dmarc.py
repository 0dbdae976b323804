"""DMARC by RFC 9989: which record applies, what it says, and how odd zones are taken."""

from __future__ import annotations

import asyncio

import pytest

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Asked, Lookup
from checks.facts.mail import DmarcAnswers, MailRoutes
from checks.parse.dmarc import discover, is_authorised, parse_dmarc, walk_names
from checks.probes import gather, mail
from checks.target import Target
from tests.checks.dns.made import SLOW, asked, found, nobody, short, verdict
from tests.checks.dns.server import EMPTY, NOBODY, SERVFAIL, Say, Table, name_server, vantage

R = "v=DMARC1; rua=mailto:r@b.a.test; "
GAP = Missing(Reason.TIMEOUT)
Zone = dict[str, str | tuple[str, ...] | Missing]


def answers(domain: str, zone: Zone) -> dict[str, Lookup | Missing]:
    made: dict[str, Lookup | Missing] = {}
    for name in walk_names(domain):
        given = zone.get(name, ())
        texts = (given,) if isinstance(given, str) else given
        made[name] = texts if isinstance(texts, Missing) else found(f"_dmarc.{name}", "TXT", *texts)
    return made


WALK: list[tuple[str, str, Zone, str, str | None]] = [
    # the author domain's own record
    ("its own record", "a.test", {"a.test": R + "p=reject"}, "a.test", "reject"),
    ("its own, not the one above", "b.a.test", {"b.a.test": R + "p=none", "a.test": R + "p=reject"}, "b.a.test", "none"),
    ("its own p, not its sp", "b.a.test", {"b.a.test": R + "p=none; sp=reject"}, "b.a.test", "none"),
    ("its own, though a public suffix", "a.test", {"a.test": R + "p=reject; psd=y"}, "a.test", "reject"),
    ("its own, whatever is unseen above", "b.a.test", {"b.a.test": R + "p=reject", "a.test": GAP}, "b.a.test", "reject"),
    # the organizational domain
    ("the one above", "b.a.test", {"a.test": R + "p=reject"}, "a.test", "reject"),
    ("sp of the one above", "b.a.test", {"a.test": R + "p=reject; sp=none"}, "a.test", "none"),
    ("np is not for a domain that exists", "b.a.test", {"a.test": R + "p=none; np=reject"}, "a.test", "none"),
    ("fewest labels", "c.b.a.test", {"b.a.test": R + "p=none", "a.test": R + "p=reject"}, "a.test", "reject"),
    ("fewest labels, three deep", "d.c.b.a.test", {"c.b.a.test": R + "p=none", "b.a.test": R + "p=quarantine"}, "b.a.test", "quarantine"),
    ("psd=n ends the walk", "c.b.a.test", {"b.a.test": R + "p=none; psd=n", "a.test": R + "p=reject"}, "b.a.test", "none"),
    ("psd=N in capitals", "c.b.a.test", {"b.a.test": R + "p=none; psd=N", "a.test": R + "p=reject"}, "b.a.test", "none"),
    ("psd=u is the default", "c.b.a.test", {"b.a.test": R + "p=none; psd=u", "a.test": R + "p=reject"}, "a.test", "reject"),
    ("an unknown psd is none", "c.b.a.test", {"b.a.test": R + "p=none; psd=x", "a.test": R + "p=reject"}, "a.test", "reject"),
    ("psd=n hides what is unseen above", "c.b.a.test", {"b.a.test": R + "p=none; psd=n", "a.test": GAP}, "b.a.test", "none"),
    ("a record at the top without psd", "a.test", {"test": R + "p=reject"}, "test", "reject"),
    # the public suffix
    ("just below a suffix", "c.a.test", {"a.test": R + "p=none", "test": R + "p=reject; psd=y"}, "a.test", "none"),
    ("the suffix alone", "a.test", {"test": R + "p=reject; psd=y"}, "test", "reject"),
    ("the suffix's sp", "a.test", {"test": R + "p=none; sp=reject; psd=y"}, "test", "reject"),
    ("the suffix, far below", "d.c.a.test", {"test": R + "p=reject; psd=y"}, "test", "reject"),
    ("not one between", "d.c.a.test", {"c.a.test": R + "p=none", "test": R + "p=reject; psd=y"}, "test", "reject"),
    ("a suffix of two labels", "d.c.a.test", {"c.a.test": R + "p=none", "a.test": R + "p=reject; psd=y"}, "c.a.test", "none"),
    ("nothing above a suffix", "c.b.a.test", {"a.test": R + "p=none; psd=y", "test": R + "p=reject"}, "a.test", "none"),
    # long names: the second question is for seven labels
    ("eight labels up", "h.g.f.e.d.c.b.test", {"g.f.e.d.c.b.test": R + "p=reject"}, "g.f.e.d.c.b.test", "reject"),
    ("the eighth of nine is skipped", "i.h.g.f.e.d.c.b.test", {"h.g.f.e.d.c.b.test": R + "p=reject"}, "", None),
    ("the seventh of nine is asked", "i.h.g.f.e.d.c.b.test", {"g.f.e.d.c.b.test": R + "p=reject"}, "g.f.e.d.c.b.test", "reject"),
    # records that count and records that do not
    ("nothing at all", "b.a.test", {}, "", None),
    ("an echo of SPF", "a.test", {"a.test": "v=spf1 -all", "test": "v=spf1 -all"}, "", None),
    ("a record beside the echo", "a.test", {"a.test": ("v=spf1 -all", R + "p=reject", "x")}, "a.test", "reject"),
    ("two above are none", "b.a.test", {"a.test": (R + "p=reject", R + "p=none")}, "", None),
    ("two between are passed by", "c.b.a.test", {"b.a.test": (R + "p=none", R), "a.test": R + "p=reject"}, "a.test", "reject"),
    ("another version is none", "b.a.test", {"b.a.test": "v=DMARC2; p=none", "a.test": R + "p=reject"}, "a.test", "reject"),
    ("a version in small letters is none", "b.a.test", {"b.a.test": "v=dmarc1; p=none", "a.test": R + "p=reject"}, "a.test", "reject"),
    ("a version in the middle is none", "a.test", {"a.test": "p=reject; v=DMARC1"}, "", None),
    # what the tags say
    ("capitals", "a.test", {"a.test": "V = DMARC1 ;P = Reject; RUA = MAILTO:x@a.test"}, "a.test", "reject"),
    ("any order, odd ends", "a.test", {"a.test": "v=DMARC1;; rua=mailto:x@a.test ;x-y=1; p=reject;; ;"}, "a.test", "reject"),
    ("removed tags mean nothing", "a.test", {"a.test": R + "p=reject; pct=0; rf=afrf; ri=1"}, "a.test", "reject"),
    ("a test of reject", "a.test", {"a.test": R + "p=reject; t=y"}, "a.test", "quarantine"),
    ("a test of quarantine", "a.test", {"a.test": R + "p=quarantine; t=Y"}, "a.test", "none"),
    ("a test of none", "a.test", {"a.test": R + "p=none; t=y"}, "a.test", "none"),
    ("a test of sp", "b.a.test", {"a.test": R + "p=none; sp=reject; t=y"}, "a.test", "quarantine"),
    ("no test", "a.test", {"a.test": R + "p=reject; t=n"}, "a.test", "reject"),
    ("no p, but reports", "a.test", {"a.test": R}, "a.test", "none"),
    ("no p, but reports elsewhere", "a.test", {"a.test": "v=DMARC1; rua=https://r.example/x"}, "a.test", "none"),
    ("no p and no reports", "a.test", {"a.test": "v=DMARC1"}, "a.test", None),
    ("no p and an empty rua", "a.test", {"a.test": "v=DMARC1; rua="}, "a.test", None),
    ("no p and a broken rua", "a.test", {"a.test": "v=DMARC1; rua=x@a.test"}, "a.test", None),
    ("a wrong p with reports", "a.test", {"a.test": R + "p=rejct"}, "a.test", "none"),
    ("a wrong p without", "a.test", {"a.test": "v=DMARC1; p=rejct"}, "a.test", None),
    ("a wrong sp spoils p", "a.test", {"a.test": R + "p=reject; sp=all"}, "a.test", "none"),
    ("a wrong np spoils p", "a.test", {"a.test": "v=DMARC1; p=reject; np="}, "a.test", None),
    ("of two p the first", "a.test", {"a.test": R + "p=reject; p=none"}, "a.test", "reject"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("domain", "zone", "at", "effective"), [c[1:] for c in WALK], ids=[c[0] for c in WALK]
)
def test_the_record_that_applies_and_what_it_says(
    domain: str, zone: Zone, at: str, effective: str | None
) -> None:
    policy = discover(domain, answers(domain, zone))
    assert policy.unseen is None
    assert (policy.found_at, policy.effective) == (at, effective)


@pytest.mark.parametrize(
    ("tags", "effective"),
    [
        ("p=none; np=reject", "reject"),
        ("p=none; sp=quarantine; np=reject", "reject"),
        ("p=none; sp=quarantine", "quarantine"),
        ("p=reject", "reject"),
        ("p=none; np=reject; t=y", "quarantine"),
    ],
)
def test_np_speaks_for_a_domain_that_does_not_exist(tags: str, effective: str) -> None:
    assert (
        discover("b.a.test", answers("b.a.test", {"a.test": R + tags}), exists=False).effective == effective
    )


@pytest.mark.parametrize(
    ("domain", "zone"),
    [
        ("a.test", {"a.test": GAP}),
        ("a.test", {"a.test": GAP, "test": R + "p=reject"}),
        ("a.test", {"test": GAP}),
        ("c.b.a.test", {"b.a.test": R + "p=reject", "a.test": GAP}),
        ("c.b.a.test", {"a.test": R + "p=reject", "b.a.test": GAP}),
        ("c.b.a.test", {"a.test": R + "p=reject", "test": GAP}),
    ],
)  # fmt: skip
def test_an_answer_that_could_change_the_policy_must_be_seen(domain: str, zone: Zone) -> None:
    policy = discover(domain, answers(domain, zone))
    assert policy.unseen is not None and policy.record is None


@pytest.mark.parametrize("length", range(1, 30))
def test_the_walk_never_asks_more_than_eight_names(length: int) -> None:
    names = walk_names(".".join(f"l{n}" for n in range(length)))
    assert len(names) == min(length, 8)
    assert [name.count(".") + 1 for name in names[1:]] == list(range(min(length - 1, 7), 0, -1))


# Consent of report addresses elsewhere (RFC 9990 section 4)

CONSENT = [
    (("v=DMARC1",), True),
    (("v=DMARC1;",), True),
    (("v = DMARC1 ; rua=mailto:other@r.example",), True),
    (("v=DMARC1", "v=spf1 -all"), True),
    (("v=DMARC1", "v=DMARC1; p=none"), True),
    (("v=dmarc1",), False),
    (("DMARC1",), False),
    (("v=DMARC10",), False),
    (("v=spf1 -all",), False),
    ((), False),
]


@pytest.mark.parametrize(("records", "wanted"), CONSENT)
def test_consent_is_a_record_with_the_version(records: tuple[str, ...], wanted: bool) -> None:
    assert is_authorised(found("a.test._report._dmarc.r.example", "TXT", *records)) is wanted


def test_no_answer_is_no_refusal() -> None:
    assert is_authorised(SLOW) is None


# The items


def dmarc(own: str, *reports: Asked) -> DmarcAnswers:
    return DmarcAnswers("b.a.test", tuple(
        asked(f"_dmarc.{name}", "TXT", *((own,) if name == "b.a.test" and own else ())) for name in walk_names("b.a.test")
    ), reports)  # fmt: skip


def consent(domain: str, *records: str) -> Asked:
    return asked(f"b.a.test._report._dmarc.{domain}", "TXT", *records)


@pytest.mark.parametrize(
    ("fact", "wanted", "reports"),
    [
        (dmarc(R + "p=reject; sp=all"), "warn:bad_tag", "pass:received"),
        (dmarc(R + "p=rejct"), "warn:bad_tag", "pass:received"),
        (dmarc("v=DMARC1; p=reject; sp=all"), "fail:broken", "fail:none"),
        (dmarc("v=DMARC1; rua=https://r.example/x"), "warn:watching", "fail:none"),
        (dmarc(R + "p=reject; pct=0"), "warn:removed_tag", "pass:received"),
        (dmarc(R + "p=none", consent("r.example")), "warn:watching", "warn:not_permitted"),
        (dmarc(R + "p=reject", consent("r.example", "v=DMARC1")), "pass:enforced", "pass:received"),
        (dmarc(R + "p=reject", consent("r.example", "v=DMARC1"), consent("q.example")), "warn:reports_refused", "warn:not_permitted"),
        (dmarc(R + "p=reject", Asked("b.a.test._report._dmarc.q.example", "TXT", SLOW), consent("r.example")), "warn:reports_refused", "warn:not_permitted"),
        (dmarc(R + "p=reject", Asked("b.a.test._report._dmarc.q.example", "TXT", SLOW)), "pass:enforced", "unknown:timeout"),
    ],
)  # fmt: skip
def test_the_items_say_it(fact: DmarcAnswers, wanted: str, reports: str) -> None:
    assert short(verdict("mail.dmarc", fact)) == wanted
    assert short(verdict("mail.dmarc_reports", fact)) == reports


def test_a_mail_domain_that_does_not_exist_is_judged_by_np() -> None:
    fact = DmarcAnswers("b.a.test", (asked("_dmarc.b.a.test", "TXT"), asked("_dmarc.a.test", "TXT", R + "p=reject; np=none"), asked("_dmarc.test", "TXT")))  # fmt: skip
    assert short(verdict("mail.dmarc", fact)) == "pass:enforced"
    assert (
        short(verdict("mail.dmarc", fact, MailRoutes("b.a.test", nobody("b.a.test", "MX"))))
        == "warn:watching"
    )


# On the wire


def looked(table: Table, default: Say | None = None) -> DmarcAnswers:
    async def run() -> DmarcAnswers:
        async with name_server(table, default) as server:
            probes = tuple(p for p in mail.PROBES if p.name == "dmarc")
            return (await gather(Target("b.a.test"), vantage(server), probes=probes)).facts.get(DmarcAnswers)

    return asyncio.run(run())


RECORD = f'"{R}p=reject"'
WIRE: dict[str, tuple[Table, Say | None, str]] = {
    "an alias to a record": ({("_dmarc.b.a.test", "TXT"): Say((RECORD,), chain=("d.mail.test.",))}, None, "pass:enforced"),
    "an alias to nothing": ({("_dmarc.b.a.test", "TXT"): Say(chain=("gone.test.",), rcode="NXDOMAIN")}, None, "fail:none"),
    "strings that are joined": ({("_dmarc.b.a.test", "TXT"): (f'"{R}" "p=re" "ject"',)}, None, "pass:enforced"),
    "no answer counts like no name": ({("_dmarc.a.test", "TXT"): (RECORD,)}, EMPTY, "pass:enforced"),
    "no name": ({("_dmarc.a.test", "TXT"): (RECORD,)}, NOBODY, "pass:enforced"),
    "every name echoes SPF": ({}, Say(('"v=spf1 -all"',)), "fail:none"),
    "every name echoes this record": ({}, Say((RECORD,)), "pass:enforced"),
    "the name itself fails": ({("_dmarc.b.a.test", "TXT"): SERVFAIL, ("_dmarc.a.test", "TXT"): (RECORD,)}, None, "unknown:resolver_failed"),
    "the name above fails": ({("_dmarc.a.test", "TXT"): SERVFAIL}, None, "unknown:resolver_failed"),
}  # fmt: skip


@pytest.mark.parametrize("case", WIRE)
def test_odd_zones_on_the_wire(case: str) -> None:
    table, default, wanted = WIRE[case]
    assert short(verdict("mail.dmarc", looked(table, default))) == wanted


def test_consent_by_wildcard_is_consent() -> None:
    record = f'"{R.replace("b.a.test", "r.example")}p=reject"'
    table: Table = {
        ("_dmarc.b.a.test", "TXT"): (record,),
        # What a resolver makes of *._report._dmarc.r.example.
        ("b.a.test._report._dmarc.r.example", "TXT"): ('"v=DMARC1;"',),
    }
    fact = looked(table)
    assert [a.name for a in fact.reports] == ["b.a.test._report._dmarc.r.example"]
    assert short(verdict("mail.dmarc_reports", fact)) == "pass:received"


@pytest.mark.parametrize(
    "text", ["v=DMARC1 p=reject", " v=DMARC1; p=reject", "v=DMARC1.0", "v==DMARC1", "dmarc", ""]
)
def test_what_begins_otherwise_is_no_record(text: str) -> None:
    with pytest.raises(ParseError):
        parse_dmarc(text)
