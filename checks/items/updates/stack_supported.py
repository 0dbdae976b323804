"""Are PostgreSQL, Redis, Node.js, Ruby … within support?  Packages of a distribution follow the distribution."""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

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
)
