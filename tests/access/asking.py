"""Asking as somebody, and seeing what the database had to do for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponse, HttpResponseBase
from django.test import Client

from fedisec.accounts.models import User
from tests.factories import signed_in

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "TRUNCATE")


class Browser:
    """The browser of one person (None: of nobody), who gave the password a moment ago.  What a request does,
    to the database or to the cookies, is undone before the next one."""

    def __init__(self, user: User | None) -> None:
        self._client = Client(raise_request_exception=False)
        if user is not None:
            signed_in(self._client, user)
        self._session = self._client.cookies.get(settings.SESSION_COOKIE_NAME)

    def ask(
        self,
        method: str,
        url: str,
        data: dict[str, Any] | None = None,
        *,
        keep: bool = False,
        headers: dict[str, str] | None = None,
    ) -> tuple[str, HttpResponseBase, list[str]]:
        """(status or "login", answer, statements that wrote).  `keep`: whoever asks undoes it himself."""
        with nullcontext() if keep else undone(), writing() as written:
            answer: HttpResponseBase
            if method == "POST":
                answer = self._client.post(url, data or {}, headers=headers)
            else:
                answer = self._client.generic(method, url, headers=headers)
            if getattr(answer, "streaming", False):
                body = b"".join(answer)  # what is streamed is read while the world stands
                answer = HttpResponse(body, status=answer.status_code)
        self._back()
        return status_of(answer), answer, written

    def _back(self) -> None:
        self._client.cookies.clear()
        if self._session is not None:
            self._client.cookies[settings.SESSION_COOKIE_NAME] = self._session.value


def status_of(answer: HttpResponseBase) -> str:
    """The status; "login" for the way to the page where one signs in."""
    to_login = answer.status_code == 302 and answer["Location"].startswith("/account/login/")
    return "login" if to_login else str(answer.status_code)


@contextmanager
def undone() -> Iterator[None]:
    mark = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(mark)


@contextmanager
def writing() -> Iterator[list[str]]:
    """The statements in the block that change a table."""
    found: list[str] = []

    def noted(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.lstrip().upper().startswith(_WRITES):
            found.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(noted):
        yield found
