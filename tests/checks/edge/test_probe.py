"""Direct questions to addresses that may be the origin, against local TLS servers."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from checks.errors import Reason
from checks.facts import Fact, Missing
from checks.facts.dns import Asked, Lookup, Outcome
from checks.facts.edge import OriginExposure
from checks.facts.mail import MailHost, MailRoutes, SpfAnswers
from checks.probes import gather, origins, ports
from checks.probes.dns import Resolver
from checks.probes.look import Look, Probe
from checks.probes.net import Net, Stream
from checks.target import Limits, Target
from tests.checks.ssh.servers import LOOPBACK, VANTAGE, at_address, free_port, speaker

HOST, CDN = "instance.example", "104.16.1.1"
SITE = b'HTTP/1.1 200 OK\r\n\r\n{"links":[{"href":"https://instance.example/nodeinfo/2.0"}]}'
STRANGER = b"HTTP/1.1 200 OK\r\n\r\nWelcome to nginx!"
PROBE = ports.PROBES[1]
_CONNECT = Net.connect


@contextmanager
def web(answer: bytes, *, knows: str = HOST) -> Iterator[int]:
    """A TLS server that gives one answer; it hangs up on a name that it does not know."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(knows).configure_cert(context)

    def check(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        return None if name == knows else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = check

    def behave(connection: socket.socket, ended: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.recv(4096)
            stream.sendall(answer)

    with speaker(behave) as port:
        yield port


def exposure(
    port: int, monkeypatch: pytest.MonkeyPatch, *facts: Fact, origin: str = "", name: tuple[str, ...] = (CDN,)
) -> OriginExposure:
    async def redirected(self: Net, address: str, _: int, kind: str, **options: float) -> Stream:
        return await _CONNECT(self, address, port, kind, timeout_s=options.get("timeout_s"))

    async def give(look: Look) -> tuple[Fact, ...]:
        return facts

    monkeypatch.setattr(Net, "connect", redirected)
    given = (Probe("given", "mail", tuple(type(f) for f in facts), give),) if facts else ()
    target = Target(HOST, origins=(origin,) if origin else ())
    gathered = asyncio.run(gather(target, VANTAGE, Limits(), probes=(at_address(*name), *given, PROBE)))
    return gathered.facts.get(OriginExposure)


def test_without_a_cdn_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exposure(free_port(), monkeypatch, origin=LOOPBACK, name=(LOOPBACK,)) == OriginExposure("")


def test_an_origin_that_serves_the_site_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with web(SITE) as port:
        (answer,) = exposure(port, monkeypatch, origin=LOOPBACK).answers
    assert (answer.named_by, answer.status, answer.serves_site) == ("admin", 200, True)


def test_a_strangers_page_is_not_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    with web(STRANGER) as port:
        (answer,) = exposure(port, monkeypatch, origin=LOOPBACK).answers
    assert (answer.status, answer.serves_site) == (200, False)


def test_refusals_are_definite_and_silence_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with web(SITE, knows="other.example") as port:
        (by_name,) = exposure(port, monkeypatch, origin=LOOPBACK).answers
    (closed,) = exposure(free_port(), monkeypatch, origin=LOOPBACK).answers
    assert by_name.status is None and closed.status is None
    monkeypatch.setattr(origins, "_STEP_S", 0.3)
    with speaker(lambda connection, ended: None if ended.wait(5) else None) as port:
        (mute,) = exposure(port, monkeypatch, origin=LOOPBACK).answers
    assert isinstance(mute.status, Missing) and mute.status.reason is Reason.TIMEOUT


def _found(name: str, rdtype: str, *records: str) -> Lookup:
    return Lookup(name, rdtype, Outcome.FOUND, records)


def test_mail_records_that_name_the_origin_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    mx = _found(HOST, "MX", f"10 mail.{HOST}.", "20 mx.provider.example.")
    own = MailHost(10, f"mail.{HOST}", _found(f"mail.{HOST}", "A", "127.0.0.7"))
    theirs = MailHost(20, "mx.provider.example", _found("mx.provider.example", "A", "127.0.0.8"))
    spf = SpfAnswers(
        HOST, (Asked(HOST, "TXT", _found(HOST, "TXT", "v=spf1 ip4:127.0.0.9 ip4:127.1.0.0/16 -all")),)
    )
    found = exposure(free_port(), monkeypatch, MailRoutes(HOST, mx, (own, theirs)), spf)
    assert {(a.address, a.named_by) for a in found.answers} == {
        ("127.0.0.7", f"MX mail.{HOST}"),
        ("127.0.0.9", f"SPF {HOST}"),
    }


def test_neighbouring_names_outside_the_cdn_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {f"direct.{HOST}": LOOPBACK, f"www.{HOST}": CDN, f"ssh.{HOST}": "10.0.0.1"}

    async def ask(self: Resolver, name: str, rdtype: str, *, cd: bool = False) -> Lookup | Missing:
        if name in addresses:
            return _found(name, rdtype, addresses[name])
        return Missing(Reason.TIMEOUT)

    monkeypatch.setattr(Resolver, "ask", ask)
    with web(SITE) as port:
        found = exposure(port, monkeypatch)
    leaks = [(a.address, a.named_by, a.serves_site) for a in found.answers]
    assert leaks == [(LOOPBACK, f"A direct.{HOST}", True)]


def test_an_address_beside_the_cdn_is_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    with web(SITE) as port:
        found = exposure(port, monkeypatch, name=(CDN, LOOPBACK))
    assert [(a.address, a.named_by, a.serves_site) for a in found.answers] == [(LOOPBACK, f"A {HOST}", True)]


def test_addresses_that_may_not_be_dialled_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    mx = _found(HOST, "MX", f"10 mail.{HOST}.")
    host = MailHost(10, f"mail.{HOST}", _found(f"mail.{HOST}", "A", "10.0.0.1"))
    assert exposure(free_port(), monkeypatch, MailRoutes(HOST, mx, (host,))).answers == ()
