"""The lab is true: each server says by itself what the lab promises of it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import paramiko
import pytest
from cryptography import x509

from tests.lab import netns
from tests.lab import places as at
from tests.lab.ca import spki_sha256
from tests.lab.databases import postgres_answers, redis_answers
from tests.lab.lab import Lab
from tests.lab.look import Answer, ask, get_http, get_https, texts
from tests.lab.processes import answers, wait_until

pytest_plugins = ("tests.lab.fixtures",)  # by name, so that a run has one lab only
pytestmark = pytest.mark.lab


@pytest.fixture
def bad_as_ever(lab: Lab) -> Iterator[Lab]:
    """A lab whose bad server is set wrong again afterwards."""
    yield lab
    lab.reset_bad()


def get(
    lab: Lab, path: str, name: str = at.GOOD, address: str = at.GOOD_IP, method: str = "GET", **headers: str
) -> Answer:
    return get_https(lab.ca_file, path, name, address, method, **headers)


def get_bad(lab: Lab, path: str, **headers: str) -> Answer:
    return get(lab, path, at.BAD, at.BAD_IP, **headers)


def test_it_starts_within_ten_seconds(lab: Lab) -> None:
    assert 0 < lab.start_seconds < 10


def test_no_route_leads_out_of_the_namespace(lab: Lab) -> None:
    assert netns.inside()
    # In a child, where the suite's own guard is not in the way of the kernel's answer.
    program = "import socket; socket.create_connection(('192.0.2.1', 443), timeout=2)"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Network is unreachable" in child.stderr


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (at.GOOD, "A"),
        (at.GOOD, "AAAA"),
        (at.GOOD, "CAA"),
        (at.GOOD, "TXT"),
        (at.GOOD, "MX"),
        (f"_dmarc.{at.GOOD}", "TXT"),
        (f"fedi._domainkey.{at.GOOD}", "TXT"),
        (f"_mta-sts.{at.GOOD}", "TXT"),
        (f"_smtp._tls.{at.GOOD}", "TXT"),
        (f"_25._tcp.{at.MX}", "TLSA"),
        (at.MEDIA, "A"),
        (".", "SOA"),
    ],
)
def test_the_good_names_are_authenticated(lab: Lab, name: str, kind: str) -> None:
    answer = ask(name, kind)
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.answer
    assert answer.flags & dns.flags.AD


def test_the_bogus_name_fails_and_answers_with_checking_disabled(lab: Lab) -> None:
    assert ask(lab.bogus_name, "A").rcode() == dns.rcode.SERVFAIL
    unchecked = ask(lab.bogus_name, "A", dns.flags.CD)
    assert unchecked.rcode() == dns.rcode.NOERROR
    assert unchecked.answer


def test_the_bad_name_is_insecure_not_bogus(lab: Lab) -> None:
    answer = ask(lab.bad, "A")
    assert answer.rcode() == dns.rcode.NOERROR
    assert not answer.flags & dns.flags.AD


def test_the_records_are_as_described(lab: Lab) -> None:
    assert len(texts(lab.good, "NS")) == 2
    assert len(texts(lab.bad, "NS")) == 1
    assert texts(lab.good, "TXT") == ['"v=spf1 ip4:127.66.0.12 ip6:fd66::12 -all"']
    assert len([text for text in texts(lab.bad, "TXT") if text.startswith('"v=spf1')]) == 2
    assert texts(f"_dmarc.{lab.bad}", "TXT") == ['"v=DMARC1; p=nothing"']
    assert texts(lab.bad, "CAA") == ['0 issue ";"']
    assert texts("mail.bad.fedi.test", "CNAME") == ["mailhost.bad.fedi.test."]


@pytest.mark.parametrize("server", [at.NS1_IP, at.NS2_IP, at.NS1_IP6, at.NS2_IP6])
def test_each_name_server_has_authority(lab: Lab, server: str) -> None:
    answer = dns.query.udp(dns.message.make_query(lab.good, "SOA"), server, timeout=5)
    assert answer.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (at.GOOD, at.GOOD_IP),
        (at.GOOD, at.GOOD_IP6),
        (at.MEDIA, at.MEDIA_IP),
        (at.MEDIA_SUB, at.MEDIA_IP6),
        (at.MTA_STS, at.MTA_STS_IP),
        (at.RDAP, at.RDAP_IP),
        (at.BAD, at.BAD_IP),
    ],
)
def test_each_certificate_verifies_strictly_against_the_ca(lab: Lab, name: str, address: str) -> None:
    assert get(lab, "/", name, address).status in {200, 404}


def test_a_stranger_does_not_trust_the_ca(lab: Lab) -> None:
    with (
        socket.create_connection((at.GOOD_IP, 443), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname=lab.good)


def test_the_good_instance_names_its_software(lab: Lab) -> None:
    href = get(lab, "/.well-known/nodeinfo").json()["links"][0]["href"]
    assert href == f"https://{lab.good}/nodeinfo/2.0"
    info = get(lab, "/nodeinfo/2.0").json()
    assert info["software"] == {"name": "mastodon", "version": "4.7.3"}
    assert info["openRegistrations"] is False


def test_the_good_instance_describes_itself(lab: Lab) -> None:
    instance = get(lab, "/api/v2/instance").json()
    assert instance["contact"]["email"] == "admin@good.fedi.test"
    assert instance["registrations"]["enabled"] is False
    assert instance["rules"]
    avatar = instance["contact"]["account"]["avatar"].removeprefix(f"https://{at.MEDIA}")
    picture = get(lab, avatar, at.MEDIA, at.MEDIA_IP)
    assert picture.status == 200
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path", ["/.env", "/.git/config", "/metrics", "/sidekiq", "/no-such-path", "/@nobody"]
)
def test_the_good_instance_keeps_its_secrets(lab: Lab, path: str) -> None:
    answer = get(lab, path)
    assert answer.status == 404
    assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]


def test_the_good_instance_answers_what_it_does_not_know_with_404(lab: Lab) -> None:
    assert get(lab, "/api/meta", method="POST").status == 404
    assert get(lab, "/", method="POST").status == 404


def test_the_good_page_bears_a_fresh_nonce_in_header_and_body(lab: Lab) -> None:
    first, second = get(lab, "/"), get(lab, "/")
    nonces = [answer.headers["Content-Security-Policy"].split("nonce-")[1][:32] for answer in (first, second)]
    assert nonces[0] != nonces[1]
    assert f'nonce="{nonces[0]}"' in first.body.decode()


def test_the_good_session_cookie_is_guarded(lab: Lab) -> None:
    cookie = get(lab, "/auth/sign_in").headers["Set-Cookie"]
    assert cookie.startswith("_mastodon_session=")
    assert {"secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_an_unsigned_request_gets_no_actor(lab: Lab) -> None:
    assert get(lab, "/users/admin", Accept="application/activity+json").status == 401
    assert get(lab, "/users/admin", Accept="text/html").status == 302
    assert get(lab, "/actor", Accept="application/activity+json").status == 200


def test_the_good_instance_sends_http_to_https(lab: Lab) -> None:
    answer = get_http(lab.good, at.GOOD_IP, "/about")
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{lab.good}/about")


def test_the_mta_sts_policy_covers_the_mx(lab: Lab) -> None:
    policy = get(lab, "/.well-known/mta-sts.txt", at.MTA_STS, at.MTA_STS_IP).body.decode()
    assert f"mode: enforce\r\nmx: {at.MX}\r\n" in policy


def test_the_registry_knows_both_instances_and_no_other_name(lab: Lab) -> None:
    wanted = {
        lab.good: (300, ["client delete prohibited", "client transfer prohibited"]),
        lab.bad: (12, ["active"]),
    }
    for name, (days, status) in wanted.items():
        record = get(lab, f"/domain/{name}", at.RDAP, at.RDAP_IP).json()
        ends = next(e["eventDate"] for e in record["events"] if e["eventAction"] == "expiration")
        assert (dt.datetime.fromisoformat(ends) - dt.datetime.now(dt.UTC)).days == days
        assert record["status"] == status
    assert get(lab, "/domain/other.fedi.test", at.RDAP, at.RDAP_IP).status == 404
    assert texts(at.RDAP, "A") == [at.RDAP_IP]


def test_the_bad_instance_shows_its_faults(lab: Lab) -> None:
    page = get_bad(lab, "/", Origin="https://evil.example")
    assert page.headers["Strict-Transport-Security"] is None
    assert page.headers["Content-Security-Policy"] is None
    assert page.headers["Access-Control-Allow-Origin"] == "https://evil.example"
    assert page.headers["Access-Control-Allow-Credentials"] == "true"
    assert page.headers["Public-Key-Pins"].startswith('pin-sha256="')
    assert "secure" not in page.headers["Set-Cookie"]
    assert b"SECRET_KEY_BASE=planted" in get_bad(lab, "/.env").body
    assert get_bad(lab, "/metrics").body.startswith(b"# HELP")
    assert b"Index of /media/" in get_bad(lab, "/media/").body
    assert get_bad(lab, "/nodeinfo/2.0").json()["software"]["version"] == "4.5.4+glitch"


def test_the_bad_certificate_ends_within_three_days(lab: Lab) -> None:
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with (
        socket.create_connection((at.BAD_IP, 443), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=lab.bad) as secure,
    ):
        certificate = secure.getpeercert() or {}
    left_s = ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()
    assert 2 < left_s / 86_400 <= 3


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.parametrize(("address", "speaks"), [(at.BAD_IP, True), (at.GOOD_IP, False)])
def test_only_the_bad_server_speaks_tls_1_0(lab: Lab, address: str, speaks: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection((address, 443), timeout=5) as plain:
        if speaks:
            with context.wrap_socket(plain) as secure:
                assert secure.version() == "TLSv1"
        else:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(plain)


def test_the_bad_databases_are_open_and_the_good_ones_are_not(lab: Lab) -> None:
    assert redis_answers()
    assert postgres_answers()
    assert not answers(at.GOOD_IP, 6379)
    assert not answers(at.GOOD_IP, 5432)


def methods_offered(address: str) -> set[str]:
    transport = paramiko.Transport(socket.create_connection((address, 22), timeout=5))
    try:
        transport.start_client(timeout=5)
        with pytest.raises(paramiko.BadAuthenticationType) as refused:
            transport.auth_none("nobody-in-particular")
        return set(refused.value.allowed_types)
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("address", "methods"),
    [
        (at.GOOD_IP, {"publickey"}),
        (at.GOOD_IP6, {"publickey"}),
        (at.BAD_IP, {"password", "keyboard-interactive"}),
    ],
)
def test_ssh_offers_these_methods(lab: Lab, address: str, methods: set[str]) -> None:
    assert methods_offered(address) == methods


def test_mail_that_was_sent_is_seen(lab: Lab) -> None:
    lab.mail.clear()
    message = EmailMessage()
    message["From"], message["To"] = "fedisec@localhost", "admin@good.fedi.test"
    message["Subject"] = "二つの項目が悪化しました"
    message.set_content("詳細は次のとおりです。\n")
    with smtplib.SMTP(at.RECEIVER_IP, 2525, timeout=5) as smtp:
        smtp.send_message(message)
    [seen] = lab.mail.messages()
    assert seen.sender == "fedisec@localhost"
    assert seen.recipients == ("admin@good.fedi.test",)
    assert seen.subject == "二つの項目が悪化しました"
    assert seen.text == "詳細は次のとおりです。\n"
    lab.mail.clear()
    assert lab.mail.messages() == []


def test_the_good_mx_offers_starttls_with_the_key_that_dane_names(lab: Lab) -> None:
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    with smtplib.SMTP(timeout=5) as smtp:
        smtp.connect(at.MX_IP, 25)
        smtp._host = at.MX  # type: ignore[attr-defined]  # the name that starttls verifies
        smtp.starttls(context=context)
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        der = smtp.sock.getpeercert(binary_form=True)  # type: ignore[union-attr]
    digest = spki_sha256(x509.load_der_x509_certificate(der))
    wanted = f"3 1 1 {digest}".replace(" ", "")
    assert wanted in [record.replace(" ", "") for record in texts(f"_25._tcp.{at.MX}", "TLSA")]


def test_the_bad_mx_offers_no_starttls_and_neither_relays(lab: Lab) -> None:
    with smtplib.SMTP(at.BAD_MAIL_IP, 25, timeout=5) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        smtp.mail("someone@good.fedi.test")
        assert smtp.rcpt("someone@elsewhere.test")[0] == 554


def test_a_repair_is_served_when_set_bad_returns(bad_as_ever: Lab) -> None:
    lab = bad_as_ever
    lab.set_bad(hsts=True, redirect=True, env_served=False, registrations=False)
    assert get_bad(lab, "/").headers["Strict-Transport-Security"]
    assert get_bad(lab, "/.env").status == 404
    assert get_bad(lab, "/api/v2/instance").json()["registrations"]["enabled"] is False
    assert get_http(lab.bad, at.BAD_IP, "/").status == 301
    lab.set_bad(hsts=False)
    assert get_bad(lab, "/").headers["Strict-Transport-Security"] is None
    assert get_bad(lab, "/.env").status == 404


def test_the_open_ports_close_and_open(bad_as_ever: Lab) -> None:
    lab = bad_as_ever
    lab.set_bad(redis_open=False, postgres_open=False)
    assert not answers(at.BAD_IP, 6379)
    assert not answers(at.BAD_IP, 5432)
    lab.set_bad(redis_open=True, postgres_open=True)
    assert redis_answers()
    assert postgres_answers()


def test_an_unknown_switch_is_refused(lab: Lab) -> None:
    with pytest.raises(TypeError, match="no_such_switch"):
        lab.set_bad(no_such_switch=True)


@pytest.fixture
def second_lab(lab: Lab) -> Iterator[subprocess.Popen[str]]:
    """`python -m tests.lab --no-app` in a namespace of its own, up and printing."""
    temporary = Path(tempfile.mkdtemp())
    temporary.chmod(0o711)  # PostgreSQL runs as another user and has its folder in there
    environment = {name: value for name, value in os.environ.items() if name != netns.MARK}
    environment["TMPDIR"] = str(temporary)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.lab", "--no-app"],
        env=environment, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1],
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert any(line.startswith("export EMAIL_URL=") for line in running.stdout)
        yield running
        running.kill()
    shutil.rmtree(temporary)  # what a killed lab could not remove itself


def children_of(pid: int) -> list[Path]:
    """Paths in /proc that exist as long as the children do."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(pid):
                alive.append(stat)
    return alive


def is_running(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_lab_that_is_ended_leaves_no_server_behind(second_lab: subprocess.Popen[str], number: int) -> None:
    servers = children_of(second_lab.pid)
    assert len(servers) >= 8
    second_lab.send_signal(number)
    assert second_lab.wait(10) == (-number if number == signal.SIGKILL else 0)
    assert wait_until(lambda: not any(map(is_running, servers)), 5)
