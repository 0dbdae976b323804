"""Asking once more who is there, before something that a thief of an open browser would like best."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar, cast, overload
from urllib.parse import urlencode, urlsplit

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY, get_reauthentication_flows
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from fedisec.accounts.models import User
from fedisec.lib.secrets import CannotOpen, seal, unseal

View = Callable[..., HttpResponseBase]
V = TypeVar("V", bound=View)
LATELY_S = 30 * 60
KEPT_MAX = 64 * 1024  # characters of a form that waits while its sender says who he is
_PURPOSE = "waiting form"


@overload
def confirmed_lately(view: V) -> V: ...
@overload
def confirmed_lately(*, reading: bool) -> Callable[[V], V]: ...
def confirmed_lately(view: Any = None, *, reading: bool = True) -> Any:
    """For views behind the sign-in: who proved himself more than half an hour ago does so again first, and is
    then where he wanted to be; a form that was sent is kept meanwhile and taken then.  With `reading` False
    the page itself is open and only sending asks."""

    def decorate(wrapped: View) -> View:
        @wraps(wrapped)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not reading and request.method in {"GET", "HEAD"}:
                return wrapped(request, *args, **kwargs)
            if proved_lately(request):
                return wrapped(request, *args, **kwargs)
            return _ask(request)

        return guarded

    return decorate(view) if view is not None else decorate


def proved_lately(request: HttpRequest) -> bool:
    """Whether this session's password, passkey or code is at most half an hour old."""
    records = get_authentication_records(request, cast(User, request.user))
    newest = max((record["at"] for record in records), default=0.0)
    return 0 <= time.time() - newest < LATELY_S  # a clock that was put back proves nothing


def _ask(request: HttpRequest) -> HttpResponse:
    htmx = request.headers.get("HX-Request") == "true"
    back = request.get_full_path()
    if htmx or request.method not in {"GET", "HEAD"}:
        back = _page_of(request)
    if request.method == "POST" and not htmx:
        _keep(request, back)
    target = f"{_asking_page(request)}?{urlencode({REDIRECT_FIELD_NAME: back})}"
    if htmx:
        return HttpResponseClientRedirect(target)
    return redirect(target)


def _asking_page(request: HttpRequest) -> str:
    flows = get_reauthentication_flows(cast(User, request.user))
    return reverse(f"account_{flows[0]['id']}") if flows[:1] == [{"id": "reauthenticate"}] else _other(flows)


def _other(flows: list[dict[str, Any]]) -> str:
    """Without a password: by a factor; who has none either signs in anew."""
    return reverse("mfa_reauthenticate") if flows else reverse("account_logout")


def _page_of(request: HttpRequest) -> str:
    """The page a form was sent from, if it is one of ours; else the first one."""
    said = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if not url_has_allowed_host_and_scheme(said, {request.get_host()}, request.is_secure()):
        return reverse("overview")
    found = urlsplit(said)
    path = "/" + found.path.lstrip("/")  # never "//host"
    return f"{path}?{found.query}" if found.query else path


def _keep(request: HttpRequest, back: str) -> None:
    """Sealed: a form may hold a password of a mail server, and sessions lie in the database."""
    fields = request.POST.urlencode()
    state = {"path": request.path, "back": back}
    if len(fields) <= KEPT_MAX and not request.FILES:
        with suppress(CannotOpen):  # then he fills it in once more
            state["fields"] = seal(_PURPOSE, f"{request.user.pk} {request.path}", fields)
    request.session[STATE_SESSION_KEY] = {"state": state, "callback": f"{__name__}.resume"}


def resume(request: HttpRequest, state: dict[str, str]) -> HttpResponseBase:
    """Takes the form that waited, as if it came now; allauth calls this once the person was recognised."""
    path = state["path"]
    try:
        fields = unseal(_PURPOSE, f"{request.user.pk} {path}", state.get("fields", ""))
    except CannotOpen:
        return redirect(state["back"])
    request.POST = QueryDict(fields, encoding=settings.DEFAULT_CHARSET)
    request.path = request.path_info = path
    request.META["QUERY_STRING"] = ""
    request.GET = QueryDict("")
    found = resolve(path)
    request.resolver_match = found
    return cast(HttpResponseBase, found.func(request, *found.args, **found.kwargs))
