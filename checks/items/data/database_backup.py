"""Is there a database backup younger than 26 hours, and of plausible size?"""

from datetime import datetime, timedelta

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
    passed,
    unknown,
    warned,
)
from checks.parse.host.backups import Backups, Kept, parse_backups

FILES = "inside: files of backups"
_AGE_MAX = timedelta(hours=26)
_TINY = 4096  # bytes: an empty dump "succeeds" with less


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
    references=(
        Reference("PostgreSQL: pg_dump", "https://www.postgresql.org/docs/current/app-pgdump.html"),
        Reference("Mastodon: Backing up your server", "https://docs.joinmastodon.org/admin/backups/"),
        Reference("Akkoma: Backup and restore", "https://docs.akkoma.dev/stable/administration/backup/"),
        Reference(
            "GoToSocial: Backup and restore",
            "https://docs.gotosocial.org/en/latest/admin/backup_and_restore/",
        ),
    ),
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
                "Akkoma, Pleroma",
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
    codes={
        "fresh": Text(
            "The newest backup is {hours} hours old and {ratio} % of the size of the one before.",
            "最新のバックアップは {hours} 時間前のもので、サイズは前回の {ratio}% です。",
        ),
        "first": Text(
            "The newest backup is {hours} hours old; there is none before it to compare its size with.",
            "最新のバックアップは {hours} 時間前のものです（サイズを比べられる前回分はまだありません）。",
        ),
        "other_file": Text(
            "{path} is {hours} hours old, but its name does not say that the database is in it. Is it?",
            "{path} は {hours} 時間前のものですが、名前からはデータベースかどうかわかりません。データベースは含まれていますか。",
        ),
        "stale": Text(
            "The newest backup to be found is {days} days old.",
            "見つかった最新のバックアップは {days} 日前のものです。",
        ),
        "shrunk": Text(
            "The newest backup is only {ratio} % of the size of the one before.",
            "最新のバックアップのサイズが、前回の {ratio}% しかありません。",
        ),
        "grown": Text(
            "The newest backup is {ratio} % of the size of the one before; is it the same thing?",
            "最新のバックアップのサイズが、前回の {ratio}% に増えています。内容を確認してください。",
        ),
        "tiny": Text(
            "The newest backup has only {size} bytes, too few for a database.",
            "最新のバックアップが {size} バイトしかなく、データベースとしては小さすぎます。",
        ),
        "job_failed": Text(
            "The last run of {service} ended badly ({result}).",
            "{service} の直近の実行が失敗しています（{result}）。",
        ),
        "failed_beside": Text(
            "A fresh backup is there, but the last run of {service} ended badly ({result}).",
            "新しいバックアップはありますが、{service} の直近の実行が失敗しています（{result}）。",
        ),
        "unscheduled": Text(
            "A fresh backup is there, but no timer or cron job that would make the next one.",
            "新しいバックアップはありますが、次のバックアップを作るタイマーや cron が見当たりません。",
        ),
        "ran_unseen": Text(
            "{service} ended well {hours} hours ago; the backup itself was not seen. Does it hold the database?",
            "{service} は {hours} 時間前に成功していますが、バックアップ自体は確認できません。データベースは含まれていますか。",
        ),
        "scheduled_only": Text(
            "Jobs are there ({jobs}), but neither their result nor a backup can be seen. Is there one of today?",
            "ジョブ（{jobs}）はありますが、結果もバックアップも確認できません。今日の分はありますか。",
        ),
        "none_seen": Text(
            "No timer, cron job or file of a backup is to be found on the server. Is it made from elsewhere?",
            "サーバ上には、バックアップのタイマーも cron もファイルも見当たりません。外部から取得していますか。",
        ),
        "hidden": Text(
            "No backup is to be found, but not all places may be looked into ({places}).",
            "バックアップは見つかりませんが、読めない場所があります（{places}）。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    said = inside.lines("backups")
    found, now = parse_backups(said), inside.seen_at
    newest = found.newest()
    if newest is not None and now - newest[0].at <= _AGE_MAX:
        return _by_file(found, newest[0], newest[1], now, inside.as_root)
    for run in found.runs:
        if run.ended and not run.well:
            return failed("job_failed", service=run.service, result=run.result).seen(
                f"inside: systemctl show {run.service}", f"Result={run.result}, ended {_day(run.ended)}"
            )
    well = max((run for run in found.runs if run.ended), key=lambda run: run.ended or now, default=None)
    if well is not None and well.ended is not None and now - well.ended <= _AGE_MAX:
        verdict = asked("ran_unseen", service=well.service, hours=_hours(now - well.ended))
        return verdict.seen(
            f"inside: systemctl show {well.service}", f"Result=success, ended {_day(well.ended)}"
        )
    if newest is not None and not found.gaps:
        return failed("stale", days=(now - newest[0].at).days).seen(FILES, _row(newest[0]))
    if found.scheduled:
        jobs = ", ".join(found.scheduled[:5])
        return asked("scheduled_only", jobs=jobs).seen("inside: timers and cron", jobs)
    if found.gaps or not said:
        return unknown("hidden", Reason.DENIED, places=", ".join(found.gaps[:5]) or "–")
    return asked("none_seen")


def _by_file(found: Backups, newest: Kept, before: Kept | None, now: datetime, as_root: bool) -> Verdict:
    """A fresh file is there: is it plausible, and will there be a next one?"""
    shown = "\n".join(_row(one) for one in (newest, before) if one)
    ratio = round(100 * newest.size / before.size) if before and before.size else None
    hours = _hours(now - newest.at)
    if not newest.is_dump:
        return asked("other_file", path=newest.path, hours=hours).seen(FILES, shown)
    if newest.size < _TINY:
        return failed("tiny", size=newest.size).seen(FILES, shown)
    if ratio is not None and ratio < 50:
        return failed("shrunk", ratio=ratio).seen(FILES, shown)
    bad = next((run for run in found.runs if run.ended and not run.well), None)
    if bad is not None:
        verdict = warned("failed_beside", service=bad.service, result=bad.result)
        return verdict.seen(f"inside: systemctl show {bad.service}", f"Result={bad.result}").seen(
            FILES, shown
        )
    if ratio is not None and ratio > 200:
        return warned("grown", ratio=ratio).seen(FILES, shown)
    if not found.scheduled and not found.gaps and as_root:
        return warned("unscheduled").seen(FILES, shown)
    if ratio is None:
        return passed("first", hours=hours).seen(FILES, shown)
    return passed("fresh", hours=hours, ratio=ratio).seen(FILES, shown)


def _row(kept: Kept) -> str:
    return f"{_day(kept.at)} {kept.size} {kept.path}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _hours(span: timedelta) -> int:
    return max(0, round(span / timedelta(hours=1)))
