"""Does SSH answer on port 22?  From outside where that gives a clear answer, otherwise by what sshd listens on."""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.facts.ports import PortState
from checks.facts.ssh import SshService
from checks.model import (
    INSIDE,
    OUTSIDE,
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
)
from checks.parse.host.firewall_rules import shown
from checks.parse.host.sockets import Listener, parse_sockets
from checks.parse.host.sshd import Sshd, sshd_of
from checks.parse.host.sshd_limits import Means, limit_of

CONF = """
    Port 2222"""

UFW = """
    sudo ufw allow 2222/tcp
    sudo sshd -t && sudo systemctl restart ssh"""

SOCKET = """
    sudo systemctl daemon-reload
    sudo systemctl restart ssh.socket"""

RHEL = """
    sudo dnf install policycoreutils-python-utils
    sudo semanage port -a -t ssh_port_t -p tcp 2222
    sudo firewall-cmd --permanent --add-port=2222/tcp
    sudo firewall-cmd --reload
    sudo sshd -t && sudo systemctl restart sshd"""

FAIL2BAN = """
    [sshd]
    port = 2222"""

VERIFY = """
    ssh -p 2222 admin@example.social true
    nc -vz -w 5 example.social 22"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE, INSIDE),
    sources=(Source("003", "構築/SSH"),),
    references=(Reference("sshd_config(5): Port", "https://man.openbsd.org/sshd_config#Port"),),
    title=Text(
        "SSH does not answer on port 22",
        "SSH のポートを22番から変えている",
    ),
    why=Text(
        "Most robots knock at port 22 alone, so another port keeps the log quiet enough to read. It is no protection against anybody who looks for your server.",
        "自動化された攻撃の多くは22番しか試さないため、変えるだけでログが静かになり、異常に気づきやすくなります。ただし、あなたのサーバを狙う相手への防御にはなりません。",
    ),
    expected=Text(
        "Port 22 is closed and SSH answers on another port, or on none that the internet reaches.",
        "22番が閉じていて、SSH が別のポートで動いているか、インターネットから見えない状態。",
    ),
    fix=Fix(
        Text(
            "Choose a port that nothing else uses, allow it in the firewalls (the provider's too), change it, and try it in a second window before you close the first. Tell fedisec and fail2ban the new port.\n"
            + CONF
            + "\n\nIn /etc/fail2ban/jail.local:\n"
            + FAIL2BAN,
            "使われていないポートを選び、事業者側も含めたファイアウォールで許可してから変更します。いまの接続を残したまま、別のウィンドウで新しいポートに入れることを確かめてください。fedisec と fail2ban にも新しいポートを設定します。\n"
            + CONF
            + "\n\n/etc/fail2ban/jail.local の設定：\n"
            + FAIL2BAN,
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "Where ssh.socket is active (recent Ubuntu), restart that one as well:\n"
                    + UFW
                    + "\n"
                    + SOCKET,
                    "ssh.socket が有効な場合（新しい Ubuntu など）は、そちらも再起動します。\n"
                    + UFW
                    + "\n"
                    + SOCKET,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "SELinux must know the port first:\n" + RHEL,
                    "先に SELinux へポートを登録します。\n" + RHEL,
                ),
            ),
        ),
    ),
    verify=Text(
        "The first must log in, the second must not connect:\n" + VERIFY,
        "1行目でログインでき、2行目で接続できないことを確認します。\n" + VERIFY,
    ),
    codes={
        "moved": Text(
            "SSH answers on port {port} and not on 22.",
            "SSH は {port} 番で応答し、22番では応答しません。",
        ),
        "closed": Text(
            "Port 22 is closed, and no SSH was found on port {port} either.",
            "22番は閉じています。{port} 番でも SSH は見つかりませんでした。",
        ),
        "on_22": Text("SSH answers on port 22.", "SSH が22番で応答します。"),
        "listens_elsewhere": Text(
            "The SSH server listens on port {ports} and not on 22.",
            "SSH サーバは {ports} 番で待ち受けており、22番は使っていません。",
        ),
        "kept_from_22": Text(
            "The SSH server listens on port 22, but the host lets no stranger reach it.",
            "SSH サーバは22番で待ち受けていますが、不特定の相手からは届きません。",
        ),
        "listens_on_22": Text(
            "The SSH server listens on port 22. From outside it gave no clear answer.",
            "SSH サーバが22番で待ち受けています。外部からははっきりした応答がありませんでした。",
        ),
        "not_seen": Text(
            "Port 22 gives fedisec no clear answer; it may be filtered for this address alone.",
            "22番からはっきりした応答が得られません。fedisec のアドレスだけが遮断されている可能性もあります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside, ssh = facts.maybe(Inside), facts.maybe(SshService)
    verdict = _by_wire(ssh) if ssh is not None else None
    if verdict is None and inside is not None:
        verdict = _by_listening(inside)
    return verdict or unknown("not_seen", facts.get(SshService).unseen)


def _by_wire(ssh: SshService) -> Verdict | None:
    usual = ssh.on_port(22)
    if usual is None:
        return None
    if usual.banner:
        return failed("on_22").seen(f"{usual.address} port 22", usual.banner)
    other = next((one for one in ssh.speaking if one.port != 22), None)
    if other is not None and usual.state in {PortState.CLOSED, PortState.FILTERED}:
        label = f"{other.address} port {other.port}"
        return passed("moved", port=other.port).seen(label, other.banner).seen("port 22", str(usual.state))
    if usual.state is PortState.CLOSED:
        return passed("closed", port=ssh.named_port).seen(f"{usual.address} port 22", "connection refused")
    return None


def _by_listening(inside: Inside) -> Verdict | None:
    """What listens counts; the configuration alone may not be loaded, and ssh.socket overrides its ports."""
    found = [one for one in parse_sockets(shown(inside, "sockets")) if _is_sshd(one) and not one.is_loopback]
    text = "\n".join(one.shown() for one in found)
    if not found:
        return None
    if any(one.port == 22 for one in found):
        limit = limit_of(inside)
        if limit.means in {Means.RULES, Means.LISTEN}:
            return passed("kept_from_22").seen("inside: ss", text).seen(limit.label, limit.text)
        if limit.means is Means.UNKNOWN:
            return unknown("not_seen", Reason.NOT_BUILT if limit.label else Reason.DENIED)
        return failed("listens_on_22").seen("inside: ss", text)
    verdict = passed(
        "listens_elsewhere", ports=", ".join(str(p) for p in sorted({one.port for one in found}))
    )
    sshd = sshd_of(inside)
    verdict = verdict.seen("inside: ss", text)
    return verdict.seen(f"inside: {sshd.source}", sshd.shown()) if isinstance(sshd, Sshd) else verdict


def _is_sshd(one: Listener) -> bool:
    return one.unit in {"ssh.service", "sshd.service", "ssh.socket", "sshd.socket"}
