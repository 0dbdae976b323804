"""Are automatic security updates on, and did they run?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

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
)
