"""Which sessions somebody has, on which devices; how long they last, and how they end."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from checks.clean import clean
from fedisec.accounts.models import User
from fedisec.accounts.notices import tell
from fedisec.accounts.signin_models import Device, OpenSession
from fedisec.accounts.tries import address_of, token_of
from fedisec.lib.sessions import SessionStore, name_of
from fedisec.lib.tokens import hash_of

IDLE, LIFE = timedelta(hours=12), timedelta(days=14)
NOTED_EVERY = timedelta(minutes=5)
_TURNED = timedelta(minutes=5)  # a clock that was put back by more: nobody knows how old a session is
_DEVICES_MAX = 50
_WORDS_MAX = 80
BEGAN, SEEN, NOTED = "began", "seen", "noted"  # what a session knows of itself


def listen() -> None:
    """Once, when the apps are ready."""
    user_logged_in.connect(_began)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    pk: int
    words: str
    address: str
    began_at: datetime
    seen_at: datetime
    is_this: bool


def sessions_of(request: HttpRequest, user: User) -> list[Row]:
    """Those that still stand, this one first, then the newest."""
    this = _name(request)
    found = [
        Row(row.pk, row.words, row.address, row.began_at, row.seen_at, row.name == this)
        for row, stands in _of(user, timezone.now())
        if stands
    ]
    return sorted(found, key=lambda row: not row.is_this)


def _of(user: User, now: datetime) -> list[tuple[OpenSession, bool]]:
    rows = list(OpenSession.objects.filter(user=user).order_by("-seen_at"))
    standing = SessionStore.standing(row.name for row in rows)
    return [(row, row.name in standing and not is_over(row.began_at, row.seen_at, now)) for row in rows]


def end_one(user: User, pk: int) -> OpenSession | None:
    """Ends that session if it is one of that person's."""
    row = OpenSession.objects.filter(user=user, pk=pk).first()
    if row is not None:
        SessionStore.end([row.name])
        row.delete()
    return row


def end_others(request: HttpRequest | None, user: User) -> int:
    """Ends all sessions of that person but the one that asks; how many there were."""
    rows = OpenSession.objects.filter(user=user)
    if request is not None and request.user.is_authenticated:
        rows = rows.exclude(name=_name(request))
    names = list(rows.values_list("name", flat=True))
    rows.delete()
    return SessionStore.end(names)


def is_over(began: datetime, seen: datetime, now: datetime) -> bool:
    """Twelve hours without a page, or fourteen days in all."""
    if max(began, seen) > now + _TURNED:
        return True
    return now - began >= LIFE or now - seen >= IDLE


def is_over_now(request: HttpRequest, now: datetime) -> bool:
    """The same for the session of this request; one that does not know its age begins now."""
    began, seen = _time(request, BEGAN), _time(request, SEEN)
    return began is not None and seen is not None and is_over(began, seen, now)


def note(request: HttpRequest, user: User, now: datetime) -> None:
    """Remembers that the session was used; every five minutes, as each costs a writing."""
    session, name = request.session, _name(request)
    seen = _time(request, SEEN)
    if session.get(NOTED) == name and seen is not None and timedelta(0) <= now - seen < NOTED_EVERY:
        return
    began = _time(request, BEGAN) or now
    session[BEGAN], session[SEEN], session[NOTED] = began.timestamp(), now.timestamp(), name
    address = address_of(request) if request.META.get("REMOTE_ADDR") else ""
    values = {"user": user, "seen_at": now, "began_at": began, "words": words_of(request), "address": address}
    OpenSession.objects.update_or_create(name=name, defaults=values)


def _began(request: HttpRequest, user: User, **_: Any) -> None:
    """A sign-in.  Its session has a new id; where a client is known, so is its device from now on."""
    now = timezone.now()
    for name in (BEGAN, SEEN, NOTED):
        request.session.pop(name, None)
    if request.session.session_key is None:
        request.session.create()
    with transaction.atomic():
        note(request, user, now)
        gone = [row.pk for row, stands in _of(user, now) if not stands]
        OpenSession.objects.filter(pk__in=gone).delete()
        if request.META.get("REMOTE_ADDR"):
            _note_device(request, user, now)


def _note_device(request: HttpRequest, user: User, now: datetime) -> None:
    words, address, token = words_of(request), address_of(request), token_of(request)
    known = Device.objects.filter(token_hash=hash_of(token)) if token else Device.objects.none()
    mine = known.filter(user=user).first()
    if mine is not None:
        mine.words, mine.address, mine.seen_at = words, address, now
        mine.save(update_fields=["words", "address", "seen_at"])
        return
    if not known.exists():  # else another person of the same browser
        token = secrets.token_urlsafe(32)
    request.new_device_token = token  # type: ignore[attr-defined]  # for `sessions_watch`
    had_others = Device.objects.filter(user=user).exists()
    Device.objects.create(user=user, token_hash=hash_of(token), words=words, address=address)
    old = Device.objects.filter(user=user).order_by("-seen_at").values_list("pk", flat=True)[_DEVICES_MAX:]
    Device.objects.filter(pk__in=list(old)).delete()
    if had_others:
        tell(user, "device_new", device=words, address=address)


# The first that fits; Edge and Opera call themselves Chrome, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Vivaldi", "Vivaldi"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chromium", "Chromium"),
    ("HeadlessChrome", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"), ("BSD", "BSD"),
)  # fmt: skip


def words_of(request: HttpRequest) -> str:
    """What the browser calls itself, in two words; "" where it says nothing that is known."""
    said = clean(request.META.get("HTTP_USER_AGENT", ""), 400, newlines=False)
    parts = [_first(_BROWSERS, said), _first(_SYSTEMS, said)]
    known = ", ".join(part for part in parts if part)
    return known or re.sub(r"[^A-Za-z0-9 ._/-]", "", said)[:_WORDS_MAX]


def _first(words: tuple[tuple[str, str], ...], said: str) -> str:
    return next((name for mark, name in words if mark in said), "")


def _name(request: HttpRequest) -> str:
    return name_of(str(request.session.session_key))


def _time(request: HttpRequest, name: str) -> datetime | None:
    stored = request.session.get(name)
    return datetime.fromtimestamp(stored, UTC) if isinstance(stored, float | int) else None
