"""Are PostgreSQL, Redis, Node.js, Ruby … within support?  Packages of a distribution follow the distribution."""

from datetime import date, timedelta

from checks.data.support import StackRelease, Tables, stack, tables
from checks.errors import Reason
from checks.facts import Facts
from checks.facts.ends import EndsOfLife
from checks.facts.inside import Inside
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
    passed,
    unknown,
    warned,
)
from checks.parse.host.release import parse_release
from checks.parse.host.versions import Origin, Product, images_hidden, in_use, inventory, packages_of

LABEL = "inside: versions, packages and images"
_SOON = timedelta(days=90)
_STALE = timedelta(days=200)


SEE = """
    docker ps --format '{{.Image}}'
    psql --version
    node --version
    ruby --version"""

DUMP = """
    docker compose exec -T db pg_dumpall -U postgres > /var/backups/before-upgrade.sql"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(
        Source("003", "運用/脆弱性対応"),
        Source("+"),
    ),
    references=(
        Reference("PostgreSQL: Versioning Policy", "https://www.postgresql.org/support/versioning/"),
        Reference("Node.js: Releases", "https://nodejs.org/en/about/previous-releases"),
        Reference("Ruby: Maintenance Branches", "https://www.ruby-lang.org/en/downloads/branches/"),
        Reference("endoflife.date", "https://endoflife.date/"),
    ),
    title=Text(
        "Databases and runtimes are within their support", "データベースや実行環境がサポート期間内にある"
    ),
    why=Text(
        "PostgreSQL, Redis, Node.js or Ruby past their end of life get no more fixes, and new releases of the fediverse software stop to run on them. Packages from the distribution are patched as long as the distribution is, and what comes with the fediverse software, such as Rails, is its project's to renew.",
        "サポートの切れた PostgreSQL・Redis・Node.js・Ruby には修正が出ず、新しいソフトウェアも動かなくなります。ディストリビューションのパッケージはそのサポート期間中は修正され、Rails のような付属品の更新はソフトウェアの開発元の役目です。",
    ),
    expected=Text(
        "Everything that comes from images, own builds or vendors' repositories is a release that its project still supports.",
        "コンテナイメージ・自前ビルド・開発元のリポジトリから入れたものが、いずれも開発元のサポート中の版である状態。",
    ),
    fix=Fix(
        Text(
            "Plan one step at a time, the database first, after a dump. A new major version of PostgreSQL cannot read the old files: dump, then restore.\n"
            + DUMP,
            "1つずつ、データベースから計画します。PostgreSQL のメジャーバージョンが変わると古いデータを読めないため、ダンプしてからリストアします。\n"
            + DUMP,
        )
    ),
    verify=Text(
        "Compare the versions with https://endoflife.date/ before you answer:\n" + SEE,
        "https://endoflife.date/ とバージョンを見比べます。\n" + SEE,
    ),
    codes={
        "supported": Text(
            "What comes from images, own builds and vendors ({count}) is within support.",
            "イメージ・自前ビルド・開発元のパッケージ（{count} 件）は、いずれもサポート期間内です。",
        ),
        "by_distribution": Text(
            "Everything comes from packages of {release}, which is within its own support.",
            "すべて {release} のパッケージで、ディストリビューションのサポート期間内です。",
        ),
        "ended": Text(
            "Support for {product} {version} ended on {ended}.",
            "{product} {version} のサポートは {ended} に終了しています。",
        ),
        "ended_long_ago": Text(
            "Support for {product} {version} has ended.",
            "{product} {version} のサポートは終了しています。",
        ),
        "ends_soon": Text(
            "Support for {product} {version} ends on {ends}.",
            "{product} {version} のサポートは {ends} に終わります。",
        ),
        "distribution_ended": Text(
            "The packages come from {release}, which has got no updates since {ended}.",
            "パッケージの提供元である {release} の更新は {ended} に終了しています。",
        ),
        "not_listed": Text(
            "fedisec cannot place {product} {version} among the releases it knows.",
            "{product} {version} は、fedisec の知るリリースの一覧にありません。",
        ),
        "images_hidden": Text(
            "What could be seen is within support, but which containers run may not be seen by this account.",
            "確認できた範囲ではサポート期間内ですが、動いているコンテナを見る権限がありません。",
        ),
        "packages_hidden": Text(
            "Which programs come from packages of the distribution cannot be seen.",
            "どのプログラムがディストリビューションのパッケージか確認できません。",
        ),
        "stale_data": Text(
            "fedisec's dates are from {as_of}, too old to say that all is well.",
            "fedisec の期限データは {as_of} 時点のもので、問題なしと判断するには古すぎます。",
        ),
        "nothing": Text(
            "No database, runtime or web server told its version.",
            "バージョンを取得できたデータベースや実行環境がありません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    today, known = inside.seen_at.date(), tables(facts.maybe(EndsOfLife))
    products = [one for one in inventory(inside) if one.name in stack() and one.version and _is_theirs(one)]
    own = in_use(one for one in products if one.origin not in {Origin.DISTRIBUTION, Origin.UNSURE})
    if not packages_of(inside):
        own = [one for one in own if one.origin is Origin.IMAGE]
    placed = [(one, known.release(one.name, one.version)) for one in own]
    verdict = _worst(placed, known, today) or _distribution_ended(inside, products, known, today)
    if verdict is not None:
        return verdict
    if not products:
        return unknown("nothing", Reason.NO_TOOL)
    if any(one.origin is Origin.UNSURE for one in products) or not packages_of(inside):
        return unknown("packages_hidden", Reason.NO_TOOL)
    if images_hidden(inside):
        return unknown("images_hidden", Reason.DENIED).seen(LABEL, _rows(products))
    as_of = min(known.as_of(one.name) for one in products)
    if today - as_of > _STALE:
        return unknown("stale_data", Reason.NOT_ASKED, as_of=str(as_of))
    release = parse_release(inside.lines("release"))
    if not own and release is not None:
        return passed("by_distribution", release=release.pretty).seen(LABEL, _rows(products))
    return passed("supported", count=len(own)).seen(LABEL, _rows(own))


def _is_theirs(one: Product) -> bool:
    """The admin's to choose: no framework that the fediverse software brings along."""
    return not stack()[one.name].comes_with


