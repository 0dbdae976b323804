"""Apprise: told by a process of its own, over HTTPS, to addresses that the rule allows, and nothing else."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest
from pytest_django import Settings

from checks.probes import addresses
from fedisec.alerts.channels import apprise_way
from fedisec.alerts.channels.calling import NotTaken, call
from fedisec.alerts.channels.sealing import put_address
from fedisec.alerts.channels.services import host_of, shown_of
from fedisec.alerts.models import Channel, ChannelKind
from fedisec.instances.models import Instance
from tests.alerts.channels.conftest import AUTHORITY, CANARY, a_delivery
from tests.lab import netns
from tests.watch.site import Site, drip

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _send(address: str, attempts: int = 1) -> str:
    return apprise_way.send(address, "a title", "a text", NOW, attempts)


def _refused(address: str, attempts: int = 1) -> NotTaken:
    with pytest.raises(NotTaken) as caught:
        _send(address, attempts)
    return caught.value


def _ntfy(receiver: Site, rest: str = CANARY) -> str:
    return f"ntfys://user:{CANARY}@127.0.0.1:{receiver.port}/{rest}"


@pytest.fixture
def names(settings: Settings) -> Iterator[dict[str, str]]:
    """A resolver of our own: name -> IPv4 address."""
    known: dict[str, str] = {}
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            data, sender = link.recvfrom(4096)
            if not data:
                return
            asked = dns.message.from_wire(data)
            reply, question = dns.message.make_response(asked), asked.question[0]
            address = known.get(question.name.to_text(omit_final_dot=True))
            if address and question.rdtype == 1:
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", address))
            elif not address:
                reply.set_rcode(dns.rcode.NXDOMAIN)
            link.sendto(reply.to_wire(), sender)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    settings.RESOLVER = f"127.0.0.1:{link.getsockname()[1]}"
    yield known
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.sendto(b"", link.getsockname())
    thread.join()
    link.close()


def test_a_channel_of_ntfy_is_told_what_a_mail_says(receiver: Site, instance: Instance) -> None:
    receiver.say("/", b'{"id": "1"}')
    receiver.say(f"/{CANARY}", b'{"id": "1"}')
    channel = Channel.objects.create(
        team=instance.team, kind=ChannelKind.APPRISE, name="Phone", language="ja"
    )
    put_address(channel, _ntfy(receiver))
    channel.save()
    assert call(a_delivery(channel, instance)).startswith("200 OK")
    told = json.loads(receiver.asked[-1].body)
    assert told["topic"] == CANARY and "good.example" in told["title"] + told["message"]
    assert receiver.asked[-1].headers["authorization"].startswith("Basic ")


def test_matrix_signs_in_joins_and_writes(receiver: Site) -> None:
    base = "/_matrix/client/v3"
    receiver.say(
        f"{base}/login", json.dumps({"access_token": "t", "user_id": "@u:127.0.0.1", "home_server": "x"})
    )
    receiver.fallback = json.dumps({"room_id": "!r:127.0.0.1", "event_id": "$1", "joined_rooms": []}).encode()
    address = f"matrixs://user:{CANARY}@127.0.0.1:{receiver.port}/!r:127.0.0.1?discovery=no&e2ee=no"
    assert _send(address).startswith("200 OK")
    sent = [one for one in receiver.asked if "/send/m.room.message" in one.path]
    assert sent and b"a text" in sent[-1].body


@pytest.mark.lab
def test_slack_is_told_under_its_own_name(
    names: dict[str, str], settings: Settings, authority_file: Path
) -> None:
    if not netns.inside():
        pytest.skip("port 443 needs a network namespace: python -m tests.lab.netns pytest …")
    settings.ALLOW_NETWORKS, settings.TRUST_CA = ("127.66.7.1/32",), str(authority_file)
    names["hooks.slack.com"] = "127.66.7.1"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("hooks.slack.com").configure_cert(context)
    slack = Site(context, ("127.66.7.1", 443))
    try:
        tokens = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
        slack.say(f"/services/{tokens}", b"ok")
        assert _send(f"slack://{tokens}/#ops") == "200 OK: ok"
        assert b"a text" in slack.asked[0].body and slack.asked[0].headers["host"] == "hooks.slack.com"
        slack.say(f"/services/{tokens}", f"no_service {tokens}".encode(), 404)
        error = _refused(f"slack://{tokens}/#ops", 5)
        assert error.final and "no_service" in error.answer and "TIiajk" not in error.answer
    finally:
        slack.close()


def test_no_answer_repeats_the_address(receiver: Site) -> None:
    receiver.say("/", f"denied: user:{CANARY}@ {CANARY.upper()} /{CANARY}", 403)
    error = _refused(_ntfy(receiver))
    assert error.answer.startswith("403 Forbidden") and CANARY.lower() not in error.answer.lower()
    assert not error.final and _refused(_ntfy(receiver), 5).final


def test_a_pause_is_heard(receiver: Site) -> None:
    receiver.say("/", b"slowly", 429, Retry_After="120")
    error = _refused(_ntfy(receiver), 9)
    assert error.pause is not None and error.pause.total_seconds() == 120 and not error.final


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[64:ff9b::7f00:1]"])
def test_no_address_of_the_house_is_dialled(receiver: Site, settings: Settings, host: str) -> None:
    settings.ALLOW_NETWORKS = ("192.0.2.0/24",)
    assert "private" in _refused(f"ntfys://{host}:{receiver.port}/topic").answer
    assert not receiver.asked


def test_no_name_that_leads_into_the_house_is_dialled(
    receiver: Site, settings: Settings, names: dict[str, str]
) -> None:
    settings.ALLOW_NETWORKS = ("192.0.2.0/24",)
    names["inside.example"] = "127.0.0.1"
    assert "private" in _refused(f"ntfys://inside.example:{receiver.port}/topic").answer
    assert "DNS" in _refused("ntfys://nowhere.example/topic").answer
    assert not receiver.asked


@pytest.mark.parametrize("where", ["", "http://169.254.169.254/latest/", "https://10.0.0.1/"])
def test_a_redirect_is_an_answer_wherever_it_leads(receiver: Site, where: str) -> None:
    receiver.say("/", b"", 307, Location=where or receiver.url("/elsewhere"))
    receiver.say("/elsewhere", b"{}")
    error = _refused(_ntfy(receiver, "topic?redirect=yes"))
    assert error.answer == "307 Temporary Redirect" and len(receiver.asked) == 1


def test_a_certificate_is_verified(receiver: Site, settings: Settings) -> None:
    settings.TRUST_CA = ""
    assert "certificate" in _refused(_ntfy(receiver)).answer
    assert "certificates" in _refused(_ntfy(receiver, "topic?verify=no")).answer
    assert not receiver.asked


def test_an_answer_that_breaks_off_may_have_been_taken(receiver: Site) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"
    receiver.be_rude("/", lambda connection: connection.sendall(half))
    error = _refused(_ntfy(receiver))
    assert error.maybe_arrived and not error.final and "broke off" in error.answer


def test_a_service_that_never_ends_is_left(receiver: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise_way, "WALL_S", 1.5)
    receiver.be_rude("/", drip(b"HTTP/1.1 200 OK\r\nX: ", b"y", receiver.over))
    error = _refused(_ntfy(receiver, "topic?rto=60"))
    assert error.maybe_arrived and not error.final


@pytest.mark.parametrize(
    "address",
    ["syslog://", "dbus://", "exec://ls", "file:///etc/passwd", "json://1.1.1.1", "mailto://u:p@example.org",
     "ntfy://example.org/t", "windows://", "macosx://", "gnome://", "https://example.org", "slack:", ""],
)  # fmt: skip
def test_only_services_over_tls_are_known(address: str) -> None:
    error = _refused(address)
    assert error.final and "not allowed" in error.answer and shown_of(address) == ""


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ntfys://u:p@ntfy.example.org:8443/topic", "ntfy · ntfy.example.org"), ("ntfys://secret-topic", "ntfy"),
     ("ntfys://secret.topic", "ntfy"), ("ntfys://u:p@secret.topic/", "ntfy"), ("workflows://se.cret/a/b", "Microsoft Teams"), ("slack://T1/B1/secret", "Slack"), ("tgram://1:secret.x/9", "Telegram"),
     ("matrixs://secrettoken", "Matrix"), ("matrixs://u:p@[2001:db8::1]/#r", "Matrix · 2001:db8::1"),
     ("MATRIXS://M.Example/#r", "Matrix · m.example"), ("mastodons://tok@m.example?x=y@z", "Mastodon · m.example")],
)  # fmt: skip
def test_what_is_shown_of_an_address_is_no_secret(address: str, shown: str) -> None:
    assert shown_of(address) == shown and host_of(address) in shown


TRIES = """
import sys, json, os, socket, subprocess, importlib.util
def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
child, rule = load("child", sys.argv[1]), load("rule", sys.argv[2])
import ctypes, shutil, sqlite3, tempfile, multiprocessing
guard = child.Guard(rule, ["127.0.0.1/32"], ("127.0.0.53", 53))
guard.put_up()
def reach(host, kind=socket.SOCK_STREAM):
    socket.socket(socket.AF_INET, kind).connect((host, 9))
