"""The relay by form: who may set it, what becomes of its password, and what the test shows."""

from __future__ import annotations

import html
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.alerts import outbox, relay
from fedisec.alerts.dialogue import Security, Server
from fedisec.alerts.models import MailServer
from fedisec.alerts.send import send_mail
from fedisec.lib.env import make_key
from tests.alerts.conftest import Story, the_mail
from tests.factories import a_user, signed_in
from tests.lab.ca import LabCa
from tests.smtp import a_relay, a_silent_relay, free_port, text_of, with_login, with_tls

pytestmark = pytest.mark.django_db
SECRET = "hunter2 of the relay"
GIVEN = {
    "host": "Relay.Example",
    "port": "587",
    "security": "starttls",
    "username": "fedisec",
    "password": SECRET,
    "sender": "alerts@good.example",
}


@pytest.fixture(autouse=True)
def no_relay_in_the_environment(settings: Settings, tmp_path: Path) -> None:
    cache.clear()  # how often who tested
    settings.EMAIL_URL, settings.KEY_FILE = "", str(tmp_path / "keys")
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "fedisec.alerts.relay.Backend", tmp_path / "mail"
    make_key(Path(settings.KEY_FILE), 0o600)


@pytest.fixture
def operator() -> User:
    user = a_user(email="root@example.org", is_superuser=True)
    Membership.objects.create(team=Team.objects.create(name="t"), user=user, role=Role.OWNER)
    return user


@pytest.fixture
def client(operator: User) -> Client:
    client = Client()
    signed_in(client, operator)
    return client


def post(client: Client, **changed: str) -> Any:
    return client.post("/mail/", GIVEN | changed)


def text(answer: Any) -> str:
    found = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", html.unescape(found))


@pytest.mark.parametrize("path", ["/mail/", "/mail/remove/"])
def test_only_operators_see_the_mail_server(path: str) -> None:
    client = Client()
    signed_in(client, a_user())
    assert client.post(path, GIVEN).status_code == 404
    assert client.get("/mail/").status_code == 404
    assert not MailServer.objects.exists()


def test_a_password_is_sealed_and_shown_nowhere(client: Client) -> None:
    assert post(client).status_code == 302
    (stored,) = MailServer.objects.all()
    assert SECRET not in stored.sealed_password
    wanted = Server("relay.example", 587, Security.STARTTLS, "fedisec", SECRET, sender="alerts@good.example")
    assert relay.current() == wanted
    assert SECRET not in client.get("/mail/").content.decode() + repr(wanted)
    event = AuditEvent.objects.get(action="mail_server.changed")
    assert event.after == "relay.example:587 (starttls, fedisec), alerts@good.example"
    assert SECRET not in str(event.data) + event.before


def test_the_password_of_another_row_does_not_open(client: Client) -> None:
    post(client)
    MailServer.objects.update(id=MailServer.objects.get().pk + 1)
    with pytest.raises(relay.Unusable, match="no key"):
        relay.current()


def test_an_empty_password_keeps_the_stored_one(client: Client) -> None:
    post(client)
    post(client, password="", sender="other@good.example")
    found = relay.current()
    assert found is not None
    assert (found.password, found.sender) == (SECRET, "other@good.example")


@pytest.mark.parametrize(
    "changed",
    [{"host": "evil.example"}, {"port": "25"}, {"username": "other"}, {"security": "none"}],
)
def test_a_stored_password_goes_to_no_other_server(client: Client, changed: dict[str, str]) -> None:
    post(client)
    answer = post(client, password="", **changed)
    assert answer.status_code == 422
    assert "Enter the password again" in text(answer)
    assert str(MailServer.objects.get()) == "relay.example:587"


def test_a_user_who_is_removed_takes_the_password_along(client: Client) -> None:
    post(client)
    post(client, username="", password="")
    assert MailServer.objects.get().sealed_password == ""


@pytest.mark.parametrize(
    "changed",
    [{"host": "a b"}, {"host": "x/y"}, {"host": "-x.example"}, {"port": "0"}, {"port": "65536"},
     {"security": "maybe"}, {"sender": "nobody"}, {"username": ""}],
)  # fmt: skip
def test_what_cannot_work_is_refused(client: Client, changed: dict[str, str]) -> None:
    assert post(client, **changed).status_code == 422
    assert not MailServer.objects.exists()


def test_without_a_key_file_nothing_is_stored(client: Client, settings: Settings) -> None:
    settings.KEY_FILE = "/nowhere"
    answer = post(client)
    assert (answer.status_code, MailServer.objects.exists()) == (422, False)
    assert "cannot read the key file /nowhere" in text(answer)