def _worst(placed: list[tuple[Product, StackRelease | None]], known: Tables, today: date) -> Verdict | None:
    """An end that has come, else one that is near, else a release that the table does not know."""
    ended = [(one, release) for one, release in placed if release and release.is_ended(today)]
    if ended:
        first, release = min(ended, key=lambda row: row[1].ends or date.min)
        words = {"product": _title(first), "version": first.version}
        verdict = failed("ended", **words, ended=str(release.ends)) if release.ends else None
        verdict = verdict or failed("ended_long_ago", **words)
        return verdict.seen(LABEL, _going(ended, known, today))
    near = [(one, release) for one, release in placed if release and release.ends]
    soon = [(one, release) for one, release in near if release.ends and release.ends - today < _SOON]
    if soon:
        first, release = min(soon, key=lambda row: row[1].ends or date.max)
        words = {"product": _title(first), "version": first.version}
        return warned("ends_soon", **words, ends=str(release.ends)).seen(LABEL, _going(soon, known, today))
    for one, line in placed:
        if line is None:
            words = {"product": _title(one), "version": one.version}
            return unknown("not_listed", Reason.NOT_ASKED, **words).seen(LABEL, _rows([one]))
    return None


def _going(placed: list[tuple[Product, StackRelease]], known: Tables, today: date) -> str:
    """Each with its end and the release to go to."""
    lines = []
    for one, release in placed[:30]:
        to = known.goes_to(one.name, release, today)
        more = f", next {to.latest or to.name}" if to is not None else ""
        lines.append(f"{_rows([one])}: {release.ends or 'ended'}{more}")
    return "\n".join(lines)


def _distribution_ended(
    inside: Inside, products: list[Product], known: Tables, today: date
) -> Verdict | None:
    release = parse_release(inside.lines("release"))
    packaged = [one for one in products if one.origin is Origin.DISTRIBUTION]
    dates = known.os_dates(release.id, release.branch) if release else None
    if release and packaged and dates and dates.last < today:
        verdict = failed("distribution_ended", release=release.pretty, ended=str(dates.last))
        return verdict.seen(LABEL, _rows(packaged))
    return None


def _title(one: Product) -> str:
    return stack()[one.name].title


def _rows(products: list[Product]) -> str:
    return "\n".join(
        f"{one.name} {one.version} ({one.package or one.seen_as}, {one.origin})" for one in products[:30]
    )
