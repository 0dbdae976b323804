"""What a hostile behaviour is, and what fedisec may conclude from it.

A module of one protocol (`dns.py`, `http.py`, ...) exposes `BEHAVIOURS: tuple[Behaviour, ...]` and is named in
`registry.MODULES`; nothing else has to be written for `python -m tests.hostile`, `make test` or the table of figures.

Two processes share every behaviour, each importing the module anew and finding it by its name:

* the **server process** builds `Behaviour.world`: world n is 127.77.n.0/24, in which each host of the lab has its twin
  (127.66.0.10, the good instance, is 127.77.n.10) that passes everything on to the real one, save for what the world
  replaces.  Handlers run in one event loop; blocking servers (paramiko) go into `World.services`.
* a **child process** runs `Behaviour.look` within `LIMITS`, beside a clean scan, and measures time, growth and delay.
  What the look brought is stored through fedisec's own `record`, twice, an hour after a sound past.

Example::

    Behaviour(
        "http-huge-header", "http",
        World(ports={(at.GOOD_IP, 443): answers(head(b"X: " + b"x" * 10**6))}, inside_tls=True),
        Allows(unknown=(*SITE, "tls.rating")),
    )

A `Serve` handler is that of tests/checks/faults (`streams.py` and `web.py` have many): `async (reader, writer, honest)`,
owner of one connection until it returns; `honest` is the (address, port) of the lab's real server.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from checks.probes import Gathered
from checks.target import Limits, Target, Vantage
from tests.checks.faults.streams import Behaviour as Serve
from tests.checks.faults.streams import NoListener
from tests.lab import places as at

Port = tuple[str, int]
"""(address in the lab, port), such as (at.GOOD_IP, 443)."""

PROTOCOLS = ("dns", "tcp", "tls", "smtp", "http", "json", "xml", "ssh", "collector")
LIMITS = Limits(wall_s=15.0, inside_s=15.0, dns_s=10.0, connect_s=1.5, request_s=4.0)
"""The manners of a look here: a quarter of the product's time, the same caps and counts otherwise."""

LATE_S = 2.0  # a look may end this long after its deadline; the machine is busy
GROWTH_BYTES = 64 << 20
DELAY_S = 5.0  # by which the clean scan beside may be later

SILENT = frozenset({"unknown", "manual"})
"""States that claim nothing."""


@dataclass(frozen=True)
class Place:
    """The server process' side of one world, given to `World.services`."""

    number: int
    folder: Path  # empty, of this world alone; both processes see it
    told: dict[str, Any] = field(
        default_factory=dict
    )  # JSON-able; whatever a service puts in, `Scene.told` has

    def moved(self, address: str) -> str:
        """The twin of an address of the lab in this world."""
        return moved(self.number, address)


Service = Callable[[Place], AbstractContextManager[Mapping[str, Any] | None]]
"""A blocking server in threads of its own.  It listens when `__enter__` returns.  What `__enter__` returned is read
after the look and stands in `Seen.met` (a mapping that it fills: `{"exec": 0}`)."""


@dataclass(frozen=True)
class World:
    """What is otherwise than in the sound world.

    `ports`: who serves instead of the lab's own (a handler, or `streams.REFUSED` / `streams.FILTERED`); with
    `inside_tls`, handlers of port 443 begin after a sound handshake with a good certificate.  `plain`: ports of
    `ports` for which `inside_tls` does not hold.
    `names`: the resolver; `authority`: the zone's own name servers (`dns_server.Answers`; None: honest).
    `services`: blocking servers on addresses of their own choice within the world.
    """

    ports: Mapping[Port, Serve | NoListener] = field(default_factory=dict)
    inside_tls: bool = False
    plain: frozenset[Port] = frozenset()
    names: Any = None
    authority: Any = None
    services: tuple[Service, ...] = ()


@dataclass(frozen=True)
class Allows:
    """Which states an item may have; patterns are those of fnmatch (`mail.*`).

    `true` wins over `unknown`, `unknown` over the rest; among several patterns the first wins.

    * `true`: the pattern's items may have exactly these states (`{"domain.nameservers": "fail unknown"}`): the
      behaviour is evidence of its own.  Only for them an incident may be opened.
    * `unknown`: nothing can be known: "unknown" or "manual", unless the sound world says "not_applicable" too.
    * all others: as in the sound world, or "unknown"/"manual".

    "error" (a bug of ours) is never allowed.
    """

    unknown: tuple[str, ...] = ()
    true: Mapping[str, str] = field(default_factory=dict)

    def wrong(self, item: str, state: str, sound: str | None) -> bool:
        """Whether the item may not have this state; `sound`: the state in the sound world, None: not there."""
        if state == "error":
            return True
        for pattern, states in self.true.items():
            if fnmatchcase(item, pattern):
                return state not in states.split()
        hidden = any(fnmatchcase(item, pattern) for pattern in self.unknown)
        if state in SILENT or (hidden and state == sound == "not_applicable"):
            return False
        return hidden or sound is None or state != sound


@dataclass(frozen=True)
class Scene:
    """The child's side of one world, given to a look."""

    resolver: str  # the world's own; names lead to its twins
    vantage: Vantage  # trusts the lab's CA, may dial the lab and the worlds, asks `resolver`
    limits: Limits
    number: int
    folder: Path
    told: Mapping[str, Any]

    def moved(self, address: str) -> str:
        return moved(self.number, address)


@dataclass(frozen=True)
class Seen:
    """What a look brought.  `states`: item -> state ("pass", "unknown", ...); a look that is no scan makes up keys of
    its own ("feed": "kept") and allows them by `Allows.true`.  `gathered`: facts to store, where there are any.
    `shown`: everything that a person could be shown by it, for the search after control characters and markup."""

    states: Mapping[str, str]
    gathered: Gathered | None = None
    shown: tuple[str, ...] = ()


Look = Callable[[Scene], Awaitable[Seen]]
"""Runs in the child, in an event loop of its own; Django is set up with a database.  Whatever it raises is a failure."""


@dataclass(frozen=True)
class Behaviour:
    """One far side.  `name`: "<protocol>-<words>", unique, lower case with hyphens.

    `target`: the instance that is looked at (`at.GOOD` unless the behaviour needs the bad one).  `look`: None = the
    whole real scan from outside of `target`, with DKIM selector "fedi" as everywhere in the lab.
    `deadline_s`: by when the look must have ended; 0 = the wall of `LIMITS`.  `quick`: part of `make test`."""

    name: str
    protocol: str
    world: World
    allows: Allows = Allows()
    target: str = at.GOOD
    look: Look | None = None
    deadline_s: float = 0.0
    quick: bool = False

    def __post_init__(self) -> None:
        assert self.protocol in PROTOCOLS, self.protocol
        assert re.fullmatch(rf"{self.protocol}-[a-z0-9-]+", self.name), self.name

    @property
    def ends_s(self) -> float:
        return self.deadline_s or LIMITS.wall_s


def moved(number: int, address: str) -> str:
    """The twin of an address of the lab in world `number`; every other address stays."""
    if address == at.NS2_IP:
        return f"127.77.{number}.55"
    head, _, last = address.rpartition(".")
    return f"127.77.{number}.{last}" if head == "127.66.0" else address


def outside_target(behaviour: Behaviour) -> Target:
    return Target(behaviour.target, dkim_selectors=("fedi",))
