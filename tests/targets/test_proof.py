"""Proof of control: a real name server and a real web server hold it, or do not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from checks import codec  # noqa: F401 - registers what scans store
from fedisec.accounts.models import AuditEvent, User
from fedisec.alerts.models import Notice
from fedisec.instances import proof
from fedisec.instances.models import Instance, Proof
from fedisec.instances.proof import Said, Way
from fedisec.scans.models import Scan, ScanState
from fedisec.scans.queue import Asked, queue_scan
from fedisec.scans.run import run_scan
from tests.lab import netns
from tests.targets.world import Names, Site, name_server, web_server

pytestmark = [pytest.mark.django_db, pytest.mark.lab]
ADDRESS = "127.66.90.1"
AUTHORITY = trustme.CA()
DOMAIN = "social.example"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Names, Site, Path]]:
    if not netns.inside():
        pytest.skip("port 443 needs a network namespace: python -m tests.lab.netns pytest …")
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(file)
    with name_server() as names, web_server(ADDRESS, AUTHORITY, DOMAIN) as site:
        yield names, site, file


@pytest.fixture
def names(servers: tuple[Names, Site, Path], settings: Settings) -> Names:
    found, site, file = servers
    settings.RESOLVER, settings.TRUST_CA = found.resolver, str(file)
    settings.ALLOW_NETWORKS = (f"{ADDRESS}/32",)
    settings.PROOF = "required"
    found.records.clear()
    site.pages.clear()
    site.met.clear()
    found.records[DOMAIN, "A"] = [ADDRESS]
    return found


@pytest.fixture
def site(servers: tuple[Names, Site, Path]) -> Site:
    return servers[1]


def put_into_dns(names: Names, instance: Instance, *more: str) -> None:
    texts = proof.texts(instance)
    names.records[texts.record, "TXT"] = [*more, f'"{texts.text}"']


def put_on_web(site: Site, instance: Instance, status: int = 200, body: bytes | None = None) -> None:
    texts = proof.texts(instance)
    path = texts.url.removeprefix(f"https://{DOMAIN}")
    site.pages[path] = (status, body if body is not None else f"{texts.text}\n".encode(), {})


def checked_before(instance: Instance, ago: timedelta) -> None:
    """As if the last check had been that long ago."""
    row = Proof.objects.get(instance=instance)
    row.checked_at = row.checked_at and row.checked_at - ago
    row.proven_at = row.proven_at and row.proven_at - ago
    row.lapses_at = row.lapses_at and row.lapses_at - ago
    row.save()


def test_nothing_is_asked_for_by_default(instance: Instance, settings: Settings) -> None:
    assert settings.PROOF == "off" and proof.holds(instance)
    assert queue_scan(instance, "first") is Asked.QUEUED


def test_a_record_in_the_dns_proves_it(instance: Instance, names: Names, site: Site, alice: User) -> None:
    assert not proof.holds(instance)
    put_into_dns(names, instance, '"v=spf1 -all"')
    found = proof.check(instance, alice)
    assert found is not None and (found.said, found.way) == (Said.FOUND, Way.DNS)
    assert proof.holds(instance) and not site.met, "the web server was not needed"
    assert AuditEvent.objects.get(action="instance.proven").actor_name == alice.email


def test_a_file_on_the_web_server_proves_it(instance: Instance, names: Names, site: Site) -> None:
    put_on_web(site, instance)
    found = proof.check(instance)
    assert found is not None and (found.said, found.way) == (Said.FOUND, Way.WEB)
    assert proof.holds(instance)


def test_the_text_of_another_team_or_domain_proves_nothing(instance: Instance, names: Names) -> None:
    other = Instance(team_id=instance.team_id + 1, domain=DOMAIN)
    elsewhere = Instance(team_id=instance.team_id, domain="other.example")
    told = {proof.texts(one).text for one in (instance, other, elsewhere)}
    assert len(told) == 3
    names.records[f"_fedisec.{DOMAIN}", "TXT"] = [f'"{text}"' for text in told - {proof.texts(instance).text}]
    found = proof.look(instance)
    assert (found.said, found.dns, found.web) == (Said.ABSENT, "absent", "absent")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>everything is found here</html>", Said.ABSENT),
        (200, None, Said.FOUND),
        (404, None, Said.ABSENT),
        (301, None, Said.ABSENT),
        (403, None, Said.UNSEEN),
        (429, None, Said.UNSEEN),
        (500, None, Said.UNSEEN),
    ],
)
def test_what_the_web_server_says(
    instance: Instance, names: Names, site: Site, status: int, body: bytes | None, said: Said
) -> None:
    put_on_web(site, instance, status, body)
    site.pages[next(iter(site.pages))][2]["Location"] = f"https://{DOMAIN}/elsewhere"
    assert proof.look(instance).said is said


def test_a_page_that_repeats_the_address_proves_nothing(instance: Instance, names: Names, site: Site) -> None:
    path = proof.texts(instance).url
    put_on_web(site, instance, 200, path.removeprefix(f"https://{DOMAIN}").encode())
    assert proof.look(instance).said is Said.ABSENT


def test_a_redirect_is_not_followed(instance: Instance, names: Names, site: Site) -> None:
    put_on_web(site, instance, 302)
    path = next(iter(site.pages))
    site.pages[path][2]["Location"] = "/open"
    site.pages["/open"] = (200, proof.texts(instance).text.encode(), {})
    assert proof.look(instance).said is Said.ABSENT and "/open" not in site.met


def test_what_cannot_be_looked_at_refuses_nobody(instance: Instance, names: Names, site: Site) -> None:
    put_into_dns(names, instance)
    proof.check(instance)
    checked_before(instance, timedelta(days=31))
    names.records[f"_fedisec.{DOMAIN}", "TXT"] = "servfail"
    assert proof.still_holds(instance)
    row = Proof.objects.get(instance=instance)
    assert (row.said, row.lapses_at) == (Said.UNSEEN, None) and not Notice.objects.exists()
    checked_before(instance, timedelta(days=37))
    assert not proof.holds(instance), "but not for ever"


def test_an_address_that_may_not_be_dialled_is_not_dialled(
    instance: Instance, names: Names, site: Site, settings: Settings
) -> None:
    settings.ALLOW_NETWORKS = ()
    put_on_web(site, instance)
    found = proof.look(instance)
    assert (found.said, found.web) == (Said.UNSEEN, "forbidden_address") and not site.met


def test_what_is_gone_is_told_and_lapses_after_a_week(
    instance: Instance, names: Names, alice: User, bob: User
) -> None:
    put_into_dns(names, instance)
    proof.check(instance)
    checked_before(instance, timedelta(days=29))
    names.records.pop((f"_fedisec.{DOMAIN}", "TXT"))
    assert proof.still_holds(instance) and not Notice.objects.exists(), "it is not due yet"
    checked_before(instance, timedelta(days=2))
    assert proof.still_holds(instance), "there is a week"
    assert [one.user for one in Notice.objects.all()] == [alice], "of those who can put it back"
    checked_before(instance, timedelta(days=6))
    assert proof.still_holds(instance) and Notice.objects.count() == 1
    checked_before(instance, timedelta(days=2))
    assert not proof.still_holds(instance)
    assert queue_scan(instance, "manual") is Asked.UNPROVEN
    put_into_dns(names, instance)
    checked_before(instance, timedelta(days=1))
    assert proof.still_holds(instance), "put back, and found at the next look"
    assert AuditEvent.objects.filter(action="instance.proof_missed").count() == 1


def test_nothing_is_looked_at_before(
    instance: Instance, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedisec.scans.run._look", lambda scan: pytest.fail("looked"))
    for reason in ("first", "manual", "scheduled", "confirm"):
        assert queue_scan(instance, reason) is Asked.UNPROVEN
    assert not Scan.objects.exists()
    scan = Scan.objects.create(instance=instance, reason="scheduled")  # queued when nothing was asked for
    run_scan(scan.pk)
    scan.refresh_from_db()
    assert scan.state == ScanState.FAILED and "not proven" in scan.error


def test_an_operators_team_is_exempt_unless_the_setting_says_so(
    instance: Instance, settings: Settings, alice: User
) -> None:
    settings.PROOF = "required"
    assert not proof.holds(instance)
    assert list(proof.unproven(Instance.objects.all(), timezone.now())) == [instance]
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    assert proof.holds(instance)
    assert not proof.unproven(Instance.objects.all(), timezone.now()).exists()
    settings.PROOF_OF_OPERATOR = True
    assert not proof.holds(instance)
    assert proof.unproven(Instance.objects.all(), timezone.now()).exists()


def test_a_key_that_was_replaced_lately_still_counts(
    instance: Instance, names: Names, settings: Settings
) -> None:
    put_into_dns(names, instance)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    assert proof.look(instance).said is Said.FOUND


def test_the_page_shows_both_ways_and_looks(
    as_alice: Client, as_bob: Client, instance: Instance, names: Names, site: Site
) -> None:
    path, texts = f"/instances/{DOMAIN}/proof/", proof.texts(instance)
    for language, word in (("en", "Not proven"), ("en", "Look now")):
        page = as_alice.get(path, headers={"Accept-Language": language}).content.decode()
        assert word in page
    assert texts.record in page and page.count(texts.text) == 2 and texts.url in page
    assert "waits for proof" in as_alice.get("/").content.decode(), "said on every page"
    page = as_alice.post(path, follow=True).content.decode()
    assert "Not found yet" in page and "the text is not there" in page
    assert "ten seconds" in as_alice.post(path, follow=True).content.decode()
    put_into_dns(names, instance)
    checked_before(instance, timedelta(minutes=1))
    page = as_alice.post(path, follow=True).content.decode()
    assert "is yours" in page and "Proven" in page
    assert Scan.objects.get().reason == "first", "and the first look is on its way"
    assert as_bob.get(path).status_code == as_bob.post(path).status_code == 404


def test_a_dump_holds_no_text_of_a_proof(instance: Instance, names: Names) -> None:
    put_into_dns(names, instance)
    proof.check(instance)
    token = proof.texts(instance).text.partition("=")[2]
    assert len(token) == 26 and token not in str(Proof.objects.values())


def test_a_public_page_is_shown_only_where_it_holds(
    client: Client, scanned: Instance, settings: Settings, alice: User
) -> None:
    from fedisec.share import sharing

    share = sharing.save(
        scanned,
        alice,
        {"shows": "items", "only_met": False, "badge": True, "new_password": "", "drop_password": False},
    )
    path = f"/p/{share.token}/"
    assert client.get(path).status_code == 200
    settings.PROOF = "required"
    assert client.get(path).status_code == 404
