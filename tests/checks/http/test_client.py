"""The HTTP client against servers that do not wish it well: every case ends in time, with the right reason."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
import tracemalloc

import pytest
import trustme

from checks.errors import ProbeError, Reason
from checks.facts.http import Page
from checks.probes.http import HttpClient
from checks.probes.net import Net
from checks.target import Limits, Vantage
from tests.checks.http.server import Answer, Names, listening, page, raw, serving


async def _drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def _drip_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _i in range(1000):
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _silence(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


def _forever(head: bytes, again: bytes) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(again)
            await writer.drain()

    return answer


def _status(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"", b"")) + body


BOMB = gzip.compress(b"\0" * 40_000_000)
MANY = tuple(b"X-%d: 1" % i for i in range(500))

HOSTILE: list[tuple[str, Answer, Reason]] = [
    ("header drip", _drip, Reason.TIMEOUT),
    ("body drip", _drip_body, Reason.TIMEOUT),
    ("silence", _silence, Reason.TIMEOUT),
    ("endless header", _forever(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 4096), Reason.MALFORMED),
    ("endless header lines", _forever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 500), Reason.MALFORMED),
    ("endless 1xx answers", _forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50), Reason.MALFORMED),
    ("500 header lines", raw(_status(*MANY, b"Content-Length: 0")), Reason.TOO_LARGE),
    ("100 KiB in one header", raw(_status(b"X: " + b"y" * 102_400, b"Content-Length: 0")), Reason.TOO_LARGE),
    ("HTTP/0.9 page", raw(b"<html>hello</html>\n"), Reason.CONNECTION_LOST),
    ("SSH banner", raw(b"SSH-2.0-OpenSSH_9.2\r\n"), Reason.CONNECTION_LOST),
    ("nothing at all", raw(b""), Reason.CONNECTION_LOST),
    ("body shorter than said", raw(_status(b"Content-Length: 900", body=b"short")), Reason.CONNECTION_LOST),
    ("two lengths", raw(_status(b"Content-Length: 5", b"Content-Length: 6", body=b"12345")), Reason.MALFORMED),
    ("length no number", raw(_status(b"Content-Length: -1", body=b"12345")), Reason.MALFORMED),
    ("chunk no number", raw(_status(b"Transfer-Encoding: chunked", body=b"zz\r\n")), Reason.MALFORMED),
    ("status no number", raw(b"HTTP/1.1 abc OK\r\n\r\n"), Reason.MALFORMED),
    ("NUL in a header", raw(_status(b"X: a\0b", b"Content-Length: 0")), Reason.MALFORMED),
    ("gzip that is none", page(b"not gzip", "Content-Encoding: gzip"), Reason.MALFORMED),
    ("gzip twice", page(BOMB[:100], "Content-Encoding: gzip, gzip"), Reason.MALFORMED),
    ("brotli unasked", page(b"xx", "Content-Encoding: br"), Reason.MALFORMED),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "reason"), [c[1:] for c in HOSTILE], ids=[c[0] for c in HOSTILE])
def test_a_hostile_answer_ends_in_time_with_its_reason(answer: Answer, reason: Reason) -> None:
    async def run() -> float:
        async with serving(answer, limits=Limits(request_s=1.0, wire_bytes=300_000)) as site:
            begun = time.monotonic()
            with pytest.raises(ProbeError) as caught:
                await site.client.get(site.url())
            assert caught.value.reason is reason, caught.value
            return time.monotonic() - begun

    assert asyncio.run(run()) < 3.0


BOMBS = {
    "gzip bomb": page(BOMB, "Content-Encoding: gzip"),
    "endless body": _forever(b"HTTP/1.1 200 OK\r\n\r\n", b"z" * 65536),
    "endless chunks": _forever(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\nzzzz\r\n" * 100
    ),
}


@pytest.mark.parametrize("answer", BOMBS.values(), ids=BOMBS)
def test_a_body_without_end_is_cut_and_marked(answer: Answer) -> None:
    async def run() -> Page:
        async with serving(answer, limits=Limits(request_s=20.0)) as site:  # tracemalloc is slow
            return await site.client.get(site.url(), max_body=64 * 1024)

    tracemalloc.start()
    try:
        found = asyncio.run(run())
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert found.truncated and len(found.body) == 64 * 1024 and found.status == 200


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:6379/", "https://127.0.0.1/", "http://localhost:6379/", "https://0x7f000001/",
        "https://2130706433/", "https://[::ffff:169.254.169.254]/latest/", "https://[64:ff9b::7f00:1]/",
        "file:///etc/passwd", "gopher://127.0.0.1/", "https://user@127.0.0.1/", "//127.0.0.1:6379/",
        "https://inner.test/", "https://mixed.test/", "\\\\127.0.0.1:6379\\x", "https://[::1", "http://site.test:22/",
    ],
)  # fmt: skip
def test_a_redirect_into_the_house_is_never_dialled(location: str) -> None:
    """Only the address 127.0.0.2 is allowed, where the first server is; the canary sits on 127.0.0.1."""
    table = {
        "site.test": ("127.0.0.2",),
        "inner.test": ("10.1.2.3",),
        "mixed.test": ("127.0.0.2", "192.168.0.1"),
        "localhost": ("127.0.0.1",),
    }

    dialled: list[str] = []
    canary_port: list[int] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dialled.append("front")
        target = location.replace("6379", str(canary_port[0]))
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    async def canary(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        dialled.append("canary")

    async def run() -> None:
        async with listening(serve, host="127.0.0.2") as port, listening(canary) as inner:
            net = Net(Vantage(allow_networks=("127.0.0.2/32",)), Limits(request_s=1.0))
            client = HttpClient(net, Names(table), ports=frozenset({80, 443, port, inner}))
            canary_port.append(inner)
            chain = await client.follow(f"http://site.test:{port}/", anywhere=True)
            assert {p.status for p in chain} == {302}
            client.close()

    asyncio.run(run())
    assert set(dialled) == {"front"}


def test_a_name_with_one_forbidden_address_is_refused_as_a_whole() -> None:
    async def run() -> None:
        names = Names({"mixed.test": ("127.0.0.1", "10.0.0.1")})
        async with serving(page(), names=names) as site:
            with pytest.raises(ProbeError) as caught:
                await site.client.get(site.url(host="mixed.test"))
            assert caught.value.reason is Reason.FORBIDDEN_ADDRESS
            assert site.connections == 0

    asyncio.run(run())


def test_a_redirect_loop_stops_after_three_hops() -> None:
    async def run() -> None:
        async with serving(page(b"", "Location: /again", status="301 Moved")) as site:
            chain = await site.client.follow(site.url("/again"))
            assert len(chain) == 2, "the second hop would be plain http again"
            assert site.net.used["http"] == 2

            site.client.get = answer_once  # type: ignore[method-assign]
            assert len(await site.client.follow("https://site.test/again")) == 4

    async def answer_once(url: str, **_: object) -> Page:
        return Page(url, 301, (("location", "/again"),), "")

    asyncio.run(run())


def test_a_scanned_host_cannot_choose_what_a_third_one_is_asked() -> None:
    async def run() -> None:
        async with serving(page(b"", "Location: https://victim.test/?q=evil", status="301 Moved")) as site:
            chain = await site.client.follow(site.url("/"))
            assert len(chain) == 1 and site.net.used["http"] == 1

    asyncio.run(run())


def test_requests_share_one_connection_and_are_counted_each() -> None:
    async def run() -> None:
        async with serving(page(close=False), keep_alive=True) as site:
            for number in range(5):
                assert (await site.client.get(site.url(f"/{number}"))).body == "hello"
            assert site.connections == 1
            assert site.net.used == {"http": 5, "web": 1}

    asyncio.run(run())


def test_an_idle_connection_that_the_server_closed_is_replaced() -> None:
    async def run() -> None:
        async with serving(page(close=False), keep_alive=False) as site:
            for _ in range(3):
                await site.client.get(site.url())
                await asyncio.sleep(0.01)
            assert site.connections == 3

    asyncio.run(run())


def test_many_requests_at_once_use_three_connections_at_most() -> None:
    async def run() -> None:
        async with serving(page(close=False), keep_alive=True) as site:
            await asyncio.gather(*(site.client.get(site.url(f"/{n}")) for n in range(12)))
            assert site.connections <= 3
            assert site.net.used["http"] == 12

    asyncio.run(run())


def test_the_budget_of_requests_is_kept() -> None:
    async def run() -> None:
        async with serving(page(close=False), keep_alive=True, limits=Limits(budget={"http": 2})) as site:
            await site.client.get(site.url())
            await site.client.get(site.url())
            with pytest.raises(ProbeError) as caught:
                await site.client.get(site.url())
            assert caught.value.reason is Reason.BUDGET and len(site.requests) == 2

    asyncio.run(run())


def test_a_host_that_stays_silent_three_times_is_not_asked_again() -> None:
    async def run() -> None:
        async with serving(_silence, limits=Limits(request_s=0.1)) as site:
            for _ in range(5):
                with pytest.raises(ProbeError):
                    await site.client.get(site.url())
            assert len(site.requests) == 3

    asyncio.run(run())


def test_a_closed_port_is_refused_and_not_asked_for_ever() -> None:
    async def run() -> None:
        async with serving(page()) as site:
            for _ in range(4):
                with pytest.raises(ProbeError) as caught:
                    await site.client.get(f"http://site.test:{_free_port(site.client)}/")
                assert caught.value.reason is Reason.REFUSED
            assert site.net.used["web"] == 2, "what was refused twice is not dialled again"
            assert (await site.client.get(site.url())).status == 200, "another port is another matter"

    def _free_port(client: HttpClient) -> int:
        client._ports = client._ports | {1}
        return 1

    asyncio.run(run())


def test_headers_keep_their_order_and_repetition_and_are_cleaned() -> None:
    async def run() -> None:
        lines = ("Set-Cookie: a=1", "X-Long: " + "y" * 20_000, "Set-Cookie: b=2", "X-Bidi: a\u202eb")
        async with serving(page(b"x", *lines)) as site:
            found = await site.client.get(site.url())
            assert found.header_values("Set-Cookie") == ("a=…", "b=…"), "the value is nobody's business"
            assert len(found.header("x-long") or "") == 8192
            assert found.header("x-bidi") == "a\ufffdb"

    asyncio.run(run())


def test_a_post_carries_its_body_and_the_user_agent_names_us() -> None:
    async def run() -> None:
        seen: list[bytes] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readexactly(2))
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

        async with serving(answer) as site:
            json = ("Content-Type", "application/json")
            await site.client.get(site.url(), method="POST", headers=[json], body=b"{}")
            assert seen == [b"{}"] and site.requests == ["POST / HTTP/1.1"]

    asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    ["", "ftp://x.test/", "https://", "https://[::1", "https://a b.test/", "https://x.test:99999/",
     "https://u:p@x.test/", "https://" + "a" * 300 + ".test/", "javascript:alert(1)", "https://x.test/" + "a" * 9000],
)  # fmt: skip
def test_what_is_no_plain_web_url_is_malformed(url: str) -> None:
    async def run() -> None:
        async with serving(page()) as site:
            with pytest.raises(ProbeError) as caught:
                await site.client.get(url)
            assert caught.value.reason is Reason.MALFORMED and site.connections == 0

    asyncio.run(run())


def test_a_bad_certificate_hinders_reading_only_where_it_is_to_be_verified() -> None:
    ca, stranger = trustme.CA(), trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("site.test").configure_cert(server_side)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_status(b"Content-Length: 2", b"Connection: close", body=b"ok"))
        await writer.drain()

    async def read(port: int, roots: trustme.CA, host: str, verify: bool) -> str:
        net = Net(Vantage(allow_networks=("127.0.0.1/32",)), Limits(request_s=5.0))
        pem = roots.cert_pem.bytes().decode()
        client = HttpClient(net, Names(), trust_pem=pem, ports=frozenset({port}))
        try:
            return (await client.get(f"https://{host}:{port}/", verify=verify)).body
        except ProbeError as error:
            return error.detail.split(":")[0]
        finally:
            client.close()

    async def run() -> None:
        async with listening(serve, tls=server_side) as port:
            assert await read(port, ca, "site.test", True) == "ok"
            assert await read(port, ca, "other.test", False) == "ok"
            assert await read(port, stranger, "site.test", False) == "ok"
            assert await read(port, ca, "other.test", True) == "certificate"
            assert await read(port, stranger, "site.test", True) == "certificate"

    asyncio.run(run())


def test_plain_text_on_the_tls_port_is_malformed() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test ESMTP\r\n")
        await reader.read(10)

    async def run() -> None:
        async with listening(greet) as port, serving(page()) as site:
            client = HttpClient(site.net, Names(), ports=frozenset({port}))
            with pytest.raises(ProbeError) as caught:
                await client.get(f"https://site.test:{port}/")
            assert caught.value.reason is Reason.MALFORMED
            client.close()

    asyncio.run(run())
