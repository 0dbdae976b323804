"""The public page and the badge: closed unless opened, showing what was chosen and nothing that was seen."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from checks.items import all_items
from fedisec.accounts.models import AuditEvent, User
from fedisec.checklist.models import OwnItem
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan
from fedisec.share import door
from fedisec.share.badge import STALE
from fedisec.share.models import Share
from tests.factories import an_instance
from tests.share.conftest import ATTESTED, DOMAIN

SETTINGS = f"/instances/{DOMAIN}/share/"
PASSWORD = "ein langes Kennwort, 合言葉"


@pytest.fixture(autouse=True)
def no_tries() -> None:
    cache.clear()


@pytest.fixture
def share(social: Instance) -> Share:
    return Share.objects.create(instance=social)


@pytest.fixture
def page(share: Share) -> str:
    return f"/p/{share.token}/"


@pytest.fixture
def stranger(db: None) -> Client:
    return Client()


def chosen(**choices: Any) -> dict[str, Any]:
    return {"shows": "counts", "badge": "on", **choices}


def basic(password: str, user: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def told(client: Client, path: str, **more: Any) -> str:
    answer = client.get(path, more)
    assert answer.status_code == 200
    return answer.content.decode()


# the team's side


def test_no_page_is_public_by_default(social: Instance, as_alice: Client) -> None:
    assert "never been open" in told(as_alice, SETTINGS)
    assert not Share.objects.exists()


def test_an_owner_opens_it_and_it_is_in_the_trail(as_alice: Client, stranger: Client) -> None:
    assert as_alice.post(SETTINGS, chosen()).status_code == 302
    share = Share.objects.get()
    assert len(share.token) == 22
    settings_page = told(as_alice, SETTINGS)
    assert f"/p/{share.token}/" in settings_page
    assert stranger.get(f"/p/{share.token}/").status_code == 200
    event = AuditEvent.objects.get(action="share.opened")
    assert (event.actor_name, event.instance_name, event.after) == (
        "alice@example.org",
        DOMAIN,
        "counts, badge",
    )
    assert share.token not in repr(event.__dict__)


def test_closing_it_is_not_found_at_once_and_opening_it_brings_it_back(
    as_alice: Client, stranger: Client, share: Share, page: str
) -> None:
    assert stranger.get(page).status_code == 200
    assert as_alice.post(f"{SETTINGS}close/").status_code == 302
    assert [stranger.get(path).status_code for path in (page, f"{page}badge.svg")] == [404, 404]
    assert as_alice.post(f"{SETTINGS}close/").status_code == 302
    as_alice.post(SETTINGS, chosen())
    assert stranger.get(page).status_code == 200
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["share.closed", "share.opened"]


def test_another_address_ends_the_one_before(
    as_alice: Client, stranger: Client, share: Share, page: str
) -> None:
    as_alice.post(f"{SETTINGS}rotate/")
    share.refresh_from_db()
    assert stranger.get(page).status_code == 404
    assert stranger.get(f"/p/{share.token}/").status_code == 200
    assert AuditEvent.objects.filter(action="share.rotated").count() == 1


def test_a_viewer_sees_the_address_and_changes_nothing(as_bob: Client, share: Share) -> None:
    seen = told(as_bob, SETTINGS)
    assert share.token in seen
    assert 'name="shows"' not in seen
    for path in (SETTINGS, f"{SETTINGS}rotate/", f"{SETTINGS}close/"):
        assert as_bob.post(path, chosen(shows="items")).status_code == 404
    share.refresh_from_db()
    assert (share.shows, share.is_open) == ("counts", True)
    assert not AuditEvent.objects.exists()


def test_a_stranger_learns_nothing_of_the_settings(as_charlie: Client, share: Share) -> None:
    for path in (SETTINGS, f"{SETTINGS}rotate/", f"{SETTINGS}close/"):
        assert as_charlie.get(SETTINGS).status_code == 404
        assert as_charlie.post(path, chosen()).status_code == 404


def test_nothing_can_be_closed_or_moved_that_was_never_open(as_alice: Client) -> None:
    assert as_alice.post(f"{SETTINGS}close/").status_code == 404
    assert as_alice.post(f"{SETTINGS}rotate/").status_code == 404


@pytest.mark.parametrize("choices", [{"shows": "everything"}, {"shows": ""}, {"new_password": "short"}])
def test_a_choice_that_does_not_exist_is_refused(as_alice: Client, choices: dict[str, str]) -> None:
    answer = as_alice.post(SETTINGS, chosen(**choices))
    assert answer.status_code == 422
    assert not Share.objects.exists()


# what a stranger sees


def test_the_counts_name_no_topic_and_no_item(stranger: Client, page: str) -> None:
    seen = told(stranger, page)
    assert DOMAIN in seen
    assert "required" in seen
    titles = [item.title.en for item in all_items().values() if item.title.en in seen]
    assert (titles, "Web headers" in seen) == ([], False)


def test_the_topics_name_no_item(stranger: Client, share: Share, page: str) -> None:
    Share.objects.update(shows="topics")
    seen = told(stranger, page)
    assert "Web headers" in seen
    assert all_items()["tls.versions"].title.en not in seen


@pytest.mark.parametrize("only_met", [True, False])
def test_the_items_are_those_that_were_chosen(stranger: Client, page: str, only_met: bool) -> None:
    Share.objects.update(shows="items", only_met=only_met)
    seen = told(stranger, page)
    assert all_items()["tls.versions"].title.en in seen
    assert (all_items()["http.hsts"].title.en in seen) is not only_met


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_never_shows_what_was_seen_said_or_by_whom(
    stranger: Client, social: Instance, alice: User, page: str, lang: str
) -> None:
    Share.objects.update(shows="items", only_met=False)
    own = OwnItem.objects.create(
        team=social.team, level="required", title="The key under the doormat", created_by=alice
    )
    ItemState.objects.filter(item_id="plan.software_fits").update(
        data={"name": "Mastodon", "version": "4.5.4"}
    )
    seen = told(stranger, page, lang=lang)
    assert f'lang="{lang}"' in seen
    private = ["alert(1)", "evil.example", "checked", "alice@", "wiki.example", own.title, "4.5.4", "timeout"]
    assert [word for word in private if word in seen] == []
    assert "/instances/" not in seen


@pytest.mark.parametrize("path", ["", "badge.svg"])
def test_no_cookie_is_set_and_no_robot_invited(stranger: Client, page: str, path: str) -> None:
    answer = stranger.get(page + path)
    assert not answer.cookies
    assert "noindex" in answer["X-Robots-Tag"]
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-cache", "no-referrer")
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert b"style=" not in answer.content


def test_an_unknown_address_is_not_found_and_says_no_more(stranger: Client, share: Share) -> None:
    Share.objects.update(is_open=False)
    closed, never = (stranger.get(f"/p/{token}/") for token in (share.token, "A" * 22))
    assert (closed.status_code, never.status_code) == (404, 404)
    assert closed.content == never.content
    assert not closed.cookies


def test_the_page_belongs_to_one_instance_alone(
    stranger: Client, social: Instance, page: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        an_instance(social.created_by, domain=f"other{number}.example")
    with django_assert_max_num_queries(8):
        seen = told(stranger, page)
    assert "other" not in seen


def test_only_reading_is_possible(stranger: Client, page: str) -> None:
    assert [stranger.post(path).status_code for path in (page, f"{page}badge.svg")] == [405, 405]


def test_a_demo_says_so(stranger: Client, page: str) -> None:
    Instance.objects.update(demo=True)
    assert "made up" in told(stranger, page)
    assert "fedisec demo" in told(stranger, f"{page}badge.svg")


# the password


def test_the_page_asks_for_its_password_and_the_badge_does_not(
    as_alice: Client, stranger: Client, page: str
) -> None:
    as_alice.post(SETTINGS, chosen(new_password=PASSWORD))
    assert PASSWORD not in Share.objects.get().password
    asked = stranger.get(page)
    assert (asked.status_code, asked["WWW-Authenticate"].split()[0]) == (401, "Basic")
    assert DOMAIN not in asked.content.decode()
    assert stranger.get(page, headers=basic("wrong")).status_code == 401
    shown = stranger.get(page, headers=basic(PASSWORD, "anybody"))
    assert (shown.status_code, shown["Cache-Control"]) == (200, "no-store")
    assert stranger.get(f"{page}badge.svg").status_code == 200


def test_another_password_ends_the_one_before_and_none_opens_the_page(
    as_alice: Client, stranger: Client, page: str
) -> None:
    as_alice.post(SETTINGS, chosen(new_password=PASSWORD))
    assert stranger.get(page, headers=basic(PASSWORD)).status_code == 200
    as_alice.post(SETTINGS, chosen(new_password="another one, quite"))
    assert stranger.get(page, headers=basic(PASSWORD)).status_code == 401
    as_alice.post(SETTINGS, chosen())
    assert stranger.get(page).status_code == 401
    as_alice.post(SETTINGS, chosen(drop_password="on"))
    assert stranger.get(page).status_code == 200


def test_passwords_cannot_be_tried_for_long(as_alice: Client, stranger: Client, page: str) -> None:
    as_alice.post(SETTINGS, chosen(new_password=PASSWORD))
    for number in range(door.TRIES_PER_ADDRESS):
        assert stranger.get(page, headers=basic(f"guess {number}")).status_code == 401
    late = stranger.get(page, headers=basic(PASSWORD))
    assert (late.status_code, late["Retry-After"]) == (429, str(door.PAUSE_S))
    elsewhere = Client(REMOTE_ADDR="192.0.2.77")
    assert elsewhere.get(page, headers=basic(PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic !!!", "Basic /////w==", "Bearer abc", "Basic " + base64.b64encode(b"nocolon").decode()],
)
def test_a_header_that_is_none_is_no_password(stranger: Client, page: str, value: str) -> None:
    Share.objects.update(password="md5$x$y")
    assert stranger.get(page, headers={"Authorization": value}).status_code == 401


# the badge


def badge_of(client: Client, page: str, **more: str) -> str:
    answer = client.get(f"{page}badge.svg", more)
    assert answer["Content-Type"] == "image/svg+xml"
    root = ElementTree.fromstring(answer.content)
    assert root.attrib["role"] == "img"
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None and title.text == root.attrib["aria-label"]
    return str(title.text)


def meet_all(level: str) -> None:
    mine = [key for key, item in all_items().items() if item.level == level]
    ItemState.objects.filter(item_id__in=mine).update(status="pass")


def test_the_badge_tells_the_level_and_the_date(stranger: Client, page: str) -> None:
    day = timezone.localdate().isoformat()
    assert badge_of(stranger, page).startswith("fedisec: required ")
    assert badge_of(stranger, page).endswith(f" · {day}")
    assert badge_of(stranger, page, lang="ja").startswith("fedisec: 必須 ")
    meet_all("required")
    assert badge_of(stranger, page) == f"fedisec: all required met · {day}"
    meet_all("recommended")
    assert badge_of(stranger, page) == f"fedisec: all required and recommended met · {day}"


def test_an_old_look_has_no_colour_of_a_verdict(stranger: Client, page: str) -> None:
    meet_all("required")
    green = "#1d6b3a"
    assert green in told(stranger, f"{page}badge.svg")
    Scan.objects.update(finished_at=timezone.now() - 2 * STALE)
    assert green not in told(stranger, f"{page}badge.svg")
    Scan.objects.all().delete()
    assert badge_of(stranger, page) == "fedisec: not looked at yet"


def test_a_badge_that_has_not_changed_is_not_sent_again(stranger: Client, page: str) -> None:
    first = stranger.get(f"{page}badge.svg")
    assert first["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = stranger.get(f"{page}badge.svg", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert again["Cache-Control"] == "no-cache"
    meet_all("required")
    assert stranger.get(f"{page}badge.svg", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_badge_that_was_not_chosen_is_not_there(
    as_alice: Client, stranger: Client, page: str, sign_in: Callable[[User], Client]
) -> None:
    as_alice.post(SETTINGS, {"shows": "counts"})
    assert stranger.get(f"{page}badge.svg").status_code == 404
    assert stranger.get(page).status_code == 200
    assert ATTESTED not in told(stranger, page)
