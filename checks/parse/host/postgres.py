"""How PostgreSQL takes somebody who gives no password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from checks.parse.host.common import parts

_TYPES = frozenset({"local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"})
# What the client says comes in English, the collector asks for that; what the server says may be translated.
_SAYS = (
    ('role "fedisec_probe_nosuchrole" does not exist', "trust"),  # said behind the authentication
    ("no password supplied", "password"),
    ("password authentication failed", "password"),
    ("peer authentication failed", "peer"),
    ("ident authentication failed", "peer"),
    ("no pg_hba.conf entry", "closed"),
    ("pg_hba.conf rejects", "closed"),
    ("certificate authentication failed", "password"),
    ("connection requires a valid client certificate", "password"),
    ("connection refused", "absent"),
    ("no such file or directory", "absent"),
    ('ロール"fedisec_probe_nosuchrole"は存在しません', "trust"),
    ("パスワード認証に失敗しました", "password"),
    ("証明書認証に失敗しました", "password"),
    ("有効なクライアント証明が必要です", "password"),
    ("(peer)認証に失敗しました", "peer"),
    ("ident認証に失敗しました", "peer"),
    ("のエントリがありません", "closed"),
    ("の接続を拒否しました", "closed"),
)


_PORT = 5432
# "15/main" of Debian's two folders of a cluster, "data" or "15" of the one folder that others have.
_CLUSTER = re.compile(
    r"/(?:etc/postgresql|var/lib/postgresql|var/lib/pgsql)/(?:(.{1,80}?)/)?(?:data/)?(?:conf\.d/)?[^/]+"
)


class Way(StrEnum):
    TRUST = "trust"  # in without any proof
    PASSWORD = "password"
    PEER = "peer"  # by the account on the machine
    CLOSED = "closed"  # no line of pg_hba.conf lets it in
    ABSENT = "absent"  # nobody listens
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class PostgresProbe:
    """`where`: an address, or the directory of the Unix socket; ":PORT" behind it where that is not 5432."""

    where: str
    way: Way
    said: str

    @property
    def port(self) -> int:
        _, colon, text = self.where.rpartition(":")
        return int(text) if colon and text.isascii() and text.isdigit() and len(text) <= 5 else _PORT

    @property
    def by_socket(self) -> bool:
        return self.where.startswith("/")


@dataclass(frozen=True, slots=True)
class HbaLine:
    """One line of pg_hba.conf; `address` is "" for local ones."""

    path: str
    kind: str
    database: str
    user: str
    address: str
    method: str

    @property
    def text(self) -> str:
        return " ".join(
            word for word in (self.kind, self.database, self.user, self.address, self.method) if word
        )


@dataclass(frozen=True, slots=True)
class PostgresView:
    probes: tuple[PostgresProbe, ...]
    hba: tuple[HbaLine, ...]
    hba_denied: bool  # not all of the rules could be read: no right to, or they stand in included files
    settings: tuple[tuple[str, dict[str, str]], ...]
    tool: bool  # psql was there to ask

    def ports_with_rules(self) -> frozenset[str]:
        """The ports of the servers whose rules are among `hba`, going by their settings.  One that runs in a
        container, or was built by hand, has its own elsewhere."""
        clusters: dict[str, dict[str, str]] = {}
        for path, settings in self.settings:
            if key := _cluster(path):
                clusters.setdefault(key, {}).update(settings)
        files = {_cluster(line.path): line.path for line in self.hba}
        return frozenset(
            settings.get("port", str(_PORT))
            for key, settings in clusters.items()
            if key in files and settings.get("hba_file", files[key]) == files[key]
        )


def parse_postgres(lines: tuple[str, ...]) -> PostgresView:
    """The section "postgres"."""
    probes: list[PostgresProbe] = []
    hba: list[HbaLine] = []
    settings, refused, tool = [], False, True
    for part in parts(lines):
        where = part.rest.partition(" ")[0]
        if part.label in {"probe", "psql"} and part.absent:
            tool = False
        elif part.label == "probe" and where:
            said = " ".join(line.strip() for line in part.lines if line.strip())
            probes.append(PostgresProbe(where, _way(said), said[:300]))
        elif part.label == "hba" and (part.rest.endswith("denied") or part.denied):
            refused = True
        elif part.label == "hba":
            refused = refused or any(_is_hidden(text) for text in part.lines)
            hba.extend(line for text in part.lines if (line := _hba(where, text)))
        elif part.label == "conf" and not part.rest.endswith("denied"):
            settings.append((where, dict(_setting(line) for line in part.lines)))
    return PostgresView(tuple(probes), tuple(hba), refused, tuple(settings), tool)


def _cluster(path: str) -> str:
    found = _CLUSTER.fullmatch(path)
    return (found[1] or "") if found else ""


def _way(said: str) -> Way:
    text = said.lower()
    if text == "1":
        return Way.TRUST
    return next((Way(way) for words, way in _SAYS if words.lower() in text), Way.UNCLEAR)


def _hba(path: str, text: str) -> HbaLine | None:
    """Fields without their quotes; an address with a mask in a field of its own has six."""
    words = [word.strip('"') for word in text.split()]
    if not words or words[0].lower() not in _TYPES:
        return None
    kind = words[0].lower()
    if kind == "local":
        return HbaLine(path, kind, words[1], words[2], "", words[3].lower()) if len(words) >= 4 else None
    if len(words) == 5:
        return HbaLine(path, kind, words[1], words[2], words[3], words[4].lower())
    if len(words) >= 6:
        return HbaLine(path, kind, words[1], words[2], f"{words[3]} {words[4]}", words[5].lower())
    return None


def _is_hidden(text: str) -> bool:
    """The line names a file with further rules, or a method that was not understood."""
    words = text.split()
    return bool(words) and (words[0].startswith("include") or words[-1] == "?")


def _setting(line: str) -> tuple[str, str]:
    """`name = 'value'  # remark`; PostgreSQL takes a blank for the sign too."""
    text = line.partition("#")[0].strip()
    name, equals, value = text.partition("=")
    if not equals:
        name, _, value = text.partition(" ")
    return name.strip().lower(), value.strip().strip("'")
