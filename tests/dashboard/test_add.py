"""Adding an instance: what is taken, what is refused with a sentence, and that a refusal stores nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan
from tests.factories import signed_in
from tests.lab.lab import Lab

pytestmark = pytest.mark.django_db
PATH = "/instances/add/"


@pytest.fixture
def owner(client: Client, alice: User) -> Client:
    Membership.objects.create(team=Team.objects.create(name="t"), user=alice, role=Role.OWNER)
    signed_in(client, alice)
    return client


@pytest.fixture
def in_lab(lab: Lab, settings: Settings) -> Settings:
    """Settings that look into the lab."""
    settings.RESOLVER, settings.TRUST_CA = lab.resolver, str(Path(lab.ca_file))
    settings.ALLOW_NETWORKS = lab.networks
    return settings


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "Enter the domain"),
        ("192.0.2.1", "an address, not a name"),
        ("https://[2001:db8::1]/", "an address, not a name"),
        ("localhost", "only inside a network"),
        ("printer.local", "only inside a network"),
        ("mastodon", "at least two parts"),
        ("x" * 300, "longer than a domain name can be"),
        ("x" * 3000, "longer than a domain name can be"),
        ("social\0.example", "invisible control characters"),
        ("social\n.example", "invisible control characters"),
        ("social example.org", "not a valid domain name"),
        ("<script>.example", "not a valid domain name"),
    ],
)
def test_bad_input_gets_a_sentence_and_nothing_is_stored(owner: Client, pasted: str, sentence: str) -> None:
    answer = owner.post(PATH, {"domain": pasted})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Instance.objects.exists() and not Scan.objects.exists()


def test_bad_input_stays_in_the_field(owner: Client) -> None:
    assert 'value="mastodon"' in owner.post(PATH, {"domain": "mastodon"}).content.decode()


@pytest.mark.lab
@pytest.mark.parametrize(
    "pasted", ["good.fedi.test", "https://GOOD.fedi.test/about", "@admin@good.fedi.test"]
)
def test_a_server_is_added_and_looked_at_at_once(owner: Client, in_lab: Settings, pasted: str) -> None:
    answer = owner.post(PATH, {"domain": pasted})
    assert (answer.status_code, answer["Location"]) == (302, "/instances/good.fedi.test/")
    instance = Instance.objects.get()
    scan = Scan.objects.get()
    assert (scan.instance, scan.state, scan.reason) == (instance, "queued", "first")
    assert instance.next_scan_at is not None


@pytest.mark.lab
def test_the_same_server_is_added_once(owner: Client, in_lab: Settings) -> None:
    owner.post(PATH, {"domain": "good.fedi.test"})
    answer = owner.post(PATH, {"domain": "good.fedi.test"})
    assert answer.status_code == 422 and "on your list already" in answer.content.decode()
    assert Instance.objects.count() == 1


@pytest.mark.lab
def test_a_name_that_does_not_exist_is_refused(owner: Client, in_lab: Settings) -> None:
    answer = owner.post(PATH, {"domain": "nowhere.fedi.test"})
    assert answer.status_code == 422 and "does not know nowhere.fedi.test" in answer.content.decode()
    assert not Instance.objects.exists()


@pytest.mark.lab
def test_a_name_that_leads_into_a_private_network_is_refused(owner: Client, in_lab: Settings) -> None:
    in_lab.ALLOW_NETWORKS = ()
    answer = owner.post(PATH, {"domain": "good.fedi.test"})
    assert answer.status_code == 422 and "private or reserved address" in answer.content.decode()
    assert not Instance.objects.exists()


@pytest.mark.lab
def test_a_name_that_leads_to_a_network_that_is_denied_or_our_own_is_refused(
    owner: Client, in_lab: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_lab.DENY_NETWORKS = ("127.66.0.10/32",)
    answer = owner.post(PATH, {"domain": "good.fedi.test"})
    assert answer.status_code == 422 and "FEDISEC_DENY_NETWORKS" in answer.content.decode()
    in_lab.DENY_NETWORKS, in_lab.ALLOW_NETWORKS = (), ()
    in_lab.OUTGOING_ADDRESSES = ("127.66.0.10",)
    monkeypatch.setattr("checks.probes.addresses.is_public", lambda address: True)
    monkeypatch.setattr("fedisec.instances.reach.is_public", lambda address: True)
    answer = owner.post(PATH, {"domain": "good.fedi.test"})
    assert answer.status_code == 422 and "the machine that fedisec runs on" in answer.content.decode()
    assert not Instance.objects.exists()


@pytest.mark.lab
def test_a_resolver_that_is_away_is_no_verdict_on_the_name(owner: Client, in_lab: Settings) -> None:
    in_lab.RESOLVER = "127.66.0.99"
    answer = owner.post(PATH, {"domain": "good.fedi.test"})
    assert answer.status_code == 422 and "Try again in a minute" in answer.content.decode()
    assert not Instance.objects.exists()
