"""The catalogue: one item per file, found by walking this package; topics in the order of the checklist."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from checks.model import Item, Level, Text

TOPICS: dict[str, Text] = {
    "plan": Text("Planning", "準備と計画"),
    "domain": Text("Domain", "ドメイン"),
    "legal": Text("Law and licences", "コンプライアンス"),
    "host": Text("Operating system", "OS とホスト"),
    "mail": Text("Mail", "メール"),
    "tls": Text("TLS and certificates", "TLS と証明書"),
    "http": Text("Web headers", "HTTP ヘッダ"),
    "data": Text("Databases and backups", "ミドルウェアとバックアップ"),
    "firewall": Text("Firewall", "ファイアウォール"),
    "edge": Text("In front of the server", "サーバの手前"),
    "ssh": Text("SSH", "SSH"),
    "updates": Text("Updates", "脆弱性対応"),
    "accounts": Text("Admin accounts", "管理者アカウント"),
    "signup": Text("Sign-up", "新規登録"),
    "app": Text("The fediverse software", "分散SNSソフトウェア"),
    "systemd": Text("systemd unit", "systemd ユニット"),
    "incident": Text("When it happens", "非常時"),
}

_LEVEL_ORDER = {Level.REQUIRED: 0, Level.RECOMMENDED: 1, Level.OPTIONAL: 2}


@cache
def all_items() -> dict[str, Item]:
    """Every item by id: topics in order, within a topic by level, then by id."""
    found: list[Item] = []
    for topic in TOPICS:
        package = importlib.import_module(f"{__name__}.{topic}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            found.append(importlib.import_module(module.name).item)
    order = list(TOPICS)
    found.sort(key=lambda i: (order.index(i.topic), _LEVEL_ORDER[i.level], i.id))
    return {item.id: item for item in found}
