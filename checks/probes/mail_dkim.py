"""The DKIM keys: those of selectors that the admin names, else a few that the provider or habit suggests."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress

from checks.data.dns import MailProvider, common_selectors, provider_of_mx, provider_of_spf
from checks.facts import Fact, MissingFact
from checks.facts.mail import DkimAnswers, DkimAsked, MailRoutes, Origin, SpfAnswers
from checks.parse.dkim import key_name
from checks.probes.dns_zone import ask_all
from checks.probes.look import Look, Probe

_GUESSES_MAX = 20
_NAMED_MAX = 10
_LEFT_FOR_OTHERS = 12  # questions that the other probes of the scan may still want


async def gather_dkim(look: Look) -> Iterable[Fact]:
    domain = look.target.mail_domain
    chosen = [(s, Origin.NAMED) for s in look.target.dkim_selectors[:_NAMED_MAX]]
    chosen = chosen or await _guesses(look)
    nobody = f"fedisec-{secrets.token_hex(6)}"
    names = [key_name(selector, domain) for selector in (nobody, *(s for s, _ in chosen))]
    wildcard, *answers = await ask_all(look, ((name, "TXT") for name in names))
    keys = tuple(
        DkimAsked(selector, origin, asked.answer)
        for (selector, origin), asked in zip(chosen, answers, strict=True)
    )
    return (DkimAnswers(domain, wildcard.answer, keys),)


async def _guesses(look: Look) -> list[tuple[str, Origin]]:
    """Selectors worth a question, as many as the budget has left after everybody else."""
    await look.after("spf", "dmarc", "mta_sts", "caa", "nameservers", "dnssec", "resolver")
    found: dict[str, Origin] = {}
    for provider in await _providers(look):
        found.update(dict.fromkeys(provider.selectors, Origin.PROVIDER))
    for selector in common_selectors():
        found.setdefault(selector, Origin.GUESSED)
    left = look.net.limits.budget.get("dns", 0) - look.net.used["dns"] - _LEFT_FOR_OTHERS
    return list(found.items())[: max(0, min(_GUESSES_MAX, left - 1))]


async def _providers(look: Look) -> tuple[MailProvider, ...]:
    """The mail services that MX hosts and SPF includes show."""
    found: list[MailProvider | None] = []
    with suppress(MissingFact):
        found += [provider_of_mx(host.name) for host in (await look.need(MailRoutes)).hosts]
    with suppress(MissingFact):
        spf = await look.need(SpfAnswers)
        found += [provider_of_spf(a.name) for a in spf.asked if a.rdtype == "TXT" and a.name != spf.domain]
    return tuple(dict.fromkeys(p for p in found if p is not None))


PROBES: tuple[Probe, ...] = (Probe("dkim", "mail", (DkimAnswers,), gather_dkim),)
