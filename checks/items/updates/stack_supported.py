"""Are PostgreSQL, Redis, Node.js, Ruby … within support?  Packages of a distribution follow the distribution."""

from datetime import date, timedelta

from packaging.version import Version

from checks.data.support import StackRelease, os_release, stack, stack_as_of, stack_release
from checks.errors import Reason
from checks.facts import Facts
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
from checks.parse.host.versions import Origin, Product, images_hidden, inventory, packages_of

LABEL = "inside: versions, packages and images"
_SOON = timedelta(days=60)
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
        "PostgreSQL, Redis, Node.js or Ruby past their end of life get no more fixes, and new releases of the fediverse software stop to run on them. Packages from the distribution are patched as long as the distribution is.",
        "サポートの切れた PostgreSQL・Redis・Node.js・Ruby には修正が出ず、新しいソフトウェアも動かなくなります。ディストリビューションのパッケージは、そのサポート期間中は修正されます。",
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
    today = inside.seen_at.date()
    products = [one for one in inventory(inside) if one.name in stack() and one.version]
    own = _newest_of_rbenv(
        [one for one in products if one.origin not in {Origin.DISTRIBUTION, Origin.UNSURE}]
    )
    if not packages_of(inside):
        own = [one for one in own if one.origin is Origin.IMAGE]
    placed = [(one, stack_release(one.name, one.version)) for one in own]
    verdict = _worst(placed, today) or _distribution_ended(inside, products, today)
    if verdict is not None:
        return verdict
    if not products:
        return unknown("nothing", Reason.NO_TOOL)
    if any(one.origin is Origin.UNSURE for one in products) or not packages_of(inside):
        return unknown("packages_hidden", Reason.NO_TOOL)
    if images_hidden(inside):
        return unknown("images_hidden", Reason.DENIED).seen(LABEL, _rows(products))
    if today - stack_as_of() > _STALE:
        return unknown("stale_data", Reason.NOT_ASKED, as_of=str(stack_as_of()))
    release = parse_release(inside.lines("release"))
    if not own and release is not None:
        return passed("by_distribution", release=release.pretty).seen(LABEL, _rows(products))
    return passed("supported", count=len(own)).seen(LABEL, _rows(own))


def _worst(placed: list[tuple[Product, StackRelease | None]], today: date) -> Verdict | None:
    """An end that has come, else one that is near, else a release that the table does not know."""
    dated = [(release.ends, one) for one, release in placed if release and release.ends]
    ends, first = min(dated, key=lambda row: row[0], default=(None, None))
    if ends and first and ends < today:
        words = {"product": _title(first), "version": first.version}
        return failed("ended", **words, ended=str(ends)).seen(LABEL, _rows([first]))
    if ends and first and ends - today < _SOON:
        words = {"product": _title(first), "version": first.version}
        return warned("ends_soon", **words, ends=str(ends)).seen(LABEL, _rows([first]))
    for one, release in placed:
        if release is None:
            words = {"product": _title(one), "version": one.version}
            return unknown("not_listed", Reason.NOT_ASKED, **words).seen(LABEL, _rows([one]))
    return None


def _distribution_ended(inside: Inside, products: list[Product], today: date) -> Verdict | None:
    release = parse_release(inside.lines("release"))
    packaged = [one for one in products if one.origin is Origin.DISTRIBUTION]
    dates = os_release(release.id, release.branch) if release else None
    if release and packaged and dates and dates.last < today:
        verdict = failed("distribution_ended", release=release.pretty, ended=str(dates.last))
        return verdict.seen(LABEL, _rows(packaged))
    return None


def _newest_of_rbenv(products: list[Product]) -> list[Product]:
    """Old Rubies stay in their folders; the newest one is taken for the one in use."""
    rubies = [one for one in products if one.seen_as == "ruby-rbenv"]
    newest = max(rubies, key=lambda one: Version(one.version), default=None)
    return [one for one in products if one.seen_as != "ruby-rbenv" or one is newest]


def _title(one: Product) -> str:
    return stack()[one.name][0]


def _rows(products: list[Product]) -> str:
    return "\n".join(
        f"{one.name} {one.version} ({one.package or one.seen_as}, {one.origin})" for one in products[:30]
    )
