"""The hellos that are sent to one address, in an order that finds out early whether anybody is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from checks.data.tls_suites import SUITES_13, everything, family, name_of
from checks.errors import ConnectionLost, ProbeError, Reason, TimedOut
from checks.facts import Missing
from checks.facts.tls import SuiteFamily, TlsVersion
from checks.probes.net import Net, Stream
from checks.probes.tls_flight import BYTES_MAX, Answer, Flight, exchange
from checks.probes.tls_hello import (
    GROUPS_13,
    SSL3,
    TLS10,
    TLS11,
    TLS12,
    TLS13,
    X25519,
    X25519MLKEM768,
    Hello,
    hello13,
)

VERSIONS = {
    SSL3: TlsVersion.SSL3, TLS10: TlsVersion.TLS10, TLS11: TlsVersion.TLS11, TLS12: TlsVersion.TLS12,
    TLS13: TlsVersion.TLS13,
}  # fmt: skip
REVERSED, POST_QUANTUM = "reversed", "post-quantum"
_CONNECTIONS = 22  # of the 25 that one address is asked for in all
_FAILED_MAX = 4  # failures after which it is worth asking whether we were shut out
_FINAL = frozenset({Reason.FORBIDDEN_ADDRESS, Reason.BUDGET})

Prelude = Callable[[Stream], Awaitable[None]]
"""Brings a fresh connection to where TLS begins (STARTTLS); raises ProbeError kinds."""


@dataclass(frozen=True, slots=True)
class Question:
    """One hello under a name; `group`: that of the first key share of TLS 1.3."""

    name: str
    hello: Hello
    group: int | None = None


def version_question(host: str, version: int) -> Question:
    """Offers one version as the highest, with suites of every kind."""
    if version != TLS13:
        return Question(VERSIONS[version], Hello(host, version, everything()))
    # The hybrid group stands last: a server that has nothing else still shows its TLS 1.3.
    return Question(VERSIONS[version], hello13(host, SUITES_13, (*GROUPS_13, X25519MLKEM768)), X25519)


def family_question(host: str, kind: SuiteFamily) -> Question:
    offered = family(kind)
    if kind is SuiteFamily.AEAD:
        # RSA before ECDSA, other than in the version hello: so a server with two certificates shows both.
        offered = tuple(sorted(offered, key=lambda number: "ECDSA" in name_of(number)))
    return Question(kind, Hello(host, TLS12, offered))


def reversed_question(host: str) -> Question:
    """Weakest first: what a careless server takes from a careless client."""
    return Question(REVERSED, Hello(host, TLS12, everything()[::-1]))


def post_quantum_question(host: str) -> Question:
    """The hybrid group alone and without a share: it costs no bytes, and the retry it brings says yes."""
    return Question(POST_QUANTUM, hello13(host, SUITES_13, (X25519MLKEM768,)))


@dataclass
class Prober:
    """Asks one address, politely, and keeps the answers by the name of the question."""

    net: Net
    address: str
    port: int = 443
    prelude: Prelude | None = None
    kind: str = "tls"  # the budget that pays
    probe_s: float = 6.0
    slow_s: float = 8.0  # the retry
    all_s: float = 30.0  # the scan ends after 60, and others wait for the end of this phase
    answers: dict[str, Answer | Missing] = field(default_factory=dict)
    _asked: dict[str, Question] = field(default_factory=dict)
    _connections: int = 0
    _failures: int = 0
    _ends: float = 0.0

    def __post_init__(self) -> None:
        self._ends = time.monotonic() + self.all_s

    def flight(self, name: str) -> Flight | None:
        answer = self.answers.get(name)
        return answer if isinstance(answer, Flight) else None

    @property
    def flights(self) -> tuple[Flight, ...]:
        """Every answer in which the server took something, in the order of the questions."""
        return tuple(a for a in self.answers.values() if isinstance(a, Flight))

    @property
    def speaks_older(self) -> bool:
        """A ServerHello of TLS 1.2 or older was seen."""
        return any(f.hello.version < TLS13 for f in self.flights)

    async def open(self, *questions: Question) -> bool:
        """Asks the first questions; False where none was answered, not even after a slow retry."""
        await asyncio.gather(*(self.ask(question) for question in questions))
        if self._all_missing():
            await asyncio.sleep(1.0)
            await self.ask(questions[-1], slowly=True)
        return not self._all_missing()

    async def ask_all(self, questions: Sequence[Question]) -> None:
        """Asks as many at once as manners allow; after some failures the rest is put off until `mend`."""
        at_once = self.net.limits.at_once
        for start in range(0, len(questions), at_once):
            batch = questions[start : start + at_once]
            if self._failures < _FAILED_MAX:
                await asyncio.gather(*(self.ask(question) for question in batch))
                continue
            for question in batch:
                self._asked[question.name] = question
                self.answers[question.name] = Missing(Reason.CONNECTION_LOST, "put off, as others failed")

    async def mend(self) -> None:
        """One slow retry for each question without an answer, if the server still answers what it answered
        before; BANNED for all of them if it does not."""
        failed = [q for name, q in self._asked.items() if self._is_open(name)]
        if len(failed) >= _FAILED_MAX and await self._is_shut_out():
            gap = Missing(Reason.BANNED, f"{self.address} port {self.port}")
            self.answers |= {question.name: gap for question in failed}
            return
        for question in failed:
            await self.ask(question, slowly=True)

    async def ask(self, question: Question, *, slowly: bool = False) -> None:
        """One connection, one hello."""
        self._asked[question.name] = question
        self.answers.setdefault(question.name, Missing(Reason.BUDGET, "time for TLS"))
        left = self._ends - time.monotonic()
        if left <= 0 or self._connections >= _CONNECTIONS:
            return
        self._connections += 1
        answer = await self._exchange(question, min(self.slow_s if slowly else self.probe_s, left))
        self._failures += isinstance(answer, Missing)
        self.answers[question.name] = answer

    async def _exchange(self, question: Question, within_s: float) -> Answer | Missing:
        try:
            async with self.net.politely(self.address):
                stream = await self.net.connect(
                    self.address, self.port, self.kind, timeout_s=within_s, max_bytes=BYTES_MAX
                )
                try:
                    if self.prelude is not None:
                        await self.prelude(stream)
                    return await exchange(stream, question.hello, group=question.group, within_s=within_s)
                except (TimedOut, ConnectionLost):
                    self.net.trouble(self.address)
                    raise
                finally:
                    stream.close()
        except ProbeError as error:
            return Missing.of(error)

    def _all_missing(self) -> bool:
        return all(isinstance(answer, Missing) for answer in self.answers.values())

    def _is_open(self, name: str) -> bool:
        answer = self.answers[name]
        return isinstance(answer, Missing) and answer.reason not in _FINAL

    async def _is_shut_out(self) -> bool:
        answered = next((n for n, a in self.answers.items() if not isinstance(a, Missing)), None)
        if answered is None or self._connections >= _CONNECTIONS:
            return True
        self._connections += 1
        return isinstance(await self._exchange(self._asked[answered], self.probe_s), Missing)
