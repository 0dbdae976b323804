"""What the admin tells about an instance: taken, refused with a sentence, kept as typed, handed to the scan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from checks.probes import Gathered
from checks.target import Target
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan
from fedisec.scans.run import run_scan
from tests.factories import signed_in
from tests.lab.lab import Lab

pytestmark = pytest.mark.django_db
PATH = "/instances/social.example/settings/"
GIVEN = {
    "mail_from": "Example.ORG",
    "dkim_selectors": "Fedi2026, s1._domainkey ; k1._domainkey.example.org.",
    "origins": "192.88.1.1 2A00:1450::1",
    "ssh_port": "2222",
    "ssh_user": "deploy",
}
STORED = {
    "mail_from": "example.org",
    "dkim_selectors": ["fedi2026", "s1", "k1._domainkey.example.org"],
    "origins": ["192.88.1.1", "2a00:1450::1"],
    "ssh_port": 2222,
    "ssh_user": "deploy",
}
SEEN: list[Target] = []


async def gather(target: Target, *_: object, **__: object) -> Gathered:
    """Stands where the look would be, and notes what it was asked for."""
    from checks.facts import Facts

    SEEN.append(target)
    return Gathered(Facts(), {})


def stored() -> Mapping[str, object]:
    found = Instance.objects.get()
    return {name: getattr(found, name) for name in STORED}


def test_what_is_given_is_stored_and_looked_at_at_once(as_alice: Client, instance: Instance) -> None:
    answer = as_alice.post(PATH, GIVEN)
    assert (answer.status_code, answer["Location"]) == (302, "/instances/social.example/")
    assert stored() == STORED
    assert Scan.objects.get().reason == "manual"
    page = as_alice.get(PATH).content.decode()
    for text in ("example.org", "fedi2026, s1, k1._domainkey.example.org", "192.88.1.1", "2222", "deploy"):
        assert f'value="{text}' in page or f"{text}" in page


def test_a_scan_gets_what_was_given(as_alice: Client, instance: Instance, settings: Settings) -> None:
    SEEN.clear()
    settings.GATHER = "tests.dashboard.test_more.gather"
    as_alice.post(PATH, GIVEN)
    run_scan(Scan.objects.get().pk)
    (target,) = SEEN
    assert target == Target(
        "social.example",
        "example.org",
        ("fedi2026", "s1", "k1._domainkey.example.org"),
        ("192.88.1.1", "2a00:1450::1"),
        2222,
        "deploy",
    )


def test_all_of_it_can_be_taken_back(as_alice: Client, instance: Instance) -> None:
    as_alice.post(PATH, GIVEN)
    as_alice.post(PATH, {})
    assert stored() == {
        "mail_from": "",
        "dkim_selectors": [],
        "origins": [],
        "ssh_port": 22,
        "ssh_user": "root",
    }


REFUSED = [
    ("mail_from", "mail", "at least two parts"),
    ("mail_from", "192.0.2.1", "an address, not a name"),
    ("mail_from", "a b.example", "not a valid domain name"),
    ("dkim_selectors", "good, -bad-", "-bad-” is no selector"),
    ("dkim_selectors", "a._domainkey.b", "is no selector"),
    ("dkim_selectors", "v=DKIM1", "is no selector"),
    ("dkim_selectors", ",".join(f"s{n}" for n in range(11)), "10 at most"),
    ("origins", "social.example", "social.example” is no IP address"),
    ("origins", "10.0.0.1", "private or reserved"),
    ("origins", "::ffff:127.0.0.1", "private or reserved"),
    ("origins", "fe80::1%eth0", "private or reserved"),
    ("origins", "8.8.8.8/32", "is no IP address"),
    ("origins", " ".join(f"8.8.8.{n}" for n in range(5)), "4 at most"),
    ("ssh_port", "0", "from 1 to 65535"),
    ("ssh_port", "65536", "from 1 to 65535"),
    ("ssh_port", "ssh", "from 1 to 65535"),
    ("ssh_user", "a b", "not a user name"),
    ("ssh_user", "-oProxyCommand=x", "not a user name"),
]


@pytest.mark.parametrize(("field", "typed", "sentence"), REFUSED)
def test_bad_input_keeps_what_was_typed_and_stores_nothing(
    as_alice: Client, instance: Instance, field: str, typed: str, sentence: str
) -> None:
    before = stored()
    answer = as_alice.post(PATH, GIVEN | {field: typed})
    text = answer.content.decode()
    assert answer.status_code == 422 and sentence in text
    for name, value in (GIVEN | {field: typed}).items():
        assert f'name="{name}" value="{value}"' in text, name
    assert stored() == before and not Scan.objects.exists()


def test_an_operator_may_allow_own_networks(as_alice: Client, instance: Instance, settings: Settings) -> None:
    settings.ALLOW_NETWORKS = ("10.0.0.0/8",)
    assert as_alice.post(PATH, {"origins": "10.0.0.1"}).status_code == 302
    assert as_alice.post(PATH, {"origins": "192.168.0.1"}).status_code == 422


def test_only_who_may_edit_sees_and_changes_it(
    as_bob: Client, as_charlie: Client, as_alice: Client, instance: Instance
) -> None:
    for client in (as_bob, as_charlie):
        assert client.get(PATH).status_code == 404
        assert client.post(PATH, GIVEN).status_code == 404
    assert stored()["mail_from"] == ""
    assert PATH.encode() in as_alice.get("/instances/social.example/").content
    assert PATH.encode() not in as_bob.get("/instances/social.example/").content
    assert Client().get(PATH).status_code == 302


def test_the_page_speaks_japanese(as_alice: Client, instance: Instance) -> None:
    assert as_alice.get(PATH, headers={"Accept-Language": "ja"}).status_code == 200


@pytest.mark.lab
def test_an_instance_is_added_with_all_of_it(
    client: Client, alice: User, lab: Lab, settings: Settings
) -> None:
    settings.RESOLVER, settings.TRUST_CA = lab.resolver, str(Path(lab.ca_file))
    settings.ALLOW_NETWORKS = lab.networks
    Membership.objects.create(team=Team.objects.create(name="t"), user=alice, role=Role.OWNER)
    signed_in(client, alice)
    bad = client.post("/instances/add/", GIVEN | {"domain": "good.fedi.test", "ssh_port": "x"})
    assert bad.status_code == 422 and not Instance.objects.exists()
    text = bad.content.decode()
    assert '<details class="aside block" open>' in text and 'value="Example.ORG"' in text
    assert client.post("/instances/add/", GIVEN | {"domain": "good.fedi.test"}).status_code == 302
    assert stored() == STORED
