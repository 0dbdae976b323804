"""Mail hosts that mean harm: what a mail server may say on port 25 before any mail."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tests.checks.faults.streams import (
    GARBAGE,
    Reader,
    Writer,
    early_eof,
    endless,
    forward,
    reset,
    reset_at_once,
    says,
    silent,
)
from tests.checks.faults.streams import Behaviour as Serve
from tests.checks.tls.servers import alert
from tests.hostile.model import Allows, Behaviour, World
from tests.hostile.tcp import EVIL
from tests.hostile.tls_made import der, shows
from tests.hostile.tls_made import flight as tls_flight
from tests.lab import places as at

PORT = (at.MX_IP, 25)
HELLO = b"220 mx ESMTP\r\n"
OFFERS = b"250-mx\r\n250 STARTTLS\r\n"


def talk(*answers: bytes, then: Serve = silent, pause_s: float = 0.0) -> Serve:
    """A dialogue: the first answer unasked, the others one to each line; then `then`."""

    async def serve(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        for number, answer in enumerate(answers):
            if number:
                await reader.readline()
            if pause_s:
                for byte in answer:
                    writer.write(bytes((byte,)))
                    await writer.drain()
                    await asyncio.sleep(pause_s)
            writer.write(answer if not pause_s else b"")
            await writer.drain()
        await then(reader, writer, honest)

    return serve


async def starttls_reset(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    await reader.read(10)
    reset(writer)


# Its own words that it offers no STARTTLS are evidence; whatever is cut, endless or refused is not.
_UNSEEN = Allows(("mail.starttls", "mail.dane"), {"mail.dane": "pass unknown"})
_SAYS_NO = Allows((), {"mail.starttls": "fail warn unknown", "mail.dane": "pass unknown fail"})
_OTHER_KEY = Allows((), {"mail.starttls": "fail warn unknown", "mail.dane": "fail unknown"})

_UNKNOWN: Mapping[str, Serve] = {
    "silence": silent,
    "end": early_eof,
    "reset": reset_at_once,
    "garbage": says(GARBAGE),
    "banner-drip": talk(HELLO * 20, pause_s=0.3),
    "banner-without-end": endless(b"", b"220-mx\r\n"),
    "banner-of-one-line": endless(b"220 ", b"x" * 4096),
    "banner-with-escapes": talk(b"220 " + EVIL, b"421 " + EVIL),
    "banner-number-huge": talk(b"99999999999999999999 mx\r\n"),
    "greeting-421": talk(b"421 4.7.0 later\r\n"),
    "greeting-554": talk(b"554 5.7.1 no\r\n"),
    "ehlo-without-end": talk(HELLO, then=endless(b"", b"250-SIZE 1\r\n")),
    "ehlo-of-10000-lines": talk(HELLO, b"250-X\r\n" * 10_000 + b"250 STARTTLS\r\n"),
    "ehlo-line-of-1-mib": talk(HELLO, b"250-" + b"x" * (1 << 20) + b"\r\n250 STARTTLS\r\n"),
    "ehlo-421": talk(HELLO, b"421 4.3.2 bye\r\n"),
    "ehlo-451": talk(HELLO, b"451 4.3.0 greylisted\r\n"),
    "ehlo-550": talk(HELLO, b"550 5.7.1 no\r\n"),
    "ehlo-tarpit": talk(HELLO),
    "codes-mixed": talk(HELLO, b"250-mx\r\n550-no\r\n250 STARTTLS\r\n", b"220-go\r\n454 no\r\n"),
    "starttls-tarpit": talk(HELLO, OFFERS),
    "starttls-454": talk(HELLO, OFFERS, b"454 4.7.0 not now\r\n"),
    "starttls-then-silence": talk(HELLO, OFFERS, b"220 go\r\n"),
    "starttls-then-garbage": talk(HELLO, OFFERS, b"220 go\r\n", then=says(GARBAGE)),
    "starttls-then-reset": talk(HELLO, OFFERS, b"220 go\r\n", then=starttls_reset),
    "starttls-then-flood": talk(HELLO, OFFERS, b"220 go\r\n", then=endless(b"", b"\x16\x03\x03\x40\x00" + bytes(16384))),
    "starttls-then-warnings": talk(HELLO, OFFERS, b"220 go\r\n", then=endless(b"", alert(100, 1))),
    "starttls-injection": talk(HELLO, OFFERS, b"220 go\r\n250 injected\r\n220 again\r\n"),
    "vrfy-tarpit": talk(HELLO, OFFERS, b"252 maybe\r\n", then=silent),
}  # fmt: skip
_NO: Mapping[str, Serve] = {
    "ehlo-502": talk(HELLO, b"502 5.5.1 what\r\n"),
    "ehlo-without-starttls": talk(HELLO, b"250-mx\r\n250 SIZE 1\r\n"),
    "ehlo-with-escapes": talk(HELLO, b"250-" + EVIL + b"250 AUTH " + EVIL),
    "starttls-502": talk(HELLO, OFFERS, b"502 5.5.1 no\r\n"),
    "starttls-alert": talk(HELLO, OFFERS, b"220 go\r\n", then=says(alert(40))),
}
_STRANGE: Mapping[str, Serve] = {
    "certificate-with-escapes": talk(HELLO, OFFERS, b"220 go\r\n", then=tls_flight(lambda a: shows(der("\x1b[2J<b>.test", common="\u202egnp"))(a))),
    "certificate-of-100-kib": talk(HELLO, OFFERS, b"220 go\r\n", then=tls_flight(shows(b"\x30\x83\x01\x86\xa0" + bytes(100_000)))),
}  # fmt: skip


def _one(name: str, serve: Serve, allows: Allows) -> Behaviour:
    return Behaviour(
        f"smtp-{name}", "smtp", World({PORT: serve}), allows, quick=name == "banner-with-escapes"
    )


BEHAVIOURS: tuple[Behaviour, ...] = (
    *(_one(name, serve, _UNSEEN) for name, serve in _UNKNOWN.items()),
    *(_one(name, serve, _SAYS_NO) for name, serve in _NO.items()),
    *(_one(name, serve, _OTHER_KEY) for name, serve in _STRANGE.items()),
    _one("forwarded", forward, Allows()),
)
