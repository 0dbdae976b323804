"""An answer to HEAD has no body (RFC 9110 section 9.3.2).

Django writes one and leaves it to the server to hold it back; waitress sends it on.  Whoever keeps the
connection, a proxy above all, would then read the page as the answer to the next request, which may be
somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def without_body(application: Application) -> Application:
    """The same application; what it made for HEAD is closed and dropped, its headers stay."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return body
        if (close := getattr(body, "close", None)) is not None:
            close()
        return []

    return answer
