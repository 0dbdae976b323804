"""Does a firewall on the host drop by default, IPv6 included?"""

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts, PortState
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
    warned,
)
from checks.parse.host.firewall import Fate, Ruled
from checks.parse.host.firewall_rules import host_rules, shown, way_out
from checks.parse.host.ufw import parse_firewalld, parse_ufw

ODD_PORTS = (4001, 49377)  # two that nobody allows by name, the second in the range of short-lived ports
_FILTERED_MIN = 10  # so many silent ports are no accident: something filters in front of the host

UFW = """
    sudo apt install ufw
    sudo ufw default deny incoming
    sudo ufw default allow outgoing
    sudo ufw allow OpenSSH
    sudo ufw allow 80/tcp
    sudo ufw allow 443
    sudo ufw enable"""

UFW_IPV6 = """
    grep IPV6= /etc/default/ufw"""

FIREWALLD = """
    sudo dnf install firewalld
    sudo systemctl enable --now firewalld
    sudo firewall-cmd --permanent --add-service=ssh --add-service=http --add-service=https
    sudo firewall-cmd --reload"""

NFTABLES = """
    table inet filter {
      chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iif lo accept
        meta l4proto { icmp, ipv6-icmp } accept
        tcp dport { 22, 80, 443 } accept
        udp dport 443 accept
      }
    }"""

NFTABLES_ON = """
    sudo nft -c -f /etc/nftables.conf
    sudo systemctl enable --now nftables"""

VERIFY = """
    sudo ufw status verbose
    sudo firewall-cmd --list-all
    sudo nft list ruleset"""

