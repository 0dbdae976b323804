"""Nothing of an address but its host is ever repeated: the other side may quote what it was asked."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote, quote_plus, unquote

from checks.clean import clean

ANSWER_MAX = 300
_MARK = "…"
_WORD_MIN = 4  # shorter pieces ("api", "v1") are no secrets, and hiding them would leave no answer
_NAMES = re.compile(r"([?&])[a-z_]{1,12}=(?=[^&=])")  # "token" before a value is no secret
_SPLIT = re.compile(r"[/@:?&=#;,]+")


def answered(status: int, body: str | bytes, address: str, host: str, secrets: Iterable[str] = ()) -> str:
    """Status and body of an answer over HTTP, as `told` tells them."""
    try:
        head = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        head = str(status)
    said = told(body, address, host, secrets)
    return clean(f"{head}: {said}" if said else head, ANSWER_MAX, newlines=False)


def told(text: str | bytes, address: str, host: str, secrets: Iterable[str] = ()) -> str:
    """What the other side said, as one clean line without any piece of `address` but `host`."""
    line = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for word in hidden_words(address, host, secrets):
        line = re.sub(re.escape(word), _MARK, line, flags=re.IGNORECASE)
    return clean(" ".join(line.split()), ANSWER_MAX, newlines=False)


def hidden_words(address: str, host: str, secrets: Iterable[str] = ()) -> list[str]:
    """Every piece of the address and every secret, in the forms in which it may come back; the longest first,
    so that no piece is left of a longer one."""
    rest = address.partition("://")[2]
    keys = [secret.removeprefix("whsec_") for secret in secrets]
    pieces = {address, rest, *secrets, *keys, *_SPLIT.split(_NAMES.sub(r"\1", rest))}
    userinfo = rest.partition("/")[0].rpartition("@")[0]
    if userinfo:
        pieces |= {userinfo, *userinfo.split(":")}
    forms = {form for piece in pieces for form in _forms(piece)}
    forms -= {form for form in forms if form.lower() == host.lower()}
    return sorted((form for form in forms if len(form) >= _WORD_MIN), key=len, reverse=True)


def _forms(piece: str) -> set[str]:
    plain = unquote(piece)
    packed = base64.b64encode(plain.encode()).decode("ascii").rstrip("=")
    return {piece, plain, quote(plain), quote(plain, safe=""), quote_plus(plain), packed}