tries = {
    "system": lambda: os.system("true"), "popen": lambda: os.popen("true"),
    "run": lambda: subprocess.run(["true"]), "fork": os.fork, "exec": lambda: os.execv("/bin/true", ["true"]),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "write": lambda: open("/tmp/fedisec-never", "w"), "append": lambda: open(sys.argv[1], "a"),
    "create": lambda: os.open("/tmp/fedisec-never", os.O_CREAT | os.O_WRONLY),
    "read": lambda: open("/etc/passwd"), "environment": lambda: open("/proc/self/environ"),
    "library": lambda: open(os.path.join(os.path.dirname(os.__file__), "..", "..", "..", "..", "etc/passwd")),
    "remove": lambda: os.remove("/tmp/fedisec-never"), "copy": lambda: shutil.copy(sys.argv[1], "/tmp/x"),
    "mkdir": lambda: os.mkdir("/tmp/fedisec-never"), "link": lambda: os.symlink("/etc", "/tmp/fedisec-never"),
    "ctypes": lambda: ctypes.CDLL(None), "sqlite": lambda: sqlite3.connect(":memory:"),
    "temporary": lambda: tempfile.mkdtemp(dir="/tmp"), "kill": lambda: os.kill(1, 0), "listen": lambda: socket.socket().bind(("", 0)),
    "metadata": lambda: reach("169.254.169.254"), "private": lambda: reach("10.0.0.1"),
    "datagram": lambda: reach("127.0.0.2", socket.SOCK_DGRAM), "by name": lambda: reach("localhost"),
    "resolver": lambda: reach("127.0.0.53"), "unix": lambda: socket.socket(socket.AF_UNIX).connect("/run/x"),
    "sendto": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("10.0.0.1", 9)),
    "lookup": lambda: socket.gethostbyname("localhost"), "private name": lambda: socket.getaddrinfo("10.0.0.1", 9),
}
came = {}
for name, step in tries.items():
    try:
        step()
        came[name] = "allowed"
    except child.Forbidden:
        came[name] = "refused"
    except Exception as error:
        came[name] = repr(error)
