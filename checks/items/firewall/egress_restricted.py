"""Is outbound traffic restricted?"""

from checks.errors import Reason
from checks.facts import Facts, Missing
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
)
from checks.parse.host.common import parts, units
from checks.parse.host.firewall import Fate, Ruled
from checks.parse.host.firewall_rules import host_rules, shown, way_out

_PORTS = (4001, 49377)  # two that no rule names

NFTABLES = """
    table inet egress {
      chain output {
        type filter hook output priority filter; policy drop;
        ct state established,related accept
        oif lo accept
        meta l4proto { icmp, ipv6-icmp } accept
        meta skuid "systemd-resolve" udp dport 53 accept
        meta skuid "mastodon" tcp dport { 80, 443 } accept
        meta skuid { "root", "_apt" } tcp dport { 80, 443 } accept
        udp dport { 53, 123 } accept
        tcp dport { 53, 587 } accept
        limit rate 10/minute log prefix "egress drop: "
      }
    }"""

METADATA = """
    sudo nft insert rule inet egress output ip daddr 169.254.0.0/16 drop"""

UFW = """
    sudo ufw allow out 53
    sudo ufw allow out 123/udp
    sudo ufw allow out 80,443/tcp
    sudo ufw allow out 443/udp
    sudo ufw allow out 587/tcp
    sudo ufw default deny outgoing"""

OPENSNITCH = """
    sudo apt install opensnitch
    sudo systemctl enable --now opensnitch
    grep DefaultAction /etc/opensnitchd/default-config.json
    ls /etc/opensnitchd/rules"""

UNIT = """
    [Service]
    IPAddressDeny=10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16
    IPAddressAllow=localhost"""

