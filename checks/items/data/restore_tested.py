"""Was a restore rehearsed within the last 180 days?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

RESTORE = """
    createdb restore_test
    pg_restore --no-owner -j 2 -d restore_test db.dump"""

DROP = """
    dropdb restore_test"""

MASTODON = """
    psql -d restore_test -c 'SELECT count(*), max(created_at) FROM statuses'
    grep -c '^ACTIVE_RECORD_ENCRYPTION_' .env.production"""

AKKOMA = """
    psql -d restore_test -c 'SELECT count(*), max(inserted_at) FROM activities'"""

MISSKEY = """
    psql -d restore_test -c 'SELECT count(*), max(id) FROM note'"""

PIXELFED = """
    mariadb -e 'CREATE DATABASE restore_test'
    gunzip < db.sql.gz | mariadb restore_test
    mariadb restore_test -e 'SELECT COUNT(*), MAX(created_at) FROM statuses'"""

GOTOSOCIAL = """
    sqlite3 gotosocial.db 'PRAGMA integrity_check'
    sqlite3 gotosocial.db 'SELECT count(*), max(created_at) FROM statuses'"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(MANUAL,),
    sources=(Source("003", "非常時"), Source("+")),
    references=(
        Reference("PostgreSQL: pg_restore", "https://www.postgresql.org/docs/current/app-pgrestore.html"),
        Reference("Mastodon: Backing up your server", "https://docs.joinmastodon.org/admin/backups/"),
    ),
    title=Text(
        "A restore from backup was rehearsed in the last 180 days",
        "直近180日以内に、バックアップからの復元を試している",
    ),
    why=Text(
        "A backup that nobody has restored is a hope. The rehearsal shows what is missing, usually a key or a password, and how long your users would wait.",
        "一度も復元したことのないバックアップは、使えるかどうかわかりません。試してみると、足りないもの（多くは鍵やパスワード）と、復旧にかかる時間がわかります。",
    ),
    expected=Text(
        "On a machine other than the server, from the off-site copy alone, the database was restored and its newest post is as old as the backup. Date, duration and what was missing stand in the note.",
        "本番とは別の環境で、外部に置いた複製だけを使ってデータベースを復元し、最新の投稿の日時がバックアップの時点と合っていたこと。実施日・所要時間・足りなかったものがメモにあること。",
    ),
    fix=Fix(
        Text(
            "Fetch the newest copy to another machine that runs the same major version of the database, as a user who may create databases:\n"
            + RESTORE
            + "\n\nLook whether the newest post is there (see the tab of your software). Do not start the app itself with the real domain and open network: its job queue would send mail and posts a second time. Afterwards:\n"
            + DROP,
            "同じメジャーバージョンのデータベースが動く別の環境に最新の複製を取り出し、データベースを作れるユーザで復元します。\n"
            + RESTORE
            + "\n\n最新の投稿があるか確かめます（各ソフトウェアのタブを参照）。本番のドメインのまま外につながる状態でアプリを起動すると、ジョブキューがメールや投稿を二重に送ってしまうので避けてください。終わったら消します。\n"
            + DROP,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "The second command must print 3:\n" + MASTODON,
                    "2つ目のコマンドは 3 と表示されるはずです。\n" + MASTODON,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "Restoring may take hours, since indexes are built anew:\n" + AKKOMA,
                    "索引を作り直すため、復元に何時間もかかることがあります。\n" + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Keep the id method of .config/default.yml:\n" + MISSKEY,
                    ".config/default.yml の id（ID 生成方式）は元のままにします。\n" + MISSKEY,
                ),
            ),
            ("Pixelfed", Text("On MariaDB:\n" + PIXELFED, "MariaDB の場合：\n" + PIXELFED)),
            ("GoToSocial", Text("On SQLite:\n" + GOTOSOCIAL, "SQLite の場合：\n" + GOTOSOCIAL)),
        ),
    ),
    verify=Text(
        "Could you give the date of the last rehearsal, and how many hours a full restore takes?",
        "最後に試した日と、完全な復旧にかかる時間を答えられますか。",
    ),
    attest_days=180,
)
