"""Secrets at rest: sealed with keys that stand in a file outside the database.

Each line of the file is a key, the newest first: the first one seals, all of them open.  What is sealed is
bound to its purpose and its row by the key derivation (HKDF, RFC 5869), so a text that was moved to another
row, or is used for something else, does not open.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# 32 random bytes as hexadecimal or in base64 are no shorter.
_KEY = re.compile(r"[A-Za-z0-9_+/=-]{43,256}")


class CannotOpen(Exception):
    """The key file is missing or is not the one a secret was sealed with; the message says what to do."""


def seal(purpose: str, row: str, text: str) -> str:
    """`text` as it may stand in the database, for this purpose and row alone.  CannotOpen without keys."""
    return _box(purpose, row).encrypt(text.encode()).decode("ascii")


def unseal(purpose: str, row: str, sealed: str) -> str:
    """What was sealed for this purpose and row.  CannotOpen where no key of the file fits."""
    try:
        return _box(purpose, row).decrypt(sealed.encode("ascii", "replace")).decode()
    except InvalidToken:
        raise CannotOpen(
            f"no key in {settings.KEY_FILE} opens what is stored: put back the key file it was sealed with"
        ) from None


def _box(purpose: str, row: str) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key, purpose, row)) for key in _keys()])


def _derived(key: str, purpose: str, row: str) -> bytes:
    # The length makes the pair unambiguous: ("a", "b c") is not ("a b", "c").
    info = f"fedisec {len(purpose)} {purpose} {row}".encode()
    return base64.urlsafe_b64encode(HKDF(SHA256(), length=32, salt=None, info=info).derive(key.encode()))


def _keys() -> list[str]:
    """The lines of the file, read anew each time: a new key counts without a restart."""
    path = Path(settings.KEY_FILE)
    try:
        lines = [line.strip() for line in path.read_text("ascii").splitlines() if line.strip()]
    except OSError as error:
        raise CannotOpen(
            f"cannot read the key file {path} ({error.strerror}): put it back from a backup, "
            "or name it with FEDISEC_KEY_FILE"
        ) from error
    except UnicodeDecodeError:
        lines = []
    if not lines or not all(_KEY.fullmatch(line) for line in lines):
        raise CannotOpen(f"{path} holds no keys: it needs one a line, each of 43 characters or more")
    return lines
