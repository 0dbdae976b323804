"""Does a database, cache or search engine answer from outside?  One that asks for a password still answers."""

from checks.data.network import Danger, watched_ports
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.ports import Access, OpenPorts
from checks.model import (
    INSIDE,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    warned,
)
from checks.parse.exposure import DATABASES, gap_of, labels, open_of, proof

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
        "behind_cdn": Text(
            "{cdn} stands in front, so its ports were not tried. Name the address of the origin to have that one looked at.",
            "手前に {cdn} があるため、ポートは調べていません。オリジンのアドレスを登録すると、そちらを調べます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    ports = facts.get(OpenPorts)
    if not ports.addresses:
        return not_applicable("behind_cdn", cdn=ports.behind_cdn)
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
        raise MissingFact(gap)
    states = "\n".join(
        f"{one.address} port {p.port}: {p.state}" for one in ports.addresses for p in one.ports if p in tried
    )
    return passed("closed", count=len({p.port for p in tried})).seen("TCP connect", states)