def test_a_lost_key_file_is_a_trouble_of_the_mail_and_no_crash(
    client: Client, operator: User, settings: Settings
) -> None:
    post(client)
    settings.KEY_FILE = "/nowhere"
    answer = client.post("/mail/test/")
    assert answer.status_code == 200
    assert "The stored password cannot be opened." in text(answer)


def test_what_the_environment_names_is_shown_and_not_changed(client: Client, settings: Settings) -> None:
    settings.EMAIL_URL = f"smtp+plain://fedisec:{SECRET.replace(' ', '%20')}@relay.example"
    page = client.get("/mail/")
    assert "relay.example:25" in text(page) and SECRET not in text(page)
    assert "Everybody on the way" in text(page)
    post(client)
    assert not MailServer.objects.exists()


def test_it_is_removed_with_its_password(client: Client) -> None:
    post(client)
    client.post("/mail/remove/")
    assert (relay.is_set(), relay.current()) == (False, None)
    assert AuditEvent.objects.filter(action="mail_server.removed").count() == 1


def test_the_environment_counts_before_the_form(client: Client, settings: Settings) -> None:
    post(client)
    settings.EMAIL_URL = "smtp://127.0.0.1:2525"
    assert str(relay.current()) == "127.0.0.1:2525"


def test_an_alert_goes_out_by_the_relay_of_the_form(
    client: Client, reader: User, story: Story, tmp_path: Path, settings: Settings, loopback: None
) -> None:
    ca = LabCa(tmp_path / "ca")
    settings.TRUST_CA = str(ca.file)
    with a_relay(**with_tls(ca.issue("mail.fedi.test")), **with_login("fedisec", SECRET)) as (taking, port):
        post(client, host="mail.fedi.test", port=str(port))
        story({"lock": "pass"}, {"lock": "fail"}, {"lock": "fail"})
        outbox.tick(timezone.now())
        send_mail(the_mail().pk)
    assert (the_mail().state, the_mail().answer) == ("sent", "250 OK")
    assert taking.taken[0]["From"] == "alerts@good.example"


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """mail.fedi.test leads to this machine."""
    real = socket.getaddrinfo

    def ask(host: str, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host == "mail.fedi.test" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", ask)


def trial(client: Client, url: str, settings: Settings) -> tuple[int, str]:
    settings.EMAIL_URL = url
    answer = client.post("/mail/test/")
    return answer.status_code, text(answer)


def test_a_test_shows_each_answer_of_the_relay(client: Client, settings: Settings) -> None:
    with a_relay() as (taking, port):
        status, page = trial(client, f"smtp://127.0.0.1:{port}", settings)
    assert status == 200
    assert "The server took the mail to root@example.org." in page
    assert "✓ Content 250 OK" in page
    assert taking.recipients == ["root@example.org"]
    assert "mails of fedisec reach root@example.org" in text_of(taking.taken[0])
    assert AuditEvent.objects.get(action="mail.tested").after == "sent"


def test_a_test_says_cause_and_cure_and_what_was_not_reached(client: Client, settings: Settings) -> None:
    with a_relay() as (taking, port):
        taking.answers = ["rcpt 550 no such user <b>here</b>"]
        status, page = trial(client, f"smtp://127.0.0.1:{port}", settings)
    assert status == 200
    assert "The server refuses the recipient." in page
    assert "✕ Recipient 550 no such user <b>here</b>" in page
    assert "– Content not reached" in page


def test_a_relay_without_starttls_gets_no_password(client: Client, settings: Settings) -> None:
    with a_relay() as (taking, port):
        status, page = trial(client, f"smtp+tls://u:{SECRET[:7]}@127.0.0.1:{port}", settings)
    assert (status, taking.seen) == (200, [])
    assert "The server offers no STARTTLS, and nothing is sent unencrypted instead." in page
    assert "✓ Connect 220" in page and "– Log in not reached" in page
    assert SECRET[:7] not in page


def test_a_port_where_nobody_listens(client: Client, settings: Settings) -> None:
    _, page = trial(client, f"smtp://127.0.0.1:{free_port()}", settings)
    assert "Nothing listens on this port" in page and "✕ Connect" in page


def test_somebody_waits_for_the_test_and_not_for_ever(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedisec.alerts.server_views.TEST_S", 0.2)
    with a_silent_relay(b"220 hi\r\n") as port:
        status, page = trial(client, f"smtp://127.0.0.1:{port}", settings)
    assert status == 200
    assert "The server did not answer in time." in page


def test_without_a_relay_the_test_is_a_file(client: Client, tmp_path: Path) -> None:
    answer = client.post("/mail/test/")
    assert answer.status_code == 200
    assert str(tmp_path / "mail") in text(answer)
    assert len(list((tmp_path / "mail").iterdir())) == 1


def test_everybody_may_test_five_times_an_hour(settings: Settings) -> None:
    client = Client()
    signed_in(client, a_user())
    statuses = [client.post("/mail/test/").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [302]
