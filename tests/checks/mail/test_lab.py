"""Domain and mail of the lab's two instances, over its real name servers and mail hosts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from checks.codec import decode_facts, encode_facts
from checks.evaluate import evaluate
from checks.items import all_items
from checks.model import Verdict
from checks.probes import dns, gather, mail
from checks.target import Limits, Target, Vantage
from tests.checks.dns.made import short
from tests.lab.fixtures import lab
from tests.lab.lab import Lab

__all__ = ["lab"]
pytestmark = pytest.mark.lab

ITEMS = [item for item in all_items().values() if item.topic in ("domain", "mail")]


def judged(lab_: Lab, domain: str, **target: object) -> tuple[Mapping[str, Verdict], int]:
    vantage = Vantage(
        resolver=lab_.resolver,
        trust_pem=lab_.ca_file.read_text(),
        allow_networks=lab_.networks,
        secure_name=lab_.secure_name,
        bogus_name=lab_.bogus_name,
    )
    seen = asyncio.run(
        gather(Target(domain, **target), vantage, Limits(), probes=(*dns.PROBES, *mail.PROBES))  # type: ignore[arg-type]
    )
    assert decode_facts(json.loads(json.dumps(encode_facts(seen.facts)))) == seen.facts
    return evaluate(seen.facts, ITEMS), seen.connections["dns"]


def test_the_good_instance_passes_domain_and_mail(lab: Lab) -> None:  # noqa: F811
    verdicts, questions = judged(lab, lab.good, dkim_selectors=("fedi",))
    assert {key: short(verdict) for key, verdict in verdicts.items()} == {
        "domain.permanent": "pass:own",
        "domain.caa": "pass:restricted",  # the certificate is another probe's
        "domain.dnssec": "pass:secure",
        "domain.nameservers": "pass:alike",
        "domain.registration_lasts": "unknown:not_asked",
        "domain.whois_private": "unknown:not_asked",
        "domain.contact_mailbox": "manual:",
        "mail.spf": "pass:valid",
        "mail.dkim": "pass:good",
        "mail.dmarc": "pass:enforced",
        "mail.dmarc_reports": "pass:received",
        "mail.mx_sane": "pass:deliverable",
        "mail.provider_contract_known": "not_applicable:own_server",
        "mail.mta_sts": "pass:enforced",
        "mail.starttls": "pass:offered",
        "mail.dane": "pass:matches",
    }
    assert questions <= 40


def test_the_bad_instance_fails_where_it_is_bad(lab: Lab) -> None:  # noqa: F811
    verdicts, questions = judged(lab, lab.bad)
    wanted = {
        "domain.caa": "fail:nobody",
        "domain.dnssec": "fail:bogus",
        "domain.nameservers": "fail:one_server",
        "mail.spf": "fail:several",
        "mail.dkim": "unknown:no_selector",
        "mail.dmarc": "fail:broken",
        "mail.mx_sane": "fail:null_and_others",
        "mail.mta_sts": "fail:no_policy",
        "mail.starttls": "fail:not_offered",
        "mail.dane": "fail:mismatch",
    }
    assert {key: short(verdicts[key]) for key in wanted} == wanted
    assert questions <= 50


def test_a_zone_signed_wrongly_is_bogus(lab: Lab) -> None:  # noqa: F811
    verdicts, _ = judged(lab, lab.bogus_name)
    assert short(verdicts["domain.dnssec"]) == "fail:bogus"
    assert short(verdicts["domain.caa"]) == "unknown:resolver_failed"
