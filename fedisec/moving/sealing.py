"""A file under a passphrase: AES-256-GCM in chunks, each bound to its place (the STREAM construction of
Hoang, Reyhanitabar, Rogaway and Vizár, 2015), the key by scrypt (RFC 7914).

After the first line, which both sides know: 16 bytes of salt and 7 of nonce, then chunks of CHUNK bytes, each
with 16 bytes of tag.  The nonce of a chunk is those 7 bytes, its number, and whether it is the last one: what
was cut, swapped or added does not open.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

CHUNK = 64 * 1024
_TAG, _SALT, _PREFIX = 16, 16, 7
# Fixed by the format, so that no file can ask for more: 128 MiB, half a second.
_SCRYPT = {"n": 2**17, "r": 8, "p": 1}
PASSPHRASE_MIN = 12


class WrongPassphrase(ValueError):
    """The first chunk does not open."""


class Damaged(ValueError):
    """The file does not end as it was written, or something in it was changed."""


class _Box:
    def __init__(self, passphrase: str, salt: bytes, prefix: bytes, head: bytes) -> None:
        key = Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode())
        self._aead, self._prefix, self._bound = AESGCM(key), prefix, head + salt + prefix

    def seal(self, number: int, chunk: bytes, last: bool) -> bytes:
        return self._aead.encrypt(self._nonce(number, last), chunk, self._bound)

    def open(self, number: int, chunk: bytes, last: bool) -> bytes:
        return self._aead.decrypt(self._nonce(number, last), chunk, self._bound)

    def _nonce(self, number: int, last: bool) -> bytes:
        return self._prefix + number.to_bytes(4, "big") + bytes([last])


class SealingWriter(io.RawIOBase):
    """Takes bytes and writes them sealed; the file is whole after `close`, which leaves `raw` open."""

    def __init__(self, raw: IO[bytes], passphrase: str, head: bytes) -> None:
        salt, prefix = os.urandom(_SALT), os.urandom(_PREFIX)
        self._box = _Box(passphrase, salt, prefix, head)
        self._raw, self._number, self._waiting = raw, 0, bytearray()
        raw.write(salt + prefix)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        given = bytes(data)  # type: ignore[call-overload]  # any buffer, as of io
        self._waiting += given
        while len(self._waiting) > CHUNK:  # the last chunk is never empty, unless all is
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(given)

    def close(self) -> None:
        if not self.closed and not self._raw.closed:
            self._put(bytes(self._waiting), last=True)
            self._waiting.clear()
        super().close()

    def _put(self, chunk: bytes, last: bool) -> None:
        self._raw.write(self._box.seal(self._number, chunk, last))
        self._number += 1


class OpeningReader(io.RawIOBase):
    """Gives back what was sealed, a chunk at a time, never a byte that was not authenticated.
    WrongPassphrase from the constructor, Damaged from a read."""

    def __init__(self, raw: IO[bytes], passphrase: Callable[[], str], head: bytes) -> None:
        self._raw, self._number, self._ended = raw, 0, False
        marks = raw.read(_SALT + _PREFIX)
        if len(marks) != _SALT + _PREFIX:
            raise Damaged
        self._ahead = raw.read(CHUNK + _TAG)
        self._box = _Box(passphrase(), marks[:_SALT], marks[_SALT:], head)
        try:
            self._opened = self._next()
        except Damaged:
            raise WrongPassphrase from None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # any buffer, as of io
        if not self._opened and not self._ended:
            self._opened = self._next()
        count = min(len(view), len(self._opened))
        view[:count] = self._opened[:count]
        self._opened = self._opened[count:]
        return count

    def _next(self) -> bytes:
        chunk, self._ahead = self._ahead, self._raw.read(CHUNK + _TAG)
        self._ended = not self._ahead
        try:
            opened = self._box.open(self._number, chunk, self._ended)
        except InvalidTag:
            raise Damaged from None
        self._number += 1
        return opened
