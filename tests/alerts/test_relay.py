"""The dialogue with a relay: what goes wrong at each step, and that no step lasts for ever."""

from __future__ import annotations

import smtplib
import socket
import ssl
from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from fedisec.alerts import dialogue, relay
from fedisec.alerts.dialogue import MaybeArrived, NoStartTls, Security, Server, Step, Talk, hand_over
from fedisec.lib import env
from tests.lab.ca import LabCa
from tests.smtp import a_relay, a_silent_relay, free_port, text_of, with_login, with_tls

LETTER = b"Subject: hello\r\n\r\n.a line with a dot\r\nlast\r\n"
GREETING, HELLO, OK, GO = b"220 hi\r\n", b"250 mine\r\n", b"250 ok\r\n", b"354 go\r\n"
USER, PASSWORD = "fedisec@good.fedi.test", "pässword of 1"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> LabCa:
    return LabCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def trusted(ca: LabCa, settings: Settings) -> None:
    settings.TRUST_CA = str(ca.file)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """mail.fedi.test and other.fedi.test lead to this machine."""
    real = socket.getaddrinfo

    def ask(host: str, *rest: object, **more: object) -> object:
        return real("127.0.0.1" if host.endswith(".fedi.test") else host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    monkeypatch.setattr(dialogue, "_QUIT_S", 0.1)


def give(server: Server, talk: Talk | None = None) -> str:
    return hand_over(server, "from@good.fedi.test", ["to@good.fedi.test"], LETTER, talk)


def plain(port: int, **more: str) -> Server:
    return Server("127.0.0.1", port, Security.NONE, **more)


def test_a_relay_over_starttls_with_a_login_takes_the_mail(ca: LabCa, trusted: None) -> None:
    leaf, talk = ca.issue("mail.fedi.test"), Talk()
    with a_relay(**with_tls(leaf), **with_login(USER, PASSWORD)) as (taking, port):
        said = give(Server("mail.fedi.test", port, Security.STARTTLS, USER, PASSWORD), talk)
    assert said == "250 OK"
    assert text_of(taking.taken[0]) == ".a line with a dot\nlast\n"
    assert [step for step, _ in talk.lines] == list(Step)
    assert talk.lines[1][1] == "TLSv1.3, mail.fedi.test"
    assert talk.lines[2][1].startswith("235 ")


@pytest.mark.parametrize("name", ["mail.fedi.test", "other.fedi.test"])
def test_tls_from_the_start_is_verified_too(name: str, ca: LabCa, trusted: None, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 5
    answers = (GREETING, HELLO, OK, OK, GO, b"250 taken\r\n")
    context = with_tls(ca.issue("mail.fedi.test"))["tls_context"]
    with a_silent_relay(*answers, context=context) as port:
        server = Server(name, port, Security.TLS)
        if name == "mail.fedi.test":
            assert give(server) == "250 taken"
        else:
            with pytest.raises(ssl.SSLCertVerificationError, match="not valid for 'other.fedi.test'"):
                give(server)


def test_a_certificate_of_nobody_we_know_is_refused(ca: LabCa) -> None:
    with a_relay(**with_tls(ca.issue("mail.fedi.test"))) as (taking, port):
        with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer|self-signed"):
            give(Server("mail.fedi.test", port))
        assert taking.seen == []


def test_a_certificate_for_another_name_is_refused(ca: LabCa, trusted: None) -> None:
    with a_relay(**with_tls(ca.issue("mail.fedi.test"))) as (taking, port):
        with pytest.raises(ssl.SSLCertVerificationError, match="not valid for 'other.fedi.test'"):
            give(Server("other.fedi.test", port))
        assert taking.seen == []


def test_without_starttls_nothing_is_sent_in_the_open() -> None:
    talk = Talk()
    with a_relay() as (taking, port):
        with pytest.raises(NoStartTls):
            give(Server("127.0.0.1", port, Security.STARTTLS, USER, PASSWORD), talk)
        assert (taking.seen, talk.step) == ([], Step.TLS)


def test_a_wrong_password_is_said(ca: LabCa, trusted: None) -> None:
    talk = Talk()
    with a_relay(**with_tls(ca.issue("mail.fedi.test")), **with_login(USER, PASSWORD)) as (taking, port):
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            give(Server("mail.fedi.test", port, Security.STARTTLS, USER, "wrong"), talk)
        assert (caught.value.smtp_code, taking.seen, talk.step) == (535, [], Step.LOGIN)


def test_a_relay_that_offers_no_login_is_an_error() -> None:
    with a_relay() as (_, port), pytest.raises(smtplib.SMTPNotSupportedError):
        give(plain(port, username=USER, password=PASSWORD))


def test_a_closed_port_is_refused() -> None:
    with pytest.raises(ConnectionRefusedError):
        give(plain(free_port()))


def test_a_drop_after_the_content_may_have_arrived() -> None:
    with a_relay() as (taking, port):
        taking.answers = ["drop"]
        with pytest.raises(MaybeArrived):
            give(plain(port))


@pytest.mark.parametrize(("answer", "code"), [("451 later", 451), ("554 no", 554)])
def test_an_answer_after_the_content_is_no_arrival(answer: str, code: int) -> None:
    with a_relay() as (taking, port):
        taking.answers = [f"data {answer}"]
        with pytest.raises(smtplib.SMTPDataError) as caught:
            give(plain(port))
        assert caught.value.smtp_code == code


HANGS: dict[str, tuple[bytes, ...]] = {
    "before the greeting": (),
    "after the greeting": (GREETING,),
    "after HELO": (GREETING, HELLO),
    "after MAIL": (GREETING, HELLO, OK),
    "after RCPT": (GREETING, HELLO, OK, OK),
    "in the middle of a word": (b"220 h",),
}


@pytest.mark.parametrize("where", HANGS)
def test_a_hang_at_any_step_ends_in_time_and_arrived_nowhere(where: str, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    with a_silent_relay(*HANGS[where]) as port, pytest.raises(TimeoutError, match=r"within 0\.2 seconds"):
        give(plain(port))


def test_a_hang_after_the_content_ends_in_time_and_may_have_arrived(settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    with a_silent_relay(GREETING, HELLO, OK, OK, GO) as port, pytest.raises(MaybeArrived):
        give(plain(port))


def test_a_hang_in_the_handshake_ends_in_time(settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    ehlo = b"250-mine\r\n250 STARTTLS\r\n"
    with a_silent_relay(GREETING, ehlo, b"220 go\r\n") as port, pytest.raises(TimeoutError):
        give(Server("mail.fedi.test", port))


def test_a_relay_that_sends_a_byte_now_and_then_is_left_in_time(settings: Settings) -> None:
    """Each byte would start smtplib's own clock anew, and the mail would go through."""
    settings.EMAIL_TIMEOUT = 0.5
    answers = (GREETING, HELLO, OK, OK, GO, b"250 taken\r\n")
    with a_silent_relay(*answers, drip_s=0.12) as port, pytest.raises(TimeoutError):
        give(plain(port))


def test_a_relay_that_talks_without_end_is_left() -> None:
    endless = b"250-more\r\n" * 40_000
    with a_silent_relay(GREETING, endless) as port, pytest.raises(OSError, match="without end"):
        give(plain(port))


def test_what_was_accepted_stays_accepted_though_the_goodbye_hangs(settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    with a_silent_relay(GREETING, HELLO, OK, OK, GO, b"250 taken\r\n") as port:
        assert give(plain(port)) == "250 taken"


@pytest.mark.parametrize(
    ("address", "security", "port"),
    [
        ("smtp://relay.example", "starttls", 587),
        ("smtp+tls://relay.example:2525", "starttls", 2525),
        ("smtp+ssl://relay.example", "tls", 465),
        ("smtps://relay.example/", "tls", 465),
        ("smtp+plain://relay.example", "none", 25),
        ("smtp://127.0.0.1:2525", "none", 2525),
        ("smtp://localhost", "none", 25),
        ("smtp+tls://localhost", "starttls", 587),
    ],
)
def test_tls_is_verified_unless_it_was_switched_off(address: str, security: str, port: int) -> None:
    found = env.mail(address)
    assert (found.security, found.port) == (security, port)


def test_a_user_and_a_password_are_decoded_and_not_shown() -> None:
    found = env.mail("smtp://us%40er:p%2Fw@relay.example")
    assert (found.username, found.password) == ("us@er", "p/w")
    assert "p/w" not in repr(found)


@pytest.mark.parametrize(
    "address",
    [
        "smtp://",
        "pigeon://x",
        "smtp://x:0",
        "smtp://x:y",
        "smtp://x/path",
        "smtp://x?tls=no",
        "relay.example",
    ],
)
def test_an_address_that_says_something_else_is_refused(address: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        env.mail(address)


@pytest.mark.django_db
def test_without_a_relay_a_mail_is_a_file(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "fedisec.alerts.relay.Backend", tmp_path
    assert relay.send(EmailMultiAlternatives("hello", "text", to=["to@good.fedi.test"])) == ""
    (file,) = tmp_path.iterdir()
    assert "Subject: hello" in file.read_text()


@pytest.mark.django_db
def test_the_senders_address_is_that_of_the_relay(settings: Settings) -> None:
    letter = EmailMultiAlternatives("hello", "text", to=["Tö <to@good.fedi.test>"])
    with a_relay() as (taking, port):
        relay.deliver(Server("127.0.0.1", port, Security.NONE, sender="alerts@good.fedi.test"), letter)
    assert taking.taken[0]["From"] == "alerts@good.fedi.test"
    assert taking.recipients == ["to@good.fedi.test"]
