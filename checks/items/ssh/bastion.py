"""Does SSH go through a jump host?

That everybody reaches the SSH port rules it out; that only some addresses do does not tell what stands there, so
then a person is asked."""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.facts.ssh import SshService
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
    unknown,
)
from checks.parse.host.sshd_limits import Means, limit_of

CLIENT = """
    Host bastion
      HostName bastion.example.net
      User jump
    Host social
      HostName 10.0.0.5
      User admin
      ProxyJump bastion"""

UFW = """
    sudo ufw allow from 198.51.100.20 to any port 22 proto tcp
    sudo ufw delete allow OpenSSH"""

JUMP = """
    Match User jump
      AllowTcpForwarding local
      PermitOpen 10.0.0.5:22
      X11Forwarding no
      PermitTTY no
      ForceCommand /usr/sbin/nologin"""

VERIFY = """
    ssh social true
    nc -vz -w 5 example.social 22"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE, MANUAL),
    sources=(Source("000", "Advanced"),),
    references=(Reference("ssh_config(5): ProxyJump", "https://man.openbsd.org/ssh_config#ProxyJump"),),
    title=Text(
        "SSH goes through a jump host",
        "SSH は踏み台サーバ経由でのみ接続できる",
    ),
    why=Text(
        "A small machine that does nothing but pass SSH on is easier to keep tight and to watch than the server that runs the instance. One place then holds the log of all logins.",
        "SSH の中継だけを行う小さなマシンは、インスタンスを動かすサーバよりも堅く守りやすく、監視もしやすくなります。ログインの記録も1か所に集まります。",
    ),
    expected=Text(
        "The instance's firewall lets SSH in from the jump host alone (and from fedisec, if it connects), and the jump host runs nothing else, takes keys only and is updated by itself.",
        "インスタンス側のファイアウォールが踏み台（と、接続を許可した fedisec）からの SSH だけを通す状態。踏み台ではほかのサービスを動かさず、鍵認証だけを使い、自動更新を有効にします。",
    ),
    fix=Fix(
        Text(
            "Set the jump host up, put this into ~/.ssh/config of each admin, and close SSH on the instance for everybody else. Your key stays on your computer: with ProxyJump it is never on the jump host, so do not forward the agent.\n"
            + CLIENT
            + "\n\nOn the instance:\n"
            + UFW
            + "\n\nIn sshd_config of the jump host, a user that can be used for nothing else:\n"
            + JUMP,
            "踏み台を用意し、管理者それぞれの ~/.ssh/config に次の内容を書いて、インスタンス側の SSH をほかから閉じます。ProxyJump なら鍵は手元に置いたままで済むため、エージェント転送は使わないでください。\n"
            + CLIENT
            + "\n\nインスタンス側の設定：\n"
            + UFW
            + "\n\n踏み台の sshd_config には、中継にしか使えないユーザを設定します。\n"
            + JUMP,
        )
    ),
    verify=Text(
        "The first must work through the jump host, the second, from elsewhere, must not connect:\n" + VERIFY,
        "1行目で踏み台経由の接続ができ、2行目では別の場所から接続できないことを確認します。\n" + VERIFY,
    ),
    codes={
        "limited": Text(
            "SSH lets in chosen addresses only ({means}). Say whether that is a jump host.",
            "SSH に接続できるアドレスは限定されています（{means}）。それが踏み台かどうかを回答してください。",
        ),
        "direct": Text(
            "SSH answers fedisec directly on port {port}, and the host's rules let every address in.",
            "{port} 番の SSH に fedisec から直接接続でき、ホストのルールもすべてのアドレスを通します。",
        ),
        "closed_to_us": Text(
            "The host's own rules let every address in, but SSH does not answer fedisec from outside; something in front may filter.",
            "ホストのルールはすべてのアドレスを通しますが、外部から SSH の応答はありません。手前で制限されている可能性があります。",
        ),
        "rules_not_seen": Text(
            "Whether the host's rules keep strangers from SSH could not be seen.",
            "SSH への接続元がホストのルールで限定されているかどうかを確認できませんでした。",
        ),
    },
    attest_days=365,
)


@item.check
def check(facts: Facts) -> Verdict:
    ssh = facts.maybe(SshService)
    limit = limit_of(facts.get(Inside), tuple(one.port for one in ssh.speaking) if ssh is not None else ())
    if limit.means not in {Means.OPEN, Means.UNKNOWN}:
        return asked("limited", means=limit.means.value).seen(limit.label, limit.text)
    if limit.means is Means.OPEN and ssh is not None and ssh.speaking:
        first = ssh.speaking[0]
        verdict = failed("direct", port=first.port).seen(f"{first.address} port {first.port}", first.banner)
        return verdict.seen(limit.label, limit.text)
    if limit.means is Means.UNKNOWN:
        return unknown("rules_not_seen", Reason.NOT_BUILT if limit.label else Reason.DENIED)
    return unknown("closed_to_us", Reason.NOT_ASKED)
