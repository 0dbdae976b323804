"""Making and revoking tokens, finding the one that a program shows, and how often it may be shown."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from fedisec.accounts import audit
from fedisec.accounts.models import Team, User
from fedisec.accounts.notices import tell
from fedisec.api.models import Scope, Token
from fedisec.lib.tokens import hash_of

PREFIX = "fds_"  # what secret scanners look for
LENGTH = 43  # letters and digits behind it: 256 bits
MANY = 50  # of one person
_LETTERS = string.ascii_letters + string.digits
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{LENGTH}}}", re.ASCII)
_SEEN_EVERY = timedelta(hours=1)
_RACES = 8  # requests of one token in the very same moment


class TooMany(Exception):
    """This person has as many tokens as one may have."""


def make(user: User, name: str, scopes: Iterable[str], team: Team | None, days: int | None) -> str:
    """A fresh token; it stands nowhere but in the answer.  TooMany."""
    text = PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(LENGTH))
    wanted = [scope.value for scope in Scope if scope.value in set(scopes)]
    expires_at = timezone.now() + timedelta(days=days) if days else None
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # who presses twice is counted twice
        if Token.objects.filter(user=user).count() >= MANY:
            raise TooMany
        Token.objects.create(
            user=user,
            team=team,
            name=name,
            token_hash=hash_of(text),
            scopes=" ".join(wanted),
            expires_at=expires_at,
        )
        words = ", ".join(wanted)
        until = expires_at.date().isoformat() if expires_at else ""
        data: dict[str, audit.Plain] = {"scopes": words, "team": team.name if team else "", "until": until}
        audit.record("token.made", team=None, by=user, after=name, data=data)
        tell(user, "token_made", name=name, scopes=words)
    return text


def revoke(token: Token, by: User) -> None:
    """From the next request on it is unknown."""
    with transaction.atomic():
        if Token.objects.filter(pk=token.pk).delete()[0]:
            audit.record("token.revoked", team=None, by=by, about=token.user, before=token.name)


@dataclass(frozen=True, slots=True)
class Unusable(Exception):
    """`cause`: missing, unknown, expired, or no_factor (which its person has no more)."""

    cause: str


def shown(header: str) -> Token:
    """The token of an Authorization header (RFC 6750 section 2.1), with its person.  Unusable."""
    scheme, _, text = header.partition(" ")
    if not header or scheme.lower() != "bearer":
        raise Unusable("missing")
    text = text.strip()
    if not _FORM.fullmatch(text):
        raise Unusable("unknown")
    factor = Exists(Authenticator.objects.filter(user=OuterRef("user")))
    kept = Token.objects.filter(token_hash=hash_of(text), user__is_active=True)
    found = kept.annotate(has_factor=factor).select_related("user", "team").first()
    if found is None:
        raise Unusable("unknown")
    if found.expires_at is not None and found.expires_at <= timezone.now():
        raise Unusable("expired")
    if not found.has_factor:
        raise Unusable("no_factor")
    return found


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a minute's requests.  Seconds until there is one more, and until all are there."""

    granted: bool
    left: int
    wait_s: int
    full_s: int


def spend(token: Token, address: str) -> Budget:
    """Takes one request from the token's bucket, and notes once an hour that it was used, in one statement.
    Whoever shows it twice in one moment takes twice: the row says from what it was counted."""
    for _ in range(_RACES):
        now = timezone.now()
        left = _filled(token, now)
        if left < 1:
            break
        fields: dict[str, object] = {"left": left - 1, "left_at": now}
        if token.used_at is None or now - token.used_at >= _SEEN_EVERY or now < token.used_at:
            fields |= {"used_at": now, "used_from": address[:45]}
        if Token.objects.filter(pk=token.pk, left=token.left, left_at=token.left_at).update(**fields):
            return _budget(left - 1, granted=True)
        token.refresh_from_db(fields=["left", "left_at", "used_at"])
    return _budget(min(left, 0.99), granted=False)


def _filled(token: Token, now: datetime) -> float:
    size = float(settings.API_RATE)
    if token.left_at is None:
        return size
    since = max(0.0, (now - token.left_at).total_seconds())  # a clock that was put back gives nothing
    return min(size, token.left + size * since / 60)


def _budget(left: float, *, granted: bool) -> Budget:
    a_second = settings.API_RATE / 60
    wait_s = 0 if left >= 1 else -int(-(1 - left) / a_second // 1)
    full_s = int((settings.API_RATE - left) / a_second)
    return Budget(granted, int(left), max(wait_s, 0 if granted else 1), full_s)
