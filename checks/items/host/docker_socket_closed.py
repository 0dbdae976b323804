"""Is the Docker API on the network, or in a container that does not need it?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

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
    title=Text(
        "The Docker API is neither on the network nor in containers",
        "Docker API がネットワークや不要なコンテナに公開されていない",
    ),
    why=Text(
        "Whoever may talk to the Docker API can start a container that owns the whole machine. On an open port 2375 robots do so within hours, and a mounted socket turns a flaw in one container into root on the host.",
        "Docker API に話しかけられれば、マシン全体を支配するコンテナを起動できます。2375 番ポートが開いていれば数時間で悪用され、ソケットをマウントしたコンテナの脆弱性はホストの root 権限につながります。",
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
)
