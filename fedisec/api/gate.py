"""The door of everything that programs use: who shows which token, how often, and what comes in and goes out.

A request is nobody's until it shows a token; cookies are not looked at.  So no other site can make one in
somebody's name, and there is nothing here for a CSRF token to protect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, get_resolver
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from fedisec.accounts.tries import address_of
from fedisec.api import tokens
from fedisec.api.models import Scope, Token
from fedisec.api.problems import Problem, answer_of, language_of
from fedisec.lib.middleware import zone

BODY_MAX = 64 * 1024  # bytes
ROUTES = "fedisec.api.v1.routes"  # loaded with the first request
DOCUMENT = Path(__file__).with_name("openapi.json")
_WRITING = frozenset({"POST", "PUT", "PATCH"})
_TYPED = "application/json"
_SAFE = frozenset({"GET", "HEAD"})


class Asked(HttpRequest):
    """A request that came through here."""

    token: Token
    via: str  # which token it was, for the trail


@csrf_exempt  # nosemgrep: csrf-exempt
@login_not_required
def api(request: HttpRequest, rest: str) -> HttpResponse:
    """Everything below /api/v1/."""
    with translation.override(language_of(request)):
        answer = _let_in(request, lambda token: _answer(request, token, rest))
    patch_vary_headers(answer, ("Accept-Language", "Authorization"))
    return answer


@require_safe
@login_not_required
def document(request: HttpRequest) -> HttpResponse:
    """What the API takes and gives, as OpenAPI 3.1; for everybody: it is the same everywhere."""
    answer = HttpResponse(_document(), content_type="application/json")
    answer["Cache-Control"] = "public, max-age=3600"
    return _or_unchanged(request, answer)


@cache
def _document() -> bytes:
    return DOCUMENT.read_bytes()


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus."""
    with translation.override(language_of(request)):
        return _let_in(request, _metrics)


def _metrics(token: Token) -> HttpResponse:
    from fedisec.api import metrics as figures

    if not token.may(Scope.METRICS):
        raise Problem(403, "scope")
    return HttpResponse(figures.text_for(token), content_type=figures.MEDIA)


def _let_in(request: HttpRequest, serve: Callable[[Token], HttpResponse]) -> HttpResponse:
    """`serve` with the token that is shown, if it may still be used, within what it may use."""
    try:
        token = tokens.shown(request.headers.get("Authorization", "")[:200])
    except tokens.Unusable as error:
        return _unknown(error.cause)
    budget = tokens.spend(token, address_of(request))
    try:
        if not budget.granted:
            raise Problem(429, "too_many", headers={"Retry-After": str(budget.wait_s)})
        request.via = f"{token.name} ({token.pk})"  # type: ignore[attr-defined]  # the trail looks for it there
        with timezone.override(zone(token.user.time_zone)):
            answer = serve(token)
    except Problem as problem:
        answer = answer_of(problem)
    answer["RateLimit-Policy"] = f'"token";q={settings.API_RATE};w=60'
    answer["RateLimit"] = f'"token";r={budget.left};t={budget.full_s}'
    return answer


def _unknown(cause: str) -> HttpResponse:
    """RFC 6750 section 3: without a token no word about what is wrong with it."""
    said = 'Bearer realm="fedisec"' + ("" if cause == "missing" else ', error="invalid_token"')
    return answer_of(Problem(401, f"token_{cause}", headers={"WWW-Authenticate": said}))


def _answer(request: HttpRequest, token: Token, rest: str) -> HttpResponse:
    _look_at_body(request)
    request.token = token  # type: ignore[attr-defined]  # see `Asked`
    method, request.method = request.method, "GET" if request.method == "HEAD" else request.method
    try:
        view, args, kwargs = get_resolver(ROUTES).resolve(f"/{rest}")
        answer: HttpResponse = view(request, *args, **kwargs)
    except (Resolver404, Http404) as error:
        raise Problem(404, "not_found") from error
    finally:
        request.method = method
    if answer.status_code == 405:
        raise Problem(405, "method", headers={"Allow": answer["Allow"]})
    return _or_unchanged(request, answer)


def _look_at_body(request: HttpRequest) -> None:
    length: Any = request.META.get("CONTENT_LENGTH") or "0"
    if not str(length).isascii() or not str(length).isdecimal() or int(length) > BODY_MAX:
        raise Problem(413, "too_large")
    if request.method in _WRITING and int(length) and request.content_type != _TYPED:
        raise Problem(415, "media_type")


def _or_unchanged(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """304 for who has exactly this already (RFC 9110 section 13.1.2)."""
    if request.method not in _SAFE or answer.status_code != 200:
        return answer
    etag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    answer["ETag"] = etag
    answer.headers.setdefault("Cache-Control", "private, no-cache")
    return get_conditional_response(request, etag=etag, response=answer) or answer
