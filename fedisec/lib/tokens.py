"""Tokens of links, cookies and programs: at rest only as hashes."""

from __future__ import annotations

import hashlib


def hash_of(token: str) -> str:
    """64 hexadecimal digits.  SHA-256 without salt: what fedisec makes has 128 random bits or more, and is
    found by its hash.  Not for what people choose.  Takes anything that a client may send."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
