"""What a Redis or Valkey says to somebody without a password."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from checks.parse.host.common import parts

_KEYS = frozenset({"port", "bind", "protected-mode", "unixsocket", "requirepass", "aclfile"})


class Answer(StrEnum):
    OPEN = "open"  # carried the command out
    PASSWORD = "password"
    LIMITED = "limited"  # let in, but may not do this
    PROTECTED = "protected"  # has no password, and refuses strangers for that
    CLOSED = "closed"  # nobody listens
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class RedisProbe:
    where: str  # HOST:PORT
    answer: Answer
    said: str


@dataclass(frozen=True, slots=True)
class RedisView:
    """`settings`: of each readable configuration file, path -> its few lines; never a password."""

    probes: tuple[RedisProbe, ...]
    settings: tuple[tuple[str, dict[str, str]], ...]
    denied: tuple[str, ...]  # configuration files that may not be read


def parse_redis(lines: tuple[str, ...]) -> RedisView:
    """The section "redis"."""
    probes, settings, refused = [], [], []
    for part in parts(lines):
        where = part.rest.partition(" ")[0]
        if part.label == "probe" and where and not part.absent:
            said = next((line.strip() for line in part.lines if line.strip()), "")
            probes.append(RedisProbe(where, _answer(said), said[:200]))
        elif part.label == "conf" and part.rest.endswith(" denied"):
            refused.append(where)
        elif part.label == "conf" and where:
            pairs = (line.strip().partition(" ")[::2] for line in part.lines)
            settings.append((where, {name: value.strip() for name, value in pairs if name in _KEYS}))
    return RedisView(tuple(probes), tuple(settings), tuple(refused))


def _answer(said: str) -> Answer:
    """The first line, as redis-cli shows it or as it stands on the wire."""
    text = said.lstrip("-(").lower()
    if text.startswith(("noauth", "error) noauth")):
        return Answer.PASSWORD
    if text.startswith(("noperm", "error) noperm")):
        return Answer.LIMITED
    if text.startswith(("denied", "error) denied")):
        return Answer.PROTECTED
    if text.startswith("integer)") or said in {"0", "1", ":0", ":1"}:
        return Answer.OPEN
    if "connection refused" in text:
        return Answer.CLOSED
    return Answer.UNCLEAR