OUTSIDE_SEE = """
    python3 -m http.server 4001
    nc -vz -w 5 example.social 4001
    nc -6 -vz -w 5 example.social 4001"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(INSIDE, MANUAL),
    sources=(Source("000", "Basic"),),
    references=(
        Reference("ufw(8)", "https://manpages.debian.org/bookworm/ufw/ufw.8.en.html"),
        Reference("firewalld: Documentation", "https://firewalld.org/documentation/"),
        Reference("nftables wiki", "https://wiki.nftables.org/"),
        Reference("Mastodon: Preparing your machine", "https://docs.joinmastodon.org/admin/prerequisites/"),
    ),
    title=Text(
        "A host firewall drops by default, IPv6 included",
        "ホストのファイアウォールが既定で拒否し、IPv6 にも効いている",
    ),
    why=Text(
        "Sooner or later a program opens a port that nobody thought of. A firewall that lets in only what was named catches that; rules for IPv4 alone leave the other door open.",
        "いつか、意図しないポートを開けるプログラムが現れます。明示したものだけを通すファイアウォールがあれば防げますが、IPv4 にしか効かないルールでは IPv6 側が開いたままになります。",
    ),
    expected=Text(
        "ufw, firewalld or nftables is active and starts at boot. A new connection to a port that nobody allowed is dropped or rejected, over IPv4 and IPv6. A packet filter of the provider counts when an admin answers so, if it covers IPv6.",
        "ufw・firewalld・nftables のいずれかが有効で、再起動後も動く状態。許可していないポートへの新しい接続は、IPv4 でも IPv6 でも破棄または拒否されます。事業者のパケットフィルタも、IPv6 に効くなら、その旨を回答すれば数えます。",
    ),
    fix=Fix(
        Text(
            "Allow SSH first, keep a second SSH session open, and switch the firewall on. Use one tool only: ufw, firewalld and hand-written rules get in each other's way.",
            "先に SSH を許可し、別の SSH 接続を残したまま有効にします。使う道具は1つにしてください。ufw・firewalld・手書きのルールを併用すると、互いに干渉します。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "With ufw; IPV6=yes must stand in /etc/default/ufw:\n" + UFW + "\n" + UFW_IPV6,
                    "ufw を使います。/etc/default/ufw が IPV6=yes になっていることも確認します。\n"
                    + UFW
                    + "\n"
                    + UFW_IPV6,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "firewalld covers IPv6 by itself:\n" + FIREWALLD,
                    "firewalld は IPv6 にも自動で効きます。\n" + FIREWALLD,
                ),
            ),
            (
                "nftables",
                Text(
                    "In /etc/nftables.conf; the family inet covers both protocols. Leave flush ruleset out where Docker runs, it would delete Docker's rules:\n"
                    + NFTABLES
                    + "\n\nThen:\n"
                    + NFTABLES_ON,
                    "/etc/nftables.conf に書きます。inet テーブルは IPv4 と IPv6 の両方に効きます。Docker を使うホストでは、Docker のルールまで消える flush ruleset を書かないでください。\n"
                    + NFTABLES
                    + "\n\n続いて有効にします。\n"
                    + NFTABLES_ON,
                ),
            ),
        ),
    ),
    verify=Text(
        "Look at the rules with the tool you use. A unit that is active proves nothing: ufw's unit is active even while ufw itself is off.\n"
        + VERIFY
        + "\n\nOr open a port on the server (first line) and knock at it from another machine (the others); it must not connect:\n"
        + OUTSIDE_SEE,
        "使っている道具でルールを確認します。ufw のユニットは、ufw 自体が無効でも active と表示されるため、当てになりません。\n"
        + VERIFY
        + "\n\nまたは、サーバでポートを開け（1行目）、別のマシンから接続できないことを確かめます（2行目以降）。\n"
        + OUTSIDE_SEE,
    ),
    codes={
        "drops": Text(
            "A new connection to a port that nobody allowed is refused over IPv4 ({v4}) and IPv6 ({v6}).",
            "許可していないポートへの新しい接続は、IPv4（{v4}）でも IPv6（{v6}）でも拒否されます。",
        ),
        "drops_ufw": Text(
            "ufw is set to refuse incoming connections by default, and from outside {count} ports stay silent. The rules themselves were not readable to the account.",
            "ufw が受信を既定で拒否する設定になっており、外部からも {count} 個のポートが無応答です。ルールそのものは、このアカウントの権限では読めませんでした。",
        ),
        "drops_firewalld": Text(
            "firewalld is running, and its active zones ({zones}) refuse what no rule allows.",
            "firewalld が動作しており、有効なゾーン（{zones}）は許可のない通信を拒否します。",
        ),
        "open": Text(
            "The rules of the host let a stranger through to any port, over IPv4 and IPv6.",
            "ホストのルールは、どのポートへの接続も通します（IPv4・IPv6 とも）。",
        ),
        "ipv4_open": Text(
            "Over IPv4 the rules of the host let a stranger through to ports that nobody allowed.",
            "IPv4 では、許可していないポートへの接続もホストのルールを通ります。",
        ),
        "ipv6_open": Text(
            "IPv4 is filtered, but over IPv6 the rules let a stranger through to ports that nobody allowed.",
            "IPv4 は制限されていますが、IPv6 では許可していないポートへの接続も通ります。",
        ),
        "ipv6_unfiltered": Text(
            "IPv4 is filtered and IPv6 is not. The server has no IPv6 route to the internet now; with one, all ports would be open.",
            "IPv4 だけが制限されています。現在 IPv6 の経路はありませんが、設定された時点ですべてのポートが開きます。",
        ),
        "filter_in_front": Text(
            "The rules of the host let everything through, but {count} ports stay silent from outside: something in front filters. Say whether that covers IPv6.",
            "ホストのルールはすべて通しますが、外部からは {count} 個のポートが無応答です。手前に別のフィルタがあるようです。IPv6 にも効くかどうかを回答してください。",
        ),
        "unclear": Text(
            "The rules hold conditions that fedisec cannot settle ({by}).",
            "fedisec には判定できない条件がルールに含まれています（{by}）。",
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
    rules = host_rules(inside)
    if isinstance(rules, Missing):
        return _by_settings(inside, rules, facts)
    way = way_out(shown(inside, "egress"))
    four, six = (rules.worst(family, ODD_PORTS, way) for family in (4, 6))
    verdict = _by_rules(four, six, way.has_ipv6, facts)
    return verdict.seen("inside: nft list ruleset, iptables -S", f"{_line(4, four)}\n{_line(6, six)}")


def _by_rules(four: Ruled, six: Ruled, has_ipv6: bool | None, facts: Facts) -> Verdict:
    if four.fate is Fate.DROP and six.fate is Fate.DROP:
        return passed("drops", v4=four.by, v6=six.by)
    if four.fate is Fate.ACCEPT:
        silent = max(_silent_ports(facts), default=0)
        if silent >= _FILTERED_MIN:
            return asked("filter_in_front", count=silent)
        return failed("open") if six.fate is Fate.ACCEPT else failed("ipv4_open")
    if four.fate is Fate.DROP and six.fate is Fate.ACCEPT:
        return warned("ipv6_unfiltered") if has_ipv6 is False else failed("ipv6_open")
    unsettled = four if four.fate is Fate.MAYBE else six
    return unknown("unclear", Reason.NOT_BUILT, by=unsettled.by)


def _silent_ports(facts: Facts) -> list[int]:
    """For each address: how many ports did not even answer with a reset."""
    ports = facts.maybe(OpenPorts)
    addresses = ports.addresses if ports is not None else ()
    return [sum(port.state is PortState.FILTERED for port in one.ports) for one in addresses]


def _by_settings(inside: Inside, gap: Missing, facts: Facts) -> Verdict:
    """Without the rules themselves.  What ufw's files say is no proof that its rules are loaded: only together
    with silence from outside, on every address, it counts.  What firewalld says, the running daemon says."""
    ufw, silent = parse_ufw(shown(inside, "ufw")), _silent_ports(facts)
    if ufw.drops_incoming and silent and min(silent) >= _FILTERED_MIN:
        text = f"ENABLED=yes\nDEFAULT_INPUT_POLICY={ufw.incoming}"
        verdict = passed("drops_ufw", count=min(silent))
        verdict = verdict.seen("inside: /etc/ufw/ufw.conf, /etc/default/ufw", text)
        return verdict.seen("outside: TCP connect", f"{min(silent)} ports without an answer")
    zones = parse_firewalld(shown(inside, "firewalld"))
    if zones and all(zone.refuses for zone in zones):
        text = "\n".join(f"{zone.name}: target {zone.target}" for zone in zones)
        names = ", ".join(zone.name for zone in zones)
        return passed("drops_firewalld", zones=names).seen("inside: firewall-cmd --list-all-zones", text)
    return unknown("not_seen", gap.reason)


def _line(family: int, ruled: Ruled) -> str:
    ports = ", ".join(str(port) for port in ODD_PORTS)
    return f"IPv{family}, new connection to {ports}: {ruled.fate} ({ruled.by or 'no chain'})"