came["allowed address"] = socket.getaddrinfo("127.0.0.1", 443)[0][4][0]
came["own library"] = open(os.__file__).read(1) and "read"
print(json.dumps(came))
"""


def test_the_guard_refuses_all_that_a_message_does_not_need() -> None:
    command = [sys.executable, "-I", "-c", TRIES, str(apprise_way._CHILD), str(addresses.__file__)]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    came = json.loads(done.stdout)
    assert came.pop("allowed address") == "127.0.0.1" and came.pop("own library") == "read"
    assert {name: what for name, what in came.items() if what != "refused"} == {}


def test_the_child_gets_no_environment(receiver: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("FEDISEC_SECRET_KEY", CANARY)
    seen: dict[str, object] = {}
    run = subprocess.run

    def spy(*args: object, **options: object) -> object:
        seen.update(options)
        return run(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", spy)
    receiver.say("/", b"{}")
    assert _send(_ntfy(receiver)).startswith("200 OK"), "a proxy of the environment counts for nothing"
    assert CANARY not in str(seen["env"]) and set(seen["env"]) == {"LANG", "PATH", "REQUESTS_CA_BUNDLE"}  # type: ignore[call-overload]


def test_a_local_file_that_an_address_names_is_never_read(receiver: Site, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"text": CANARY}))
    receiver.say("/", b"{}")
    address = f"ntfys://127.0.0.1:{receiver.port}/topic?attach={secret}&template={secret}"
    try:
        _send(address)
    except NotTaken as trouble:
        assert CANARY not in trouble.answer
    assert all(CANARY.encode() not in asked.body for asked in receiver.asked)


def test_a_long_text_is_cut_at_a_line_and_leads_to_the_rest() -> None:
    text = "\n".join(f"line {n}" for n in range(1000))
    cut = apprise_way.short(text, "https://fedisec.example/")
    assert len(cut) <= apprise_way.TEXT_MAX and cut.endswith("\n\n… https://fedisec.example/")
    assert text.startswith(cut.partition("\n\n")[0]) and apprise_way.short("short", "x") == "short"
