"""Are the CrowdSec agent and a bouncer active?  The agent only judges; a bouncer that asks it carries bans out."""

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
)
from checks.parse.host.common import server_time
from checks.parse.host.crowdsec import Crowdsec, parse_crowdsec
from checks.parse.host.docker import parse_docker
from checks.parse.host.firewall_rules import shown

DEBIAN = """
    curl -fsSL https://install.crowdsec.net | sudo sh
    sudo apt install crowdsec crowdsec-firewall-bouncer-nftables"""

RHEL = """
    curl -fsSL https://install.crowdsec.net | sudo sh
    sudo dnf install crowdsec crowdsec-firewall-bouncer-nftables"""

SET_UP = """
    sudo cscli collections install crowdsecurity/linux crowdsecurity/sshd crowdsecurity/nginx
    sudo cscli allowlists create fedisec -d 'security checks'
    sudo cscli allowlists add fedisec 198.51.100.7
    sudo systemctl reload crowdsec
    sudo cscli console enroll KEY"""

DOCKER = """
    iptables_chains:
      - INPUT
      - FORWARD
      - DOCKER-USER"""

VERIFY = """
    systemctl is-active crowdsec crowdsec-firewall-bouncer
    sudo cscli bouncers list
    sudo cscli metrics show acquisition"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE, MANUAL),
    sources=(Source("000", "Advanced"),),
    references=(
        Reference("CrowdSec: Documentation", "https://docs.crowdsec.net/"),
        Reference("CrowdSec: Firewall bouncer", "https://docs.crowdsec.net/u/bouncers/firewall/"),
    ),
    title=Text(
        "CrowdSec and a bouncer are active",
        "CrowdSec とバウンサーが動作している",
    ),
    why=Text(
        "CrowdSec shares the addresses of attackers among its users, so many are blocked before they try here. In return your server reports the attacks it sees.",
        "CrowdSec は攻撃元のアドレスを利用者の間で共有するため、攻撃される前に遮断できることがあります。その代わり、自分のサーバが受けた攻撃の情報も送られます。",
    ),
    expected=Text(
        "The agent reads the logs of SSH and of the web server, and at least one bouncer asked for decisions within the last minutes. An agent alone blocks nobody.",
        "エージェントが SSH とウェブサーバのログを読み、1つ以上のバウンサーが直近の数分以内に判定を取得している状態。エージェントだけでは何も遮断しません。",
    ),
    fix=Fix(
        Text(
            "Install agent and firewall bouncer, add the collections that fit, and put the address of fedisec on the allow list:\n"
            + SET_UP,
            "エージェントとファイアウォール用バウンサーを入れ、環境に合ったコレクションを加えます。fedisec のアドレスは許可リストに登録してください。\n"
            + SET_UP,
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "From the project's own source:\n" + DEBIAN, "公式のリポジトリから入れます。\n" + DEBIAN
                ),
            ),
            (
                "RHEL/Fedora",
                Text("From the project's own source:\n" + RHEL, "公式のリポジトリから入れます。\n" + RHEL),
            ),
            (
                "Docker",
                Text(
                    "With the iptables bouncer, in crowdsec-firewall-bouncer.yaml, or published ports stay open to banned addresses:\n"
                    + DOCKER,
                    "iptables 版のバウンサーでは、crowdsec-firewall-bouncer.yaml に次の設定が必要です。ないと、公開したポートに遮断が効きません。\n"
                    + DOCKER,
                ),
            ),
        ),
    ),
    verify=Text(
        "Both are active, the bouncer's last pull is recent, and lines were read and parsed:\n" + VERIFY,
        "両方が動いていて、バウンサーの最終取得が新しく、ログが読まれて解析されていることを確認します。\n"
        + VERIFY,
    ),
    codes={
        "active": Text(
            "The agent is active, and a bouncer asked it for decisions within the last minutes: {names}.",
            "エージェントが動作しており、バウンサーが直近の数分以内に判定を取得しています（{names}）。",
        ),
        "units_active": Text(
            "The agent and a bouncer are active ({names}). When it last asked, root alone may see.",
            "エージェントとバウンサー（{names}）が動作しています。最後に判定を取得した時刻は root でないと確認できません。",
        ),
        "in_container": Text(
            "CrowdSec runs in a container ({names}). Say whether a bouncer carries its bans out.",
            "CrowdSec がコンテナで動いています（{names}）。バウンサーが遮断を実行しているかどうかを回答してください。",
        ),
        "not_installed": Text("CrowdSec is not installed.", "CrowdSec は入っていません。"),
        "agent_off": Text(
            "CrowdSec is installed, but its agent is not active.",
            "CrowdSec は入っていますが、エージェントが動作していません。",
        ),
        "no_bouncer": Text(
            "The agent is active, but no bouncer is registered, so that nobody is blocked.",
            "エージェントは動作していますが、バウンサーが登録されていないため、何も遮断されません。",
        ),
        "not_pulling": Text(
            "The agent is active, but no bouncer asked it within the last 10 minutes ({names}).",
            "エージェントは動作していますが、直近10分間に判定を取得したバウンサーがありません（{names}）。",
        ),
        "not_seen": Text(
            "The agent or its bouncers could not be seen.",
            "エージェントかバウンサーの状態を確認できませんでした。",
        ),
    },
    attest_days=180,
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    lines = inside.lines("crowdsec")
    found = parse_crowdsec(lines)
    if not found.installed:
        return _not_here(inside, lines)
    if found.agent is None:
        return unknown("not_seen", Reason.NO_TOOL)
    if not found.agent:
        return failed("agent_off").seen("inside: systemctl show", "crowdsec.service: not active")
    return _bouncing(found, inside)


def _bouncing(found: Crowdsec, inside: Inside) -> Verdict:
    label = "inside: cscli bouncers list"
    if found.bouncers is None:
        if found.running:
            names = ", ".join(found.running)
            return passed("units_active", names=names).seen("inside: systemctl show", found.evidence())
        return unknown("not_seen", Reason.DENIED if found.denied else Reason.MALFORMED)
    if not found.bouncers:
        return failed("no_bouncer").seen(label, "(empty)")
    pulling = found.pulling(server_time(inside))
    if not pulling:
        names = ", ".join(one.name for one in found.bouncers)
        return failed("not_pulling", names=names).seen(label, found.evidence())
    return passed("active", names=", ".join(one.name for one in pulling)).seen(label, found.evidence())


def _not_here(inside: Inside, lines: tuple[str, ...]) -> Verdict:
    containers = [name for name, image in parse_docker(shown(inside, "docker")).images if "crowdsec" in image]
    if containers:
        names = ", ".join(containers)
        return asked("in_container", names=names).seen("inside: docker ps", names)
    if not any(line.startswith("== ") for line in lines):
        return unknown("not_seen", Reason.MALFORMED)
    return failed("not_installed").seen("inside: systemctl show, cscli", "not found")
