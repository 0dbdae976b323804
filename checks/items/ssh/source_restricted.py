"""Is SSH reachable from chosen addresses only?

That it answers fedisec is evidence of the opposite, unless fedisec itself was let in: then the host's own rules
show that strangers are not, or the admin says so."""

from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside
from checks.facts.ssh import SshService
from checks.model import (
    INSIDE,
    MANUAL,
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
from checks.parse.host.sections import why_unread
from checks.parse.host.sshd_limits import Limit, Means, limit_of

UFW = """
    sudo ufw allow from 203.0.113.5 to any port 22 proto tcp
    sudo ufw delete allow OpenSSH"""

FIREWALLD = """
    sudo firewall-cmd --permanent --add-rich-rule='rule family="ipv4" source address="203.0.113.5" service name="ssh" accept'
    sudo firewall-cmd --permanent --remove-service=ssh
    sudo firewall-cmd --reload"""

SSHD = """
    AllowUsers admin@203.0.113.5 admin@2001:db8:5::/64 fedisec@198.51.100.7"""

WIREGUARD = """
    ListenAddress 10.8.0.1"""

TAILSCALE = """
    sudo ufw allow in on tailscale0 to any port 22 proto tcp
    sudo ufw delete allow OpenSSH"""

VERIFY = """
    nc -vz -w 5 example.social 22"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE, INSIDE, MANUAL),
    sources=(Source("003", "構築/SSH"), Source("000", "Advanced")),
    references=(
        Reference("sshd_config(5): AllowUsers", "https://man.openbsd.org/sshd_config#AllowUsers"),
        Reference("ufw(8)", "https://manpages.debian.org/bookworm/ufw/ufw.8.en.html"),
    ),
    title=Text(
        "SSH is reachable from chosen addresses only",
        "SSH に接続できるアドレスを限定している",
    ),
    why=Text(
        "A flaw in the SSH server or a stolen key helps nobody who cannot reach the port. A VPN gives you a fixed address even where your provider does not.",
        "ポートに届かなければ、SSH サーバの脆弱性も盗まれた鍵も使えません。固定アドレスがない環境でも、VPN を使えば接続元を固定できます。",
    ),
    expected=Text(
        "The firewall or sshd lets in named addresses, a VPN (WireGuard, Tailscale) or a private network, and refuses the rest of the internet. If fedisec is one of the named addresses it finds the port open: then put this item aside as a false positive.",
        "ファイアウォールか sshd が、指定したアドレスや VPN（WireGuard・Tailscale など）、プライベートネットワークからの接続だけを受け付ける状態。fedisec のアドレスも許可している場合は開いて見えるので、「誤検知」として除外してください。",
    ),
    fix=Fix(
        Text(
            "Take care not to lock yourself out: try the console in the provider's control panel first, and keep a session open while you change the rules. Add the addresses of all admins and of fedisec.",
            "締め出されないよう、先に事業者のコンソールから操作できることを確かめ、接続を1つ残したまま変更します。管理者全員と fedisec のアドレスを加えてください。",
        ),
        variants=(
            (
                "ufw",
                Text(
                    "Allow the address, then delete the open rule:\n" + UFW,
                    "アドレスを許可してから、全開のルールを消します。\n" + UFW,
                ),
            ),
            ("firewalld", Text("The same with firewalld:\n" + FIREWALLD, "firewalld の場合：\n" + FIREWALLD)),
            (
                "sshd",
                Text(
                    "In sshd_config; the port still answers, but nobody else can log in:\n" + SSHD,
                    "sshd_config に書きます。ポート自体は応答しますが、ほかのアドレスからはログインできません。\n"
                    + SSHD,
                ),
            ),
            (
                "WireGuard",
                Text(
                    "In sshd_config, with the server's address in the tunnel; sshd must start after the tunnel:\n"
                    + WIREGUARD,
                    "sshd_config に、トンネル内でのサーバのアドレスを書きます。sshd はトンネルの後に起動させてください。\n"
                    + WIREGUARD,
                ),
            ),
            ("Tailscale", Text("With ufw:\n" + TAILSCALE, "ufw を併用する例：\n" + TAILSCALE)),
        ),
    ),
    verify=Text(
        "From an address that is not on the list, such as a phone's; it must not connect:\n" + VERIFY,
        "許可していないアドレス（スマートフォンの回線など）から接続できないことを確認します。\n" + VERIFY,
    ),
    codes={
        "by_rules": Text(
            "The packet filter of the host refuses strangers on the SSH port.",
            "ホストのパケットフィルタが、SSH ポートへの不特定の接続を拒否します。",
        ),
        "by_address": Text(
            "sshd listens on private addresses only.",
            "sshd はプライベートアドレスだけで待ち受けています。",
        ),
        "by_users": Text(
            "AllowUsers names an address for every user.",
            "AllowUsers で、すべてのユーザの接続元が指定されています。",
        ),
        "open_to_us": Text(
            "SSH answers fedisec on port {port}. If fedisec is on your list of addresses, put this item aside as a false positive.",
            "{port} 番の SSH が fedisec に応答します。fedisec のアドレスを許可している場合は「誤検知」として除外してください。",
        ),
        "closed_to_us": Text(
            "SSH does not answer fedisec; whether it runs and whom it lets in, only the inside can tell.",
            "SSH は fedisec に応答しません。稼働しているか、誰を許可しているかは内部からしかわかりません。",
        ),
    },
    attest_days=180,
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.maybe(Inside)
    known = facts.maybe(SshService)
    ports = tuple(one.port for one in known.speaking) if known is not None else ()
    limit = limit_of(inside, ports) if inside is not None else None
    verdict = _limited(limit) if limit is not None else None
    if verdict is not None:
        return verdict
    gap = why_unread(facts)
    if gap is not None or (limit is not None and limit.means is Means.UNKNOWN):
        # Whom the server lets in from where, it alone knows: we are one of those whom it is to let in.
        why = Reason.NOT_BUILT if limit is not None and limit.label else Reason.DENIED
        raise MissingFact(gap or Missing(why, "rules of the packet filter"))
    ssh = facts.get(SshService)
    if not ssh.speaking:
        return unknown("closed_to_us", ssh.unseen)
    first = ssh.speaking[0]
    return failed("open_to_us", port=first.port).seen(f"{first.address} port {first.port}", first.banner)


def _limited(limit: Limit) -> Verdict | None:
    if limit.means is Means.RULES:
        return passed("by_rules").seen(limit.label, limit.text)
    if limit.means is Means.LISTEN:
        return passed("by_address").seen(limit.label, limit.text)
    if limit.means is Means.USERS:
        return passed("by_users").seen(limit.label, limit.text)
    return None
