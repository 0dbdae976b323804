"""Does a firewall on the host drop by default, IPv6 included?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

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
    attest_days=180,
)
