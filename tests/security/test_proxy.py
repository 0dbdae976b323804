"""The real web server behind a proxy: what the proxy says arrives, what anybody else says does not."""

from __future__ import annotations

import http.client
import subprocess
import sys

import pytest

SERVED = """
import socket, sys
from fedisec.lib.proxies import behind
from fedisec.lib.serving import serve

def application(environ, start_response):
    start_response("200 OK", [])
    told = sorted(name for name in environ if "FORWARDED" in name)
    return [" ".join([environ["wsgi.url_scheme"], environ["REMOTE_ADDR"], *told]).encode()]

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
serve(behind(application, sys.argv[1:]), listener, sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        (["127.0.0.0/8"], "https 192.0.2.7 HTTP_X_FORWARDED_PROTO"),
        (["192.0.2.0/24"], "http 127.0.0.1"),
        ([], "http 127.0.0.1"),
    ],
)
def test_who_is_believed_about_scheme_and_client(proxies: list[str], seen: str) -> None:
    argv = [sys.executable, "-c", SERVED, *proxies]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = http.client.HTTPConnection("127.0.0.1", int(process.stdout.readline()), timeout=30)
        told = {
            "X-Forwarded-For": "203.0.113.9, 192.0.2.7",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "x",
        }
        line.request("GET", "/", headers=told)
        heard = line.getresponse().read().decode()
        line.close()
        process.kill()
    assert heard == seen
