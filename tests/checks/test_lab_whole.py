"""The command as an admin types it, on the lab: nothing of the good server stays unknown, and the bad one fails
whatever one server can fail, each time with what was seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checks.cli import main
from checks.items import all_items
from checks.model import Settles
from tests.lab.lab import Lab

pytest_plugins = ("tests.lab.fixtures",)  # by name, so that a run has one lab only
pytestmark = pytest.mark.lab

OUTSIDE = {item.id for item in all_items().values() if Settles.OUTSIDE in item.settles}
# What the bad server cannot fail, and why; each of these has its fails, where there are any, in its own tests.
CANNOT_FAIL = {
    "plan.software_fits": "has no fail: it waits for a person's word",
    "mail.provider_contract_known": "has no fail: it waits for a person's word",
    "firewall.cloud_ssh": "has no fail: a person is asked",
    "edge.waf": "has no fail: a person is asked",
    "edge.tunnel": "has no fail: a person is asked",
    "http.xss_protection_off": "has no fail: the header is a warning",
    "http.hsts_preload": "has no fail, and asks for HSTS, which is missing here",
    "domain.permanent": "is about the name, and no tunnel lends names below .test",
    "edge.origin_hidden": "asks for a CDN, whose absence is what fails edge.cdn",
    "tls.post_quantum": "asks for TLS 1.3, whose absence is what fails tls.v1_3",
    "legal.privacy_policy": "Mastodon always serves its own text: a warning",
    "signup.captcha": "Mastodon does not tell: a person is asked",
    "signup.email_verified": "Mastodon always asks for it",
    "app.setup_finished": "Mastodon has no set-up page",
}


def scanned(lab: Lab, capsys: pytest.CaptureFixture[str], host: str) -> dict[str, dict[str, Any]]:
    networks = [word for network in lab.networks for word in ("--allow-network", network)]
    options = ["--resolver", lab.resolver, "--trust-ca", str(lab.ca_file), *networks]
    options += [
        "--dnssec-names",
        lab.secure_name,
        lab.bogus_name,
        "--rdap-bootstrap",
        str(lab.rdap_bootstrap),
    ]
    options += ["--dnssec-anchor", str(lab.dnssec_anchor)]
    main(["scan", host, "--json", "--dkim-selector", "fedi", *options])
    items: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["items"]
    return {item["id"]: item for item in items if item["id"] in OUTSIDE}


def test_nothing_of_the_good_server_stays_unknown(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    found = scanned(lab, capsys, lab.good)
    assert [key for key, item in found.items() if item["status"] in {"unknown", "error"}] == []


def test_the_bad_server_fails_all_that_one_server_can(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.reset_bad()
    found = scanned(lab, capsys, lab.bad)
    assert {key for key, item in found.items() if item["status"] != "fail"} == set(CANNOT_FAIL)
    silent = [key for key, item in found.items() if item["status"] == "fail" and not item["evidence"]]
    assert silent == []
    unseen = {key for key, item in found.items() if item["status"] in {"unknown", "error"}}
    assert unseen == set()
