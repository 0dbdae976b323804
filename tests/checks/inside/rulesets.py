"""Packet filters of the kinds that are met on servers: what nft and iptables are told, to be tried in a kernel."""

from __future__ import annotations

from dataclasses import dataclass

SAID = """
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
"""
MAIL_AND_WEB = "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT\n"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """`v4`, `v6`: lines in the form of `iptables -S`, those of other tables behind "*mangle" or "*raw".  `nft`: a file
    for `nft -f`."""

    nft: str = ""
    v4: str = ""
    v6: str = ""


def _input(body: str, policy: str = "accept", *, table: str = "inet filter", before: str = "") -> str:
    head = f"type filter hook input priority filter; policy {policy};"
    return f"table {table} {{\n{before}\nchain input {{\n{head}\n{body}\n}}\n}}\n"


_BASICS = 'iifname "lo" accept\nct state established,related accept\nct state invalid drop\n'
_NEIGHBOURS = "meta l4proto { icmp, ipv6-icmp } accept\n"
_ND6 = "-A INPUT -p ipv6-icmp -j ACCEPT\n"

_UFW = """-P INPUT DROP
-P FORWARD DROP
-P OUTPUT ACCEPT
-N {u}-after-input
-N {u}-after-logging-input
-N {u}-before-input
-N {u}-logging-deny
-N {u}-not-local
-N {u}-skip-to-policy-input
-N {u}-track-input
-N {u}-user-input
-N {u}-user-limit
-N {u}-user-limit-accept
-A INPUT -j {u}-before-input
-A INPUT -j {u}-after-input
-A INPUT -j {u}-after-logging-input
-A INPUT -j {u}-track-input
-A {u}-after-input -p udp -m udp --dport 137 -j {u}-skip-to-policy-input
-A {u}-after-input -p tcp -m tcp --dport 445 -j {u}-skip-to-policy-input
-A {u}-after-logging-input -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A {u}-before-input -i lo -j ACCEPT
-A {u}-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A {u}-before-input -m conntrack --ctstate INVALID -j {u}-logging-deny
-A {u}-before-input -m conntrack --ctstate INVALID -j DROP
{icmp}
-A {u}-before-input -j {u}-not-local
-A {u}-before-input -j {u}-user-input
-A {u}-logging-deny -m conntrack --ctstate INVALID -m limit --limit 3/min --limit-burst 10 -j RETURN
-A {u}-not-local -m addrtype --dst-type LOCAL -j RETURN
-A {u}-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A {u}-not-local -m limit --limit 3/min --limit-burst 10 -j {u}-logging-deny
-A {u}-not-local -j DROP
-A {u}-skip-to-policy-input -j DROP
-A {u}-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name DEFAULT --mask {mask} --rsource
-A {u}-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 60 --name DEFAULT --mask {mask} --rsource -j {u}-user-limit
-A {u}-user-input -p tcp -m tcp --dport 22 -j {u}-user-limit-accept
-A {u}-user-input -p tcp -m tcp --dport 80 -m comment --comment "the web" -j ACCEPT
-A {u}-user-limit -j REJECT
-A {u}-user-limit-accept -j ACCEPT
"""
UFW4 = _UFW.format(
    u="ufw", mask="255.255.255.255", icmp="-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT"
)
UFW6 = _UFW.format(
    u="ufw6",
    mask="ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    icmp="-A ufw6-before-input -p ipv6-icmp -j ACCEPT",
)

