"""Does Redis (or Valkey) ask for a password, or listen on a Unix socket alone?"""

from checks.errors import Reason
from checks.facts import Facts
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
from checks.parse.host.redis import Answer, RedisProbe, RedisView, parse_redis
from checks.parse.host.versions import images_hidden, images_of

LABEL = "inside: EXISTS without a login"
_WORST_FIRST = (Answer.OPEN, Answer.PROTECTED, Answer.LIMITED, Answer.UNCLEAR, Answer.PASSWORD)


MAKE = """
    openssl rand -hex 32"""

CONF = """
    bind 127.0.0.1 -::1
    protected-mode yes
    requirepass PASSWORD"""

SOCKET = """
    port 0
    unixsocket /run/redis/redis.sock
    unixsocketperm 770"""

DEBIAN = """
    sudoedit /etc/redis/redis.conf
    sudo systemctl restart redis-server"""

RHEL = """
    sudoedit /etc/redis/redis.conf
    sudo systemctl restart redis"""

VALKEY = """
    sudoedit /etc/valkey/valkey.conf
    sudo systemctl restart valkey-server"""

DOCKER = """
    redis:
      command: ["redis-server", "--requirepass", "$REDIS_PASSWORD"]"""

MASTODON = """
    REDIS_PASSWORD=PASSWORD

    sudo systemctl restart mastodon-web mastodon-sidekiq mastodon-streaming"""

MASTODON_URL = """
    REDIS_URL=redis://:PASSWORD@127.0.0.1:6379/0"""

MISSKEY = """
    redis:
      host: 127.0.0.1
      port: 6379
      pass: PASSWORD

    sudo systemctl restart misskey"""

PIXELFED = """
    REDIS_PASSWORD=PASSWORD

    php artisan config:cache
    php artisan horizon:terminate"""

