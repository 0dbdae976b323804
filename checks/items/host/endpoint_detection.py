"""Does Wazuh or another EDR agent run, and is it connected?"""

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
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.host.edr import Agents, parse_agents

LABEL = "inside: units and processes"
# They watch too, but tell nobody else.
_LOCAL = frozenset(
    {"auditd", "clamav-daemon", "clamav-freshclam", "clamd", "freshclam", "aide.timer", "rkhunter.timer"}
)


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
    references=(
        Reference("Wazuh: Documentation", "https://documentation.wazuh.com/current/"),
        Reference("Falco: Documentation", "https://falco.org/docs/"),
    ),
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
    codes={
        "connected": Text(
            "wazuh-agent is active and connected to its manager.",
            "wazuh-agent が動作し、マネージャに接続されています。",
        ),
        "active": Text("{agent} is active.", "{agent} が動作しています。"),
        "disconnected": Text(
            'wazuh-agent is active, but its state is "{state}": nobody hears it.',
            "wazuh-agent は動いていますが、状態が「{state}」のため、通知がどこにも届きません。",
        ),
        "down": Text(
            "{agent} is installed, but not active.", "{agent} は導入されていますが、動いていません。"
        ),
        "audit_only": Text(
            "Only {agent} is active; what it finds stays on this machine unless it is forwarded.",
            "動いているのは {agent} だけです。転送を設定しないと、記録はこのサーバにしか残りません。",
        ),
        "state_denied": Text(
            "wazuh-agent is active; only root may see whether it is connected.",
            "wazuh-agent は動いていますが、接続されているかは root でないと確認できません。",
        ),
        "none": Text(
            "None of the agents that fedisec knows is active.",
            "fedisec の知るエージェントは、どれも動いていません。",
        ),
        "not_seen": Text(
            "Units and processes could not be listed.", "ユニットとプロセスの一覧を取得できませんでした。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    agents = parse_agents(facts.get(Inside).lines("edr"))
    running = dict.fromkeys((*agents.active, *agents.processes))
    shown = ", ".join(running)
    if any(name.startswith("wazuh") for name in running):
        return _wazuh(agents).seen(LABEL, shown)
    others = [name for name in running if name not in _LOCAL]
    if others:
        return passed("active", agent=others[0]).seen(LABEL, shown)
    down = [name for name in agents.down if name not in _LOCAL - {"auditd"}]
    if down:
        return failed("down", agent=down[0]).seen(LABEL, f"not active: {', '.join(down)}")
    if running:
        return warned("audit_only", agent=next(iter(running))).seen(LABEL, shown)
    if not agents.asked:
        return unknown("not_seen", Reason.NO_TOOL)
    return warned("none").seen(LABEL, "no unit and no process of the known agents")


def _wazuh(agents: Agents) -> Verdict:
    if agents.connection == "connected":
        return passed("connected")
    if agents.connection:
        return failed("disconnected", state=agents.connection)
    return unknown("state_denied", Reason.DENIED)
