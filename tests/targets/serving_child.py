"""The web server with limits that a test can wait for, and pages of its own.  Prints its port."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

from fedisec.lib import serving

BIG = 64 * 1024 * 1024


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("a secret of the inside")
    environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/big":
        start_response("200 OK", [("Content-Length", str(BIG))])
        return (b"x" * 65536 for _ in range(BIG // 65536))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"well"]


if __name__ == "__main__":
    serving.REQUEST_S = serving.ANSWER_S = 1
    serving.LOOK_S, serving.SILENT_S = 0, 2
    serving.SPARED = ("127.0.0.1",)
    serving.CONNECTIONS_OF_ONE = 5
    listener = socket.create_server(("0.0.0.0", 0))
    print(listener.getsockname()[1], flush=True)
    sys.stderr = None
    serving.serve(application, listener)
