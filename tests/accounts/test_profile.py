"""A person's own language and time zone, on every browser."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from fedisec.accounts.models import User
from fedisec.accounts.profile import zones
from fedisec.instances.models import Instance
from tests.factories import a_user, signed_in

pytestmark = pytest.mark.django_db
PATH = "/account/profile/"


@pytest.fixture
def ann() -> User:
    return a_user()


@pytest.fixture
def as_ann(client: Client, ann: User) -> Client:
    signed_in(client, ann)
    return client


def test_strangers_sign_in_first(client: Client) -> None:
    assert client.get(PATH)["Location"].startswith("/account/login/")


def test_the_choice_is_kept_with_the_account_and_shown_on_another_browser(as_ann: Client, ann: User) -> None:
    assert as_ann.post(PATH, {"language": "ja", "time_zone": "Asia/Tokyo"})["Location"] == PATH
    other = Client()
    signed_in(other, ann)
    text = other.get(PATH).content.decode()
    assert '<html lang="ja"' in text
    assert '<option value="Asia/Tokyo" selected>' in text


def test_times_stand_in_the_readers_zone(as_ann: Client, ann: User) -> None:
    stamps = []
    for zone in ("Asia/Tokyo", "America/New_York"):
        as_ann.post(PATH, {"language": "en", "time_zone": zone})
        text = as_ann.get(PATH).content.decode()
        stamps.append(re.search(r"It is (.+?) for you now", text).group(1))  # type: ignore[union-attr]
    assert stamps[0] != stamps[1]


def test_saving_a_language_wins_over_the_button_of_this_browser(as_ann: Client) -> None:
    as_ann.post("/language/", {"language": "en", "next": "/"})
    as_ann.post(PATH, {"language": "ja", "time_zone": ""})
    assert '<html lang="ja"' in as_ann.get(PATH).content.decode()


def test_both_may_stay_open(as_ann: Client, ann: User) -> None:
    as_ann.post(PATH, {"language": "ja", "time_zone": "Asia/Tokyo"})
    as_ann.post(PATH, {"language": "", "time_zone": ""})
    ann.refresh_from_db()
    assert (ann.language, ann.time_zone) == ("", "")
    assert '<html lang="en"' in as_ann.get(PATH, headers={"Accept-Language": "en"}).content.decode()


@pytest.mark.parametrize(
    "given", [{"language": "xx"}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../etc/passwd"}]
)
def test_what_does_not_exist_is_refused(as_ann: Client, ann: User, given: dict[str, str]) -> None:
    assert as_ann.post(PATH, given).status_code == 422
    ann.refresh_from_db()
    assert (ann.language, ann.time_zone) == ("", "")


def test_only_zones_that_people_live_in_are_offered() -> None:
    names = zones()
    assert {"Asia/Tokyo", "Europe/Berlin", "Pacific/Auckland"} <= set(names)
    assert not [name for name in names if name.startswith(("Etc/", "posix/", "SystemV/"))]


def test_every_page_leads_to_it_and_to_the_trail(as_ann: Client) -> None:
    assert not Instance.objects.exists()
    head = as_ann.get("/").content.decode().split("</header>")[0]
    for address in (PATH, "/audit/", "/account/password/change/", "/account/logout/"):
        assert f'"{address}"' in head
