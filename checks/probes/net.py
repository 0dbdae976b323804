"""The only dialler.  Every connection of the checks goes through one `Net` per scan, which knows the address
rule, the deadline, the byte caps and the budget, and counts what was used.

Names never reach the operating system's resolver here: `connect` takes an address that was vetted once
(pinning; no rebinding between look-up and connection).
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import ssl
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from checks.errors import (
    BudgetSpent,
    ConnectionLost,
    ForbiddenAddress,
    ProbeError,
    Refused,
    Starved,
    TimedOut,
    TooLarge,
    Unreachable,
)
from checks.probes.addresses import is_this_machine, is_within, may_dial, parse_networks
from checks.probes.connecting import Connector
from checks.target import Limits, Vantage

T = TypeVar("T")

# Budget kinds counted per address; the others are counted per scan.
_PER_ADDRESS = frozenset({"tls", "tcp", "ssh", "smtp"})
_BUFFER = 2**16  # bytes that wait to be read before the far side is held up
_LATE_S = 0.05  # a time limit that rings this much late says that this process did not keep up
_BACK_OFF_S = (0.25, 0.5, 1.0, 2.0)  # pauses after the first refusal, reset or time-out of an address


@dataclass
class _Manners:
    """How an address has treated us so far."""

    gate: asyncio.Semaphore
    troubles: int = 0
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)


class Net:
    """Dialler, budget and clock of one scan.  Not shared between scans or event loops."""

    def __init__(self, vantage: Vantage, limits: Limits) -> None:
        self.limits = limits
        self.user_agent = vantage.user_agent
        self._allowed = parse_networks(vantage.allow_networks)
        self._denied = parse_networks(vantage.deny_networks)
        self._own = parse_networks(vantage.own_networks)
        self._spares_itself = vantage.spares_itself
        self._ends = time.monotonic() + limits.wall_s
        self._spent: Counter[tuple[str, str]] = Counter()
        self._manners: dict[str, _Manners] = defaultdict(lambda: _Manners(asyncio.Semaphore(limits.at_once)))
        self._rtt_s: dict[tuple[str, int], float] = {}
        self._connector = Connector()
        self._vetted: dict[str, bool] = {}
        self.open: set[Stream] = set()
        self.used: Counter[str] = Counter()  # kind -> connections or queries, for the result

    def rtt_s(self, address: str, port: int) -> float | None:
        """The shortest time in which the port accepted a connection of this scan; None: it never did."""
        return self._rtt_s.get((address, port))

    def may_dial(self, address: str) -> bool:
        known = self._vetted.get(address)
        if known is None:
            known = self._vetted[address] = may_dial(
                address, self._allowed, self._denied, self._own
            ) and not self.is_own(address)
        return known

    def is_own(self, address: str) -> bool:
        """True for an address of the machine that looks, unless the operator allows it by name."""
        if is_within(address, self._allowed):
            return False
        return is_within(address, self._own) or (self._spares_itself and is_this_machine(address))

    def vet(self, address: str) -> None:
        """Raises ForbiddenAddress for an address that the rule refuses."""
        if not self.may_dial(address):
            raise ForbiddenAddress(address)

    def remaining_s(self) -> float:
        """Seconds until the scan's own deadline; TimedOut when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise BudgetSpent("time of the scan")
        return left

    def spend(self, kind: str, address: str = "") -> None:
        """Counts one connection or query of `kind`; BudgetSpent when the manners allow no more."""
        self.remaining_s()
        key = (kind, address if kind in _PER_ADDRESS else "")
        allowed = self.limits.budget.get(kind)
        if allowed is not None and self._spent[key] >= allowed:
            raise BudgetSpent(f"{allowed} {kind} per {'address' if kind in _PER_ADDRESS else 'scan'}")
        self._spent[key] += 1
        self.used[kind] += 1

    def trouble(self, address: str) -> None:
        """An address refused, reset or went silent: from now on one connection at a time, with pauses."""
        self._manners[address].troubles += 1

    @asynccontextmanager
    async def politely(self, address: str) -> AsyncIterator[None]:
        """The place in the queue of an address: `at_once` at a time while it answers, one after trouble."""
        manners = self._manners[address]
        async with manners.gate:
            if not manners.troubles:
                yield
                return
            async with manners.alone:
                pause = _BACK_OFF_S[min(manners.troubles, len(_BACK_OFF_S)) - 1]
                await asyncio.sleep(min(pause, self.remaining_s()))
                yield

    async def connect(
        self,
        address: str,
        port: int,
        kind: str,
        *,
        timeout_s: float | None = None,
        max_bytes: int | None = None,
    ) -> Stream:
        """A TCP connection to a vetted address.  Raises ForbiddenAddress, BudgetSpent, Refused, TimedOut
        (Starved where the delay was our own), ConnectionLost or Unreachable; counts `kind` (tls, http, tcp,
        smtp, ssh).  The caller closes it.

        Ports that are expected to be closed (`tcp`) do not count as trouble."""
        self.vet(address)
        self.spend(kind, address)
        wait = min(timeout_s or self.limits.connect_s, self.remaining_s())
        begun = time.monotonic()
        try:
            reader, writer = await _streams(await self._connector.connect(address, port, wait))
        except (TimeoutError, OSError) as error:
            failure = dial_error(error, f"{address} port {port}", late_s=time.monotonic() - begun - wait)
            if kind != "tcp" and not isinstance(failure, Starved):
                self.trouble(address)
            raise failure from error
        where = (address, port)
        self._rtt_s[where] = min(time.monotonic() - begun, self._rtt_s.get(where, wait))
        stream = Stream(self, reader, writer, max_bytes or self.limits.wire_bytes, f"{address} port {port}")
        self.open.add(stream)
        return stream

    def close(self) -> None:
        """Ends what is still open: a probe that the end of the scan interrupts has not closed all of it."""
        for stream in tuple(self.open):
            stream.close()
        self._connector.close()

    async def connect_socket(
        self, address: str, port: int, kind: str, *, timeout_s: float | None = None
    ) -> socket.socket:
        """The same as a plain blocking socket, for a library that wants one (paramiko); the caller closes."""
        self.vet(address)
        self.spend(kind, address)
        wait = min(timeout_s or self.limits.connect_s, self.remaining_s())
        try:
            return await asyncio.to_thread(socket.create_connection, (address, port), wait)
        except OSError as error:
            self.trouble(address)
            raise dial_error(error, f"{address} port {port}") from error


