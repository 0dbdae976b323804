"""The signatures of a mail that the admin pasted, verified with keys from the scan's own resolver."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from checks.errors import Malformed, ParseError, Reason
from checks.facts import Fact, Missing, MissingFact
from checks.facts.dns import Lookup
from checks.facts.mail import DkimMessage
from checks.parse.dkim_message import PastedMail, read_message
from checks.parse.dkim_verify import prove
from checks.probes.look import Look, Probe

Ask = Callable[[str, str], Awaitable[Lookup | Missing]]


async def prove_all(mail: PastedMail, ask: Ask, now: datetime) -> DkimMessage:
    """What each signature of the mail proves; the keys are asked for at once, each once."""
    names = {s.key_name for s in mail.signatures if not s.fault}
    answers = dict(zip(names, await asyncio.gather(*(ask(name, "TXT") for name in names)), strict=True))
    nothing = Missing(Reason.NOT_ASKED)
    found = tuple(
        prove(mail, number, answers.get(s.key_name, nothing), now.timestamp())
        for number, s in enumerate(mail.signatures)
    )
    return DkimMessage(mail.from_domain, found, now)


async def gather_message(look: Look) -> Iterable[Fact]:
    if not look.target.message:
        raise MissingFact(Missing(Reason.NOT_ASKED, "no mail was given"))
    try:
        mail = read_message(look.target.message)
    except ParseError as error:
        raise Malformed(f"mail: {error}") from error
    return (await prove_all(mail, look.dns.ask, datetime.now(UTC)),)


PROBES: tuple[Probe, ...] = (Probe("dkim_message", "mail", (DkimMessage,), gather_message),)
