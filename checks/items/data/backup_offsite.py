"""Does a copy of the backup lie elsewhere, encrypted, with the app's secret keys in it?"""

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
    unknown,
    warned,
)
from checks.parse.host.backups import Backups, Run, parse_backups

_SENDERS = (
    "restic",
    "borg",
    "rclone",
    "kopia",
    "duplicity",
    "duply",
    "pgbackrest",
    "wal-g",
    "wal-e",
    "barman",
    "tarsnap",
)


INIT = """
    export RESTIC_REPOSITORY=sftp:backup@backup.example.net:/srv/restic
    export RESTIC_PASSWORD_FILE=/root/restic-password
    restic init"""

RUN = """
    restic backup /var/backups/fediverse /home/mastodon/live/.env.production
    restic forget --keep-daily 7 --keep-weekly 4 --keep-monthly 6"""

MASTODON = """
    /home/mastodon/live/.env.production
    /home/mastodon/live/public/system"""

AKKOMA = """
    /etc/akkoma/config.exs
    /var/lib/akkoma/uploads
    /var/lib/akkoma/static"""

MISSKEY = """
    /home/misskey/misskey/.config/default.yml
    /home/misskey/misskey/files"""

PIXELFED = """
    /var/www/pixelfed/.env
    /var/www/pixelfed/storage"""

GOTOSOCIAL = """
    /gotosocial/config.yaml
    /gotosocial/storage"""

VERIFY = """
    restic snapshots --latest 1
    restic ls latest | grep -E 'env.production|config.exs|default.yml'
    restic check --read-data-subset=1%"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE, MANUAL),
    sources=(Source("003", "構築/ミドルウェア"), Source("+")),
    references=(
        Reference("Mastodon: Backing up your server", "https://docs.joinmastodon.org/admin/backups/"),
        Reference("restic: Documentation", "https://restic.readthedocs.io/en/stable/"),
    ),
    title=Text(
        "An encrypted copy of the backup, with the app's keys, lies elsewhere",
        "秘密鍵を含むバックアップを暗号化し、別の場所にも置いている",
    ),
    why=Text(
        "A backup on the same machine, or in the same provider account, goes down with it: by break-in, fire or a closed contract. The dump alone is not enough either, since parts of it can be read only with keys that stand in the configuration.",
        "同じサーバや同じ契約の中にあるバックアップは、侵入・火災・契約解除のときに一緒に失われます。データの一部は設定ファイルにある鍵がないと復号できないので、ダンプだけでは足りません。",
    ),
    expected=Text(
        "Every day a copy goes to another provider or place. It is encrypted before it leaves, the password for it is kept somewhere else, the server itself cannot delete old copies, and the configuration with the secret keys is part of it.",
        "毎日、別の事業者や場所へ複製されている状態。送る前に暗号化し、その鍵は別に保管し、サーバ自身からは古い複製を消せず、秘密鍵の入った設定ファイルも含まれていること。",
    ),
    fix=Fix(
        Text(
            "For example with restic, which encrypts before it sends. Keep a copy of the password off this server, or the backup is worthless:\n"
            + INIT
            + "\n\nSend the dumps and the configuration every night (same kind of timer as for the dump):\n"
            + RUN
            + "\n\nLet the storage refuse deletion (object lock, rest-server --append-only, or a machine that pulls), so that an intruder cannot remove the copies; run forget from there.",
            "たとえば restic は、送る前に暗号化します。パスワードはこのサーバの外にも控えてください。失うとバックアップを読めなくなります。\n"
            + INIT
            + "\n\nダンプと設定ファイルを毎晩送ります（ダンプと同じくタイマーで動かします）。\n"
            + RUN
            + "\n\n侵入者に消されないよう、保存先では削除を禁止し（オブジェクトロック、rest-server の --append-only、または保存先から取りに行く方式）、forget は保存先側で実行します。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Besides the dump. The file holds SECRET_KEY_BASE and the three ACTIVE_RECORD_ENCRYPTION keys, without which second factors and other encrypted columns are lost. Media in an object store need their own copy.\n"
                    + MASTODON,
                    "ダンプのほかに次も含めます。このファイルの SECRET_KEY_BASE と、ACTIVE_RECORD_ENCRYPTION で始まる3つの鍵を失うと、二段階認証など暗号化された列が読めなくなります。オブジェクトストレージのメディアは別途複製してください。\n"
                    + MASTODON,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "Besides the dump (from source, the file is config/prod.secret.exs; for Pleroma read pleroma for akkoma):\n"
                    + AKKOMA,
                    "ダンプのほかに次も含めます（ソースからの導入なら config/prod.secret.exs、Pleroma なら akkoma を pleroma に読み替え）。\n"
                    + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Besides the dump. The id method in the file must never change for an existing database.\n"
                    + MISSKEY,
                    "ダンプのほかに次も含めます。ファイル中の id（ID 生成方式）は、既存のデータベースでは変えられません。\n"
                    + MISSKEY,
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "Besides the dump. APP_KEY in the file decrypts stored data.\n" + PIXELFED,
                    "ダンプのほかに次も含めます。ファイル中の APP_KEY は保存データの復号に必要です。\n"
                    + PIXELFED,
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "Besides the copy of the database, which holds the signing keys:\n" + GOTOSOCIAL,
                    "署名鍵の入ったデータベースの複製のほかに、次も含めます。\n" + GOTOSOCIAL,
                ),
            ),
        ),
    ),
    verify=Text(
        "The newest snapshot must be from today, hold the configuration file, and be readable:\n" + VERIFY,
        "最新のスナップショットが今日のもので、設定ファイルを含み、読み出せることを確かめます。\n" + VERIFY,
    ),
    attest_days=90,
    codes={
        "job_failed": Text(
            "The last run of {service}, which sends copies away, ended badly ({result}).",
            "複製を外部へ送る {service} の直近の実行が失敗しています（{result}）。",
        ),
        "set_up": Text(
            "A tool that can send copies away is set up ({tools}). Does it send them to another place, encrypted, with the secret keys?",
            "外部へ複製できるツールが設定されています（{tools}）。別の場所へ、暗号化して、秘密鍵も含めて送っていますか。",
        ),
        "not_seen": Text(
            "No set-up of a tool that sends copies away is to be found. Are they fetched from elsewhere?",
            "外部へ複製するツールの設定は見当たりません。外部から取りに来る方式ですか。",
        ),
        "hidden": Text(
            "Not all places where a set-up would stand may be looked into ({places}).",
            "設定が置かれる場所の一部を読む権限がありません（{places}）。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    said = inside.lines("backups")
    found = parse_backups(said)
    for run in found.runs:
        if run.ended and not run.well and _sends(run):
            return warned("job_failed", service=run.service, result=run.result).seen(
                f"inside: systemctl show {run.service}", f"Result={run.result}"
            )
    traces = _traces(found)
    if traces:
        return asked("set_up", tools=", ".join(traces[:5])).seen("inside: traces", "\n".join(traces[:12]))
    if found.gaps or not said:
        return unknown("hidden", Reason.DENIED, places=", ".join(found.gaps[:5]) or "–")
    return asked("not_seen")


def _sends(run: Run) -> bool:
    return any(tool in run.service for tool in _SENDERS)


def _traces(found: Backups) -> list[str]:
    """Configuration files and jobs of tools that send; a tool that is merely installed says nothing."""
    jobs = [job for job in found.scheduled if any(tool in job for tool in _SENDERS)]
    return [*found.remotes, *jobs]
