"""Secrets at rest: sealed with keys that stand in a file outside the database.

Each line of the file is a key, the newest first: the first one seals, all of them open.  What is sealed is
bound to its purpose and its row by the key derivation (HKDF, RFC 5869), so a text that was moved to another
row, or is used for something else, does not open.  What is sealed where: `fedisec.lib.sealed`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from fedisec.lib import keyfile


class CannotOpen(Exception):
    """The key file is missing or is not the one a secret was sealed with; the message says what to do."""


def seal(purpose: str, row: str, text: str) -> str:
    """`text` as it may stand in the database, for this purpose and row alone.  CannotOpen without keys."""
    return _box(_keys(), purpose, row).encrypt(text.encode()).decode("ascii")


def unseal(purpose: str, row: str, sealed: str) -> str:
    """What was sealed for this purpose and row.  CannotOpen where no key of the file fits."""
    opened = _opened(_keys(), purpose, row, sealed)
    if opened is None:
        raise CannotOpen(
            f"no key in {settings.KEY_FILE} opens what is stored: put back the key file it was sealed with"
        )
    return opened


def is_newest(purpose: str, row: str, sealed: str) -> bool:
    """Whether the first key of the file opens it.  CannotOpen without keys."""
    return _opened(_keys()[:1], purpose, row, sealed) is not None


def _opened(keys: Sequence[str], purpose: str, row: str, sealed: str) -> str | None:
    try:
        return _box(keys, purpose, row).decrypt(sealed.encode("ascii", "replace")).decode()
    except InvalidToken:
        return None


def _box(keys: Sequence[str], purpose: str, row: str) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key, purpose, row)) for key in keys])


def _derived(key: str, purpose: str, row: str) -> bytes:
    # The length makes the pair unambiguous: ("a", "b c") is not ("a b", "c").
    info = f"fedisec {len(purpose)} {purpose} {row}".encode()
    return base64.urlsafe_b64encode(HKDF(SHA256(), length=32, salt=None, info=info).derive(key.encode()))


def _keys() -> list[str]:
    try:
        return keyfile.read()
    except keyfile.NoKeys as error:
        raise CannotOpen(str(error)) from error
