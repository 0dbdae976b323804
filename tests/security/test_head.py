"""HEAD over one connection that stays open: each answer ends where its headers end."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator

import pytest
from django.test import Client
from waitress.server import BaseWSGIServer, create_server

from fedisec.wsgi import application


@pytest.fixture
def port() -> Iterator[int]:
    server: BaseWSGIServer = create_server(application, host="127.0.0.1", port=0, threads=1)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield int(server.effective_port)
    server.trigger.pull_trigger(server.close)  # in its own thread, where nothing else looks at its sockets
    thread.join(30)


def test_the_next_answer_is_that_to_the_next_request(port: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for method in ("HEAD", "GET", "HEAD", "HEAD", "GET"):
        line.request(method, "/healthz")
        answer = line.getresponse()
        assert (answer.status, answer.read()) == (200, b"" if method == "HEAD" else b"ok")
    line.close()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nope/", "/team/items/x/restore/"])
@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", b"a=1", 400),
        ("multipart/form-data; boundary=\xc3\xa9", b"a=1", 400),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(600)), 413),
        ("application/x-www-form-urlencoded", b"a=1", 404),
    ],
)
def test_a_form_that_cannot_be_read_is_no_fault_of_ours(
    path: str, kind: str, body: bytes, status: int
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    assert client.generic("POST", path, body, kind).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["", "?a=%00"])
def test_what_is_refused_at_the_door_carries_the_headers_too(client: Client, query: str) -> None:
    answer = client.get(f"/account/login/{query}")
    assert answer.status_code == (400 if query else 200)
    for name in ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy",
                 "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"):  # fmt: skip
        assert name in answer, name
