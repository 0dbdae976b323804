"""Does a database, cache or search engine answer from outside?  One that asks for a password still answers.

The look from outside decides what can be reached; the inside names the service, and adds what listens on ports
that were not tried."""

from checks.data.network import Danger, watched_ports
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside
from checks.facts.ports import Access, OpenPorts
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
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.exposure import DATABASES, gap_of, labels, open_of, proof
from checks.parse.host.firewall import Fate
from checks.parse.host.sockets_reach import Sockets, lines, names, sockets_of

REDIS = """
    bind 127.0.0.1 -::1
    protected-mode yes"""

POSTGRES = """
    listen_addresses = 'localhost'"""

ELASTIC = """
    network.host: 127.0.0.1"""

MARIADB = """
    [mysqld]
    bind-address = 127.0.0.1"""

COMPOSE = """
    docker compose config | grep -A2 ports:"""

SEE = """
    sudo ss -ltnp | grep -E ':(5432|6379|3306|9200|7700|11211|27017)'"""

OUTSIDE_SEE = """
    nmap -Pn -p 3306,5432,6379,7700,9200,11211,27017 example.social"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE, INSIDE),
    sources=(Source("003", "構築/ミドルウェア"), Source("+")),
    references=(
        Reference(
            "Redis: Security", "https://redis.io/docs/latest/operate/oss_and_stack/management/security/"
        ),
        Reference(
            "PostgreSQL: Connections and Authentication",
            "https://www.postgresql.org/docs/current/runtime-config-connection.html",
        ),
    ),
    title=Text(
        "No database, cache or search engine answers from outside",
        "データベース・キャッシュ・検索エンジンが外部に応答しない",
    ),
    why=Text(
        "Open Redis and Elasticsearch servers are found and emptied by robots within a day. Even where a password is asked for, every flaw of the program and every leaked password counts.",
        "外部に開いた Redis や Elasticsearch は、自動化された攻撃に1日と経たずに見つかります。パスワードがあっても、プログラムの脆弱性やパスワードの漏えいがそのまま侵入につながります。",
    ),
    expected=Text(
        "PostgreSQL, MariaDB, Redis or Valkey, memcached, Elasticsearch, Meilisearch and MongoDB listen on 127.0.0.1, on a Unix socket or in a private network, and refuse strangers on every public address.",
        "PostgreSQL・MariaDB・Redis（Valkey）・memcached・Elasticsearch・Meilisearch・MongoDB が、127.0.0.1 か Unix ソケット、またはプライベートネットワークだけで待ち受け、公開アドレスでは応答しない状態。",
    ),
    fix=Fix(
        Text(
            "Bind the service to the loopback address first, and close its port in the firewall as well. If it was open without a password, treat its content as read and changed: look for unknown jobs, keys and accounts, and replace the secrets stored there.",
            "まずサービスの待ち受けをループバックアドレスに限り、ファイアウォールでも閉じます。パスワードなしで開いていた場合は、中身を読まれ、書き換えられたものとして扱ってください。不審なジョブやキー、アカウントがないかを調べ、保存していた秘密情報を作り直します。",
        ),
        variants=(
            (
                "Redis, Valkey",
                Text("In redis.conf or valkey.conf:\n" + REDIS, "redis.conf または valkey.conf：\n" + REDIS),
            ),
            ("PostgreSQL", Text("In postgresql.conf:\n" + POSTGRES, "postgresql.conf の設定：\n" + POSTGRES)),
            (
                "MariaDB",
                Text(
                    "On Debian in /etc/mysql/mariadb.conf.d/50-server.cnf, on RHEL in /etc/my.cnf.d/:\n"
                    + MARIADB,
                    "Debian 系は /etc/mysql/mariadb.conf.d/50-server.cnf、RHEL 系は /etc/my.cnf.d/ 以下です。\n"
                    + MARIADB,
                ),
            ),
            (
                "Elasticsearch",
                Text("In elasticsearch.yml:\n" + ELASTIC, "elasticsearch.yml の設定：\n" + ELASTIC),
            ),
            (
                "Docker",
                Text(
                    "Containers of one Compose project reach each other without ports. Delete the ports entries of the databases; this shows what is published:\n"
                    + COMPOSE,
                    "同じ Compose プロジェクトのコンテナ同士は、ports がなくても通信できます。データベースの ports は削除してください。公開しているポートは次のコマンドで確認できます。\n"
                    + COMPOSE,
                ),
            ),
        ),
    ),
    verify=Text(
        "On the server, every line shows 127.0.0.1, [::1] or a private address:\n"
        + SEE
        + "\n\nFrom another machine, none of them is open:\n"
        + OUTSIDE_SEE,
        "サーバ上で、どの行も 127.0.0.1・[::1]・プライベートアドレスのいずれかであることを確認します。\n"
        + SEE
        + "\n\n別のマシンから調べて、open が1つもないことを確認します。\n"
        + OUTSIDE_SEE,
    ),
    codes={
        "closed": Text(
            "None of the {count} database ports tried answers from outside.",
            "調べた {count} 個のデータベース用ポートは、どれも外部から応答しません。",
        ),
        "no_login": Text(
            "Answers strangers without a password: {services}. Act now.",
            "パスワードなしで外部から使えます（{services}）。すぐに対処してください。",
        ),
        "answers": Text(
            "Reachable from outside: {services}.",
            "外部から接続できます（{services}）。",
        ),
        "unrecognised": Text(
            "A database port accepts connections, but what listens there said nothing to recognise it by: {services}.",
            "データベース用のポートが接続を受け付けますが、何が動いているかは判別できませんでした（{services}）。",
        ),
        "closed_but_listening": Text(
            "No database port answers from outside, but these listen on all addresses and depend on the firewall: {services}.",
            "外部から応答するデータベースはありませんが、すべてのアドレスで待ち受け、ファイアウォールだけで守られているものがあります（{services}）。",
        ),
        "untried": Text(
            "A database listens on a port that was not tried from outside, and the host lets strangers in: {services}.",
            "外部からは調べていないポートでデータベースが待ち受けており、ホストのルールでも遮断されていません（{services}）。",
        ),
        "local_only": Text(
            "No database, cache or search engine listens on a public address. It was not looked at from outside.",
            "公開アドレスで待ち受けるデータベース・キャッシュ・検索エンジンはありません（外部からは調べていません）。",
        ),
        "filtered_inside": Text(
            "These listen on all addresses, and the host's rules keep strangers out: {services}. It was not looked at from outside.",
            "すべてのアドレスで待ち受けていますが、ホストのルールで遮断されています（{services}）。外部からは調べていません。",
        ),
        "listens": Text(
            "These listen on all addresses, and the host's rules let strangers in: {services}. It was not looked at from outside.",
            "すべてのアドレスで待ち受けており、ホストのルールも外部からの接続を通します（{services}）。外部からは調べていません。",
        ),
        "rules_not_seen": Text(
            "These listen on all addresses ({services}); whether the host's rules keep strangers out was not shown.",
            "すべてのアドレスで待ち受けていますが（{services}）、ホストのルールで遮断されているかどうかは確認できませんでした。",
        ),
        "docker_hidden": Text(
            "Ports of containers are open ({ports}), and what runs in these was not shown.",
            "コンテナのポートが開いていますが（{ports}）、中で動いているものを確認できませんでした。",
        ),
        "behind_cdn": Text(
            "{cdn} stands in front, so its ports were not tried. Name the address of the origin to have that one looked at.",
            "手前に {cdn} があるため、ポートは調べていません。オリジンのアドレスを登録すると、そちらを調べます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    ports, sockets = facts.maybe(OpenPorts), sockets_of(facts.maybe(Inside))
    verdict = _by_wire(ports) if ports is not None and ports.addresses else None
    if isinstance(verdict, Verdict):
        return _with_inside(verdict, ports, sockets) if ports is not None and sockets is not None else verdict
    if sockets is not None:
        return _by_listening(sockets)
    if verdict is not None:
        raise MissingFact(verdict)
    return not_applicable("behind_cdn", cdn=facts.get(OpenPorts).behind_cdn)


def _by_wire(ports: OpenPorts) -> Verdict | Missing:
    found = [one for one in open_of(ports) if one.danger is Danger.DATABASE]
    known = [one for one in found if one.seen.service in DATABASES]
    naked = [one for one in known if one.seen.access is Access.OPEN]
    if naked:
        return failed("no_login", services=labels(naked)).seen("TCP connect", proof(known))
    if known:
        return failed("answers", services=labels(known)).seen("TCP connect", proof(known))
    if found:
        return warned("unrecognised", services=labels(found)).seen("TCP connect", proof(found))
    numbers = {n for n, port in watched_ports().items() if port.danger is Danger.DATABASE}
    tried = [p for one in ports.addresses for p in one.ports if p.port in numbers]
    gap = gap_of(ports, numbers) or (None if tried else Missing(Reason.NOT_ASKED))
    if gap is not None:
        return gap
    states = "\n".join(
        f"{one.address} port {p.port}: {p.state}" for one in ports.addresses for p in one.ports if p in tried
    )
    return passed("closed", count=len({p.port for p in tried})).seen("TCP connect", states)


def _with_inside(verdict: Verdict, ports: OpenPorts, sockets: Sockets) -> Verdict:
    """Outside decides; what listens stands beside it, and may be worse where outside did not look."""
    listening = [one for one in sockets.open if one.listener.database]
    if verdict.code != "closed" or not listening:
        return verdict.seen("inside: ss", lines(listening)) if listening else verdict
    untried = [one for one in sockets.untried(ports) if one in listening and one.fate is Fate.ACCEPT]
    tested = verdict.evidence[0]
    if untried:
        worse = warned("untried", services=names(untried)).seen("inside: ss", lines(untried))
        return worse.seen(tested.label, tested.text)
    noted = passed("closed_but_listening", services=names(listening)).seen(tested.label, tested.text)
    return noted.seen("inside: ss", lines(listening))


def _by_listening(sockets: Sockets) -> Verdict:
    listening = [one for one in sockets.open if one.listener.database]
    if listening:
        kept_out = all(one.fate is Fate.DROP for one in listening)
        services = names(listening)
        if not kept_out and not any(one.fate is Fate.ACCEPT for one in listening):
            return unknown("rules_not_seen", Reason.DENIED, services=services)
        verdict = (
            passed("filtered_inside", services=services) if kept_out else warned("listens", services=services)
        )
        return verdict.seen("inside: ss", lines(listening))
    if sockets.hidden:
        return unknown("docker_hidden", Reason.DENIED, ports=", ".join(str(port) for port in sockets.hidden))
    local = [one for one in sockets.all if one.database]
    text = "\n".join(one.shown() for one in local) or "(no database among the listening sockets)"
    return passed("local_only").seen("inside: ss", text)
