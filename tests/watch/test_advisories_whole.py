"""The whole way: a server of the lab is looked at, a publisher says something new, and a mail arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from checks.data.tables import advisories, releases
from checks.facts import Facts
from checks.parse.advisories import applying
from checks.probes import dns, gather, http, instance
from checks.target import Target, Vantage
from fedisec.alerts import outbox
from fedisec.alerts.models import Delivery, Subscription
from fedisec.alerts.send import send_mail
from fedisec.instances.models import Instance
from fedisec.scans.run import with_self_facts
from fedisec.watch import clock, fetching
from fedisec.watch.models import Form, Source, SourceKind
from tests.alerts.conftest import relay
from tests.factories import a_recorded_scan, a_subscriber, an_instance
from tests.lab.lab import Lab
from tests.smtp import Relay, text_of
from tests.watch import advisories as made
from tests.watch.conftest import AddSource
from tests.watch.site import Site

pytest_plugins = ("tests.lab.fixtures",)
pytestmark = [pytest.mark.lab, pytest.mark.django_db]
__all__ = ["relay"]  # a fixture
PROBES = (*dns.PROBES, *http.PROBES, *instance.PROBES)


def _seen(lab: Lab, version: str) -> Facts:
    """What a look at the lab's Mastodon of that version brings."""
    lab.set_bad(version=version)
    place = Vantage(
        resolver=lab.resolver,
        allow_networks=lab.networks,
        secure_name=lab.secure_name,
        bogus_name=lab.bogus_name,
        trust_pem=lab.ca_file.read_text(),
    )
    return asyncio.run(gather(Target(lab.bad), place, probes=PROBES)).facts


@pytest.fixture(autouse=True)
def _restored(lab: Lab) -> Iterator[None]:
    yield
    lab.reset_bad()


def _page(found: Instance) -> str:
    client = Client()
    client.force_login(found.created_by)  # type: ignore[arg-type]  # an_instance has one
    return client.get(f"/instances/{found.address}/items/updates.software_current/").content.decode()


def test_a_mastodon_of_january_shows_its_flaws_and_where_to_go(lab: Lab) -> None:
    found = an_instance(domain=lab.bad)
    a_recorded_scan(found, with_self_facts(_seen(lab, "4.5.4"), found))
    page = _page(found)
    sure = [one for one in applying(advisories(), "mastodon", "4.5.4") if one.seen]
    newest = next(branch.latest for branch in releases()["mastodon"].branches if branch.name == "4.5")
    assert len(sure) >= 20 and f"4.5.4 has {len(sure)} known flaws" in page
    assert f"{newest} has none of them" in page
    for name in ("CVE-2026-46348", "CVE-2026-50129", "CVE-2026-72914"):
        assert name in page
    assert "CVE-2026-22245" not in page, "which 4.5.4 itself has fixed"


def test_a_new_flaw_reaches_the_page_and_one_mail_about_all_instances(
    lab: Lab, web: Site, source: AddSource, relay: Relay, settings: Settings
) -> None:
    first, second = an_instance(domain=lab.bad), an_instance(domain="second.example")
    reader = a_subscriber(first, email="reader@example.org")
    second.team.memberships.create(user=reader, role="viewer")
    Subscription.objects.create(user=reader, instance=second)
    settings.MAIL_GROUP_S = 0
    feed = source(
        "/v1/query", SourceKind.ADVISORIES, form=Form.OSV, asks="Bitnami mastodon", about="mastodon"
    )
    facts = _seen(lab, "4.99.0")
    for one in (first, second):
        a_recorded_scan(one, with_self_facts(facts, one))
    clock.tick(timezone.now())  # what runs is known from here on
    old = made.osv_entry("BIT-1", ("0", "4.2.0"))
    web.say("/v1/query", made.osv(old))
    fetching.fetch_source(feed.pk)
    flaw = made.osv_entry(
        "BIT-2", ("4.90.0", "4.99.1"), aliases=["CVE-2026-99999"], summary="Strangers can become admins"
    )
    web.say("/v1/query", made.osv(old, flaw))
    Source.objects.update(next_fetch_at=timezone.now())
    fetching.fetch_source(feed.pk)
    page = _page(first)
    assert "CVE-2026-99999" in page and "4.99.1 has none of them" in page and "CVSS 3.1 9.8" in page

    outbox.tick(timezone.now())
    for delivery in Delivery.objects.all():
        send_mail(delivery.pk)
    (mail,) = relay.taken
    text = text_of(mail)
    assert relay.recipients == ["reader@example.org"] and "CVE-2026-99999" in str(mail["Subject"])
    assert "Strangers can become admins" in text and lab.bad in text and "second.example" in text
    assert "critical: CVSS 3.1 9.8, by the vector of Bitnami" in text and "ends with 4.99.1" in text

    # The second look and the next reading say the same, and nobody is told again.
    for one in (first, second):
        a_recorded_scan(one, with_self_facts(facts, one))
    Source.objects.update(next_fetch_at=timezone.now())
    fetching.fetch_source(feed.pk)
    clock.tick(timezone.now())
    outbox.tick(timezone.now())
    assert Delivery.objects.count() == 1
