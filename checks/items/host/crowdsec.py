"""Are the CrowdSec agent and a bouncer active?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

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
        "エージェントが SSH と Web サーバのログを読み、1つ以上のバウンサーが直近の数分以内に判定を取得している状態。エージェントだけでは何も遮断しません。",
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
    attest_days=180,
)
