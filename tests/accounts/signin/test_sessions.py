"""Sessions: a new id at each sign-in, an end after a while, a list, and no way back once they are over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as project
from django.test import Client
from django.utils import timezone

from fedisec.accounts.models import AuditEvent, User
from fedisec.accounts.signin_models import Device, OpenSession
from fedisec.lib.sessions import name_of
from tests.accounts.signin.conftest import PASSWORD, enter, is_in
from tests.factories import a_user

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "quite another sentence"


def sid(client: Client) -> str:
    return client.cookies[project.SESSION_COOKIE_NAME].value


def age(client: Client, **by: timedelta) -> None:
    """As if that session had begun, or was seen last, so much earlier."""
    session = client.session
    for name, much in by.items():
        session[name] -= much.total_seconds()
    session.save()


def test_the_id_changes_at_the_sign_in(client: Client, ann: User) -> None:
    client.get("/account/login/")
    planted = client.session
    planted["x"] = 1
    planted.save()
    client.cookies[project.SESSION_COOKIE_NAME] = str(planted.session_key)
    enter(client)
    assert is_in(client) and sid(client) != planted.session_key
    thief = Client()
    thief.cookies[project.SESSION_COOKIE_NAME] = str(planted.session_key)
    assert not is_in(thief)


def test_an_id_that_was_signed_out_is_worth_nothing(client: Client, ann: User) -> None:
    enter(client)
    old = sid(client)
    answer = client.post("/account/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    client.cookies[project.SESSION_COOKIE_NAME] = old
    assert not is_in(client)


@pytest.mark.parametrize(
    ("by", "still"),
    [
        ({"seen": timedelta(hours=11, minutes=55)}, True),
        ({"seen": timedelta(hours=12, minutes=1)}, False),
        ({"began": timedelta(days=13, hours=23)}, True),
        ({"began": timedelta(days=14, minutes=1)}, False),
        ({"began": -timedelta(hours=1)}, False),  # the clock was put back: nobody knows its age
        ({"seen": -timedelta(minutes=2)}, True),
    ],
)
def test_a_session_ends_by_itself(client: Client, ann: User, by: dict[str, timedelta], still: bool) -> None:
    enter(client)
    age(client, **by)
    assert is_in(client) is still


def test_pages_keep_it_open_and_the_age_is_not_forgotten(client: Client, ann: User) -> None:
    enter(client)
    began = client.session["began"]
    age(client, seen=timedelta(hours=11))
    assert is_in(client)
    assert timezone.now().timestamp() - client.session["seen"] < 60
    assert client.session["began"] == began


def test_a_second_page_writes_nothing(
    client: Client, ann: User, django_assert_max_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    enter(client)
    client.get("/account/profile/")
    with CaptureQueriesContext(connection) as seen:
        client.get("/account/profile/")
    assert not [one["sql"] for one in seen if one["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]


def test_the_list_says_what_where_and_which_is_this(client: Client, ann: User) -> None:
    other = Client(headers={"user-agent": FIREFOX})
    enter(other, address="203.0.113.5")
    enter(client)
    page = client.get("/account/sessions/").content.decode()
    assert "Firefox, Linux" in page and "203.0.113.5" in page and page.count("this one") == 1
    theirs = a_user(password=PASSWORD)
    enter(Client(), email=theirs.email)
    assert len(client.get("/account/sessions/").context["rows"]) == 2


@pytest.mark.parametrize("said", ["\x1b[31mevil", "<script>alert(1)</script>", "x" * 5000, "", "‮gnp"])
def test_a_device_that_calls_itself_names_harms_nobody(client: Client, ann: User, said: str) -> None:
    enter(Client(headers={"user-agent": said}))
    enter(client)
    page = client.get("/account/sessions/").content.decode()
    assert "\x1b" not in page and "<script>alert" not in page and "‮" not in page


def test_one_is_ended_and_all_others(client: Client, ann: User) -> None:
    first, second = Client(), Client()
    for one in (first, second, client):
        enter(one)
    row = OpenSession.objects.get(name=name_of(sid(first)))
    client.post(f"/account/sessions/{row.pk}/end/")
    assert (is_in(first), is_in(second), is_in(client)) == (False, True, True)
    client.post("/account/sessions/end-others/")
    assert (is_in(second), is_in(client)) == (False, True)
    assert AuditEvent.objects.filter(action="account.session_ended").count() == 2


def test_sessions_of_others_cannot_be_ended(client: Client, ann: User) -> None:
    bob, theirs = a_user(password=PASSWORD), Client()
    enter(theirs, email=bob.email)
    enter(client)
    row = OpenSession.objects.get(user=bob)
    assert client.post(f"/account/sessions/{row.pk}/end/").status_code == 404
    client.post("/account/sessions/end-others/")
    assert is_in(theirs)


def test_another_password_ends_the_others(client: Client, ann: User) -> None:
    other = Client()
    enter(other)
    enter(client)
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/account/password/change/", form).status_code == 302
    assert not is_in(other) and is_in(client)
    assert len(client.get("/account/sessions/").context["rows"]) == 1


def test_the_cookies_are_out_of_reach_of_scripts_and_of_other_sites(client: Client, ann: User) -> None:
    enter(client)
    for name in (project.SESSION_COOKIE_NAME, "device"):
        cookie = client.cookies[name]
        assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
    other = Client()
    other.post("/account/login/", {"login": ann.email, "password": PASSWORD}, secure=True)
    assert other.cookies["__Host-device"]["secure"]


def test_tokens_of_devices_are_hashed_and_last(client: Client, ann: User) -> None:
    enter(client)
    token = client.cookies["device"].value
    assert token not in Device.objects.get().token_hash
    client.post("/account/logout/")
    enter(client)
    assert Device.objects.count() == 1 and client.cookies["device"].value == token


# open redirects

FOREIGN = [
    "https://evil.example", "http://evil.example/", "//evil.example", "///evil.example", "////evil.example",
    "\\\\evil.example", "/\\evil.example", "\\/evil.example", "https:evil.example", "https:/evil.example",
    "https:///evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x",
    "http://testserver@evil.example/", "http://evil.example#testserver", "http://evil.example?testserver",
    " //evil.example", "\t//evil.example", "/\t/evil.example", "//evil.example\\@testserver", "ftp://testserver/",
    "http://testserver.evil.example/", "http:\\\\evil.example", "\x00//evil.example", "//[::1]/", "http://127.0.0.2/",
]  # fmt: skip


@pytest.mark.parametrize("target", FOREIGN)
def test_no_page_leads_elsewhere(client: Client, ann: User, target: str) -> None:
    """`next` of the sign-in, of the question who is there, of the choice of colours and language, of leaving."""
    home = ("/", "/account/login/")
    form = {"login": ann.email, "password": PASSWORD, "next": target}
    answer = client.post("/account/login/", form)
    assert answer.status_code == 302 and answer["Location"] in home
    asked = client.post("/account/reauthenticate/", {"password": PASSWORD, "next": target})
    assert asked["Location"] in home
    for path in ("/theme/", "/language/"):
        turned = client.post(path, {"theme": "dark", "language": "en", "next": target})
        assert turned["Location"] in home
    left = client.post("/account/logout/", {"next": target})
    assert left["Location"] in home


@pytest.mark.parametrize("target", FOREIGN)
def test_htmx_is_led_nowhere_else(client: Client, ann: User, target: str) -> None:
    """What HX-Current-URL says becomes the way back of HX-Redirect."""
    enter(client)
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    said = target.encode("ascii", "ignore").decode().replace("\x00", "")
    answer = client.post("/mail/remove/", headers={"hx-request": "true", "hx-current-url": said})
    assert answer["HX-Redirect"] == "/account/reauthenticate/?next=%2F"
