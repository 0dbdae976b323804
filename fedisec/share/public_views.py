"""What a stranger sees of an instance whose team opened its page: no cookie, no evidence, no names."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language, ngettext
from django.views.decorators.http import require_safe

from checks.items import all_items
from checks.model import LANGUAGES
from fedisec.checklist.board import Posture, Row, posture, rows_of, topics
from fedisec.checklist.sentence import sentence
from fedisec.checklist.state import State
from fedisec.instances import proof
from fedisec.lib.tokens import hash_of
from fedisec.scans.models import Scan
from fedisec.share import door
from fedisec.share.badge import badge_of, svg
from fedisec.share.models import Share, Shows

# A page that a team may close at any moment must not live on in anybody's cache.
_HEADERS = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",  # the address is the key
}


@login_not_required
@require_safe
def public(request: HttpRequest, token: str) -> HttpResponse:
    """The public page of an instance, as far as its team chose."""
    with translation.override(_language(request)):
        share = _share(token)
        if share is None:
            return _plain(request, "share/public_gone.html", 404)
        try:
            if not door.opens(request, share):
                response = _plain(request, "share/public_locked.html", 401)
                response["WWW-Authenticate"] = 'Basic realm="fedisec", charset="UTF-8"'
                return response
        except door.TooManyTries:
            response = _plain(request, "share/public_busy.html", 429)
            response["Retry-After"] = str(door.PAUSE_S)
            return response
        response = _answer(render(request, "share/public.html", _context(share)))
    if share.password:
        response["Cache-Control"] = "no-store"
    return response


@login_not_required
@require_safe
def badge(request: HttpRequest, token: str) -> HttpResponse:
    """Level and date as an image that any website may show."""
    with translation.override(_language(request)):
        share = _share(token)
        if share is None or not share.badge:
            return _plain(request, "share/public_gone.html", 404)
        standing, looked_at = posture(_rows(share)), _looked_at(share)
        drawn = svg(badge_of(standing, looked_at, demo=share.instance.demo, now=timezone.now()))
    etag = f'"{hashlib.sha256(drawn.encode()).hexdigest()[:32]}"'
    response = HttpResponse(drawn, content_type="image/svg+xml")
    response = get_conditional_response(request, etag=etag, response=response) or response
    response["ETag"] = etag
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return _answer(response)


def _language(request: HttpRequest) -> str:
    wanted = request.GET.get("lang", "")
    return wanted if wanted in LANGUAGES else get_language() or LANGUAGES[0]


def _share(token: str) -> Share | None:
    share = Share.objects.select_related("instance").filter(token_hash=hash_of(token), is_open=True).first()
    return share if share is not None and proof.holds(share.instance) else None


def _answer(response: HttpResponse) -> HttpResponse:
    for name, value in _HEADERS.items():
        response[name] = value
    return response


def _plain(request: HttpRequest, template: str, status: int) -> HttpResponse:
    """A page without what belongs to anybody; nobody learns whether the address ever led anywhere."""
    response = _answer(render(request, template, {"languages": LANGUAGES}, status=status))
    response["Cache-Control"] = "no-store"
    return response


def _rows(share: Share) -> list[Row]:
    """The items of the catalogue: a team's own are written for the team."""
    catalogue = all_items()
    return [row for row in rows_of(share.instance) if row.item.id in catalogue]


def _looked_at(share: Share) -> Any:
    done = Scan.objects.whole().filter(instance=share.instance)
    return done.values_list("finished_at", flat=True).first()


def _sentence(standing: Posture, *, scanned: bool) -> str:
    """The sentence of the instance's page, which speaks to the team only where something waits for it."""
    required = standing.levels[0]
    if not scanned or standing.required_not_met or required.met == required.applicable:
        return sentence(standing, scanned=scanned)
    count = required.applicable - required.met
    return ngettext(
        "No required item fails; %(count)d has no verdict yet.",
        "No required item fails; %(count)d have no verdict yet.",
        count,
    ) % {"count": count}


def _context(share: Share) -> dict[str, Any]:
    """Names of items, states and counts; nothing that was seen, said or typed by anybody."""
    rows, looked_at = _rows(share), _looked_at(share)
    standing = posture(rows)
    by_item = share.shows == Shows.ITEMS
    parts = [
        (topic, [row for row in topic.rows if row.state.state is State.MET or not share.only_met])
        for topic in topics(rows)
    ]
    return {
        "name": share.instance.name,
        "demo": share.instance.demo,
        "looked_at": looked_at,
        "sentence": _sentence(standing, scanned=looked_at is not None),
        "posture": standing,
        "parts": [(topic, shown if by_item else []) for topic, shown in parts],
        "by_topic": share.shows != Shows.COUNTS,
        "by_item": by_item,
        "only_met": share.only_met,
        "languages": LANGUAGES,
    }
