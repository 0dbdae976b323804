"""What each section of the collector's report is about, in a few words for people."""

from __future__ import annotations

from checks.model import Text

SECTIONS: dict[str, Text] = {
    "meta": Text("The account, the kernel and the clock", "アカウント・カーネル・時計"),
    "release": Text("Release of the operating system", "OS の種類とバージョン"),
    "sshd_effective": Text("SSH settings in force", "SSH の実効設定"),
    "sshd_files": Text("SSH configuration files", "SSH の設定ファイル"),
    "sshd_unit": Text("State of the SSH service", "SSH サービスの状態"),
    "login_notice": Text("Notices of logins", "ログイン通知"),
    "fail2ban": Text("fail2ban and its jails", "fail2ban と監視対象（jail）"),
    "crowdsec": Text("CrowdSec and its bouncers", "CrowdSec とバウンサー"),
    "nft": Text("Firewall rules of nftables", "nftables のルール"),
    "iptables": Text("Firewall rules of iptables", "iptables のルール"),
    "ufw": Text("State of ufw", "ufw の状態"),
    "firewalld": Text("State of firewalld", "firewalld の状態"),
    "sockets": Text("Ports that programs listen on", "待ち受けているポート"),
    "docker": Text("Containers and their ports", "コンテナと公開ポート"),
    "apt_config": Text("Settings of automatic updates", "自動更新の設定"),
    "update_units": Text("Timers of automatic updates", "自動更新のタイマー"),
    "update_stamps": Text("When updates ran last", "最後に更新が実行された日時"),
    "updates_pending": Text("Updates that wait", "未適用の更新"),
    "reboot": Text("Whether a restart is pending", "再起動の要否"),
    "mac": Text("AppArmor and SELinux", "AppArmor・SELinux"),
    "accounts": Text("Administrators and empty passwords", "管理者アカウントと空のパスワード"),
    "time": Text("Synchronisation of the clock", "時刻同期"),
    "disk": Text("Space on the disks", "ディスクの空き容量"),
    "redis": Text("Redis: password and addresses", "Redis のパスワードと待ち受け"),
    "postgres": Text("PostgreSQL: who is let in", "PostgreSQL の認証"),
    "backups": Text("Backup jobs and the age of their files", "バックアップの実行状況と新しさ"),
    "cert_renewal": Text("Renewal of certificates", "証明書の自動更新"),
    "units": Text("Sandboxing of the app's services", "アプリのサービスの隔離設定"),
    "app_files": Text("Who may read the app's configuration", "アプリの設定ファイルの権限"),
    "app_config": Text("The app's settings, without secrets", "アプリの設定（秘密の値を除く）"),
    "app_accounts": Text("Staff accounts and second factors, counted", "運営アカウントと二段階認証の件数"),
    "waf": Text("Web application firewall", "WAF"),
    "proxy": Text("Settings of nginx", "nginx の設定"),
    "edr": Text("Intrusion detection", "侵入検知"),
    "opensnitch": Text("OpenSnitch", "OpenSnitch"),
    "egress": Text("Tunnels, VPNs and ways out", "トンネル・VPN・外向きの経路"),
    "mail": Text("Outgoing mail and its signatures", "メールの送信と署名"),
    "versions": Text("Versions of programs", "プログラムのバージョン"),
    "packages": Text("Versions of packages", "パッケージのバージョン"),
}


def describe(name: str) -> Text:
    """The words for a section; its name for one that is not known, as of a newer collector."""
    return SECTIONS.get(name) or Text(name, name)
