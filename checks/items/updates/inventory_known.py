"""Are OS, container engine, databases, language runtimes and web server known with their versions?"""

from checks.data.support import product_titles, system_titles
from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.facts.stated import StatedProduct, StatedStack
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
    passed,
    unknown,
)
from checks.parse.host.release import parse_release
from checks.parse.host.versions import Product, images_hidden, inventory

LABEL = "inside: versions, packages and images"
BY_HAND = "inventory: written down by hand"
# A list by hand is taken for whole when it names one of each.
_PARTS = (
    frozenset(system_titles())
    | {"raspbian", "ol", "arch", "nixos", "opensuse", "gentoo", "freebsd", "openbsd"},
    frozenset({"nginx", "apache", "caddy", "haproxy", "traefik", "varnish", "cloudflared"}),
    frozenset({"postgresql", "mariadb", "mysql", "sqlite", "redis", "valkey"}),
    frozenset({"ruby", "nodejs", "elixir", "erlang", "php", "python", "go", "docker", "podman"}),
)

LIST = """
    cat /etc/os-release
    docker version --format '{{.Server.Version}}'
    redis-server --version
    psql --version
    node --version
    ruby --version
    nginx -v"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(
        INSIDE,
        MANUAL,
    ),
    sources=(Source("003", "運用/脆弱性対応"),),
    references=(Reference("endoflife.date", "https://endoflife.date/"),),
    title=Text(
        "The software on the server is known, with versions",
        "サーバで動くソフトウェアとバージョンを把握している",
    ),
    why=Text(
        "An advisory helps only whoever knows that it is about them. The list is short: operating system, container engine, Redis or Valkey, PostgreSQL, language runtimes, web server.",
        "脆弱性情報は、自分に関係があるとわかって初めて役に立ちます。OS・コンテナ・Redis や Valkey・PostgreSQL・言語の実行環境・ウェブサーバを挙げておけば足ります。",
    ),
    expected=Text(
        "Each of them is written down with its version, or fedisec reads them over SSH.",
        "それぞれの名前とバージョンを控えてある、または fedisec が SSH で取得している状態。",
    ),
    fix=Fix(
        Text(
            "Connect the server over SSH, and fedisec keeps the list. Otherwise run these and write the versions down on the page Inventory of the instance; not every command exists on every server:\n"
            + LIST,
            "サーバを SSH で接続すれば fedisec が一覧を作ります。接続しない場合は次を実行し、インスタンスの「インベントリ」ページにバージョンを書き留めます（入っていないものは飛ばしてください）。\n"
            + LIST,
        )
    ),
    verify=Text(
        "Could you say right now whether a flaw in nginx or OpenSSL concerns you?",
        "nginx や OpenSSL の脆弱性が公表されたとき、自分に関係があるかすぐに答えられますか。",
    ),
    attest_days=90,
    outdated=Text(
        "The source names CentOS among the systems. CentOS Linux ended in June 2024; AlmaLinux, Rocky Linux or another supported distribution takes its place.",
        "出典は OS の例に CentOS を挙げていますが、CentOS Linux は2024年6月に終了しました。AlmaLinux や Rocky Linux など、サポートの続くものに移ってください。",
    ),
    codes={
        "known": Text(
            "fedisec reads {count} programs and images with their versions, and the release of the system.",
            "fedisec が、OS のほか {count} 件のプログラムとイメージのバージョンを取得しています。",
        ),
        "images_hidden": Text(
            "{count} programs are known, but which containers run may not be seen by this account.",
            "{count} 件のプログラムは取得できましたが、動いているコンテナを見る権限がありません。",
        ),
        "release_unseen": Text(
            "{count} programs are known, but not the release of the system.",
            "{count} 件のプログラムは取得できましたが、OS の版がわかりません。",
        ),
        "with_hand": Text(
            "Which containers run may not be seen by this account; {by_hand} products were written down by hand beside the {count} that fedisec reads.",
            "コンテナを見る権限はありませんが、fedisec が取得した {count} 件に加えて {by_hand} 件が手で書き留められています。",
        ),
        "by_hand": Text(
            "{count} products were written down by hand, until {until}: the system, a web server, a database and a runtime are among them.",
            "{count} 件が手で書き留められています（{until} まで有効）。OS・ウェブサーバ・データベース・実行環境がそろっています。",
        ),
        "by_hand_partly": Text(
            "{count} products were written down by hand. Is that all there is? A whole list names at least the system, a web server, a database and a runtime or container engine.",
            "{count} 件が手で書き留められています。これで全部でしょうか。OS・ウェブサーバ・データベース・実行環境（またはコンテナ）がそろうと一覧とみなします。",
        ),
        "nothing": Text("No program told its version.", "バージョンを取得できたプログラムがありません。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    stated = facts.maybe(StatedStack)
    written = stated.products if stated is not None else ()
    if Inside not in facts.found and written:
        return _by_hand(written)
    inside = facts.get(Inside)
    products = inventory(inside)
    if not products:
        return unknown("nothing", Reason.NO_TOOL)
    release = parse_release(inside.lines("release"))
    if release is None:
        return unknown("release_unseen", Reason.MALFORMED, count=len(products))
    shown = "\n".join((release.pretty, *(_row(one) for one in products[:40])))
    if not images_hidden(inside):
        return passed("known", count=len(products)).seen(LABEL, shown)
    known = {release.id, *(one.name for one in products), *(one.name for one in written)}
    if written and _is_whole(known):
        verdict = passed("with_hand", count=len(products), by_hand=len(written))
        return verdict.seen(LABEL, shown).seen(BY_HAND, _written(written))
    return unknown("images_hidden", Reason.DENIED, count=len(products)).seen(LABEL, shown)


def _by_hand(written: tuple[StatedProduct, ...]) -> Verdict:
    if not _is_whole({one.name for one in written}):
        return asked("by_hand_partly", count=len(written)).seen(BY_HAND, _written(written))
    until = min(one.until for one in written)
    return passed("by_hand", count=len(written), until=str(until)).seen(BY_HAND, _written(written))


def _is_whole(names: set[str]) -> bool:
    return all(names & part for part in _PARTS)


def _written(written: tuple[StatedProduct, ...]) -> str:
    titles = product_titles()
    return "\n".join(f"{titles.get(one.name, one.name)} {one.version}" for one in written[:40])


def _row(one: Product) -> str:
    return f"{one.name} {one.version or '–'} ({one.package or one.seen_as or one.origin})"
