"""The checklist in the three orders people read it in: by topic, by level, by one of its sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from checks.items import TOPICS
from checks.model import Item, Level, Text
from fedisec.checklist import own
from fedisec.checklist.board import Row
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
        "Preface 1": Text("Preface: where to host", "序文：設置場所"),
        "Preface 2": Text("Preface: which software", "序文：ソフトウェア"),
        "Preface 3": Text("Preface: domain", "序文：ドメイン"),
        "Preface 4": Text("Preface: mail and moderation", "序文：メールとモデレーション"),
        "Setting up": Text("Setting up", "セットアップ"),
        "Sign-ups": Text("Securing sign-ups", "新規登録の保護"),
        "Securing outgoing": Text("Securing outgoing connections", "外向き接続の保護"),
        "": Text("Elsewhere in the text", "その他の箇所"),
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

# Source 003 asks in an order that the checklist's own does not follow.
_ORDER_003 = (
    "plan.hosting_considered",
    "plan.audience_decided",
    "domain.caa",
    "domain.dnssec",
    "domain.whois_private",
    "domain.contact_mailbox",
    "legal.jurisdiction_known",
    "host.mandatory_access_control",
    "mail.spf",
    "mail.dkim",
    "mail.provider_contract_known",
    "tls.versions",
    "tls.ciphers",
    "tls.rating",
    "http.hsts",
    "http.https_redirect",
    "data.redis_password",
    "data.postgres_password",
    "firewall.databases_closed",
    "data.database_backup",
    "data.backup_offsite",
    "firewall.open_ports",
    "edge.waf",
    "ssh.password_login_off",
    "ssh.port_changed",
    "ssh.source_restricted",
    "ssh.login_notice",
    "tls.expiry_alert",
    "tls.certificate_lasts",
    "tls.renewal_automated",
    "updates.inventory_known",
    "updates.sources_followed",
    "updates.releases_followed",
    "updates.software_current",
    "updates.stack_supported",
    "accounts.admin_password_unique",
    "accounts.password_manager",
    "accounts.admin_two_factor",
    "signup.closed",
    "signup.email_blocklist_known",
    "app.spam_protection",
    "legal.source_published",
    "legal.telecom_filing",
    "legal.terms_prohibit",
    "incident.recovery_plan",
    "data.restore_tested",
)
_PLACE_003 = {item_id: place for place, item_id in enumerate(_ORDER_003)}

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
        return _by(
            rows, lambda item: item.level.value, {level.value: _LEVEL_TITLES[level] for level in Level}
        )
    if order == "source":
        return _by_source(rows, source if source in SOURCES else SOURCES[0])
    return _by(rows, lambda item: item.topic, {**TOPICS, own.TOPIC: own.TITLE})


def _by(rows: Iterable[Row], key: Callable[[Item], str], titles: dict[str, Text]) -> list[Group]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row.item), []).append(row)
    return [Group(f"topic-{name}", titles[name], tuple(found[name])) for name in titles if name in found]


def _by_source(rows: Iterable[Row], source: str) -> list[Group]:
    sections = _SECTIONS[source]
    found: dict[str, list[Row]] = {}
    for row in rows:
        name = section_of(row.item, source)
        if name is not None:
            found.setdefault(name, []).append(row)
    return [
        Group(f"topic-{n}", sections[name], tuple(_in_order(found[name], source)))
        for n, name in enumerate(sections, 1)
        if name in found
    ]


def section_of(item: Item, source: str) -> str | None:
    """The section of `source` that asks for the item, "" where it has no sections; None: it does not ask."""
    return next((found.section for found in item.sources if found.text == source), None)


def _in_order(rows: Sequence[Row], source: str) -> Sequence[Row]:
    if source != "003":
        return rows
    return sorted(rows, key=lambda row: _PLACE_003[row.item.id])
