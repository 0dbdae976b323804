"""The checklist in the three orders people read it in: by topic, by level, by one of its sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from checks.model import Item, Level, Text
from checks.sources_doc import advice
from fedisec.checklist.board import Row, topics
from fedisec.checklist.state import State

ORDERS = ("topic", "level", "source")
SOURCES = ("003", "000", "001", "002", "004", "+")

_LEVEL_TITLES = {
    Level.REQUIRED: Text("Required", "必須"),
    Level.RECOMMENDED: Text("Recommended", "推奨"),
    Level.OPTIONAL: Text("Optional", "任意"),
}

# The sections of each source in its own order, and how they are called here; "" = the text has none.
_WHOLE = Text("The whole text", "全体")
_SECTIONS: dict[str, dict[str, Text]] = {
    "003": {
        "準備/目的": Text("Preparing: purpose", "準備：目的"),
        "準備/ドメイン": Text("Preparing: domain", "準備：ドメイン"),
        "準備/コンプライアンス": Text("Preparing: compliance", "準備：コンプライアンス"),
        "構築/OS": Text("Building: operating system", "構築：OS"),
        "構築/メールサーバ": Text("Building: mail server", "構築：メールサーバ"),
        "構築/HTTPS": Text("Building: HTTPS", "構築：HTTPS（HTTP over TLS）設定"),
        "構築/ミドルウェア": Text("Building: middleware", "構築：ミドルウェア"),
        "構築/ファイアウォール": Text("Building: firewall", "構築：ファイアウォール"),
        "構築/SSH": Text("Building: SSH", "構築：SSH"),
        "構築/証明書": Text("Building: certificate", "構築：証明書"),
        "運用/脆弱性対応": Text("Running: vulnerabilities", "運用：脆弱性対応"),
        "運用/Mastodon": Text("Running: Mastodon", "運用：Mastodon"),
        "運用/コンプライアンス": Text("Running: compliance", "運用：コンプライアンス"),
        "非常時": Text("In an emergency", "非常時"),
    },
    "000": {
        "Basic": Text("Basic server security", "サーバの基本"),
        "Admin account": Text("Admin account", "管理者アカウント"),
        "Advanced": Text("Advanced", "応用"),
    },
    "001": {
        "Preface": Text("Preface", "序文"),
        "Preface 1": Text("Preface: where to host", "序文：設置場所"),
        "Preface 2": Text("Preface: which software", "序文：ソフトウェア"),
        "Preface 3": Text("Preface: domain", "序文：ドメイン"),
        "Preface 4": Text("Preface: mail and moderation", "序文：メールとモデレーション"),
        "Setting up": Text("Setting up", "セットアップ"),
        "Sign-ups": Text("Securing sign-ups", "新規登録の保護"),
        "Securing outgoing": Text("Securing outgoing connections", "外向き接続の保護"),
    },
    "002": {"": _WHOLE},
    "004": {
        "Upload base_url": Text("Uploads: base_url", "アップロード：base_url"),
        "http": Text("Listening address (http)", "待ち受けアドレス（http）"),
        "secure_cookie_flag": Text("secure_cookie_flag", "secure_cookie_flag"),
        "http_security": Text("http_security", "http_security"),
        "sts": Text("sts", "sts"),
        "referrer_policy": Text("referrer_policy", "referrer_policy"),
        "systemd": Text("systemd", "systemd"),
    },
    "+": {"": Text("What practice has added", "実務から加えた項目")},
}

_COUNTS_NOT = frozenset({State.ACCEPTED, State.NOT_APPLICABLE})


@dataclass(frozen=True)
class Group:
    """Some rows under a title.  `id` is good for an address."""

    id: str
    title: Text
    rows: tuple[Row, ...]

    @property
    def met(self) -> int:
        return sum(row.state.state is State.MET for row in self.rows)

    @property
    def applicable(self) -> int:
        return sum(row.state.state not in _COUNTS_NOT for row in self.rows)


def grouped(rows: Iterable[Row], order: str, source: str) -> list[Group]:
    """`rows` in one of ORDERS (another word counts as the first), empty groups left out.  By source: only the
    items of that one of SOURCES."""
    if order == "level":
        return _by_level(list(rows))
    if order == "source":
        return _by_source(rows, source if source in SOURCES else SOURCES[0])
    return [Group(f"topic-{topic.id}", topic.title, topic.rows) for topic in topics(rows)]


def _by_level(rows: list[Row]) -> list[Group]:
    found = {level: tuple(row for row in rows if row.item.level is level) for level in Level}
    return [Group(f"topic-{level}", _LEVEL_TITLES[level], mine) for level, mine in found.items() if mine]


def _by_source(rows: Iterable[Row], source: str) -> list[Group]:
    places = _places(source)
    found: dict[str, list[Row]] = {name: [] for name in _SECTIONS[source]}
    for row in rows:
        name = section_of(row.item, source)
        if name is not None:
            found.setdefault(name, []).append(row)
    last = len(places)
    return [
        Group(
            f"topic-{number}",
            _SECTIONS[source].get(name) or Text(name, name),
            tuple(sorted(mine, key=lambda row: places.get(row.item.id, last))),
        )
        for number, (name, mine) in enumerate(found.items(), 1)
        if mine
    ]


def section_of(item: Item, source: str) -> str | None:
    """The section of `source` that asks for the item, "" where it has no sections; None: it does not ask."""
    return next((found.section for found in item.sources if found.text == source), None)


@cache
def _places(source: str) -> dict[str, int]:
    """Item id -> its place in the source, where the text was read line by line."""
    places: dict[str, int] = {}
    for said in advice():
        if said.text == source:
            for item_id in said.items:
                places.setdefault(item_id, len(places))
    return places
