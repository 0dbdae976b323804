"""The hellos that are sent to one address, in an order that finds out early whether anybody is there."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from checks.data.tls_suites import OFFERED_MAX, SUITES_13, everything, strongest_first, weakest_first
from checks.errors import ConnectionLost, ProbeError, Reason, TimedOut
from checks.facts import Missing
from checks.facts.tls import TlsVersion
from checks.parse.tls_ssl2 import ServerHello2
from checks.probes.net import Net, Stream
from checks.probes.tls_flight import BYTES_MAX, Flight, Refusal, exchange
from checks.probes.tls_hello import (
    GROUPS_12,
    GROUPS_13,
    HYBRIDS,
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
from checks.probes.tls_ssl2 import exchange2

VERSIONS = {
    SSL3: TlsVersion.SSL3, TLS10: TlsVersion.TLS10, TLS11: TlsVersion.TLS11, TLS12: TlsVersion.TLS12,
    TLS13: TlsVersion.TLS13,
}  # fmt: skip
REVERSED, POST_QUANTUM, AGAIN = "reversed", "post-quantum", "again"
_CONNECTIONS = 22  # of the 25 that one address is asked for in all
_FAILED_MAX = 4  # failures after which it is worth asking whether we were shut out
_FINAL = frozenset({Reason.FORBIDDEN_ADDRESS, Reason.BUDGET})

Answer = Flight | Refusal | ServerHello2
Prelude = Callable[[Stream], Awaitable[None]]
"""Brings a fresh connection to where TLS begins (STARTTLS); raises ProbeError kinds."""


@dataclass(frozen=True, slots=True)
class Question:
    """One hello under a name; `group`: that of the first key share of TLS 1.3.  Without a hello it is the one
    of SSL 2.0."""

    name: str
    hello: Hello | None
    group: int | None = None


SSL2_QUESTION = Question(TlsVersion.SSL2, None)


def version_question(host: str, version: int) -> Question:
    """Offers one version as the highest, with suites of every kind."""
    if version != TLS13:
        return Question(VERSIONS[version], Hello(host, version, everything()))
    return Question(VERSIONS[version], hello13(host, SUITES_13, (*GROUPS_13, *HYBRIDS)), X25519)


def any_version_hello(host: str) -> Hello:
    """What a patient mail server offers: TLS 1.3 down to 1.0 in one hello, for where a second one would be
    impolite.  No protocol of the web; the first share is to be X25519."""
    offered = (*SUITES_13, *everything()[: OFFERED_MAX - len(SUITES_13)])
    groups = (*GROUPS_12, *HYBRIDS)
    return Hello(host, TLS13, offered, groups, session=secrets.token_bytes(32), oldest=TLS10, protocols=())


def suites_question(host: str, version: int, name: str, offered: Iterable[int]) -> Question:
    """Offers these suites and no others, the strongest first."""
    return Question(name, Hello(host, version, strongest_first(offered)))


def reversed_question(host: str, version: int) -> Question:
    """Weakest first: what a careless server takes from a careless client."""
    return Question(REVERSED, Hello(host, version, weakest_first()))


def again_question(host: str, version: int) -> Question:
    """The question for a version once more, for what a server may not have had at hand."""
    return replace(version_question(host, version), name=AGAIN)


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
    _retried: set[str] = field(default_factory=set)
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

    def asked(self) -> Iterator[tuple[Hello, Answer | Missing]]:
        """Hellos and what they brought, in the order of the questions."""
        for name, question in self._asked.items():
            if question.hello is not None:
                yield question.hello, self.answers[name]

    @property
    def older(self) -> int | None:
        """The highest version up to TLS 1.2 that a hello may offer and be answered; None where there is none.
        Not always what the server chose: one that gets stuck at newer hellos takes the older one alone."""
        answered = (h.version for h, a in self.asked() if isinstance(a, Flight) and a.hello.version < TLS13)
        return max((version for version in answered if version < TLS13), default=None)

    @property
    def ssl2(self) -> ServerHello2 | None:
        answer = self.answers.get(SSL2_QUESTION.name)
        return answer if isinstance(answer, ServerHello2) else None

    @property
    def speaks_13(self) -> bool:
        return any(flight.hello.version == TLS13 for flight in self.flights)

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
        failed = [q for name, q in self._asked.items() if self._is_open(name) and name not in self._retried]
        self._retried |= {question.name for question in failed}
        if len(failed) >= _FAILED_MAX and await self._is_shut_out():
            gap = Missing(Reason.BANNED, f"{self.address} port {self.port}")
            self.answers |= {question.name: gap for question in failed}
            return
        for question in failed:
            await self.ask(question, slowly=True)
        await self._doubt_ends()

    async def _doubt_ends(self) -> None:
        """A connection that is closed without a word may mean "no", or "not so many at once": one is asked
        again by itself, and if that brings another answer, so are all."""
        ended = [q for name, q in self._asked.items() if self._is_end(name) and name not in self._retried]
        ended.sort(key=lambda question: question is SSL2_QUESTION)  # there it is the usual no
        for question in ended if len(ended) < len(self.answers) else ():
            self._retried.add(question.name)
            await self.ask(question, slowly=True)
            if self._is_end(question.name):
                self._retried |= {other.name for other in ended}
                return
            self.net.trouble(self.address)

    async def ask(self, question: Question, *, slowly: bool = False) -> None:
        """One connection, one hello."""
        self._asked[question.name] = question
        self.answers.setdefault(question.name, Missing(Reason.BUDGET, "time for TLS"))
        left = self._ends - time.monotonic()
        if left <= 0 or self._connections >= _CONNECTIONS:
            return
        self._connections += 1
        answer = await self._exchange(question, min(self.slow_s if slowly else self._first_s(question), left))
        # Servers that never knew SSL 2.0 may reset or stay silent: that is no sign of trouble.
        self._failures += isinstance(answer, Missing) and question is not SSL2_QUESTION
        self.answers[question.name] = answer

    def _first_s(self, question: Question) -> float:
        return self.probe_s / 2 if question is SSL2_QUESTION else self.probe_s

    async def _exchange(self, question: Question, within_s: float) -> Answer | Missing:
        try:
            async with self.net.politely(self.address):
                stream = await self.net.connect(
                    self.address, self.port, self.kind, timeout_s=within_s, max_bytes=BYTES_MAX
                )
                try:
                    return await self._talk(stream, question, within_s)
                except (TimedOut, ConnectionLost):
                    if question is not SSL2_QUESTION:
                        self.net.trouble(self.address)
                    raise
                finally:
                    stream.close()
        except ProbeError as error:
            return Missing.of(error)

    async def _talk(self, stream: Stream, question: Question, within_s: float) -> Answer:
        if self.prelude is not None:
            await self.prelude(stream)
        if question.hello is not None:
            return await exchange(stream, question.hello, group=question.group, within_s=within_s)
        return await exchange2(stream, within_s=within_s)

    def _all_missing(self) -> bool:
        return all(isinstance(answer, Missing) for answer in self.answers.values())

    def _is_open(self, name: str) -> bool:
        answer = self.answers[name]
        if name == SSL2_QUESTION.name and self.speaks_13:
            return False  # known by that, see tls_findings
        return isinstance(answer, Missing) and answer.reason not in _FINAL

    def _is_end(self, name: str) -> bool:
        answer = self.answers[name]
        if name == SSL2_QUESTION.name and self.speaks_13:
            return False
        return isinstance(answer, Refusal) and answer.is_end

    async def _is_shut_out(self) -> bool:
        answered = next((n for n, a in self.answers.items() if not isinstance(a, Missing)), None)
        if answered is None or self._connections >= _CONNECTIONS:
            return True
        self._connections += 1
        return isinstance(await self._exchange(self._asked[answered], self.probe_s), Missing)
