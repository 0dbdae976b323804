"""Is there a database backup younger than 26 hours, and of plausible size?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

DIRECTORY = """
    sudo install -d -m 700 -o postgres -g postgres /var/backups/fediverse"""

SERVICE = """
    [Unit]
    Description=Dump the fediverse database

    [Service]
    Type=oneshot
    User=postgres
    UMask=0077
    ExecStart=/bin/sh -c 'pg_dump -Fc -f /var/backups/fediverse/unfinished mastodon_production && mv /var/backups/fediverse/unfinished /var/backups/fediverse/db-$$(date +%%F).dump'
    ExecStartPost=/usr/bin/find /var/backups/fediverse -name db-*.dump -mtime +7 -delete"""

TIMER = """
    [Unit]
    Description=Dump the fediverse database every night

    [Timer]
    OnCalendar=*-*-* 03:30
    RandomizedDelaySec=15min
    Persistent=true

    [Install]
    WantedBy=timers.target"""

ENABLE = """
    sudo systemctl daemon-reload
    sudo systemctl enable --now fediverse-backup.timer
    sudo systemctl start fediverse-backup.service"""

MASTODON = """
    sudo -u postgres pg_dump -Fc -f /var/backups/fediverse/db.dump mastodon_production"""

AKKOMA = """
    sudo -u postgres pg_dump -Fc -f /var/backups/fediverse/db.dump akkoma"""

MISSKEY = """
    sudo -u postgres pg_dump -Fc -f /var/backups/fediverse/db.dump misskey"""

PIXELFED = """
    sudo mariadb-dump --single-transaction --quick pixelfed | gzip > db.sql.gz"""

GOTOSOCIAL = """
    sqlite3 /gotosocial/sqlite.db ".backup '/var/backups/fediverse/gotosocial.db'\""""

DOCKER = """
    docker compose exec -T db pg_dump -Fc -U DB_USER DB_NAME > db.dump"""

VERIFY = """
    systemctl list-timers fediverse-backup.timer
    systemctl show fediverse-backup.service -p Result,ExecMainExitTimestamp
    sudo ls -l --time-style=long-iso /var/backups/fediverse
    sudo sh -c 'pg_restore --list "$(ls -t /var/backups/fediverse/db-*.dump | head -n 1)" | tail -n 3'"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(INSIDE, MANUAL),
    sources=(Source("003", "構築/ミドルウェア"),),
    title=Text(
        "The database is backed up at least once a day",
        "データベースを1日1回以上バックアップしている",
    ),
    why=Text(
        "Accounts, posts, follows and the keys that others know you by are all in the database; without it the server is gone for good. Backups fail quietly: servers were lost because the job had been failing for days.",
        "アカウント・投稿・フォロー関係・署名鍵はすべてデータベースにあり、失えばサーバは元に戻せません。何日も前からバックアップが失敗していたことに気づかず、消滅したサーバもあります。",
    ),
    expected=Text(
        "The newest dump is younger than 26 hours, about as large as the one before (half to double), and the job reported success.",
        "最新のダンプが26時間以内のもので、サイズが前回の半分から2倍の間に収まり、処理も成功で終わっている状態。",
    ),
    fix=Fix(
        Text(
            "Let a systemd timer dump the database every night. Make the directory:\n"
            + DIRECTORY
            + "\n\nSave as /etc/systemd/system/fediverse-backup.service (put in the name of your database):\n"
            + SERVICE
            + "\n\nSave as /etc/systemd/system/fediverse-backup.timer:\n"
            + TIMER
            + "\n\nSwitch it on and run it once:\n"
            + ENABLE,
            "systemd タイマーで毎晩ダンプします。まず保存先を作ります。\n"
            + DIRECTORY
            + "\n\n/etc/systemd/system/fediverse-backup.service として保存します。データベース名は自分のものに変えてください。\n"
            + SERVICE
            + "\n\n/etc/systemd/system/fediverse-backup.timer として保存します。\n"
            + TIMER
            + "\n\n有効にして、一度実行してみます。\n"
            + ENABLE,
        ),
        variants=(
            ("Mastodon", Text("One dump by hand:\n" + MASTODON, "手動で1回ダンプする場合：\n" + MASTODON)),
            (
                "Akkoma/Pleroma",
                Text(
                    "One dump by hand (Pleroma's database is named pleroma):\n" + AKKOMA,
                    "手動で1回ダンプする場合（Pleroma のデータベース名は pleroma）：\n" + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "One dump by hand; the name stands at db.db in .config/default.yml:\n" + MISSKEY,
                    "手動で1回ダンプする場合（名前は .config/default.yml の db.db）：\n" + MISSKEY,
                ),
            ),
            ("Pixelfed", Text("On MariaDB:\n" + PIXELFED, "MariaDB の場合：\n" + PIXELFED)),
            (
                "GoToSocial",
                Text(
                    "On SQLite, copy with the backup command, never with cp while the server runs. The path stands at db-address in config.yaml:\n"
                    + GOTOSOCIAL,
                    "SQLite の場合、稼働中は cp ではなく backup コマンドで複製します。パスは config.yaml の db-address です。\n"
                    + GOTOSOCIAL,
                ),
            ),
            (
                "Docker",
                Text(
                    "User and name stand in the app's environment file (DB_USER, DB_NAME):\n" + DOCKER,
                    "ユーザ名とデータベース名は、アプリの環境ファイルの DB_USER と DB_NAME です。\n" + DOCKER,
                ),
            ),
        ),
    ),
    verify=Text(
        "See that the timer is active, that the last run ended with success, that a dump of today lies there in the usual size, and that its table of contents can be read:\n"
        + VERIFY,
        "タイマーが有効で、前回の実行が成功し、今日のダンプがいつものサイズで存在し、その目次を読めることを確かめます。\n"
        + VERIFY,
    ),
    attest_days=30,
)
