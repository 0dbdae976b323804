"""The story that the demo tells: three servers over ninety days.  What each look saw is put together from the
facts of two real servers; what follows from it is judged like any other look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DAYS = 90
SEATED = 44
SEATED_TEXT = ("Went through it together at the monthly meeting.", "月例の打ち合わせで一緒に確認した。")

WEB = ("FrontPage", "NoSuchPage", "SignInPage", "ApiPage")
MAIL_POLICY = ("SpfAnswers", "DmarcAnswers", "DkimAnswers")
MAIL_HOSTS = ("MailRoutes", "SmtpHosts", "MtaSts")
OUTSIDE = (
    *WEB,
    *MAIL_HOSTS,
    "PlainHttp",
    "SecurityTxt",
    "TlsOffer",
    "WebCertificates",
    "OpenPorts",
    "SshService",
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """From `first` to `last` days ago, both included, `kinds` of facts were as `seen` says: "good", "bad", or
    "silent" (nothing answered)."""

    first: int
    last: int
    seen: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """The version that ran from that many days ago on."""

    since: int
    version: str


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said: an answer (`met`), a waiver (`kind`) or else a note, so many days ago."""

    days_ago: int
    item_id: str
    text: tuple[str, str]  # English, Japanese
    met: bool | None = None
    kind: str = ""
    days: int = 180


@dataclass(frozen=True, slots=True)
class Server:
    """One server of the demo.  `base`: which facts stand where no chapter says otherwise."""

    domain: str
    base: str
    software: Mapping[str, str]
    releases: tuple[Release, ...]
    address: tuple[str, str]
    chapters: tuple[Chapter, ...]
    words: tuple[Word, ...] = ()
    answered: tuple[str, ...] = ()  # items that the team went through together, SEATED days ago


GOOD = Server(
    "demo-good.example",
    "good",
    {"name": "mastodon", "family": "mastodon", "source_url": "https://github.com/mastodon/mastodon"},
    (Release(89, "4.5.4"), Release(71, "4.7.3")),
    ("192.0.2.11", "2001:db8::11"),
    (
        Chapter(89, 78, "bad", ("SshService", "OpenPorts")),
        Chapter(89, 69, "bad", WEB),
        Chapter(89, 58, "bad", ("DmarcAnswers", "CaaClimb")),
        Chapter(89, 40, "bad", ("SecurityTxt",)),
        Chapter(33, 32, "bad", ("OpenPorts",)),
        Chapter(19, 19, "silent", OUTSIDE),
    ),
    (
        Word(
            80,
            "data.restore_tested",
            (
                "Restored the dump of 1 September on a spare machine in 40 minutes.",
                "9 月 1 日のダンプを予備機に 40 分で復元できた。",
            ),
            met=True,
            days=90,
        ),
        Word(
            74,
            "plan.audience_decided",
            ("A server for a choir of fifty people.", "合唱団 50 人のためのサーバ。"),
            met=True,
            days=365,
        ),
        Word(
            74,
            "plan.hosting_considered",
            ("We run it ourselves, two of us.", "2 人で自前運用する。"),
            met=True,
            days=90,
        ),
        Word(
            60,
            "edge.cdn",
            ("Fifty people need no CDN.", "50 人なら CDN は不要。"),
            kind="accepted_risk",
            days=240,
        ),
        Word(
            32,
            "firewall.open_ports",
            (
                "The new container published its port past the firewall; bound to 127.0.0.1 now.",
                "新しいコンテナのポートがファイアウォールを素通りしていた。127.0.0.1 に束縛して解消。",
            ),
        ),
    ),
    (
        *("accounts.admin_password_strong", "accounts.admin_password_unique", "accounts.admin_separate"),
        *("accounts.admin_two_factor", "accounts.password_manager", "host.provider_account_secured"),
        *("data.database_backup", "data.postgres_password", "data.redis_password", "data.backup_offsite"),
        *("firewall.host_enabled", "host.auto_updates", "host.os_supported", "host.fail2ban"),
        *("legal.jurisdiction_known", "legal.telecom_filing", "plan.moderation_ready", "plan.outgoing_mail"),
        *(
            "tls.renewal_automated",
            "signup.rate_limited",
            "incident.recovery_plan",
            "updates.inventory_known",
        ),
    ),
)

MIDDLING = Server(
    "demo-middling.example",
    "good",
    {"name": "akkoma", "family": "akkoma", "source_url": "https://akkoma.dev/AkkomaGang/akkoma"},
    (Release(89, "3.15.2"), Release(45, "3.21.0")),
    ("192.0.2.12", "2001:db8::12"),
    (
        Chapter(89, 0, "bad", ("CaaClimb", "MtaSts", "SecurityTxt", "NameServers")),
        Chapter(89, 0, "bad", WEB),
        Chapter(89, 62, "bad", ("TlsOffer",)),
        Chapter(89, 48, "bad", MAIL_POLICY),
        Chapter(89, 26, "bad", ("SshService",)),
        Chapter(89, 12, "bad", ("MediaSample", "SignedFetch")),
        Chapter(37, 36, "silent", OUTSIDE),
        Chapter(4, 0, "silent", ("SmtpHosts",)),
        Chapter(0, 0, "bad", ("OpenPorts",)),
    ),
    (
        Word(
            83,
            "data.restore_tested",
            ("Never tried so far.", "まだ試していない。"),
            met=False,
            days=90,
        ),
        Word(
            40,
            "ssh.port_changed",
            ("Keys only; the port would hide nothing.", "鍵認証のみ。ポートを変えても隠せるものはない。"),
            kind="compensated",
            days=120,
        ),
        Word(
            35,
            "http.csp",
            (
                "The policy comes from the software; asked upstream.",
                "CSP はソフトウェア側の設定。開発元に問い合わせた。",
            ),
        ),
    ),
    (
        *("accounts.admin_password_strong", "accounts.admin_password_unique", "host.auto_updates"),
        *(
            "data.database_backup",
            "firewall.host_enabled",
            "plan.hosting_considered",
            "legal.jurisdiction_known",
        ),
    ),
)

BAD = Server(
    "demo-bad.example",
    "bad",
    {"name": "misskey", "family": "misskey", "source_url": "https://github.com/misskey-dev/misskey"},
    (Release(89, "2025.4.0"),),
    ("192.0.2.13", ""),
    (
        Chapter(89, 61, "good", ("OpenPorts",)),
        Chapter(89, 44, "good", ("TlsOffer", "SshService")),
        Chapter(89, 29, "good", ("Registration", *MAIL_HOSTS)),
        Chapter(89, 10, "good", ("WebCertificates",)),
        Chapter(16, 0, "good", ("PlainHttp",)),
        Chapter(89, 0, "good", ("CaaClimb", "Dnssec", "NameServers", "SpfAnswers", "DkimAnswers")),
        Chapter(89, 0, "good", ("PanelPaths", "MediaSample", "ContactDomain", "NoSuchPage")),
        Chapter(52, 51, "silent", OUTSIDE),
        Chapter(89, 1, "good", ("SecretPaths",)),
    ),
    (
        Word(
            9,
            "tls.certificate_lasts",
            (
                "The renewal stopped when the proxy was replaced.",
                "リバースプロキシの入れ替え後、更新が止まっている。",
            ),
        ),
    ),
)

SERVERS = (GOOD, MIDDLING, BAD)
