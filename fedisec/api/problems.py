"""Whatever goes wrong below /api/ is said as problem+json (RFC 9457), in the language that was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation.trans_real import parse_accept_lang_header

from checks.model import LANGUAGES
from fedisec.lib.visible import harmless

Handler = Callable[[HttpRequest], HttpResponse]
AREA = "/api/"
MEDIA = "application/problem+json"
TYPES = "https://github.com/fedisec/fedisec/blob/main/docs/api.md#"  # a heading there for each cause

# cause -> its title; the cause is for programs and never changes, the title is for people.
TITLES: dict[str, Promise] = {
    "bad_request": _("The request could not be read."),
    "json": _("The body is not a JSON object that fedisec reads."),
    "media_type": _("The body has to be application/json."),
    "token_missing": _("Show a token: “Authorization: Bearer fds_…”."),
    "token_unknown": _("fedisec knows no such token. It may have been revoked."),
    "token_expired": _("The token is past its end. Make another one."),
    "token_no_factor": _("The owner of the token has no second factor any more."),
    "forbidden": _("That is not allowed."),
    "scope": _("The token is not for that: its scopes do not include it."),
    "role": _("Your role in the team does not allow that."),
    "not_found": _("There is no such thing, or not for you."),
    "method": _("That method does nothing here."),
    "conflict": _("That does not fit what is there now."),
    "answered": _("Somebody else has answered meanwhile. Nothing was stored."),
    "full": _("The team has as many of these as it may."),
    "demo": _("A demo server is made up: fedisec never looks at it."),
    "unproven": _("This installation asks first for a proof that the domain is the team's."),
    "too_large": _("The request is larger than fedisec takes."),
    "invalid": _("Some values do not fit."),
    "too_many": _("Too many requests for this minute."),
    "too_soon": _("The last look began a moment ago."),
    "broken": _("Something broke on our side. Nothing was stored."),
    "away": _("The database is away. Ask again in a moment."),
}
_CAUSES = {
    400: "bad_request",
    401: "token_unknown",
    403: "forbidden",
    404: "not_found",
    405: "method",
    409: "conflict",
    413: "too_large",
    415: "media_type",
    422: "invalid",
    429: "too_many",
    503: "away",
}


@dataclass
class Problem(Exception):
    """Ends a request.  `errors`: what was wrong with which field."""

    status: int
    cause: str
    detail: str = ""
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_of(problem: Problem) -> HttpResponse:
    """In the active language."""
    said: dict[str, object] = {
        "type": TYPES + problem.cause,
        "title": str(TITLES[problem.cause]),
        "status": problem.status,
        "cause": problem.cause,
    }
    if problem.detail:
        said["detail"] = problem.detail
    if problem.errors:
        said["errors"] = [dict(one) for one in problem.errors]
    text = json.dumps(harmless(said), ensure_ascii=False)
    headers = {"Content-Language": translation.get_language() or LANGUAGES[0], **problem.headers}
    return HttpResponse(text, content_type=MEDIA, status=problem.status, headers=headers)


def language_of(request: HttpRequest) -> str:
    """By Accept-Language alone: no cookie, and no account, says what a program is answered in."""
    for name, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:500]):
        short = name.partition("-")[0].lower()
        if short in LANGUAGES:
            return short
    return LANGUAGES[0]


def problems(get_response: Handler) -> Handler:
    """Outermost, so that what is refused before any view is said in the same form."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path_info.startswith(AREA) or response.status_code < 400:
            return response
        if response.get("Content-Type", "").partition(";")[0] == MEDIA:
            return response
        cause = _CAUSES.get(response.status_code, "broken" if response.status_code >= 500 else "bad_request")
        kept = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
        with translation.override(language_of(request)):
            said = answer_of(Problem(response.status_code, cause, headers=kept))
        for name, value in response.items():
            said.headers.setdefault(name, value)
        del said["Content-Length"]
        said["Content-Length"] = str(len(said.content))
        return said

    return middleware
