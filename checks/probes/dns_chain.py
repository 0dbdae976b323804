"""Fetches what the walk down the chain of trust asks for, in parallel rounds within a small budget."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import datetime

import dns.message

from checks.data.dns import root_anchors
from checks.facts.dns import Chain, ChainStatus, ChainStep, Lookup, Outcome, SignedName, StepKind
from checks.parse.dnssec import parse_anchors
from checks.parse.dnssec_chain import Question, Walker, show
from checks.probes.dns_wire import parse_name
from checks.probes.look import Look

MAX_QUESTIONS = 12  # beyond those that the scan asks anyway
_MAX_ROUNDS = 10


async def walk_all(look: Look, names: Sequence[SignedName], now: datetime) -> tuple[SignedName, ...]:
    """The names with their chains; a name without records to walk to keeps None.  The instance's own names
    come first, so that a foreign mail host does not use up what they need."""
    anchors = parse_anchors("\n".join(look.vantage.anchors or root_anchors()))
    fetcher = _Fetcher(look, Walker(anchors, now))
    chains: dict[int, Chain | None] = {}
    for own in (True, False):
        turn = {n: name for n, name in enumerate(names) if name.own is own}
        chains |= await fetcher.walk(turn)
    return tuple(dataclasses.replace(name, chain=chains[n]) for n, name in enumerate(names))


class _Fetcher:
    def __init__(self, look: Look, walker: Walker) -> None:
        self._dns, self._walker = look.dns, walker
        self._left = MAX_QUESTIONS

    async def walk(self, names: dict[int, SignedName]) -> dict[int, Chain | None]:
        chains: dict[int, Chain | None] = dict.fromkeys(names)
        answers = {n: a for n, name in names.items() if (a := await self._answer_of(name)) is not None}
        for _ in range(_MAX_ROUNDS):
            for n, answer in answers.items():
                if chains[n] is None:
                    chains[n] = self._walker.walk(parse_name(names[n].name), names[n].rdtype, answer)
            if not self._walker.needs or all(chains[n] is not None for n in answers):
                return chains
            if not await self._fetch():
                break
        limit = Chain(ChainStatus.INDETERMINATE, (), ChainStep(StepKind.LIMIT, "", "", ""))
        return {n: chain or (limit if n in answers else None) for n, chain in chains.items()}

    async def _answer_of(self, name: SignedName) -> dns.message.Message | None:
        """What the name's own question brought; an absence is looked at only where it does not validate."""
        found = isinstance(name.answer, Lookup) and name.answer.outcome is Outcome.FOUND
        return await self._dns.message(name.name, name.rdtype) if found or name.broken else None

    async def _fetch(self) -> bool:
        """One round of questions; False when there is nothing left to ask them with."""
        questions = list(self._walker.needs)
        allowed = [q for q in questions if self._may_ask(q)]
        answers = await asyncio.gather(*(self._dns.message(show(name), kind) for name, kind in allowed))
        for question, answer in zip(allowed, answers, strict=True):
            self._walker.learn(question, answer)
        return bool(allowed)

    def _may_ask(self, question: Question) -> bool:
        if self._dns.has(show(question[0]), question[1]):
            return True
        self._left -= 1
        return self._left >= 0
