"""Is a container port published past the firewall?

Docker leads published ports past the chain INPUT, so what ufw says of them means nothing.  Whether one can be
reached all the same, the look from outside decides where it tried the port."""

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts, PortState
from checks.model import (
    INSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.docker import Containers, Published, parse_docker
from checks.parse.host.firewall import Fate
from checks.parse.host.firewall_rules import host_rules, shown
from checks.parse.host.sockets import parse_sockets, public

_WEB = frozenset({80, 443})

COMPOSE = """
    services:
      web:
        ports:
          - "127.0.0.1:3000:3000"
      redis:
        image: redis"""

DAEMON = """
    {
      "ip": "127.0.0.1"
    }"""

RESTART = """
    sudo systemctl restart docker
    docker compose up -d"""

DOCKER_USER = """
    sudo iptables -I DOCKER-USER -i eth0 -m conntrack --ctstate NEW -p tcp -m multiport ! --dports 80,443 -j DROP
    sudo ip6tables -I DOCKER-USER -i eth0 -m conntrack --ctstate NEW -p tcp -m multiport ! --dports 80,443 -j DROP"""

PODMAN = """
    podman run -p 127.0.0.1:3000:3000 IMAGE"""

VERIFY = """
    docker ps --format '{{.Names}}: {{.Ports}}'"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "Docker: Packet filtering and firewalls",
            "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        ),
    ),
    title=Text(
        "No container port is published past the firewall",
        "コンテナのポートがファイアウォールを素通りして公開されていない",
    ),
    why=Text(
        "Docker writes its own rules in front of those of ufw. A port published without an address is open to the world although the firewall shows it as closed, and fail2ban and the CrowdSec bouncer do not see it either.",
        "Docker は ufw より手前に自分のルールを入れます。アドレスを指定せずに公開したポートは、ファイアウォールで閉じたつもりでも世界中に開き、fail2ban や CrowdSec のバウンサーも効きません。",
    ),
    expected=Text(
        "Apart from 80 and 443 of the reverse proxy, no container publishes a port on 0.0.0.0 or [::]. Ports for the proxy on the host are published on 127.0.0.1.",
        "リバースプロキシの 80 と 443 を除き、どのコンテナも 0.0.0.0 や [::] でポートを公開していない状態。ホスト側のプロキシに渡すポートは 127.0.0.1 で公開します。",
    ),
    fix=Fix(
        Text(
            "Write the loopback address in front of each published port, and leave ports out where only other containers connect:\n"
            + COMPOSE
            + "\n\nTo make this the default for all new containers, in /etc/docker/daemon.json:\n"
            + DAEMON
            + "\n"
            + RESTART,
            "公開するポートの先頭にループバックアドレスを書きます。ほかのコンテナからしか使わないものには ports を書きません。\n"
            + COMPOSE
            + "\n\n新しいコンテナすべての既定値にするには、/etc/docker/daemon.json に書きます。\n"
            + DAEMON
            + "\n"
            + RESTART,
        ),
        variants=(
            (
                "iptables",
                Text(
                    "Where ports must stay published, filter them in the chain that Docker leaves to you. Replace eth0 by your interface; the ports named are those inside the container, and the rules are lost at reboot unless you save them:\n"
                    + DOCKER_USER,
                    "公開したままにするポートは、Docker が利用者のために空けているチェインで絞ります。eth0 は自分のインターフェース名に置き換えてください。ポート番号はコンテナ側のもので、ルールは保存しないと再起動で消えます。\n"
                    + DOCKER_USER,
                ),
            ),
            (
                "Podman",
                Text(
                    "Rootless Podman opens an ordinary port of the user, so the host firewall holds; with root the same rule as for Docker applies:\n"
                    + PODMAN,
                    "rootless の Podman は普通のプログラムと同じようにポートを開くため、ホストのファイアウォールが効きます。root で使う場合は Docker と同じ注意が必要です。\n"
                    + PODMAN,
                ),
            ),
        ),
    ),
    verify=Text(
        "No line may show 0.0.0.0: or [::]: other than for 80 and 443. Without Docker the item does not apply.\n"
        + VERIFY,
        "80 と 443 のほかに 0.0.0.0: や [::]: の付く行がないことを確認します。Docker を使っていなければ対象外です。\n"
        + VERIFY,
    ),
    codes={
        "no_docker": Text("Neither Docker nor Podman is in use.", "Docker も Podman も使われていません。"),
        "none_published": Text(
            "No container publishes a port other than 80 and 443 on a public address.",
            "80 と 443 のほかに、公開アドレスで公開されているコンテナのポートはありません。",
        ),
        "published": Text(
            "Container ports are open past the firewall: {ports}.",
            "ファイアウォールを素通りして公開されているコンテナのポートがあります（{ports}）。",
        ),
        "closed_outside": Text(
            "Container ports are published on all addresses ({ports}). From outside they do not answer, so something in front filters them.",
            "すべてのアドレスで公開されているコンテナのポートがあります（{ports}）。外部からは応答しないため、手前で遮断されているようです。",
        ),
        "not_seen": Text(
            "The containers could not be listed; the open ports alone show nothing amiss.",
            "コンテナの一覧を読めませんでした。開いているポートだけを見る限り、問題は見つかりません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    containers = parse_docker(inside.lines("docker"))
    listening = [one for one in public(parse_sockets(shown(inside, "sockets"))) if one.by_docker]
    if containers.gone and not listening:
        return not_applicable("no_docker")
    if containers.listed:
        found = [one for one in containers.published if one.is_public and not one.is_web]
        ports = sorted({one.port for one in _past_rules(found, containers, inside)})
        label, text = "inside: docker ps", "\n".join(one.shown() for one in found)
    else:
        ports = sorted({one.port for one in listening if one.port not in _WEB})
        label, text = "inside: ss", "\n".join(one.shown() for one in listening)
    if ports:
        shown_ports = ", ".join(str(port) for port in ports)
        if _are_closed(ports, facts.maybe(OpenPorts)):
            return warned("closed_outside", ports=shown_ports).seen(label, text)
        return failed("published", ports=shown_ports).seen(label, text)
    if not containers.listed:
        return unknown("not_seen", Reason.DENIED if containers.denied else Reason.MALFORMED)
    all_ports = "\n".join(one.shown() for one in containers.published) or "(no published port)"
    return passed("none_published").seen("inside: docker ps", all_ports)


def _past_rules(found: list[Published], containers: Containers, inside: Inside) -> list[Published]:
    """Where Docker was told to write no rules, those of the host hold for its ports like for any other."""
    rules = host_rules(inside)
    if containers.writes_rules or isinstance(rules, Missing):
        return found
    return [one for one in found if any(rules.worst(f, (one.port,)).fate is not Fate.DROP for f in (4, 6))]


def _are_closed(ports: list[int], seen: OpenPorts | None) -> bool:
    """The look from outside tried each of the ports on some address and found it closed on all."""
    tried = (
        {
            number: {p.state for one in seen.addresses for p in one.ports if p.port == number}
            for number in ports
        }
        if seen is not None
        else {}
    )
    closed = {PortState.CLOSED, PortState.FILTERED}
    return bool(tried) and all(states and states <= closed for states in tried.values())
