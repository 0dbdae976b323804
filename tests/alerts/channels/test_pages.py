"""The pages of channels: editors see where to, viewers that there are some, strangers nothing; no secret is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from fedisec.accounts.audit_words import ACTIONS
from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.alerts.channels import services
from fedisec.alerts.channels.sealing import address_of, secrets_of
from fedisec.alerts.models import Channel, Delivery
from fedisec.instances.models import Instance
from tests.alerts.channels.conftest import CANARY, a_webhook
from tests.dashboard.conftest import alice, as_alice, as_bob, as_charlie, bob, charlie, instance
from tests.watch.site import Site

__all__ = ["alice", "as_alice", "as_bob", "as_charlie", "bob", "charlie", "instance"]

PATH = f"/in/{CANARY}?token={CANARY}"
ADDRESS = f"https://hooks.example.org/{CANARY}"
FORM = {
    "name": "On call",
    "address": ADDRESS,
    "kinds": ["regression"],
    "levels": ["required"],
    "which": "all",
}


@pytest.fixture(autouse=True)
def _no_pause_before() -> None:
    cache.clear()


def _text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def _hides(page: str, channel: Channel | None = None) -> None:
    assert CANARY.lower() not in page.lower()
    for secret in secrets_of(channel, timezone.now()) if channel is not None else ():
        assert secret[6:] not in page


def test_a_channel_is_added_changed_and_its_address_never_shown(
    as_alice: Client, instance: Instance, alice: User
) -> None:
    answer = as_alice.post("/channels/add/webhook/", FORM)
    channel = Channel.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"/channels/{channel.pk}/"
    assert (address_of(channel), channel.shown) == (ADDRESS, "https://hooks.example.org")
    assert (channel.kinds, channel.levels, channel.created_by) == (["regression"], ["required"], alice)
    for path in ("/channels/", f"/channels/{channel.pk}/", f"/channels/{channel.pk}/edit/"):
        page = _text(as_alice, path)
        _hides(page, channel)
        assert "https://hooks.example.org" in page
    changed = FORM | {"address": "", "name": "Night", "which": "chosen", "instances": [str(instance.pk)]}
    as_alice.post(f"/channels/{channel.pk}/edit/", changed | {"language": "ja", "time_zone": "Asia/Tokyo"})
    channel.refresh_from_db()
    assert (channel.name, address_of(channel), channel.language) == ("Night", ADDRESS, "ja")
    assert list(channel.instances.all()) == [instance]
    events = list(AuditEvent.objects.filter(action__startswith="channel."))
    assert [event.action for event in events] == ["channel.changed", "channel.added"]
    _hides(str([list(AuditEvent.objects.values_list())]))


@pytest.mark.parametrize(
    "address",
    [f"http://hooks.example.org/{CANARY}", f"https://u:{CANARY}@hooks.example.org/", f"https://10.0.0.1/{CANARY}",
     f"https://[::1]/{CANARY}", f"https://hooks.example.org:25/{CANARY}", f"ftp://{CANARY}/", CANARY,
     f"https://a b/{CANARY}", f"https://[::1/{CANARY}", "https://x/" + CANARY * 200, f"javascript:{CANARY}"],
)  # fmt: skip
def test_what_may_not_be_called_is_refused_and_not_repeated(
    as_alice: Client, instance: Instance, address: str
) -> None:
    answer = as_alice.post("/channels/add/webhook/", FORM | {"address": address})
    assert answer.status_code == 422 and not Channel.objects.exists()
    assert b"errorlist" in answer.content
    _hides(answer.content.decode())


def test_plain_http_is_for_networks_of_the_operator(
    as_alice: Client, instance: Instance, settings: Settings
) -> None:
    settings.ALLOW_NETWORKS = ("10.1.0.0/16",)
    assert as_alice.post("/channels/add/webhook/", FORM | {"address": "http://10.2.0.1/"}).status_code == 422
    assert (
        as_alice.post("/channels/add/webhook/", FORM | {"address": "http://10.1.0.1:8080/"}).status_code
        == 302
    )
    assert Channel.objects.get().shown == "http://10.1.0.1:8080"


def test_a_message_service_is_checked_by_apprise(as_alice: Client, instance: Instance) -> None:
    page = _text(as_alice, "/channels/add/apprise/")
    assert "ntfys://" in page
    for address in ("syslog://", "exec://ls", f"ntfy://example.org/{CANARY}", "slack://nonsense"):
        answer = as_alice.post("/channels/add/apprise/", FORM | {"address": address})
        assert answer.status_code == 422 and CANARY not in answer.content.decode()
    address = f"ntfys://user:{CANARY}@ntfy.example.org/{CANARY}"
    assert as_alice.post("/channels/add/apprise/", FORM | {"address": address}).status_code == 302
    channel = Channel.objects.get()
    assert channel.shown == "ntfy · ntfy.example.org" and channel.sealed_secret == ""
    page = _text(as_alice, f"/channels/{channel.pk}/")
    assert "secret-title" not in page
    assert as_alice.post(f"/channels/{channel.pk}/rotate/").status_code == 404


def test_without_apprise_the_page_says_how_to_get_it(
    as_alice: Client, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "is_there", lambda: False)
    assert "pip install apprise" in _text(as_alice, "/channels/add/apprise/", 501)


def test_a_viewer_sees_names_and_no_addresses(as_bob: Client, instance: Instance, channel: Channel) -> None:
    Channel.objects.update(shown="https://hooks.example.org")
    page = _text(as_bob, "/channels/")
    assert "Ops" in page and "hooks.example.org" not in page and "/channels/add/" not in page


@pytest.mark.parametrize("who", ["as_bob", "as_charlie"])
def test_who_may_not_edit_finds_nothing(
    request: pytest.FixtureRequest, instance: Instance, channel: Channel, who: str
) -> None:
    client: Client = request.getfixturevalue(who)
    base = f"/channels/{channel.pk}/"
    for path in ("", "edit/", "remove/"):
        assert client.get(base + path).status_code == 404
    for path in ("edit/", "test/", "secret/", "rotate/", "on/", "off/", "remove/"):
        assert client.post(base + path, FORM).status_code == 404
    if who == "as_charlie":
        assert "Ops" not in _text(client, "/channels/")
    assert Channel.objects.filter(pk=channel.pk, enabled=True).exists() and not Delivery.objects.exists()


def test_nobody_adds_to_another_team_or_chooses_its_instances(
    as_charlie: Client, as_bob: Client, instance: Instance
) -> None:
    assert as_bob.get("/channels/add/webhook/").status_code == 404
    chosen = FORM | {"which": "chosen", "instances": [str(instance.pk)]}
    assert as_charlie.post("/channels/add/webhook/", chosen).status_code == 422
    assert (
        as_charlie.post("/channels/add/webhook/", FORM | {"team": str(instance.team_id)}).status_code == 302
    )
    assert Channel.objects.get().team_id != instance.team_id


def test_of_several_teams_the_chosen_one_counts(as_alice: Client, alice: User, instance: Instance) -> None:
    other = Team.objects.create(name="Second")
    Membership.objects.create(team=other, user=alice, role=Role.EDITOR)
    wrong = FORM | {"team": str(other.pk), "which": "chosen", "instances": [str(instance.pk)]}
    assert as_alice.post("/channels/add/webhook/", wrong).status_code == 422
    assert as_alice.post("/channels/add/webhook/", FORM | {"team": str(other.pk)}).status_code == 302
    assert Channel.objects.get().team == other


def test_a_test_shows_the_real_answer_and_stands_in_the_log(
    as_alice: Client, receiver: Site, channel: Channel
) -> None:
    page = as_alice.post(f"/channels/{channel.pk}/test/", follow=True).content.decode()
    assert "200 OK: thanks" in page and len(receiver.asked) == 1
    assert (Delivery.objects.get().state, Delivery.objects.get().kind) == ("sent", "test")
    as_alice.post(f"/channels/{channel.pk}/test/")
    assert len(receiver.asked) == 1, "the other side is not flooded"


def test_a_test_that_is_not_taken_says_so_without_a_secret(
    as_alice: Client, receiver: Site, channel: Channel
) -> None:
    secret = secrets_of(channel, timezone.now())[0]
    receiver.say(PATH, f"no such hook {PATH} {secret}", 404)
    page = as_alice.post(f"/channels/{channel.pk}/test/", follow=True).content.decode()
    assert "404 Not Found: no such hook" in page
    _hides(page, channel)
    channel.refresh_from_db()
    assert channel.failing_since is not None and Delivery.objects.get().state == "failed"
    for path in ("/channels/", f"/channels/{channel.pk}/", f"/channels/{channel.pk}/edit/", "/audit/"):
        _hides(_text(as_alice, path), channel)
    _hides(str(list(Delivery.objects.values_list())), channel)


def test_the_secret_is_shown_for_an_hour_and_to_who_asks(as_alice: Client, channel: Channel) -> None:
    page, secret = f"/channels/{channel.pk}/", secrets_of(channel, timezone.now())[0]
    assert secret not in _text(as_alice, page)
    answer = as_alice.post(f"{page}secret/")
    assert secret in answer.content.decode() and "no-store" in answer["Cache-Control"]
    assert AuditEvent.objects.filter(action="channel.secret_shown").count() == 1
    Channel.objects.update(secret_made_at=timezone.now() - timedelta(minutes=61))
    assert secret not in as_alice.post(f"{page}secret/", follow=True).content.decode()
    as_alice.post(f"{page}rotate/")
    channel.refresh_from_db()
    now = secrets_of(channel, timezone.now())
    assert now[1] == secret and now[0] in as_alice.post(f"{page}secret/").content.decode()


def test_a_channel_is_switched_and_removed_by_its_name(as_alice: Client, channel: Channel) -> None:
    base = f"/channels/{channel.pk}/"
    as_alice.post(f"{base}off/")
    assert "switched off" in _text(as_alice, base)
    Channel.objects.update(stopped_why="gone", failing_since=timezone.now())
    assert "410" in _text(as_alice, base)
    as_alice.post(f"{base}on/")
    channel.refresh_from_db()
    assert (channel.enabled, channel.stopped_why, channel.failing_since) == (True, "", None)
    assert as_alice.post(f"{base}remove/", {"name": "other"}).status_code == 422
    assert as_alice.post(f"{base}remove/", {"name": " ops "}).status_code == 302
    assert not Channel.objects.exists()


def test_every_action_has_a_word() -> None:
    known = {f"channel.{name}" for name in (
        "added", "changed", "switched_on", "switched_off", "stopped", "tested", "rotated", "secret_shown",
        "removed")}  # fmt: skip
    assert known <= set(ACTIONS)


def test_without_the_key_file_nothing_is_stored_and_the_page_says_so(
    as_alice: Client, channel: Channel, settings: Settings
) -> None:
    settings.KEY_FILE = "/nonexistent/keys"
    answer = as_alice.post("/channels/add/webhook/", FORM)
    assert answer.status_code == 422 and Channel.objects.count() == 1
    for path in ("rotate/", "secret/", "test/"):
        page = as_alice.post(f"/channels/{channel.pk}/{path}", follow=True).content.decode()
        assert "key file" in page
        _hides(page)


def test_the_list_needs_as_many_queries_for_ten_as_for_one(
    as_alice: Client, instance: Instance, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def one_more() -> None:
        made = a_webhook(instance, ADDRESS)
        about = f"{made.pk}"
        Delivery.objects.create(kind="test", about=about, channel=made, message_id=f"<{about}@x>")

    one_more()
    _text(as_alice, "/channels/")
    with django_assert_max_num_queries(100) as few:
        _text(as_alice, "/channels/")
    for _ in range(9):
        one_more()
    with django_assert_max_num_queries(len(few)):
        _text(as_alice, "/channels/")


def test_the_page_reads_in_japanese_without_an_address(as_alice: Client, channel: Channel) -> None:
    as_alice.cookies["language"] = "ja"
    _hides(_text(as_alice, f"/channels/{channel.pk}/"), channel)


def test_only_watched_instances_of_the_own_team_are_offered(
    as_alice: Client, alice: User, instance: Instance, channel: Channel
) -> None:
    other = Team.objects.create(name="Second")
    Membership.objects.create(team=other, user=alice, role=Role.OWNER)
    Instance.objects.create(team=other, domain="second.example")
    Instance.objects.create(team=instance.team, domain="made-up.example", demo=True)
    page = _text(as_alice, f"/channels/{channel.pk}/edit/")
    assert "social.example" in page and "second.example" not in page and "made-up.example" not in page
