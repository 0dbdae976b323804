"""Is the Docker API on the network, or in a container that does not need it?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts
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
from checks.parse.host.docker import Containers, parse_docker
from checks.parse.host.firewall_rules import shown
from checks.parse.host.sockets import Listener, parse_sockets

_PLAIN, _OVER_TLS = 2375, 2376  # dockerd -H (IANA: docker, docker-s)
_FILTERS = (
    "docker-socket-proxy",
    "socket-proxy",
    "dockerproxy",
)  # images made to pass reading on and no more

FIND = """
    sudo ss -ltnp | grep dockerd
    docker ps -q | xargs -r docker inspect --format '{{.Name}} {{range .Mounts}}{{.Source}} {{end}}' | grep docker.sock"""

DAEMON = """
    sudo grep -rn -- '-H tcp\\|"hosts"' /etc/docker/daemon.json /etc/systemd/system/docker.service.d /etc/default/docker
    sudo systemctl daemon-reload && sudo systemctl restart docker"""

REMOTE = """
    docker context create social --docker host=ssh://admin@example.social
    docker --context social ps"""

PROXY = """
    services:
      docker-proxy:
        image: tecnativa/docker-socket-proxy
        environment:
          CONTAINERS: 1
        volumes:
          - /var/run/docker.sock:/var/run/docker.sock:ro
        networks: [docker-api]"""

PODMAN = """
    systemctl status podman.socket
    sudo systemctl disable --now podman.socket"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "Docker: Engine security", "https://docs.docker.com/engine/security/#docker-daemon-attack-surface"
        ),
        Reference(
            "Docker: Protect the Docker daemon socket",
            "https://docs.docker.com/engine/security/protect-access/",
        ),
    ),
    title=Text(
        "The Docker API is neither on the network nor in containers",
        "Docker API がネットワークや不要なコンテナに公開されていない",
    ),
    why=Text(
        "Whoever may talk to the Docker API can start a container that owns the whole machine. On an open port 2375 robots do so within hours, and a mounted socket turns a flaw in one container into root on the host.",
        "Docker API に話しかけられれば、マシン全体を支配するコンテナを起動できます。2375番ポートが開いていれば数時間で悪用され、ソケットをマウントしたコンテナの脆弱性はホストの root 権限につながります。",
    ),
    expected=Text(
        "dockerd listens on its Unix socket alone, which belongs to root and the group docker, and no container has that socket mounted unless its job needs it (then through a filtering proxy). Without Docker the item does not apply.",
        "dockerd が root と docker グループ専用の Unix ソケットだけで待ち受け、業務上必要なもの（その場合も絞り込み用プロキシ経由）以外のコンテナにマウントされていない状態。Docker を使っていなければ対象外です。",
    ),
    fix=Fix(
        Text(
            "Find who offers it:\n"
            + FIND
            + "\n\nTake the TCP address out of the configuration and restart:\n"
            + DAEMON
            + "\n\nFrom afar, use SSH in its place:\n"
            + REMOTE,
            "公開している箇所を探します。\n"
            + FIND
            + "\n\n設定から TCP のアドレスを取り除いて再起動します。\n"
            + DAEMON
            + "\n\n遠隔で操作する場合は SSH を使います。\n"
            + REMOTE,
        ),
        variants=(
            (
                "Traefik, Watchtower",
                Text(
                    "Tools that must see containers get a proxy that passes reading on and nothing else; read-only mounting of the socket itself does not restrict the API:\n"
                    + PROXY,
                    "コンテナの一覧が必要なツールには、読み取りだけを通すプロキシを挟みます。ソケットを読み取り専用でマウントしても、API の操作は制限されません。\n"
                    + PROXY,
                ),
            ),
            (
                "Podman",
                Text(
                    "The socket of root is off unless you need it:\n" + PODMAN,
                    "root のソケットは、必要がなければ止めます。\n" + PODMAN,
                ),
            ),
        ),
    ),
    verify=Text(
        "Both commands must print nothing:\n" + FIND,
        "どちらのコマンドでも何も表示されないことを確認します。\n" + FIND,
    ),
    codes={
        "no_docker": Text("Docker is not in use.", "Docker は使われていません。"),
        "closed": Text(
            "The Docker API answers on its socket alone ({socket}), and no container holds that socket.",
            "Docker API はソケット（{socket}）だけで応答し、それを持つコンテナもありません。",
        ),
        "behind_proxy": Text(
            "The Docker API answers on its socket alone; only filtering proxies hold it: {names}.",
            "Docker API はソケットだけで応答し、それを持つのは絞り込み用プロキシだけです（{names}）。",
        ),
        "on_network": Text(
            "The Docker API is open on the network: {where}. Act now.",
            "Docker API がネットワークに公開されています（{where}）。すぐに対処してください。",
        ),
        "over_tls": Text(
            "The Docker API is on the network, over TLS: {where}. Whoever holds a client certificate is root.",
            "Docker API が TLS でネットワークに公開されています（{where}）。クライアント証明書を持つ人は root と同じです。",
        ),
        "on_loopback": Text(
            "The Docker API listens on a local TCP port ({where}): every program on the server can become root.",
            "Docker API がローカルの TCP ポート（{where}）で待ち受けています。サーバ上のどのプログラムも root になれます。",
        ),
        "open_to_all": Text(
            "Every user of the server may use Docker's socket ({socket}), and so become root.",
            "サーバのどのユーザも Docker のソケット（{socket}）を使えるため、root になれます。",
        ),
        "mounted": Text(
            "Containers hold Docker's socket, so that a flaw in them gives away the server: {names}.",
            "Docker のソケットを持つコンテナがあり、その脆弱性がサーバ全体の侵害につながります（{names}）。",
        ),
        "not_seen": Text(
            "No TCP port of the API was found. Which containers hold its socket could not be seen.",
            "API の TCP ポートは見つかりませんでした。どのコンテナがソケットを持つかは確認できていません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    containers = parse_docker(inside.lines("docker"))
    ports = [one for one in parse_sockets(shown(inside, "sockets")) if _is_api(one, containers)]
    outside = _seen_outside(facts)
    if outside:
        return failed("on_network", where=outside).seen("outside: TCP connect", outside)
    # A socket without the client's program is Docker's as well, or Podman's in its place.
    if containers.gone and not ports and not containers.socket:
        return not_applicable("no_docker")
    return _listening(ports) or _holding(containers)


def _listening(ports: list[Listener]) -> Verdict | None:
    text = "\n".join(one.shown() for one in ports)
    for one in ports:
        if not one.is_loopback and one.port != _OVER_TLS:
            return failed("on_network", where=one.shown()).seen("inside: ss", text)
    for one in ports:
        if not one.is_loopback:
            return warned("over_tls", where=one.shown()).seen("inside: ss", text)
    return warned("on_loopback", where=ports[0].shown()).seen("inside: ss", text) if ports else None


def _holding(containers: Containers) -> Verdict:
    if containers.is_open_to_all:
        text = f"/run/docker.sock: {containers.socket}"
        return failed("open_to_all", socket=containers.socket).seen("inside: stat", text)
    if not containers.listed:
        why = Reason.DENIED if containers.denied else Reason.MALFORMED
        return unknown("not_seen", Reason.NO_TOOL if containers.gone else why)
    text = "\n".join(f"{name} ({image})" for name, image in containers.holders)
    names = ", ".join(name for name, _ in containers.holders)
    if any(not any(word in image for word in _FILTERS) for _, image in containers.holders):
        return warned("mounted", names=names).seen("inside: docker inspect", text)
    if containers.holders:
        return passed("behind_proxy", names=names).seen("inside: docker inspect", text)
    verdict = passed("closed", socket=containers.socket or "unix")
    return verdict.seen("inside: docker inspect, ss", f"/run/docker.sock: {containers.socket}")


def _is_api(one: Listener, containers: Containers) -> bool:
    """A TCP port of dockerd itself: the usual ones, and those that daemon.json names."""
    if not one.by_docker or any(published.port == one.port for published in containers.published):
        return False
    return one.port in {_PLAIN, _OVER_TLS} or any(f":{one.port}" in line for line in containers.tcp)


def _seen_outside(facts: Facts) -> str:
    ports = facts.maybe(OpenPorts)
    found = [(one.address, p) for one in (ports.addresses if ports else ()) for p in one.ports]
    return ", ".join(f"{address} port {p.port}" for address, p in found if p.service == "docker")
