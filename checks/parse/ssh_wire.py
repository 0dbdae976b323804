"""The first words of an SSH server: identification string and SSH_MSG_KEXINIT (RFC 4253 4.2, 6, 7.1)."""

from __future__ import annotations

import re

from checks.clean import clean
from checks.errors import ParseError
from checks.facts.ssh import SshAlgorithms

OPENING_MAX = 64 * 1024  # bytes looked at; a real opening is about 1.5 KiB
_LINES_BEFORE = 50  # RFC 4253 4.2 allows other lines first and names no number
_PACKET_MAX = 35_000  # RFC 4253 6.1
_PACKETS_BEFORE = 4  # IGNORE and DEBUG may stand before KEXINIT
_NAMES_MAX = 200
_DISCONNECT, _IGNORE, _DEBUG, _KEXINIT = 1, 2, 4, 20
_TURNED_AWAY = (b"Exceeded MaxStartups", b"Not allowed at this time")
_NAME = re.compile(rb"[\x21-\x2b\x2d-\x7e]{1,200}")  # RFC 4251 6 allows 64; some vendors forget


def split_banner(opening: bytes) -> tuple[str, bytes]:
    """The identification string, cleaned, and the bytes behind its line.  ParseError where none came."""
    rest = opening[:OPENING_MAX]
    for _ in range(_LINES_BEFORE):
        line, end, rest = rest.partition(b"\n")
        if line.startswith(b"SSH-"):
            if not end:
                break
            return clean(line.rstrip(b"\r"), 255, newlines=False), rest
        if not end:
            break
    raise ParseError("no SSH identification string")


def turned_away(opening: bytes) -> str:
    """The line with which OpenSSH sends a caller away before it identifies itself; "" where there is none.
    Too many callers at once (MaxStartups), or a penalty for this address (PerSourcePenalties)."""
    line = opening[:200].partition(b"\n")[0].rstrip(b"\r")
    return line.decode() if line in _TURNED_AWAY else ""


def parse_kexinit(stream: bytes) -> SshAlgorithms:
    """The algorithm lists in the clear packets behind the identification string.  ParseError for anything
    that is not a whole, well-formed KEXINIT."""
    rest = stream[:OPENING_MAX]
    for _ in range(_PACKETS_BEFORE):
        payload, rest = _packet(rest)
        kind = payload[0]
        if kind == _KEXINIT:
            return _lists(payload[17:])
        if kind not in {_IGNORE, _DEBUG}:
            raise ParseError(f"message {kind} in place of KEXINIT")
    raise ParseError("no KEXINIT")


def disconnect_text(stream: bytes) -> str:
    """The description of a disconnect sent in place of KEXINIT, cleaned; "" where there is none."""
    try:
        payload, _ = _packet(stream[:OPENING_MAX])
        if payload[0] != _DISCONNECT:
            return ""
        text, _ = _string(payload[5:])
    except ParseError:
        return ""
    return clean(text, 200, newlines=False)


def _packet(data: bytes) -> tuple[bytes, bytes]:
    if len(data) < 6:
        raise ParseError("cut before a packet")
    length, padding = int.from_bytes(data[:4], "big"), data[4]
    if not padding + 1 < length <= _PACKET_MAX:
        raise ParseError("impossible packet length")
    if len(data) < 4 + length:
        raise ParseError("cut inside a packet")
    return data[5 : 4 + length - padding], data[4 + length :]


def _string(data: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(data[:4], "big")
    if len(data) < 4 + length:
        raise ParseError("cut inside a string")
    return data[4 : 4 + length], data[4 + length :]


def _lists(data: bytes) -> SshAlgorithms:
    found = []
    for _ in range(8):  # kex, host keys, ciphers both ways, MACs both ways, compression both ways
        text, data = _string(data)
        found.append(_names(text))
    if len(data) < 5:
        raise ParseError("cut behind the lists")
    kex, host_keys, out_ciphers, in_ciphers, out_macs, in_macs, *_ = found
    if not kex or not host_keys:
        raise ParseError("no key exchange or no host key")
    ciphers, macs = (*in_ciphers, *out_ciphers), (*in_macs, *out_macs)
    return SshAlgorithms(kex, host_keys, tuple(dict.fromkeys(ciphers)), tuple(dict.fromkeys(macs)))


def _names(text: bytes) -> tuple[str, ...]:
    if not text:
        return ()
    names = text.split(b",", _NAMES_MAX)
    if len(names) > _NAMES_MAX:
        raise ParseError("too many names")
    if not all(_NAME.fullmatch(name) for name in names):
        raise ParseError("a name that is none")
    return tuple(name.decode("ascii") for name in names)
