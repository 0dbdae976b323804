"""Does a firewall of the provider open SSH only while it is needed?

From outside alone nobody can tell: an open port may be open just now, a silent one may have other reasons."""

from checks.facts import Facts
from checks.facts.ssh import SshService
from checks.model import MANUAL, OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, asked, unknown

AWS_OPEN = """
    aws ec2 authorize-security-group-ingress --group-id sg-ID --protocol tcp --port 22 --cidr 203.0.113.5/32"""

AWS_CLOSE = """
    aws ec2 revoke-security-group-ingress --group-id sg-ID --protocol tcp --port 22 --cidr 203.0.113.5/32"""

HETZNER = """
    hcloud firewall add-rule FIREWALL --direction in --protocol tcp --port 22 --source-ips 203.0.113.5/32
    hcloud firewall delete-rule FIREWALL --direction in --protocol tcp --port 22 --source-ips 203.0.113.5/32"""

VERIFY = """
    nc -vz -w 5 example.social 22"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(MANUAL, OUTSIDE),
    sources=(Source("000", "Advanced"),),
    references=(
        Reference(
            "AWS: Security groups",
            "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html",
        ),
        Reference("Hetzner: Cloud firewalls", "https://docs.hetzner.com/cloud/firewalls/overview/"),
    ),
    title=Text(
        "A provider firewall opens SSH only when needed",
        "事業者側のファイアウォールで、SSH を必要なときだけ開けている",
    ),
    why=Text(
        "A rule at the provider holds even when the server's own firewall fails or its SSH server has a flaw. While nobody works on the server, nobody can knock either.",
        "事業者側のルールは、サーバ自身のファイアウォールの設定ミスや SSH サーバの脆弱性があっても効きます。作業していない間は、誰も SSH に触れられません。",
    ),
    expected=Text(
        "The provider's packet filter or security group refuses the SSH port by default, and you open it for your own address while you work. If fedisec reads the server over SSH, its address is allowed for good.",
        "事業者のパケットフィルタやセキュリティグループが SSH のポートを普段は拒否し、作業するときだけ自分のアドレスに開ける運用になっている状態。fedisec が SSH で接続する場合は、fedisec のアドレスだけを常に許可します。",
    ),
    fix=Fix(
        Text(
            "Find the packet filter in the provider's control panel, let in 80 and 443 for everybody and SSH for nobody but fedisec. Make sure that you can reach the server's console in the control panel before you close SSH.",
            "事業者のコントロールパネルでパケットフィルタを設定し、80 と 443 は全員に、SSH は fedisec だけに許可します。閉じる前に、コントロールパネルのコンソールからサーバを操作できることを確かめてください。",
        ),
        variants=(
            (
                "AWS",
                Text(
                    "Open for your address, and close when done:\n" + AWS_OPEN + "\n" + AWS_CLOSE,
                    "作業前に自分のアドレスへ開け、終わったら閉じます。\n" + AWS_OPEN + "\n" + AWS_CLOSE,
                ),
            ),
            (
                "Hetzner Cloud",
                Text(
                    "Open for your address, and close when done:\n" + HETZNER,
                    "作業前に自分のアドレスへ開け、終わったら閉じます。\n" + HETZNER,
                ),
            ),
            (
                "Sakura, ConoHa, Xserver",
                Text(
                    "Use the packet filter or security group in the control panel: allow web, and add SSH with your own address as the source only while you work.",
                    "コントロールパネルのパケットフィルターやセキュリティグループでウェブを許可し、SSH は作業の間だけ、送信元を自分のアドレスに限って追加します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "From an address that is not allowed, while nobody is working; it must time out:\n" + VERIFY,
        "作業していないときに、許可していないアドレスから試し、タイムアウトすることを確認します。\n" + VERIFY,
    ),
    codes={
        "answers": Text(
            "SSH answers fedisec on port {port}. Whether it is closed for others, or at other times, only you can tell.",
            "{port} 番ポートの SSH が fedisec に応答します。ほかのアドレスや普段の状態は外部からわからないため、回答してください。",
        ),
        "hidden": Text(
            "SSH does not answer fedisec. Whether a provider firewall does this, only you can tell.",
            "SSH は fedisec に応答しません。事業者側のファイアウォールによるものかどうかは、外部からわかりません。",
        ),
    },
    attest_days=180,
)


@item.check
def check(facts: Facts) -> Verdict:
    ssh = facts.get(SshService)
    if ssh.speaking:
        first = ssh.speaking[0]
        return asked("answers", port=first.port).seen(f"{first.address} port {first.port}", first.banner)
    return unknown("hidden", ssh.unseen)
