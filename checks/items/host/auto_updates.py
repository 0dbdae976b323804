"""Are automatic security updates on, and did they run?"""

from datetime import datetime, timedelta

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.model import (
    INSIDE,
    MANUAL,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.host.apt import (
    AptConfig,
    Stamps,
    UpdateRuns,
    parse_apt_config,
    parse_stamps,
    parse_update_units,
)
from checks.parse.host.versions import packages_of

CONFIG = "inside: apt-config dump"
STAMPS = "inside: /var/lib/apt/periodic"
_AGE_MAX = timedelta(days=3)


DEBIAN = """
    sudo apt install unattended-upgrades
    printf 'APT::Periodic::Update-Package-Lists "1";\\nAPT::Periodic::Unattended-Upgrade "1";\\n' | sudo tee /etc/apt/apt.conf.d/20auto-upgrades
    sudo systemctl enable --now apt-daily.timer apt-daily-upgrade.timer
    sudo unattended-upgrade --dry-run --debug"""

REBOOT = """
    Unattended-Upgrade::Automatic-Reboot "true";
    Unattended-Upgrade::Automatic-Reboot-Time "04:30";
    Unattended-Upgrade::Mail "admin@example.net";
    Unattended-Upgrade::MailReport "on-change";"""

RHEL = """
    sudo dnf install dnf-automatic
    sudo sed -i 's/^upgrade_type = .*/upgrade_type = security/; s/^apply_updates = .*/apply_updates = yes/' /etc/dnf/automatic.conf
    sudo systemctl enable --now dnf-automatic.timer"""

FEDORA = """
    sudo dnf install dnf5-plugin-automatic
    sudo cp /usr/share/dnf5/dnf5-plugins/automatic.conf /etc/dnf/automatic.conf
    sudo systemctl enable --now dnf5-automatic.timer"""

ALPINE = """
    printf '#!/bin/sh\\napk upgrade --update-cache --available\\n' | sudo tee /etc/periodic/daily/apk-upgrade
    sudo chmod 755 /etc/periodic/daily/apk-upgrade
    sudo rc-update add crond && sudo rc-service crond start"""

VERIFY = """
    apt-config dump | grep -E 'APT::Periodic::(Enable|Update-Package-Lists|Unattended-Upgrade) '
    ls -l /var/lib/apt/periodic/
    grep -A1 unattended-upgrade /var/log/apt/history.log"""

VERIFY_RHEL = """
    systemctl list-timers 'dnf*automatic*'
    sudo dnf history | head"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(INSIDE, MANUAL),
    sources=(Source("000", "Basic"),),
    references=(
        Reference("Debian Wiki: UnattendedUpgrades", "https://wiki.debian.org/UnattendedUpgrades"),
        Reference("DNF Automatic", "https://dnf.readthedocs.io/en/latest/automatic.html"),
    ),
    title=Text(
        "Automatic security updates are on and did run",
        "セキュリティ更新が自動で適用されている",
    ),
    why=Text(
        "Serious flaws are used within days of becoming known, and nobody reads announcements every day. Machines do not take holidays.",
        "深刻な脆弱性は、公表から数日で攻撃に使われます。告知を毎日読み続けるのは難しいので、自動化しておくのが確実です。",
    ),
    expected=Text(
        "A timer fetches the package lists and installs security updates by itself, and its last success is not older than three days.",
        "タイマーがパッケージ一覧の取得とセキュリティ更新の適用を自動で行い、最後に成功したのが3日以内である状態。",
    ),
    fix=Fix(
        Text(
            "Switch it on and have the result mailed to you. Packages from other sources (PostgreSQL, Node.js, Docker) and software built by hand are not covered unless you name them.",
            "自動更新を有効にし、結果がメールで届くようにします。PostgreSQL・Node.js・Docker などの外部リポジトリや、自分でビルドしたものは、明示しない限り対象になりません。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "Install it, switch it on, try it:\n"
                    + DEBIAN
                    + "\n\nWorth setting in /etc/apt/apt.conf.d/50unattended-upgrades:\n"
                    + REBOOT,
                    "導入して有効にし、試しに実行します。\n"
                    + DEBIAN
                    + "\n\n/etc/apt/apt.conf.d/50unattended-upgrades には、次の設定も入れておくと安心です。\n"
                    + REBOOT,
                ),
            ),
            (
                "RHEL, AlmaLinux, Rocky",
                Text(
                    "Security updates alone, installed each day:\n" + RHEL,
                    "セキュリティ更新だけを毎日適用します。\n" + RHEL,
                ),
            ),
            (
                "Fedora",
                Text(
                    "Set upgrade_type = security and apply_updates = yes in the copied file:\n" + FEDORA,
                    "コピーしたファイルで upgrade_type = security と apply_updates = yes を設定します。\n"
                    + FEDORA,
                ),
            ),
            (
                "Alpine",
                Text(
                    "A daily job, as there is no tool for it:\n" + ALPINE,
                    "専用の道具がないため、毎日のジョブを置きます。\n" + ALPINE,
                ),
            ),
        ),
    ),
    verify=Text(
        "That the timer fired does not mean that something was installed; look at the stamps and the history. Debian/Ubuntu:\n"
        + VERIFY
        + "\n\nRHEL family:\n"
        + VERIFY_RHEL,
        "タイマーが動いても適用されたとは限らないため、日時の記録と履歴を確認します。Debian/Ubuntu の場合：\n"
        + VERIFY
        + "\n\nRHEL 系の場合：\n"
        + VERIFY_RHEL,
    ),
    attest_days=180,
    codes={
        "ran": Text(
            "Security updates are installed automatically; the last run that ended well was {hours} hours ago.",
            "セキュリティ更新が自動で適用されており、最後に成功したのは {hours} 時間前です。",
        ),
        "off": Text(
            "apt's daily job is not set to install security updates; missing: {missing}.",
            "自動更新が設定されていません（apt に不足している設定：{missing}）。",
        ),
        "not_installed": Text(
            "The package unattended-upgrades is not installed, and apt's daily job has no settings.",
            "unattended-upgrades が入っておらず、apt の自動更新の設定もありません。",
        ),
        "timer_off": Text(
            "It is configured, but the timer that starts it is off: {timers}.",
            "設定はされていますが、起動するタイマーが止まっています（{timers}）。",
        ),
        "stale": Text(
            "It is configured, but the last run that ended well was {days} days ago.",
            "設定はされていますが、最後に成功したのは {days} 日前です。",
        ),
        "never_ran": Text(
            "It is configured, but there is no trace yet of a run that ended well.",
            "設定はされていますが、成功した記録がまだありません。",
        ),
        "dnf": Text(
            "A timer of dnf-automatic is active; whether it installs, and did, cannot be seen.",
            "dnf-automatic のタイマーは動いていますが、実際に適用まで行われているかは確認できません。",
        ),
        "other_system": Text(
            "This system updates by neither apt nor dnf-automatic; what does it?",
            "この環境の自動更新は apt でも dnf-automatic でもありません。どの仕組みを使っていますか。",
        ),
        "not_seen": Text(
            "Nothing was heard of the settings for automatic updates.",
            "自動更新の設定を読み取れませんでした。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    config = parse_apt_config(inside.lines("apt_config"))
    runs = parse_update_units(inside.lines("update_units"))
    if config is None:
        return _without_apt_config(inside, runs)
    missing = _missing(config)
    if missing:
        return failed("off", missing=missing).seen(CONFIG, f"missing: {missing}")
    stopped = [name for name in runs.inactive if name.startswith("apt-")] if runs else []
    if stopped:
        timers = ", ".join(stopped)
        return failed("timer_off", timers=timers).seen("inside: systemctl show", f"not active: {timers}")
    return _by_stamps(parse_stamps(inside.lines("update_stamps")), inside.seen_at)


def _missing(config: AptConfig) -> str:
    """What is not set, in the words of apt's configuration."""
    wanted = (
        (config.enabled, "APT::Periodic::Enable"),
        (config.lists, "APT::Periodic::Update-Package-Lists"),
        (config.upgrade, "APT::Periodic::Unattended-Upgrade"),
        (config.security, "Unattended-Upgrade::Origins-Pattern"),
    )
    return ", ".join(name for there, name in wanted if not there)


def _without_apt_config(inside: Inside, runs: UpdateRuns | None) -> Verdict:
    dnf = [name for name in runs.active if name.startswith("dnf")] if runs else []
    if dnf:
        return asked("dnf").seen("inside: systemctl show", f"active: {', '.join(dnf)}")
    if "== apt-config absent" in inside.lines("apt_config"):
        return asked("other_system").seen(CONFIG, "apt-config is not there")
    if runs and "unattended-upgrades.service" in runs.absent:
        return failed("not_installed").seen(
            "inside: systemctl show", "unattended-upgrades.service: not-found"
        )
    packages = packages_of(inside)
    if packages and not any(package.name == "unattended-upgrades" for package in packages):
        return failed("not_installed").seen("inside: packages", "unattended-upgrades: not installed")
    return unknown("not_seen", Reason.NOT_ASKED)


def _by_stamps(stamps: Stamps, now: datetime) -> Verdict:
    """Both halves count: the lists of packages, and the installing."""
    if stamps.lists is None or stamps.upgrade is None:
        return warned("never_ran").seen(STAMPS, "no stamp of a finished run")
    shown = f"lists {stamps.lists:%Y-%m-%d %H:%M} UTC\nupgrade {stamps.upgrade:%Y-%m-%d %H:%M} UTC"
    age = now - min(stamps.lists, stamps.upgrade)
    if age > _AGE_MAX:
        return failed("stale", days=age.days).seen(STAMPS, shown)
    return passed("ran", hours=max(0, round(age / timedelta(hours=1)))).seen(STAMPS, shown)
