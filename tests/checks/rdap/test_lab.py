"""The lab's registry, asked by a whole scan, and by the command line."""

from __future__ import annotations

import asyncio
import json

import pytest

from checks.cli import main
from checks.codec import decode_facts, encode_facts
from checks.evaluate import evaluate
from checks.items import all_items
from checks.probes import gather, rdap
from checks.target import Target, Vantage
from tests.checks.dns.made import short
from tests.lab.lab import Lab

pytest_plugins = ("tests.lab.fixtures",)
pytestmark = pytest.mark.lab

ITEMS = ("domain.registration_lasts", "domain.whois_private")


def judged(lab: Lab, domain: str, bootstrap: str) -> dict[str, str]:
    vantage = Vantage(lab.resolver, lab.ca_file.read_text(), lab.networks, rdap_bootstrap=bootstrap)
    facts = asyncio.run(gather(Target(domain), vantage, probes=rdap.PROBES)).facts
    document = json.dumps(encode_facts(facts))
    assert decode_facts(json.loads(document)) == facts
    assert "Yamada" not in document
    return {k: short(v) for k, v in evaluate(facts, [all_items()[key] for key in ITEMS]).items()}


def test_the_good_domain_lasts_and_is_private(lab: Lab) -> None:
    assert judged(lab, lab.good, str(lab.rdap_bootstrap)) == dict(
        zip(ITEMS, ("pass:lasts", "pass:masked"), strict=True)
    )


def test_the_bad_domain_ends_soon_and_names_its_owner(lab: Lab) -> None:
    assert judged(lab, lab.bad, str(lab.rdap_bootstrap)) == dict(
        zip(ITEMS, ("fail:ends_soon", "fail:personal"), strict=True)
    )


def test_a_name_that_the_registry_does_not_know_is_unknown(lab: Lab) -> None:
    found = judged(lab, "other.fedi.test", str(lab.rdap_bootstrap))
    assert set(found.values()) == {"unknown:not_found"}


def test_without_a_service_for_the_name_nobody_is_asked(lab: Lab) -> None:
    assert set(judged(lab, lab.good, "").values()) == {"unknown:no_service", "manual:no_service"}


def test_the_command_line_takes_the_list(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        "--resolver",
        lab.resolver,
        "--trust-ca",
        str(lab.ca_file),
        "--only",
        ",".join(ITEMS),
        "--json",
    ]
    for network in lab.networks:
        options += ["--allow-network", network]
    assert main(["scan", lab.bad, *options, "--rdap-bootstrap", str(lab.rdap_bootstrap)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(i["id"], i["status"], i["code"]) for i in report["items"]] == [
        ("domain.registration_lasts", "fail", "ends_soon"),
        ("domain.whois_private", "fail", "personal"),
    ]
    assert report["connections"]["rdap"] == 1
