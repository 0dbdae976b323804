"""SSH host keys as text: a bare key, a .pub file, the output of ssh-keyscan, a known_hosts file (sshd(8))."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator

from checks.errors import ParseError

_LINES_MAX = 10_000
# The order in which one of several is taken.
KINDS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
)  # fmt: skip


def host_key_for(text: str, host: str, port: int) -> str:
    """ "TYPE BASE64" of the strongest key that the text gives for a host; lines without a host name count for
    any.  Names may be hashed; patterns and lines with a marker (@revoked …) do not count.  ParseError where
    none is left."""
    name = (host if port == 22 else f"[{host}]:{port}").lower()
    found = sorted(_keys(text, name), key=lambda pair: KINDS.index(pair[0]))
    if not found:
        raise ParseError(f"no host key for {host} port {port}")
    return " ".join(found[0])


def _keys(text: str, name: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n", _LINES_MAX)[:_LINES_MAX]:
        words = line.split(None, 3)
        if len(words) > 1 and words[0] in KINDS:
            kind, blob = words[:2]
        elif len(words) > 2 and words[1] in KINDS and _named(words[0], name):
            kind, blob = words[1:3]
        else:
            continue
        if _is_key(kind, blob):
            yield kind, blob


def _named(field: str, name: str) -> bool:
    if field.startswith("|1|"):
        try:
            salt, digest = (base64.b64decode(part) for part in field[3:].split("|"))
        except ValueError:
            return False
        return hmac.compare_digest(hmac.digest(salt, name.encode(), hashlib.sha1), digest)
    return name in field.lower().split(",")


def _is_key(kind: str, blob: str) -> bool:
    """Whether the Base64 begins with its own type's name (RFC 4253 6.6)."""
    try:
        raw = base64.b64decode(blob, validate=True)
    except (ValueError, binascii.Error):
        return False
    return raw[4:].startswith(kind.encode()) and int.from_bytes(raw[:4], "big") == len(kind) < len(raw) - 4
