"""Does Wazuh or another EDR agent run, and is it connected?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

DEBIAN = """
    curl -fsSL https://packages.wazuh.com/key/GPG-KEY-WAZUH | sudo gpg --dearmor -o /usr/share/keyrings/wazuh.gpg
    echo 'deb [signed-by=/usr/share/keyrings/wazuh.gpg] https://packages.wazuh.com/4.x/apt/ stable main' | sudo tee /etc/apt/sources.list.d/wazuh.list
    sudo apt update
    sudo WAZUH_MANAGER=wazuh.example.net apt install wazuh-agent
    sudo systemctl enable --now wazuh-agent"""

RHEL = """
    sudo rpm --import https://packages.wazuh.com/key/GPG-KEY-WAZUH
    sudo WAZUH_MANAGER=wazuh.example.net dnf install wazuh-agent
    sudo systemctl enable --now wazuh-agent"""

FALCO = """
    sudo apt install falco
    sudo systemctl enable --now falco-modern-bpf"""

AUDITD = """
    sudo apt install auditd
    printf -- '-w /etc/ssh -p wa -k ssh\\n-w /etc/sudoers.d -p wa -k sudo\\n-w /etc/cron.d -p wa -k cron\\n' | sudo tee /etc/audit/rules.d/fedi.rules
    sudo augenrules --load"""

VERIFY = """
    systemctl is-active wazuh-agent
    sudo grep ^status /var/ossec/var/run/wazuh-agentd.state"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE, MANUAL),
    sources=(Source("000", "Advanced"),),
    title=Text(
        "An endpoint detection agent runs and is connected",
        "EDR などの侵入検知エージェントが動作し、接続されている",
    ),
    why=Text(
        "Prevention fails some day. An agent that reports changed files, new accounts and odd processes to another machine tells you so, and the intruder cannot delete what has been sent.",
        "どれほど予防しても、いつかは破られることがあります。ファイルの改変、新しいアカウント、不審なプロセスを別のマシンに知らせる仕組みがあれば早く気づけ、送信済みの記録は侵入者にも消せません。",
    ),
    expected=Text(
        "Wazuh, Falco, a commercial EDR or auditd with forwarding runs, its manager hears from it, and somebody reads the alerts.",
        "Wazuh・Falco・商用の EDR・転送を設定した auditd などが動作し、管理側が受信していて、通知を誰かが見ている状態。",
    ),
    fix=Fix(
        Text(
            "Choose something whose alerts you will read. A Wazuh manager needs a machine of its own with about 8 GB of memory; for a single server Falco or auditd with mail is the lighter way.",
            "通知を読み続けられるものを選びます。Wazuh のマネージャには、8GB ほどのメモリを持つ別のマシンが必要です。サーバ1台なら、Falco や、メール通知を組み合わせた auditd が手軽です。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text("The Wazuh agent:\n" + DEBIAN, "Wazuh エージェントの導入手順：\n" + DEBIAN),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "The Wazuh agent, after adding the project's repository:\n" + RHEL,
                    "公式のリポジトリを追加してから、Wazuh エージェントを入れます。\n" + RHEL,
                ),
            ),
            (
                "Falco",
                Text(
                    "After adding the project's repository:\n" + FALCO,
                    "公式のリポジトリを追加してから入れます。\n" + FALCO,
                ),
            ),
            (
                "auditd",
                Text(
                    "A small beginning, without a manager:\n" + AUDITD,
                    "マネージャなしで始める小さな構成の例です。\n" + AUDITD,
                ),
            ),
        ),
    ),
    verify=Text(
        "Wazuh: the service is active and the status is connected:\n" + VERIFY,
        "Wazuh の場合、サービスが動いていて、status が connected であることを確認します。\n" + VERIFY,
    ),
    attest_days=180,
)
