"""A TLSA record in presentation form, and whether it names a certificate (RFC 6698, RFC 7672)."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from checks.errors import ParseError

_RECORD = re.compile(r"(\d{1,3}) (\d{1,3}) (\d{1,3}) ([0-9A-Fa-f ]+)")
_HASHES = {1: hashlib.sha256, 2: hashlib.sha512}


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """`usage` 3 names the server's own certificate, 2 an authority above; 0 and 1 mean nothing for mail."""

    usage: int
    selector: int  # 0 the certificate, 1 its public key
    matching: int  # 0 itself, 1 SHA-256, 2 SHA-512
    data: bytes

    def names(self, certificate: bytes, public_key: bytes) -> bool:
        """Whether it names this certificate (DER; `public_key`: its SubjectPublicKeyInfo)."""
        content = {0: certificate, 1: public_key}.get(self.selector)
        if not content:
            return False
        if self.matching in _HASHES:
            content = _HASHES[self.matching](content).digest()
        elif self.matching:
            return False
        return hmac.compare_digest(content, self.data)


def parse_tlsa(text: str) -> TlsaRecord:
    found = _RECORD.fullmatch(text)
    if found is None:
        raise ParseError("not a TLSA record")
    try:
        data = bytes.fromhex(found[4])
    except ValueError:
        raise ParseError("TLSA data is not hexadecimal") from None
    return TlsaRecord(int(found[1]), int(found[2]), int(found[3]), data)
