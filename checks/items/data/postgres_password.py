"""Does PostgreSQL let nobody in over TCP without a password?"""

from checks.errors import Reason
from checks.facts import Facts, MissingFact
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
    asked,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.docker import Published, parse_docker
from checks.parse.host.postgres import PostgresProbe, PostgresView, Way, parse_postgres
from checks.parse.host.versions import images_hidden, images_of

PSQL = "inside: psql as an unknown role"
_WEAK = frozenset({"md5", "password"})
_HERE = frozenset(
    {"127.0.0.1/32", "127.0.0.1/255.255.255.255", "127.0.0.0/8", "::1/128", "localhost", "samehost"}
)


HBA = """
    local   all   all                   peer
    host    all   all   127.0.0.1/32    scram-sha-256
    host    all   all   ::1/128         scram-sha-256"""

ROLE = """
    sudo -u postgres psql -c '\\password mastodon'
    sudo systemctl reload postgresql"""

DEBIAN = """
    sudoedit /etc/postgresql/*/main/pg_hba.conf
    sudo systemctl reload postgresql"""

RHEL = """
    sudo -e /var/lib/pgsql/data/pg_hba.conf
    sudo systemctl reload postgresql"""

DOCKER = """
    docker compose exec db psql -U postgres -c '\\password postgres'
    docker compose exec db psql -U postgres -c 'SELECT pg_reload_conf()'"""

MASTODON = """
    DB_HOST=/var/run/postgresql
    DB_USER=mastodon
    DB_NAME=mastodon_production"""

MASTODON_TCP = """
    DB_HOST=127.0.0.1
    DB_PASS=PASSWORD"""

AKKOMA = """
    config :pleroma, Pleroma.Repo,
      adapter: Ecto.Adapters.Postgres,
      hostname: "localhost",
      username: "akkoma",
      password: "PASSWORD",
      database: "akkoma\""""

MISSKEY = """
    db:
      host: 127.0.0.1
      port: 5432
      db: misskey
      user: misskey
      pass: PASSWORD"""

PIXELFED = """
    sudo mariadb -e "ALTER USER 'pixelfed'@'localhost' IDENTIFIED BY 'PASSWORD'"
    php artisan config:cache"""

VERIFY_TABLE = """
    sudo -u postgres psql -c "SELECT line_number, type, address, auth_method, error FROM pg_hba_file_rules WHERE auth_method = 'trust' OR error IS NOT NULL\""""

