"""The web and software probes against the lab's real servers: facts, verdicts, and what they cost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import pytest

from checks.codec import decode_facts, encode_facts
from checks.evaluate import evaluate
from checks.facts import Facts
from checks.facts.http import AssetPage, MediaSample, PanelPaths, PathSeen, PlainHttp, SecretPaths
from checks.facts.instance import ContactDomain, InstanceInfo, Software
from checks.model import Status
from checks.probes import Gathered, dns, gather, http, instance
from checks.target import Target, Vantage
from tests.lab.lab import Lab

pytest_plugins = ("tests.lab.fixtures",)
pytestmark = pytest.mark.lab

TOPICS = {"http", "app", "signup", "legal", "updates"}
PROBES = (*dns.PROBES, *http.PROBES, *instance.PROBES)


def scan(lab: Lab, domain: str) -> Gathered:
    vantage = Vantage(
        resolver=lab.resolver,
        allow_networks=lab.networks,
        secure_name=lab.secure_name,
        bogus_name=lab.bogus_name,
        trust_pem=lab.ca_file.read_text(),
    )
    return asyncio.run(gather(Target(domain), vantage, probes=PROBES))


def with_status(facts: Facts, *wanted: Status) -> set[str]:
    verdicts = evaluate(facts).items()
    return {name for name, v in verdicts if v.status in wanted and name.split(".")[0] in TOPICS}


def found(paths: Iterable[object]) -> dict[str, str]:
    return {p.path: p.found for p in paths if isinstance(p, PathSeen)}


def test_the_good_server_neither_fails_nor_warns(lab: Lab) -> None:
    gathered = scan(lab, lab.good)
    assert with_status(gathered.facts, Status.FAIL, Status.WARN, Status.ERROR) == set()
    assert len(with_status(gathered.facts, Status.PASS)) >= 20
    assert gathered.facts.get(Software).version == gathered.facts.get(Software).base_version
    assert gathered.facts.get(ContactDomain).mx_resolves
    assert gathered.facts.get(AssetPage).page.url.endswith("/packs/assets/application.js")
    assert gathered.connections["http"] <= 19, "one request is left to MTA-STS"
    assert gathered.connections["web"] <= 8


def test_the_bad_server_fails_where_it_is_bad(lab: Lab) -> None:
    facts = scan(lab, lab.bad).facts
    assert with_status(facts, Status.ERROR) == set()
    assert {
        "http.https_redirect", "http.hsts", "http.csp", "http.frame_options", "http.content_type_options",
        "http.referrer_policy", "http.cookies", "http.cors", "app.panels_closed", "app.secrets_not_served",
        "app.secure_cookie", "app.media_domain", "app.bucket_not_listable", "signup.closed", "signup.approval",
        "legal.terms_prohibit", "updates.software_current",
    } <= with_status(facts, Status.FAIL)  # fmt: skip
    assert facts.get(InstanceInfo).registrations_open is True
    assert facts.get(PlainHttp).hops != ()
    assert found(facts.get(SecretPaths).paths)["/.env"] == "environment file"
    assert found(facts.get(PanelPaths).paths)["/metrics"] == "metrics"
    assert facts.get(MediaSample).listing == "folder index"


def test_no_planted_secret_and_no_cookie_is_kept(lab: Lab) -> None:
    text = str(scan(lab, lab.bad).facts)
    assert "planted" not in text
    assert "_mastodon_session=lab-" not in text


def test_repaired_faults_pass(lab: Lab) -> None:
    names = {
        "http.hsts",
        "http.https_redirect",
        "http.frame_options",
        "http.cookies",
        "app.secrets_not_served",
    }
    assert names <= with_status(scan(lab, lab.bad).facts, Status.FAIL)
    lab.set_bad(hsts=True, redirect=True, frame_options=True, secure_cookie=True, env_served=False, csp=True)
    try:
        assert not names & with_status(scan(lab, lab.bad).facts, Status.FAIL, Status.UNKNOWN)
    finally:
        lab.reset_bad()


def test_the_facts_survive_being_stored(lab: Lab) -> None:
    facts = scan(lab, lab.bad).facts
    assert evaluate(decode_facts(json.loads(json.dumps(encode_facts(facts))))) == evaluate(facts)
