"""Is every data file system below 85 % of its bytes and inodes?"""

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
from checks.parse.host.disk import parse_disk

LABEL = "inside: df"
_LIMIT = 85  # percent


FIND = """
    df -hT && df -hi
    sudo du -xhd1 / | sort -h | tail
    sudo journalctl --vacuum-size=500M"""

MASTODON = """
    RAILS_ENV=production bin/tootctl media remove --days 7
    RAILS_ENV=production bin/tootctl preview_cards remove --days 30
    RAILS_ENV=production bin/tootctl media usage"""

AKKOMA = """
    ./bin/pleroma_ctl database prune_objects 90 --prune-orphaned-activities
    ./bin/pleroma_ctl database vacuum full"""

GTS = """
    media-remote-cache-days: 7"""

DOCKER = """
    docker system df
    docker image prune -a
    docker builder prune"""

POSTGRES = """
    sudo -u postgres psql -c "SELECT slot_name, active, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots\""""

VERIFY = """
    df -PkTl -x tmpfs -x devtmpfs -x overlay
    df -Pil -x tmpfs -x devtmpfs -x overlay"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "Mastodon: tootctl media remove", "https://docs.joinmastodon.org/admin/tootctl/#media-remove"
        ),
        Reference("GoToSocial: Media caching", "https://docs.gotosocial.org/en/latest/admin/media_caching/"),
        Reference("PostgreSQL: Disk Full Failure", "https://www.postgresql.org/docs/current/disk-full.html"),
    ),
    title=Text(
        "Every data file system is below 85 % full",
        "どのファイルシステムも使用率が 85% 未満である",
    ),
    why=Text(
        "A full disk stops the database, the backups and the automatic updates at once, often at night. Caches of remote media grow without anybody posting more.",
        "ディスクが一杯になると、データベースもバックアップも自動更新も一斉に止まります。リモートのメディアのキャッシュは、投稿が増えなくても膨らみ続けます。",
    ),
    expected=Text(
        "No local file system that holds data uses 85 % or more of its bytes or of its inodes.",
        "データを置くローカルのファイルシステムで、容量と inode の使用率がどちらも 85% 未満の状態。",
    ),
    fix=Fix(
        Text(
            "See what grows, clear caches on a timer, and enlarge the disk before it is needed. Never delete files below the data folder of PostgreSQL by hand.\n"
            + FIND,
            "増えているものを調べ、キャッシュの削除を定期的に実行し、余裕のあるうちにディスクを広げます。PostgreSQL のデータフォルダの中身を手で消してはいけません。\n"
            + FIND,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Remote media that nobody looks at, best from cron:\n" + MASTODON,
                    "見られていないリモートのメディアを消します。cron で定期的に実行してください。\n"
                    + MASTODON,
                ),
            ),
            (
                "Akkoma",
                Text(
                    "Old remote posts; the second command needs as much free space as the tables and locks them:\n"
                    + AKKOMA,
                    "古いリモートの投稿を消します。2行目は、実行中テーブルがロックされ、同じだけの空き容量も必要です。\n"
                    + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, Files: clear the cache of remote files. Switch off the caching of remote files in the settings if the disk stays tight.",
                    "コントロールパネルの「ファイル」で、リモートファイルのキャッシュを削除します。空きが足りないままなら、リモートのファイルをキャッシュする設定をオフにしてください。",
                ),
            ),
            ("GoToSocial", Text("In config.yaml:\n" + GTS, "config.yaml の設定：\n" + GTS)),
            (
                "Docker",
                Text(
                    "Old images and build caches:\n" + DOCKER,
                    "古いイメージとビルドキャッシュを消します。\n" + DOCKER,
                ),
            ),
            (
                "PostgreSQL",
                Text(
                    "A forgotten replication slot keeps its log for ever:\n" + POSTGRES,
                    "使われなくなったレプリケーションスロットがあると、WAL が際限なく溜まります。\n"
                    + POSTGRES,
                ),
            ),
        ),
    ),
    verify=Text(
        "The column of percentages, for bytes and for inodes:\n" + VERIFY,
        "容量と inode のそれぞれについて、使用率の列を確認します。\n" + VERIFY,
    ),
    codes={
        "room": Text(
            "The fullest file system is {mount} with {percent} %.",
            "最も使用率が高いのは {mount} の {percent}% です。",
        ),
        "filling": Text("{mount} is {percent} % full.", "{mount} の使用率が {percent}% です。"),
        "inodes": Text(
            "{mount} has used {percent} % of its inodes.", "{mount} の inode の使用率が {percent}% です。"
        ),
        "boot": Text(
            "/boot is {percent} % full; the next kernel may not fit.",
            "/boot の使用率が {percent}% です。次のカーネルが入らないおそれがあります。",
        ),
        "not_seen": Text(
            "df listed no local file system.", "df の結果にローカルのファイルシステムがありません。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = parse_disk(facts.get(Inside).lines("disk"))
    if not found:
        return unknown("not_seen", Reason.MALFORMED)
    shown = "\n".join(f"{one.mount} {one.percent} %, inodes {_share(one.inodes)}" for one in found[:12])
    data = [one for one in found if one.mount != "/boot"]
    fullest = max(data or found, key=lambda one: one.percent)
    most_inodes = max(data or found, key=lambda one: one.inodes or 0)
    if data and fullest.percent >= _LIMIT:
        return failed("filling", mount=fullest.mount, percent=fullest.percent).seen(LABEL, shown)
    if data and (most_inodes.inodes or 0) >= _LIMIT:
        return failed("inodes", mount=most_inodes.mount, percent=most_inodes.inodes or 0).seen(LABEL, shown)
    boot = next((one.percent for one in found if one.mount == "/boot"), 0)
    if boot >= _LIMIT:
        return warned("boot", percent=boot).seen(LABEL, shown)
    return passed("room", mount=fullest.mount, percent=fullest.percent).seen(LABEL, shown)


def _share(percent: int | None) -> str:
    return "–" if percent is None else f"{percent} %"
