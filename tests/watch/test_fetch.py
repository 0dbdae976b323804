"""Requests of fedisec's own: capped, in time, certificates verified, and never into the house."""

from __future__ import annotations

import gzip
import ssl
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from pytest_django import Settings

from checks.errors import ProbeError, Reason
from fedisec.lib import fetch
from tests.watch.site import Site, drip, flood, site

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def web(settings: Settings) -> Iterator[Site]:
    settings.ALLOW_NETWORKS = ("127.0.0.1/32",)
    with site() as served:
        yield served


def _ports(served: Site) -> frozenset[int]:
    return frozenset({80, 443, served.port})


def _reason(served: Site, url: str, *, limit: int = 100_000, deadline_s: float = 5.0) -> ProbeError:
    with pytest.raises(ProbeError) as caught:
        fetch.get(url, limit=limit, deadline_s=deadline_s, ports=_ports(served))
    return caught.value


def test_an_answer_is_bytes_with_its_status_and_headers(web: Site) -> None:
    url = web.say("/feed", b"\xff\x00raw", ETag='"1"', Content_Type="application/xml")
    answer = fetch.get(url, headers=[("If-None-Match", '"0"')], ports=_ports(web))
    assert (answer.status, answer.body, answer.url) == (200, b"\xff\x00raw", url)
    assert answer.header("ETag") == '"1"' and answer.header("absent") is None
    assert web.asked[0].headers["if-none-match"] == '"0"'
    assert web.asked[0].headers["user-agent"].startswith("fedisec/")
    assert fetch.get(url, headers=[("If-None-Match", '"1"')], ports=_ports(web)).status == 304
    assert fetch.get(web.url("/nothing"), ports=_ports(web)).status == 404


def test_a_post_carries_its_body_and_follows_no_redirect(web: Site) -> None:
    url = web.say("/hook", status=307, Location=web.url("/other"))
    json = ("Content-Type", "application/json")
    answer = fetch.request("POST", url, headers=[json], body=b'{"a": 1}', ports=_ports(web))
    assert answer.status == 307
    assert [(a.method, a.path, a.body) for a in web.asked] == [("POST", "/hook", b'{"a": 1}')]


def test_a_packed_answer_is_unpacked(web: Site) -> None:
    url = web.say("/feed", gzip.compress(b"<feed/>"), Content_Encoding="gzip")
    assert fetch.get(url, ports=_ports(web)).body == b"<feed/>"


def test_what_is_too_large_is_refused_not_cut(web: Site) -> None:
    assert _reason(web, web.say("/feed", b"x" * 100_001)).reason is Reason.TOO_LARGE
    assert fetch.get(web.say("/feed", b"x" * 100_000), limit=100_000, ports=_ports(web)).status == 200


def test_a_bomb_is_refused_without_being_unpacked_whole(web: Site) -> None:
    url = web.say("/feed", gzip.compress(b"\0" * 30_000_000), Content_Encoding="gzip")
    tracemalloc.start()
    try:
        assert _reason(web, url, deadline_s=20.0).reason is Reason.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_flood_is_refused(web: Site) -> None:
    body = web.be_rude("/body", flood(HEAD + b"\r\n", b"z" * 65536))
    assert _reason(web, body, deadline_s=20.0).reason is Reason.TOO_LARGE
    header = web.be_rude("/header", flood(HEAD + b"X: ", b"y" * 4096))
    assert _reason(web, header, deadline_s=20.0).reason is Reason.MALFORMED


@pytest.mark.parametrize("first", [b"", HEAD + b"X: ", HEAD + b"Content-Length: 9999\r\n\r\n"])
def test_a_drip_ends_at_the_deadline_of_the_whole(web: Site, first: bytes) -> None:
    url = web.be_rude("/slow", drip(first, b"y" if first else b"", web.over))
    assert isinstance(_reason(web, url, deadline_s=0.3), ProbeError)
    assert _reason(web, url, deadline_s=0.3).reason in {Reason.TIMEOUT, Reason.BUSY}


def test_redirects_are_followed_three_times_and_never_back_to_plain_http(web: Site) -> None:
    there = web.say("/there", b"ok")
    moved = web.say("/moved", status=301, Location="/there")
    assert fetch.get(moved, ports=_ports(web)).url == there
    twice = web.say("/twice", status=302, Location="/moved")
    assert _reason(web, twice).reason is Reason.FORBIDDEN_ADDRESS, "the second step is plain http again"


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "gopher://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/",
     "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://127.0.0.1:6379/", "https://[::1"],
)  # fmt: skip
def test_a_redirect_into_the_house_is_never_dialled(web: Site, location: str) -> None:
    error = _reason(web, web.say("/moved", status=302, Location=location))
    assert error.reason in {Reason.FORBIDDEN_ADDRESS, Reason.MALFORMED}


def test_the_address_rule_holds_for_the_first_step(web: Site, settings: Settings) -> None:
    url = web.say("/feed", b"ok")
    with pytest.raises(ProbeError) as caught:
        fetch.get(url)  # a port of no web server
    assert caught.value.reason is Reason.FORBIDDEN_ADDRESS
    settings.ALLOW_NETWORKS = ()
    assert _reason(web, url).reason is Reason.FORBIDDEN_ADDRESS
    assert not web.asked


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/", "https://u:p@127.0.0.1/", "https://[::1"])
def test_what_is_no_web_address_is_malformed(web: Site, url: str) -> None:
    assert _reason(web, url).reason is Reason.MALFORMED


def test_a_certificate_is_verified(settings: Settings, tmp_path: Path) -> None:
    settings.ALLOW_NETWORKS = ("127.0.0.1/32",)
    ours, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert("127.0.0.1").configure_cert(context)
    with site(context) as served:
        url = served.say("/feed", b"ok")
        for name, ca in (("ours", ours), ("stranger", stranger)):
            file = tmp_path / f"{name}.pem"
            ca.cert_pem.write_to_path(str(file))
            settings.TRUST_CA = str(file)
            if ca is ours:
                assert fetch.get(url, ports=_ports(served)).body == b"ok"
            else:
                error = _reason(served, url)
                assert error.reason is Reason.MALFORMED and error.detail.startswith("certificate")


def test_a_long_answer_is_cut_where_that_is_asked_for(web: Site) -> None:
    url = web.say("/hook", b"x" * 100_000)
    answer = fetch.request("POST", url, limit=4096, ports=_ports(web), cut=True)
    assert (answer.status, len(answer.body), answer.truncated) == (200, 4096, True)
    with pytest.raises(ProbeError) as caught:
        fetch.request("POST", url, limit=4096, ports=_ports(web))
    assert caught.value.reason is Reason.TOO_LARGE


def test_what_is_for_the_own_networks_goes_nowhere_else(web: Site, settings: Settings) -> None:
    url = web.say("/hook", b"ok")
    assert fetch.request("GET", url, ports=_ports(web), own_networks=True).status == 200
    for elsewhere in ("http://1.1.1.1/", "http://[2606:4700::1111]/", "http://127.0.0.2/"):
        with pytest.raises(ProbeError) as caught:
            fetch.request("GET", elsewhere, own_networks=True)
        assert caught.value.reason is Reason.FORBIDDEN_ADDRESS
