"""A call of a webhook, signed as Standard Webhooks 1.0 says: https://www.standardwebhooks.com"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from checks.errors import ConnectionLost, ProbeError, TimedOut
from checks.probes.http_client import Raw
from checks.reasons import REASONS
from fedisec.alerts.channels.hiding import answered, told
from fedisec.alerts.channels.trouble import NotTaken, Stop
from fedisec.lib.fetch import request

BODY_MAX = 20_000  # bytes; what Standard Webhooks asks senders to stay below
ANSWER_BYTES = 4096
DEADLINE_S = 15.0
PAUSE_MAX = timedelta(hours=6)  # a receiver that wants more is asked again nevertheless
# A 4xx is often a receiver in the middle of a deployment, a secret not yet changed there, or a firewall that
# learns; after the fifth try (a good quarter of an hour) somebody has to do something.
TRIES_OF_4XX = 5


def message_id(of_delivery: str) -> str:
    """The webhook-id: the same at every try of one delivery.  Without a full stop, which parts what is
    signed."""
    return "msg_" + hashlib.sha256(of_delivery.encode()).hexdigest()[:32]


def body_of(facts: Mapping[str, Any], at: datetime) -> bytes:
    """The JSON that is sent, compact; `facts` without its "type" becomes "data".  Items at the end are left
    out and counted in "left_out" where all would be too large."""
    data = {name: value for name, value in facts.items() if name != "type"}
    items = list(data.get("items", ()))
    whole = {"type": facts["type"], "timestamp": at.astimezone(UTC).isoformat(timespec="seconds")}
    kept = len(items)
    while True:
        if kept < len(items):
            data = {**data, "items": items[:kept], "left_out": len(items) - kept}
        body = json.dumps({**whole, "data": data}, separators=(",", ":"), allow_nan=False).encode("ascii")
        if len(body) <= BODY_MAX or kept == 0:
            return body
        kept = min(kept - 1, kept * BODY_MAX // len(body))


def signature(secret: str, key: str, at: int, body: bytes) -> str:
    """One "v1,…" of the header: HMAC-SHA256 over id, timestamp and body, joined by full stops."""
    signed = b".".join((key.encode("ascii"), str(at).encode("ascii"), body))
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")


def headers_of(secrets: Iterable[str], key: str, at: int, body: bytes) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/json"),
        ("webhook-id", key),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", " ".join(signature(secret, key, at, body) for secret in secrets)),
    ]


def post(address: str, secrets: list[str], key: str, body: bytes, now: datetime, attempts: int) -> str:
    """What the receiver answered, one clean line; NotTaken where that is not 2xx within 15 seconds."""
    parts = urlsplit(address)
    host, plain = parts.hostname or "", parts.scheme == "http"
    try:
        answer = request(
            "POST",
            address,
            headers=headers_of(secrets, key, int(now.timestamp()), body),
            body=body,
            limit=ANSWER_BYTES,
            deadline_s=DEADLINE_S,
            ports=frozenset({parts.port or (80 if plain else 443)}),
            cut=True,
            own_networks=plain,
        )
    except ProbeError as error:
        # A refusal or a name that is not there comes before anything was sent.
        maybe = isinstance(error, (TimedOut, ConnectionLost))
        raise NotTaken(_words(error), maybe_arrived=maybe) from None  # the cause names the address
    said = answered(answer.status, answer.body, address, host, secrets)
    if 200 <= answer.status < 300:
        return said
    raise refusal(answer, said, attempts, now)


def refusal(answer: Raw, said: str, attempts: int, now: datetime) -> NotTaken:
    """What an answer other than 2xx means for the next try."""
    status = answer.status
    if status == HTTPStatus.GONE:
        return NotTaken(said, final=True, stop=Stop.GONE)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return NotTaken(said, pause=pause_of(answer.header("retry-after"), now))
    if 400 <= status < 500:
        return NotTaken(said, final=attempts >= TRIES_OF_4XX)
    if 300 <= status < 400:
        return NotTaken(_("%(answer)s (redirects are not followed)") % {"answer": said})
    return NotTaken(said, maybe_arrived=True)


def pause_of(header: str | None, now: datetime) -> timedelta | None:
    """Retry-After (RFC 9110 10.2.3): seconds or a date; None for neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        wanted = timedelta(seconds=min(int(text[:9]), PAUSE_MAX.total_seconds()))
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        wanted = date.replace(tzinfo=date.tzinfo or UTC) - now
    return min(max(wanted, timedelta(0)), PAUSE_MAX)


def _words(error: ProbeError) -> str:
    """Why there was no answer, without the detail, which may name the address."""
    if error.detail.startswith("certificate"):
        return told(error.detail, "", "")
    return REASONS[error.reason].in_language(get_language() or "en")
