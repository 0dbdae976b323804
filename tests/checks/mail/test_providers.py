"""The table of mail services: sound in itself, and right about names that were seen."""

from __future__ import annotations

import tomllib
from collections import Counter
from datetime import date
from importlib import resources
from itertools import combinations

import pytest

from checks.data.dns import common_selectors, mail_providers, provider_of_mx, provider_of_spf
from checks.data.suffixes import public_suffix
from checks.parse.dkim import parse_selector
from checks.target import parse_domain
from tests.checks.dns.made import SLOW, nobody, short, verdict
from tests.checks.mail.test_items import MX, routes, spf

TABLE = tomllib.loads(resources.files("checks.data").joinpath("mail_providers.toml").read_text("utf-8"))
ENDINGS = [
    (p.name, kind, ending) for p in mail_providers() for kind in ("mx", "spf") for ending in getattr(p, kind)
]


def test_the_table_is_dated_and_read_whole() -> None:
    assert date(2026, 1, 1) < TABLE["as_of"]
    assert len(TABLE["provider"]) == len(mail_providers()) >= 30
    for row in TABLE["provider"]:
        assert set(row) <= {"name", "mx", "spf", "selectors"}, row["name"]


def test_every_service_has_one_name_and_shows_somewhere() -> None:
    assert [n for n, count in Counter(p.name for p in mail_providers()).items() if count > 1] == []
    assert [p.name for p in mail_providers() if not (p.mx or p.spf)] == []


@pytest.mark.parametrize(("name", "kind", "ending"), ENDINGS)
def test_every_ending_is_a_name_below_a_public_suffix(name: str, kind: str, ending: str) -> None:
    # SPF names begin with underscores, and an asterisk stands for a label.
    plain = ".".join("x" if label == "*" else label.replace("_", "x") for label in ending.split("."))
    assert parse_domain(plain) == plain
    assert public_suffix(ending) != ending


def test_no_ending_belongs_to_two_services() -> None:
    for (one, kind, a), (other, other_kind, b) in combinations(ENDINGS, 2):
        assert one == other or kind != other_kind or a != b, (one, other, a)


def test_every_ending_leads_to_its_service() -> None:
    """An ending that a longer or an equal one of another service hides would be dead."""
    for name, kind, ending in ENDINGS:
        find = provider_of_mx if kind == "mx" else provider_of_spf
        found = find(
            "a." + ending.replace("*", "eu-west-1") if "*" not in ending else ending.replace("*", "eu-west-1")
        )
        assert found is not None and found.name == name, ending


def test_selectors_are_selectors() -> None:
    for selector in (*common_selectors(), *(s for p in mail_providers() for s in p.selectors)):
        assert parse_selector(selector) == selector
    assert len(set(common_selectors())) == len(common_selectors()) <= 20
    assert [p.name for p in mail_providers() if len(p.selectors) > 6] == []


MX_SEEN = [
    ("mxa.eu.mailgun.org", "Mailgun"),
    ("aspmx.l.google.com", "Google Workspace"),
    ("smtp.google.com", "Google Workspace"),
    ("example-org.mail.protection.outlook.com", "Microsoft 365"),
    ("inbound-smtp.eu-west-1.amazonaws.com", "Amazon SES"),
    ("feedback-smtp.us-east-1.amazonses.com", "Amazon SES"),
    ("in1-smtp.messagingengine.com", "Fastmail"),
    ("mail.protonmail.ch", "Proton Mail"),
    ("mx1.privateemail.com", "Private Email (Namecheap)"),
    ("www1234.sakura.ne.jp", "Sakura Internet"),
    # machines of customers
    ("ec2-192-0-2-1.eu-west-1.compute.amazonaws.com", None),
    ("ec2-192-0-2-1.compute-1.amazonaws.com", None),
    ("tk2-123-45678.vs.sakura.ne.jp", None),
    ("s3.amazonaws.com", None),
    # somebody else's names
    ("mx.notgoogle.com", None),
    ("google.com.example.org", None),
    ("mx.example.org", None),
    ("amazonaws.com", None),
]


@pytest.mark.parametrize(("host", "service"), MX_SEEN)
def test_mail_hosts_that_were_seen(host: str, service: str | None) -> None:
    found = provider_of_mx(host)
    assert (found.name if found else None) == service


SPF_SEEN = [
    ("_spf.google.com", "Google Workspace"),
    ("spf.protection.outlook.com", "Microsoft 365"),
    ("amazonses.com", "Amazon SES"),
    ("eu.mailgun.org", "Mailgun"),
    ("u1234.wl.sendgrid.net", "SendGrid"),
    ("_spf.mailersend.net", "MailerSend"),
    ("eu.rp.oracleemaildelivery.com", "Oracle Cloud Email Delivery"),
    ("google.com", None),
    ("spf.example.org", None),
]


@pytest.mark.parametrize(("name", "service"), SPF_SEEN)
def test_includes_that_were_seen(name: str, service: str | None) -> None:
    found = provider_of_spf(name)
    assert (found.name if found else None) == service


def test_an_include_that_was_not_seen_leaves_it_unknown() -> None:
    unseen = spf("v=spf1 include:b.test -all", b_test=SLOW)
    assert short(verdict("mail.provider_contract_known", routes(MX), unseen)) == "unknown:timeout"
    gone = spf("v=spf1 include:b.test -all", b_test=nobody("b.test", "TXT"))
    assert short(verdict("mail.provider_contract_known", routes(MX), gone)) != "not_applicable:own_server"
