"""Mails that are really signed, by keys made once for the whole run."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

HEAD = (
    b"Return-Path: <bounce@a.test>\r\n"
    b"From: =?utf-8?B?44K144O844OQ?= <notify@a.test>\r\n"
    b"To: you@example.org\r\n"
    b"Subject: Reset  your\r\n\tpassword\r\n"
    b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@a.test>\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
)
BODY = b"Hello,  \r\n\r\nsomebody asked for a new\tpassword. \r\n\r\n\r\n"


@dataclass(frozen=True)
class Key:
    private: bytes  # as dkimpy wants it
    record: str
    algorithm: bytes


@cache
def key(kind: str = "rsa", bits: int = 2048) -> Key:
    if kind == "ed25519":
        edward = Ed25519PrivateKey.generate()
        public = edward.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        private = edward.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        record = f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}"
        return Key(base64.b64encode(private), record, b"ed25519-sha256")
    rsa = generate_private_key(65537, bits)
    public = rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = rsa.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return Key(pem, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}", b"rsa-sha256")


def signed(
    message: bytes = HEAD + b"\r\n" + BODY,
    *,
    domain: str = "a.test",
    selector: str = "s",
    by: Key | None = None,
    algorithm: bytes = b"",
    form: tuple[bytes, bytes] = (b"relaxed", b"relaxed"),
    length: bool = False,
    identity: str = "",
) -> bytes:
    """The mail with one more DKIM-Signature on top."""
    by = by or key()
    header = dkim.DKIM(message).sign(
        selector.encode(),
        domain.encode(),
        by.private,
        signature_algorithm=algorithm or by.algorithm,
        canonicalize=form,
        length=length,
        identity=identity.encode() or None,
    )
    assert isinstance(header, bytes)
    return header + message


def keys(**records: str) -> Mapping[str, str]:
    """Key name -> record, for selectors of a.test."""
    return {f"{selector}._domainkey.a.test": record for selector, record in records.items()}


def quoted(text: str) -> tuple[str, ...]:
    """A TXT record as a zone file writes it: strings of 255 bytes at most."""
    return (" ".join(f'"{text[i : i + 200]}"' for i in range(0, len(text), 200)),)