_FIREWALLD = """table inet firewalld {
chain mangle_PREROUTING { type filter hook prerouting priority mangle + 10; policy accept;
meta nfproto ipv6 fib saddr . mark . iif oif missing drop
}
chain filter_INPUT { type filter hook input priority filter + 10; policy accept;
ct state { established, related } accept
ct status dnat accept
iifname "lo" accept
ct state invalid drop
jump filter_INPUT_ZONES
reject with icmpx admin-prohibited
}
chain filter_INPUT_ZONES {
iifname "eth0" goto filter_IN_ZONE
goto filter_IN_ZONE
}
chain filter_IN_ZONE {
jump filter_IN_ZONE_allow
meta l4proto { icmp, ipv6-icmp } accept
LAST
}
chain filter_IN_ZONE_allow {
tcp dport 22 accept
ip6 daddr fe80::/64 udp dport 546 accept
tcp dport 80 accept
}
}
"""
_GUIDE = SAID + MAIL_AND_WEB
_SETS = """
set allowed { type inet_service; flags interval; elements = { 22, 80-81 }
}
set banned { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 198.51.100.7 }
}
"""

RULESETS: dict[str, Ruleset] = {
    "nothing": Ruleset(),
    "an empty table": Ruleset(_input("", "accept")),
    "policy drop": Ruleset(_input(_BASICS + _NEIGHBOURS + "tcp dport { 22, 80 } accept", "drop")),
    "policy drop, all accepted": Ruleset(_input(_BASICS + "tcp dport 1-65535 accept\n" + _NEIGHBOURS, "drop")),
    "policy accept, rejected at the end": Ruleset(_input(_BASICS + _NEIGHBOURS + "tcp dport 22 accept\nreject")),
    "iptables guide": Ruleset(v4=_GUIDE + "-A INPUT -j REJECT\n", v6=_GUIDE + _ND6 + "-A INPUT -j REJECT\n"),
    "iptables guide for IPv4 alone": Ruleset(v4=_GUIDE + "-A INPUT -j REJECT\n"),
    "nft for IPv4 alone": Ruleset(_input(_BASICS + "tcp dport 80 accept", "drop", table="ip filter")),
    "nft for IPv6 alone": Ruleset(_input(_BASICS + _NEIGHBOURS + "tcp dport 80 accept", "drop", table="ip6 f")),
    "ufw": Ruleset(v4=UFW4, v6=UFW6),
    "ufw, IPv6 not loaded": Ruleset(v4=UFW4),
    "firewalld public": Ruleset(_FIREWALLD.replace("LAST", "reject with icmpx admin-prohibited")),
    "firewalld trusted": Ruleset(_FIREWALLD.replace("LAST", "accept")),
    "firewalld and a crowdsec table": Ruleset(
        _FIREWALLD.replace("LAST", "reject with icmpx admin-prohibited")
        + """table ip crowdsec {
set crowdsec-blacklists { type ipv4_addr; flags timeout; elements = { 192.0.2.9 timeout 4h }
}
chain crowdsec-chain-input { type filter hook input priority filter - 10; policy accept;
ip saddr @crowdsec-blacklists drop
}
}
"""
    ),
    "a crowdsec table alone": Ruleset(
        """table ip crowdsec {
set crowdsec-blacklists { type ipv4_addr; flags timeout; elements = { 192.0.2.9 timeout 4h }
}
chain crowdsec-chain-input { type filter hook input priority filter - 10; policy accept;
ip saddr @crowdsec-blacklists drop
}
}
"""
    ),
    "accepted first, dropped by a later chain": Ruleset(
        _input("tcp dport 80 accept") + _input(_NEIGHBOURS + "tcp dport 22 drop", table="inet second")
    ),
    "verdict maps": Ruleset(
        _input(
            "ct state vmap { established : accept, related : accept, invalid : drop }\n"
            'iifname vmap { "lo" : accept, "eth0" : jump world, "wg0" : accept }\n',
            "drop",
            before="chain world {\nmeta l4proto { icmp, ipv6-icmp } accept\n"
            "tcp dport vmap { 22 : accept, 80 : goto web, 4000-4999 : drop }\n}\n"
            "chain web {\nct state new limit rate over 1000/second drop\naccept\n}",
        )
    ),
    "a map without a way for the interface": Ruleset(_input('iifname vmap { "lo" : accept, "wg0" : accept }', "drop")),
    "named sets": Ruleset(_input(_BASICS + _NEIGHBOURS + "ip saddr @banned drop\ntcp dport @allowed accept", "drop", before=_SETS)),
    "for neighbours only": Ruleset(
        _input(_BASICS + _NEIGHBOURS + "ip saddr { 10.0.0.0/8, 192.168.0.0/16 } accept\nip6 saddr fd00::/8 accept\n"
               "ip saddr . tcp dport { 10.1.1.1 . 4001 } accept\ntcp dport 22 accept", "drop")
    ),
    "anywhere in words": Ruleset(_input(_BASICS + "ip saddr 0.0.0.0/0 tcp dport != 80 accept\n" + _NEIGHBOURS, "drop")),
    "other protocols": Ruleset(_input(_BASICS + _NEIGHBOURS + "udp dport 4001 accept\nmeta l4proto 17 accept\nth dport 22 accept", "drop")),
    "only what is no SYN": Ruleset(_input(_NEIGHBOURS + "tcp flags & (fin|syn|rst|ack) == syn drop")),
    "SYN in state new": Ruleset(
        _input(_BASICS + _NEIGHBOURS + "tcp flags & (fin|syn|rst|ack) != syn ct state new drop\n"
               "tcp dport 22 ct state new limit rate 100/second accept\ntcp flags syn tcp dport 80 ct count over 200 drop\n"
               "fib daddr type local tcp dport 80 accept\ndrop")
    ),
    "marks": Ruleset(
        "table inet early {\nchain pre { type filter hook prerouting priority mangle; policy accept;\n"
        "tcp dport 22 meta mark set 0x1\n}\n}\n" + _input(_NEIGHBOURS + "tcp dport 80 accept", "drop")
    ),
    "no mark": Ruleset(_input(_NEIGHBOURS + "meta mark 0x1 accept\nmeta mark & 0xff != 0x2 tcp dport 22 accept", "drop")),
    "another interface": Ruleset(_input(_BASICS + _NEIGHBOURS + 'iifname { "wg0", "docker*" } accept\niifname != "eth0" accept\niifname "eth*" tcp dport 22 accept', "drop")),
    "dropped before routing": Ruleset(
        "table inet raw {\nchain pre { type filter hook prerouting priority raw; policy accept;\ntcp dport != { 22, 80 } drop\n}\n}\n"
    ),
    "return and goto": Ruleset(
        _input("goto world\naccept", "drop", before="chain world {\nmeta l4proto { icmp, ipv6-icmp } accept\n"
               "tcp dport 80 return\njump ports\ntcp dport 22 accept\n}\nchain ports {\ntcp dport 22 return\ndrop\n}")
    ),
    "iptables sets and owners": Ruleset(
        v4=SAID + "-A INPUT -s 10.0.0.0/8 -j ACCEPT\n-A INPUT ! -i eth0 -j ACCEPT\n-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m tcp --dport 22 -j ACCEPT\n"
        "-A INPUT -p tcp -m tcp ! --dport 80 -j DROP\n-A INPUT -m mark --mark 0x5/0xff -j DROP\n",
        v6=SAID + _ND6 + "-A INPUT -p udp -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 80:4000 -j ACCEPT\n-P INPUT DROP\n",
    ),
    "iptables chains": Ruleset(
        v4="-P INPUT DROP\n-N WORLD\n-N LOGDROP\n" + SAID + "-A INPUT -i eth+ -g WORLD\n-A INPUT -j ACCEPT\n-A WORLD -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT\n"
        "-A WORLD -p tcp -m tcp --dport 80 -j RETURN\n-A WORLD -j LOGDROP\n-A LOGDROP -m limit --limit 5/min -j LOG\n-A LOGDROP -j DROP\n",
        v6="-P INPUT DROP\n" + SAID + _ND6 + "-A INPUT -p tcp -m tcp --dport 22 --syn -m connlimit --connlimit-upto 100 -j ACCEPT\n",
    ),
    "docker in front of ufw": Ruleset(
        v4=UFW4 + "-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -j RETURN\n", v6=UFW6
    ),
    "both tools": Ruleset(_input("tcp dport 80 drop"), v4=_GUIDE, v6=_GUIDE),
    "fail2ban": Ruleset(
        "table inet f2b-table {\nset addr-set-sshd { type ipv4_addr; elements = { 192.0.2.77 }\n}\n"
        "chain f2b-chain { type filter hook input priority filter - 1; policy accept;\n"
        "tcp dport 22 ip saddr @addr-set-sshd reject with icmp port-unreachable\n}\n}\n"
        + _input(_BASICS + _NEIGHBOURS + "tcp dport 22 accept", "drop")
    ),
    "a port knocked for": Ruleset(
        _input(_BASICS + _NEIGHBOURS + "tcp dport 4001 add @knocked { ip saddr } drop\nip saddr @knocked tcp dport 80 accept\n"
               "tcp dport 22 accept", "drop", before="set knocked { type ipv4_addr; flags dynamic; timeout 1s;\n}")
    ),
    "docker guards its containers": Ruleset(
        "table ip raw {\nchain PREROUTING { type filter hook prerouting priority raw; policy accept;\n"
        'ip daddr 172.17.0.2 iifname != "docker0" counter drop\nip daddr 127.0.0.1 iifname != "lo" tcp dport 80 drop\n}\n}\n'
        "table ip nat {\nchain DOCKER {\n"
        'iifname != "docker0" tcp dport 6380 counter dnat to 172.17.0.2:6379\n}\n'
        "chain PREROUTING { type nat hook prerouting priority dstnat; policy accept;\nfib daddr type local counter jump DOCKER\n}\n}\n"
        + _input(_BASICS + _NEIGHBOURS + "tcp dport 22 accept", "drop")
    ),
    "dropped as it comes in": Ruleset(
        'table netdev early {\nchain world { type filter hook ingress device "eth0" priority 0; policy accept;\n'
        "tcp dport 80 drop\n}\n"
        'chain inner { type filter hook ingress device "lo" priority 0; policy drop;\n}\n}\n'
    ),
    "a table that sleeps": Ruleset(_input(_BASICS + _NEIGHBOURS, "drop", before="flags dormant")),
    "a table that sleeps beside one that does not": Ruleset(
        _input("drop", before="flags dormant", table="inet asleep") + _input(_BASICS + _NEIGHBOURS + "tcp dport 22 accept", "drop")
    ),
    "dropped in iptables' other tables": Ruleset(
        v4="*raw\n-A PREROUTING -m rpfilter --invert -j DROP\n-A PREROUTING -p tcp -m tcp --dport 22 -j DROP\n"
        "*mangle\n-A PREROUTING -m conntrack --ctstate INVALID -j DROP\n-A INPUT -p tcp -m tcp --dport 80 -j DROP\n",
        v6="*mangle\n-P PREROUTING DROP\n" + _ND6.replace("INPUT", "PREROUTING") + "-A PREROUTING -p tcp -m tcp --dport 80 -j ACCEPT\n",
    ),
    "not tracked, accepted": Ruleset(
        v4="*raw\n-A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack\n"
        "*filter\n-P INPUT DROP\n" + SAID + "-A INPUT -p tcp -m conntrack --ctstate UNTRACKED -j ACCEPT\n",
        v6="*raw\n-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack\n"
        "*filter\n-P INPUT DROP\n" + SAID + _ND6 + "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n",
    ),
    "not tracked, by nft": Ruleset(
        "table inet early {\nchain pre { type filter hook prerouting priority raw; policy accept;\ntcp dport 22 notrack\n}\n}\n"
        + _input(_BASICS + _NEIGHBOURS + "ct state new tcp dport { 22, 80 } accept", "drop")
    ),
}  # fmt: skip