VERIFY = """
    redis-cli -h 127.0.0.1 EXISTS fedisec:probe"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(INSIDE, MANUAL),
    sources=(Source("003", "構築/ミドルウェア"),),
    references=(
        Reference(
            "Redis: Security", "https://redis.io/docs/latest/operate/oss_and_stack/management/security/"
        ),
        Reference("Valkey: Security", "https://valkey.io/topics/security/"),
        Reference("Mastodon: Redis", "https://docs.joinmastodon.org/admin/config/#redis"),
    ),
    title=Text(
        "Redis asks for a password or listens on a Unix socket only",
        "Redis にパスワードを設定している（または Unix ソケットのみ）",
    ),
    why=Text(
        "A flaw that makes the app fetch an address of the attacker's choice (SSRF) reaches Redis on the same host, and such flaws keep being found in fediverse software. Without a password one line is enough to read sessions or to plant jobs.",
        "アプリに任意の宛先へ接続させる SSRF の脆弱性は分散SNSでも繰り返し見つかっており、同じホストの Redis にも届きます。パスワードがなければ、セッションの読み取りやジョブの書き込みを許してしまいます。",
    ),
    expected=Text(
        "A command without a login is answered with NOAUTH on every TCP address Redis or Valkey listens on, or it has no TCP port at all. Software without Redis (Akkoma, Pleroma, GoToSocial): mark as not applicable.",
        "Redis や Valkey が待ち受けるどの TCP アドレスでも、認証なしのコマンドに NOAUTH が返る状態。または TCP ポートを開いていない状態。Redis を使わない Akkoma・Pleroma・GoToSocial は「対象外」にしてください。",
    ),
    fix=Fix(
        Text(
            "Make a long random password. Hexadecimal digits need no quoting in any of the files:\n"
            + MAKE
            + "\n\nSet it in the configuration of Redis:\n"
            + CONF
            + "\n\nGive the app the same password (see the tab of your software) and restart Redis and the app together. Where the app can use a socket, this counts as well:\n"
            + SOCKET,
            "長いランダムなパスワードを作ります。16進数なら、どの設定ファイルでも引用符が要りません。\n"
            + MAKE
            + "\n\nRedis の設定ファイルに書きます。\n"
            + CONF
            + "\n\nアプリにも同じパスワードを設定し（各ソフトウェアのタブを参照）、Redis とアプリを続けて再起動します。アプリがソケットに対応していれば、次の設定でも構いません。\n"
            + SOCKET,
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "Redis:\n" + DEBIAN + "\n\nValkey:\n" + VALKEY,
                    "Redis の場合：\n" + DEBIAN + "\n\nValkey の場合：\n" + VALKEY,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "Older releases keep the file at /etc/redis.conf; newer ones ship Valkey (/etc/valkey/valkey.conf, unit valkey).\n"
                    + RHEL,
                    "古い版では /etc/redis.conf にあります。新しい版は Valkey に替わっています（/etc/valkey/valkey.conf、ユニット名は valkey）。\n"
                    + RHEL,
                ),
            ),
            (
                "Docker",
                Text(
                    "Put REDIS_PASSWORD=… in the .env file beside the Compose file, and delete any ports: entry of this service: a published port goes past ufw.\n"
                    + DOCKER,
                    "Compose ファイルと同じ場所の .env に REDIS_PASSWORD=… を書き、このサービスの ports: は削除します。公開したポートは ufw を素通りするためです。\n"
                    + DOCKER,
                ),
            ),
            (
                "Mastodon",
                Text(
                    "In .env.production:\n"
                    + MASTODON
                    + "\n\nIf REDIS_URL is set, it wins; then write the password into it:\n"
                    + MASTODON_URL,
                    ".env.production に設定します。\n"
                    + MASTODON
                    + "\n\nREDIS_URL があるとそちらが優先されるので、その中に書いてください。\n"
                    + MASTODON_URL,
                ),
            ),
            (
                "Misskey",
                Text(
                    "In .config/default.yml; repeat pass: in redisForPubsub, redisForJobQueue and the other Redis sections that are switched on.\n"
                    + MISSKEY,
                    ".config/default.yml に書きます。redisForPubsub や redisForJobQueue など、有効にしているほかの Redis の設定にも pass: を書いてください。\n"
                    + MISSKEY,
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "In .env; the sample's value null means no password.\n" + PIXELFED,
                    ".env に設定します。見本にある null はパスワードなしという意味です。\n" + PIXELFED,
                ),
            ),
        ),
    ),
    verify=Text(
        "Ask without a login; it must say NOAUTH (a number means that everybody on this machine may read and write):\n"
        + VERIFY
        + "\n\nDo not test with PING: a server may answer it before the login.",
        "認証せずに問い合わせて、NOAUTH と返ることを確かめます。数字が返ったら、このホストの誰でも読み書きできる状態です。\n"
        + VERIFY
        + "\n\nPING は認証前でも応答する設定があるので、確認には向きません。",
    ),
    attest_days=180,
    outdated=Text(
        "The source knew of no SSRF flaw in Mastodon and asked for the password as a precaution. Since then several were found, in Mastodon, Misskey, Lemmy and Pixelfed: its advice weighs more today. A Redis that listens on a Unix socket alone is as good.",
        "出典の時点では Mastodon に SSRF の脆弱性は知られておらず、パスワードは念のためのものでした。その後 Mastodon・Misskey・Lemmy・Pixelfed で相次いで見つかったため、いまのほうが重要です。Unix ソケットだけで待ち受けていれば、パスワードがなくても同等です。",
    ),
    codes={
        "password": Text(
            "Without a login {where} answers NOAUTH.", "{where} は、認証なしのコマンドに NOAUTH を返します。"
        ),
        "socket_only": Text(
            "Redis has no TCP port, only a Unix socket.",
            "Redis は TCP ポートを開かず、Unix ソケットだけで動いています。",
        ),
        "open": Text(
            "{where} carries out a command without a login.", "{where} で、認証なしのコマンドが実行されます。"
        ),
        "protected_only": Text(
            "{where} has no password; only its protected mode refuses strangers.",
            "{where} にはパスワードがなく、保護モードが外部からの接続を断っているだけです。",
        ),
        "limited": Text(
            "{where} lets everybody in without a password, with few rights.",
            "{where} には、限られた権限ながらパスワードなしで接続できます。",
        ),
        "in_container": Text(
            "Redis runs in a container ({image}) that is not reachable from the server; is a password set there?",
            "Redis がコンテナ（{image}）で動いていますが、サーバ上からは接続できません。パスワードは設定されていますか。",
        ),
        "none": Text(
            "No Redis or Valkey is to be found on this server.",
            "このサーバに Redis や Valkey は見当たりません。",
        ),
        "hidden": Text(
            "No Redis answers on the server itself; whether one runs in a container cannot be seen.",
            "サーバ上で応答する Redis はありませんが、コンテナで動いているかどうかは確認できません。",
        ),
        "silent": Text(
            "Redis is set up on this server, but nothing answers at its port.",
            "Redis の設定はありますが、ポートに応答がありません。",
        ),
        "unclear": Text(
            "{where} gave an answer that settles nothing.", "{where} の応答からは判断できません。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    view = parse_redis(inside.lines("redis"))
    answering = [one for one in view.probes if one.answer is not Answer.CLOSED]
    worst = min(answering, key=lambda one: _WORST_FIRST.index(one.answer), default=None)
    if worst is not None:
        return _by_probe(worst, answering).seen(f"{LABEL}, {worst.where}", worst.said or "–")
    if _socket_only(view):
        path, settings = view.settings[0]
        return passed("socket_only").seen(f"inside: {path}", f"port 0, unixsocket {settings['unixsocket']}")
    images = [image for name, _, image in images_of(inside) if name in {"redis", "valkey"}]
    if images:
        return asked("in_container", image=images[0]).seen("inside: docker ps", images[0])
    if not view.probes and not view.settings:
        return unknown("unclear", Reason.NOT_ASKED, where="Redis")
    if view.settings or view.denied:
        return unknown("silent", Reason.REFUSED)
    if images_hidden(inside):
        return unknown("hidden", Reason.DENIED)
    return not_applicable("none")


def _by_probe(worst: RedisProbe, every: list[RedisProbe]) -> Verdict:
    if worst.answer is Answer.OPEN:
        return failed("open", where=worst.where)
    if worst.answer is Answer.PROTECTED:
        return failed("protected_only", where=worst.where)
    if worst.answer is Answer.LIMITED:
        return warned("limited", where=worst.where)
    if worst.answer is Answer.PASSWORD:
        return passed("password", where=", ".join(one.where for one in every))
    return unknown("unclear", Reason.MALFORMED, where=worst.where)


def _socket_only(view: RedisView) -> bool:
    """Every file that was read closes the port, and no other file is hidden."""
    return (
        bool(view.settings)
        and not view.denied
        and all(values.get("port") == "0" and values.get("unixsocket") for _, values in view.settings)
    )
