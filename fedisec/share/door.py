"""The password of a public page: HTTP Basic authentication, which needs no cookie; tries are counted."""

from __future__ import annotations

import base64
import binascii

from django.contrib.auth.hashers import check_password
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from fedisec.share.models import Share

TRIES_PER_ADDRESS, TRIES_PER_PAGE = 10, 200
PAUSE_S = 300
_KNOWN_S = 600  # so long a right password is not hashed again


class TooManyTries(Exception):
    """Too many wrong passwords; PAUSE_S without a try opens the door again."""


def opens(request: HttpRequest, share: Share) -> bool:
    """Whether the request may see the page.  TooManyTries from an address, or from all together."""
    if not share.password:
        return True
    given = _given(request)
    if given is None:
        return False
    known = "share:known:" + salted_hmac("share", f"{share.pk} {share.password} {given}").hexdigest()
    if cache.get(known):
        return True
    counters = {
        f"share:tries:{share.pk}:{request.META.get('REMOTE_ADDR', '')}": TRIES_PER_ADDRESS,
        f"share:tries:{share.pk}": TRIES_PER_PAGE,
    }
    if any(cache.get(name, 0) >= most for name, most in counters.items()):
        raise TooManyTries
    if check_password(given, share.password):
        cache.set(known, 1, _KNOWN_S)
        return True
    for name in counters:
        cache.set(name, cache.get(name, 0) + 1, PAUSE_S)
    return False


def _given(request: HttpRequest) -> str | None:
    """The password of the Authorization header (RFC 7617); the user name does not matter."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text.partition(":")[2][:200] if ":" in text else None