VERIFY = """
    nc -vz -w 5 scanme.nmap.org 9929"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE, MANUAL),
    sources=(Source("000", "Advanced"),),
    references=(
        Reference("OpenSnitch", "https://github.com/evilsocket/opensnitch"),
        Reference("nftables wiki", "https://wiki.nftables.org/"),
        Reference(
            "systemd.resource-control(5)",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd.resource-control.html",
        ),
    ),
    title=Text(
        "Outbound traffic is restricted",
        "外向きの通信を制限している",
    ),
    why=Text(
        "Whoever breaks in usually fetches tools first, then sends data out or attacks others. Limits on outbound connections make that harder and show it in the log.",
        "侵入した攻撃者は、まず道具をダウンロードし、データを送り出したり他所を攻撃したりします。外向きの通信を絞ると、それが難しくなり、ログにも残ります。",
    ),
    expected=Text(
        "New outbound connections are denied unless a rule allows them: web for the app (federation needs 443 to everywhere), name look-ups, time, mail to the relay. OpenSnitch with a deny default counts as well.",
        "外向きの新しい接続が既定で拒否され、必要なものだけを許可している状態。必要なのは、アプリのウェブ（連合のため 443 は全宛先）、名前解決、時刻同期、メールの中継先です。既定を拒否にした OpenSnitch でも構いません。",
    ),
    fix=Fix(
        Text(
            "Write down what the server needs, log before you drop, and try it while you can reach the console at the provider. At least close the way to private addresses and to the cloud metadata service.",
            "サーバに必要な通信を書き出し、破棄する前にまずログだけを取って確かめます。事業者のコンソールに入れる状態で作業してください。少なくとも、プライベートアドレスとクラウドのメタデータサービスへの経路は塞ぎましょう。",
        ),
        variants=(
            (
                "nftables",
                Text(
                    "An example for a Mastodon host; the names of users differ:\n"
                    + NFTABLES
                    + "\n\nAgainst the metadata service, in front of the other rules:\n"
                    + METADATA,
                    "Mastodon を動かすホストの例です。ユーザ名は環境に合わせてください。\n"
                    + NFTABLES
                    + "\n\nメタデータサービスへの通信は、ほかのルールより前で塞ぎます。\n"
                    + METADATA,
                ),
            ),
            (
                "ufw",
                Text("Allow first, deny last:\n" + UFW, "先に許可を加え、最後に既定を拒否にします。\n" + UFW),
            ),
            (
                "OpenSnitch",
                Text(
                    "Without a desktop the daemon works from rule files. The packaged default action is allow: change it to deny once the rules are complete.\n"
                    + OPENSNITCH,
                    "デスクトップがなくても、ルールのファイルだけで動きます。パッケージの既定動作は許可なので、ルールが揃ってから拒否に変えてください。\n"
                    + OPENSNITCH,
                ),
            ),
            (
                "systemd",
                Text(
                    "For the app's unit alone, as a drop-in; federation stays possible, the inner network does not:\n"
                    + UNIT,
                    "アプリのユニットだけを縛るドロップインの例です。連合はそのままに、内部ネットワークへの通信を塞ぎます。\n"
                    + UNIT,
                ),
            ),
        ),
    ),
    verify=Text(
        "A connection that no rule allows must fail:\n" + VERIFY,
        "許可していない宛先への接続が失敗することを確認します。\n" + VERIFY,
    ),
    codes={
        "restricted": Text(
            "A new outbound connection that no rule allows is refused ({by}).",
            "ルールにない外向きの新しい接続は拒否されます（{by}）。",
        ),
        "opensnitch": Text(
            "OpenSnitch is active and denies what no rule allows.",
            "OpenSnitch が動作しており、ルールにない通信を拒否します。",
        ),
        "open": Text(
            "The rules of the host let every program connect to anywhere.",
            "ホストのルールでは、どのプログラムもあらゆる宛先に接続できます。",
        ),
        "ipv6_open": Text(
            "Outbound IPv4 is restricted, but IPv6 is not.",
            "外向きの IPv4 は制限されていますが、IPv6 は制限されていません。",
        ),
        "unclear": Text(
            "The outbound rules hold conditions that fedisec cannot settle ({by}).",
            "外向きのルールに、fedisec では判定できない条件が含まれています（{by}）。",
        ),
        "not_seen": Text(
            "The packet filter rules could not be read; as root the report holds them.",
            "パケットフィルタのルールを読めませんでした。root 権限で収集すれば読み取れます。",
        ),
    },
    attest_days=180,
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    if _opensnitch_denies(shown(inside, "opensnitch")):
        return passed("opensnitch").seen("inside: default-config.json", "DefaultAction: deny, unit active")
    rules = host_rules(inside)
    if isinstance(rules, Missing):
        return unknown("not_seen", rules.reason)
    way = way_out(shown(inside, "egress"))
    four, six = (rules.worst(family, _PORTS, way, outgoing=True) for family in (4, 6))
    verdict = _by_rules(four, six, way.has_ipv6)
    return verdict.seen("inside: nft list ruleset, iptables -S", f"{_line(4, four)}\n{_line(6, six)}")


def _by_rules(four: Ruled, six: Ruled, has_ipv6: bool | None) -> Verdict:
    if four.fate is Fate.ACCEPT:
        return failed("open")
    if four.fate is Fate.DROP and (six.fate is Fate.DROP or has_ipv6 is False):
        return passed("restricted", by=four.by)
    if four.fate is Fate.DROP and six.fate is Fate.ACCEPT:
        return failed("ipv6_open")
    unsettled = four if four.fate is Fate.MAYBE else six
    return unknown("unclear", Reason.NOT_BUILT, by=unsettled.by)


def _opensnitch_denies(lines: tuple[str, ...]) -> bool:
    """Both: a unit that runs (Debian's opensnitch or the project's opensnitchd), and a default of deny."""
    found = {part.label: part for part in parts(lines)}
    if "units" not in found or "config" not in found:
        return False
    active = any(unit.get("ActiveState") == "active" for unit in units(found["units"].lines).values())
    said = "".join(found["config"].lines).replace(" ", "").lower()
    return active and ('"defaultaction":"deny"' in said or '"defaultaction":"reject"' in said)


def _line(family: int, ruled: Ruled) -> str:
    return f"IPv{family}, new outbound connection: {ruled.fate} ({ruled.by or 'no chain'})"
