"""A server behind a real key exchange, in a world of its own, and the look that logs in to it."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import paramiko

from checks.codec import encode_facts
from checks.evaluate import evaluate
from checks.facts.inside import Inside
from checks.probes import gather, inside
from checks.reasons import REASONS
from checks.target import Access, Target
from tests.checks.inside.servers import ME, Host, Pair, hosted
from tests.checks.ssh.servers import speaker
from tests.hostile.model import Allows, Behaviour, Place, Scene, Seen, Service, World
from tests.lab import places as at

HERE, PORT = "127.66.0.30", 2200
WALL_S, INSIDE_S = 2.0, 6.0  # 8 s for all of it; the product gives 60 + 60
REPORT = "@fedisec 1\n@sec meta\n uid 0\n =rc 0\n@end meta ms=1\n@done 0\n"
Raw = Callable[[socket.socket, threading.Event], None]


class Diary(list[str]):
    """What a server was asked for, also in a file that the other process reads."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        file.touch()

    def append(self, what: str) -> None:
        super().append(what)
        with self._file.open("a") as file:
            file.write(f"{what}\n")


def _where(place: Place) -> tuple[str, int]:
    return place.moved(HERE), PORT


def host(
    make: Callable[[], Host],
    *more_keys: Callable[[], paramiko.PKey],
    before: Callable[[paramiko.Transport], None] | None = None,
) -> Service:
    """paramiko's server.  The first key is the confirmed one; with several, each connection shows the next."""

    @contextmanager
    def service(place: Place) -> Iterator[Mapping[str, Any] | None]:
        made = make()
        logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # of the server
        made.asked = Diary(place.folder / "asked")
        with hosted(made, *(key() for key in more_keys), before=before, where=_where(place)) as enrolled:
            place.told["host_key"] = enrolled.host_key
            yield None

    return service


def bytes_of(behave: Raw) -> Service:
    """No server of anybody's: bytes on a socket.  The confirmed key is one that it cannot show."""

    @contextmanager
    def service(place: Place) -> Iterator[Mapping[str, Any] | None]:
        key = paramiko.ECDSAKey.generate()
        place.told["host_key"] = f"{key.get_name()} {key.get_base64()}"
        with speaker(behave, _where(place)):
            yield None

    return service


async def look(scene: Scene, *, visits: int = 1, forced: bool = True) -> Seen:
    """The inside of the server, as a scan looks at it.  Beside the items: `came` (report, or the reason why none),
    `asked` (what the server was asked for, save for the first `visits` - 1 visits)."""
    access = Access(scene.moved(HERE), PORT, ME, Pair.new().private, scene.told["host_key"], forced)
    target = Target(at.GOOD, access=access)
    limits = replace(scene.limits, wall_s=WALL_S, inside_s=INSIDE_S)
    diary, before = scene.folder / "asked", 0
    for visit in range(visits):
        before = len(_lines(diary)) if visit else 0
        with mock.patch.object(inside, "WALL_S", INSIDE_S):
            gathered = await gather(target, scene.vantage, limits, probes=inside.PROBES)
    gap = gathered.facts.missing.get(Inside)
    verdicts = evaluate(gathered.facts)
    states = {item: verdict.status.value for item, verdict in verdicts.items()}
    states["came"] = "report" if gap is None else gap.reason.value
    states["asked"] = "-".join(_lines(diary)[before:]).replace(" ", "-") or "nothing"
    shown = [str(encode_facts(gathered.facts)), *(str(verdict) for verdict in verdicts.values())]
    if gap is not None:
        shown += [gap.detail, REASONS[gap.reason].en]
    return Seen(states, gathered, tuple(shown))


async def look_at_the_script(scene: Scene) -> Seen:
    """The same where the script is sent, as no command is forced."""
    return await look(scene, forced=False)


async def look_twice(scene: Scene) -> Seen:
    return await look(scene, visits=2)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def behaviour(
    name: str, service: Service, came: str, *, protocol: str = "ssh", asked: str = "", **more: Any
) -> Behaviour:
    """A server from which no report may be believed.  `came`: the reasons that may be given for it."""
    true = {"came": came} | {"asked": asked or "nothing publickey publickey-session publickey-session-fedisec-collect "
                             "publickey-session-sh--s"}  # fmt: skip
    more.setdefault("look", look)
    return Behaviour(
        f"{protocol}-{name}", protocol, World(services=(service,)), Allows(("*",), true),
        deadline_s=WALL_S + INSIDE_S, **more,
    )  # fmt: skip