async def _streams(link: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with ExitStack() as until_owned:
        until_owned.callback(link.close)
        streams = await asyncio.open_connection(sock=link, limit=_BUFFER)
        until_owned.pop_all()
    return streams


def has_route(address: str) -> bool:
    """Whether the kernel knows a way to an IPv6 address.  Connecting a UDP socket looks the route up and
    sends nothing."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return not ipaddress.ip_address(probe.getsockname()[0].partition("%")[0]).is_link_local
    except OSError:
        return False


def dial_error(error: BaseException, where: str, *, late_s: float = 0.0) -> ProbeError:
    """The ProbeError for what the operating system said of a connection.  `late_s`: how long after its time
    limit the error was noticed."""
    if isinstance(error, TimeoutError):
        return Starved(where) if late_s > _LATE_S else TimedOut(where)
    if isinstance(error, ConnectionRefusedError):
        return Refused(where)
    if isinstance(error, ConnectionError):
        return ConnectionLost(where)
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ETIMEDOUT:
        return TimedOut(where)
    return Unreachable(f"{where}: {errno.errorcode.get(code or 0, 'no route')}")


class Stream:
    """A connection with a cap on what is read and a time limit on every step."""

    def __init__(
        self, net: Net, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, max_bytes: int, where: str
    ) -> None:
        self._net = net
        self._reader = reader
        self._writer = writer
        self._left = max_bytes
        self.where = where

    async def read(self, size: int = 65536, *, timeout_s: float = 5.0) -> bytes:
        """What is there, at most `size` bytes; b"" at the end of the stream.  TooLarge past the cap."""
        if self._left <= 0:
            raise TooLarge(self.where)
        data = await self._timed(lambda: self._reader.read(min(size, self._left)), timeout_s)
        self._left -= len(data)
        return data

    async def read_exactly(self, size: int, *, timeout_s: float = 5.0) -> bytes:
        """Exactly `size` bytes, in one time limit for all; ConnectionLost when the stream ends."""
        if size > self._left:
            raise TooLarge(self.where)
        data = await self._timed(lambda: self._reader.readexactly(size), timeout_s)
        self._left -= size
        return data

    async def write(self, data: bytes, *, timeout_s: float = 5.0) -> None:
        self._writer.write(data)
        await self._timed(self._writer.drain, timeout_s)

    async def start_tls(self, context: ssl.SSLContext, server_name: str, *, timeout_s: float = 5.0) -> None:
        """TLS over this connection with SNI `server_name`; ssl.SSLError is left to the caller."""
        await self._timed(lambda: self._writer.start_tls(context, server_hostname=server_name), timeout_s)

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        found = self._writer.get_extra_info("ssl_object")
        return found if isinstance(found, ssl.SSLObject) else None

    @property
    def has_more(self) -> bool:
        """True when something unasked, or the end, is waiting to be read: an idle connection is over."""
        return bool(self._reader.at_eof() or self._reader._buffer)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Ends the connection at once; never waits for the far side."""
        self._net.open.discard(self)
        self._writer.transport.abort()

    async def _timed(self, step: Callable[[], Awaitable[T]], timeout_s: float) -> T:
        wait, begun = min(timeout_s, self._net.remaining_s()), time.monotonic()
        try:
            async with asyncio.timeout(wait):
                return await step()
        except ssl.SSLError:
            raise
        except asyncio.IncompleteReadError as error:
            raise ConnectionLost(self.where) from error
        except (TimeoutError, OSError) as error:
            raise dial_error(error, self.where, late_s=time.monotonic() - begun - wait) from error