VERIFY_WIRE = """
    psql -wX -h 127.0.0.1 -U nosuchrole -d postgres -c 'select 1'"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(INSIDE, MANUAL),
    sources=(Source("003", "構築/ミドルウェア"),),
    references=(
        Reference(
            "PostgreSQL: The pg_hba.conf File",
            "https://www.postgresql.org/docs/current/auth-pg-hba-conf.html",
        ),
        Reference(
            "PostgreSQL: Password Authentication",
            "https://www.postgresql.org/docs/current/auth-password.html",
        ),
        Reference("Mastodon: PostgreSQL", "https://docs.joinmastodon.org/admin/config/#postgresql"),
    ),
    title=Text(
        "PostgreSQL lets nobody in over TCP without a password",
        "PostgreSQL に TCP からパスワードなしで入れない",
    ),
    why=Text(
        "With the method trust, every program that reaches the port is the database owner, and an SSRF flaw in the app reaches it even on the same host. A password costs nothing and limits the damage.",
        "認証方式が trust だと、ポートに届くプログラムは誰でもデータベースの所有者になれ、同じホストにあっても SSRF で届いてしまいます。パスワードを設定しても不利益はなく、被害を小さくできます。",
    ),
    expected=Text(
        "No line with the method trust for host connections in pg_hba.conf, and scram-sha-256 (not md5 or password) where a password is used. Peer authentication over the Unix socket is fine. GoToSocial on SQLite: mark as not applicable.",
        "pg_hba.conf の host 行に trust がなく、パスワード認証は md5 や password ではなく scram-sha-256 であること。Unix ソケットの peer 認証は問題ありません。SQLite で動かす GoToSocial は「対象外」にしてください。",
    ),
    fix=Fix(
        Text(
            "Replace every trust in pg_hba.conf, so that these lines are left (plus those you need for other machines, with hostssl):\n"
            + HBA
            + "\n\nGive the role a password, typed twice at the prompt, and load the file. Take the role of your software:\n"
            + ROLE
            + "\n\nIf the app speaks TCP, give it the same password (see the tab of your software) before the reload.",
            "pg_hba.conf の trust をすべて置き換え、次の行だけにします。別のホストから使う場合は hostssl の行を足してください。\n"
            + HBA
            + "\n\nロールにパスワードを設定し（2回入力します）、設定を読み込ませます。ロール名は使うソフトウェアに合わせてください。\n"
            + ROLE
            + "\n\nアプリが TCP で接続している場合は、読み込む前に同じパスワードをアプリにも設定します（各ソフトウェアのタブを参照）。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "The file lies with the cluster:\n" + DEBIAN,
                    "ファイルはクラスタごとにあります。\n" + DEBIAN,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "The file lies in the data directory:\n" + RHEL,
                    "ファイルはデータディレクトリにあります。\n" + RHEL,
                ),
            ),
            (
                "Docker",
                Text(
                    "Delete POSTGRES_HOST_AUTH_METHOD=trust from the Compose file. It only counts on the very first start, so also change trust in pg_hba.conf inside the data volume, then set a password and reload:\n"
                    + DOCKER
                    + "\n\nThe service needs no ports: entry.",
                    "Compose ファイルから POSTGRES_HOST_AUTH_METHOD=trust を消します。この変数は初回起動時にしか効かないため、データボリューム内の pg_hba.conf の trust も書き換え、パスワードを設定して読み込ませます。\n"
                    + DOCKER
                    + "\n\nこのサービスに ports: は不要です。",
                ),
            ),
            (
                "Mastodon",
                Text(
                    "On the same machine, the socket with peer authentication needs no password:\n"
                    + MASTODON
                    + "\n\nOver TCP:\n"
                    + MASTODON_TCP
                    + "\n\nWith the database on another machine add DB_SSLMODE=verify-full.",
                    "同じホストなら、ソケットと peer 認証でパスワードは要りません。\n"
                    + MASTODON
                    + "\n\nTCP の場合：\n"
                    + MASTODON_TCP
                    + "\n\nデータベースが別のホストにあるときは DB_SSLMODE=verify-full も加えます。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "In the configuration file, then restart:\n" + AKKOMA,
                    "設定ファイルに書いて再起動します。\n" + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "In .config/default.yml, then restart:\n" + MISSKEY,
                    ".config/default.yml に書いて再起動します。\n" + MISSKEY,
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "Usually MariaDB: give the app's user a password, write it to DB_PASSWORD in .env, and let root in through the socket only.\n"
                    + PIXELFED,
                    "多くは MariaDB です。アプリ用ユーザにパスワードを付けて .env の DB_PASSWORD に書き、root はソケットからだけ入れるようにします。\n"
                    + PIXELFED,
                ),
            ),
        ),
    ),
    verify=Text(
        "The file must show no line of type host with trust, and no error:\n"
        + VERIFY_TABLE
        + "\n\nThe running server must ask for a password; the answer that the role does not exist means trust:\n"
        + VERIFY_WIRE,
        "設定ファイルに host の trust 行もエラーもないことを確かめます。\n"
        + VERIFY_TABLE
        + "\n\n動いているサーバがパスワードを要求することも確かめます。「ロールが存在しない」と返ったら trust です。\n"
        + VERIFY_WIRE,
    ),
    attest_days=180,
    outdated=Text(
        "The source asks for a password even on the same host. Peer authentication over the Unix socket, which Mastodon's own guide sets up, is as good: an SSRF flaw cannot speak to a socket.",
        "出典は同じホストでもパスワードを求めていますが、Mastodon 公式の手順にある Unix ソケットの peer 認証でも同等です。SSRF ではソケットに話しかけられないためです。",
    ),
    codes={
        "trusts": Text(
            "{where} lets an unknown role in without any proof.",
            "{where} では、存在しないロールでも認証なしで通されます。",
        ),
        "line_trusts": Text(
            "A line of pg_hba.conf trusts TCP connections: {line}",
            "pg_hba.conf に TCP 接続を無条件で通す行があります（{line}）。",
        ),
        "socket_trusts": Text(
            "Over TCP a password is needed, but the Unix socket lets every account of the server in as any role.",
            "TCP ではパスワードが必要ですが、Unix ソケットではサーバ上のどのアカウントからも、任意のロールで接続できます。",
        ),
        "weak_method": Text(
            "A line of pg_hba.conf still uses {method}: {line}",
            "pg_hba.conf に {method} を使う行が残っています（{line}）。",
        ),
        "password": Text(
            "{where} asks for a password, and no line of pg_hba.conf trusts anybody.",
            "{where} ではパスワードを求められ、pg_hba.conf にも trust の行はありません。",
        ),
        "probed": Text(
            "{where} asks an unknown role for a password. Whether a line for one role trusts it could not be seen in pg_hba.conf; please answer.",
            "{where} は未知のロールにパスワードを求めます。特定のロールを trust にする行がないかは pg_hba.conf を読めないため、回答してください。",
        ),
        "turned_away": Text(
            "{where} turns an unknown role away. Whether a line for one role trusts it could not be seen in pg_hba.conf; please answer.",
            "{where} は未知のロールを拒みます。特定のロールを trust にする行がないかは pg_hba.conf を読めないため、回答してください。",
        ),
        "peer": Text(
            "Nobody gets in over TCP; over the Unix socket the account on the server decides (peer), or a password.",
            "TCP では接続できず、Unix ソケットではサーバ上のアカウント（peer）またはパスワードで認証されます。",
        ),
        "by_file": Text(
            "pg_hba.conf trusts nobody over TCP; psql was not there to try.",
            "pg_hba.conf に TCP の trust はありません（psql がないため実際の接続は試していません）。",
        ),
        "in_container": Text(
            "PostgreSQL runs in a container ({image}) that is not reachable from the server; is a password set there?",
            "PostgreSQL がコンテナ（{image}）で動いていますが、サーバ上からは接続できません。パスワードは設定されていますか。",
        ),
        "none": Text(
            "No PostgreSQL is to be found on this server.", "このサーバに PostgreSQL は見当たりません。"
        ),
        "hidden": Text(
            "No PostgreSQL answers on the server itself; whether one runs in a container cannot be seen.",
            "サーバ上で応答する PostgreSQL はありませんが、コンテナで動いているかどうかは確認できません。",
        ),
        "silent": Text(
            "PostgreSQL is set up on this server, but nothing answers at its port or socket.",
            "PostgreSQL の設定はありますが、ポートにもソケットにも応答がありません。",
        ),
        "unclear": Text(
            "PostgreSQL gave no answer that settles it.", "PostgreSQL の応答からは判断できません。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    view = parse_postgres(inside.lines("postgres"))
    there = [one for one in view.probes if one.way is not Way.ABSENT]
    published = frozenset(one.port for one in _containers(inside))
    return _weakness(view, there) or _proof(inside, view, there, published) or _absence(inside, view, there)


def _weakness(view: PostgresView, there: list[PostgresProbe]) -> Verdict | None:
    trusting = [one for one in there if one.way is Way.TRUST]
    for one in trusting:
        if not one.by_socket:
            return failed("trusts", where=one.where).seen(f"{PSQL}, {one.where}", one.said)
    for line in view.hba:
        if line.kind != "local" and line.method == "trust":
            return failed("line_trusts", line=line.text).seen(f"inside: {line.path}", line.text)
    for one in trusting:
        return warned("socket_trusts").seen(f"{PSQL}, {one.where}", one.said)
    for line in view.hba:
        if line.kind == "local" and line.method == "trust":
            return warned("socket_trusts").seen(f"inside: {line.path}", line.text)
        if line.method in _WEAK or (
            line.method == "ident" and line.address not in _HERE and line.kind != "local"
        ):
            verdict = warned("weak_method", method=line.method, line=line.text)
            return verdict.seen(f"inside: {line.path}", line.text)
    return None


def _proof(
    inside: Inside, view: PostgresView, there: list[PostgresProbe], published: frozenset[int]
) -> Verdict | None:
    """A pass needs an answer of the server, and its rules: a line for one role answers our unknown one otherwise.
    `published`: ports that lead into containers, whose rules lie inside."""
    over_tcp = [one for one in there if not one.by_socket]
    shown = "\n".join(f"{one.where}: {one.said}" for one in there)
    if any(one.way is Way.UNCLEAR for one in there):
        return None
    passwords = [one.where for one in over_tcp if one.way in {Way.PASSWORD, Way.PEER}]
    with_rules = view.ports_with_rules()
    ruled = all(str(one.port) in with_rules and one.port not in published for one in there)
    if there and (view.hba_denied or not ruled):
        where = ", ".join(passwords or (one.where for one in there))
        question = asked("probed", where=where) if passwords else asked("turned_away", where=where)
        return question.seen(PSQL, shown)
    if passwords:
        return passed("password", where=", ".join(passwords)).seen(PSQL, shown)
    if there:
        return passed("peer").seen(PSQL, shown)
    if not view.tool and view.hba and not view.hba_denied and not _may_be_in_container(inside):
        return passed("by_file").seen(
            f"inside: {view.hba[0].path}", "\n".join(one.text for one in view.hba[:12])
        )
    return None


def _containers(inside: Inside) -> tuple[Published, ...]:
    """Ports that containers publish; none where that section did not come whole."""
    try:
        return parse_docker(inside.lines("docker")).published
    except MissingFact:
        return ()


def _may_be_in_container(inside: Inside) -> bool:
    return images_hidden(inside) or any(name == "postgresql" for name, _, _ in images_of(inside))


def _absence(inside: Inside, view: PostgresView, there: list[PostgresProbe]) -> Verdict:
    if there:
        return unknown("unclear", Reason.DENIED if view.hba_denied else Reason.MALFORMED)
    images = [image for name, _, image in images_of(inside) if name == "postgresql"]
    if images:
        return asked("in_container", image=images[0]).seen("inside: docker ps", images[0])
    if view.hba or view.hba_denied or view.settings:
        if view.probes:
            return unknown("silent", Reason.REFUSED)
        return unknown("unclear", Reason.DENIED if view.hba_denied else Reason.MALFORMED)
    if not inside.lines("postgres"):
        return unknown("unclear", Reason.NOT_ASKED)
    if images_hidden(inside):
        return unknown("hidden", Reason.DENIED)
    return not_applicable("none")
