"""Does the app's unit have PrivateTmp=yes?"""

from checks.facts import Facts
from checks.items.systemd import SHARED, on_or_off
from checks.model import INSIDE, Fix, Item, Level, Reference, Source, Text, Verdict

EDIT = """
    sudo systemctl edit UNIT"""

DROP_IN = """
    [Service]
    PrivateTmp=true"""

RESTART = """
    sudo systemctl restart UNIT"""

VERIFY = """
    systemctl show UNIT -p PrivateTmp -p NeedDaemonReload"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("004", "systemd"),),
    references=(
        Reference(
            "systemd.exec(5): PrivateTmp=",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#PrivateTmp=",
        ),
    ),
    title=Text(
        "The app's unit has its own /tmp (PrivateTmp)",
        "アプリのユニットが専用の /tmp を使っている（PrivateTmp）",
    ),
    why=Text(
        "In the shared /tmp programs can read, foresee or replace each other's files. With a private one uploads in progress are visible to the app alone and gone when it stops.",
        "共有の /tmp では、ほかのプログラムにファイルを読まれたり、名前を予測して差し替えられたりします。専用にすれば、処理中のアップロードはアプリからしか見えず、停止すると消えます。",
    ),
    expected=Text(
        "Every running unit of the software shows PrivateTmp=yes (newer versions of systemd also know disconnected). Software in containers has a /tmp of its own anyway: there the item does not apply.",
        "ソフトウェアの動作中のユニットすべてが PrivateTmp=yes である状態（新しい systemd では disconnected も可）。コンテナで動かしている場合は /tmp が初めから分かれているため、対象外です。",
    ),
    fix=Fix(
        Text(
            "Put a drop-in beside each unit; an update of the unit file leaves it alone.\n"
            + EDIT
            + "\n\nWrite, then restart:\n"
            + DROP_IN
            + "\n"
            + RESTART
            + "\n\nIf the app talks to something over a socket in /tmp, move that socket to /run first.",
            "ユニットごとにドロップインを作ります。ユニットファイルを更新しても残ります。\n"
            + EDIT
            + "\n\n次の内容を書いて再起動します。\n"
            + DROP_IN
            + "\n"
            + RESTART
            + "\n\n/tmp に置いたソケットでほかのプログラムとやり取りしている場合は、先にソケットを /run へ移してください。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Three units: mastodon-web, mastodon-sidekiq and mastodon-streaming. The files in dist/ set it; a unit copied long ago may not, so compare after an upgrade.",
                    "対象は mastodon-web・mastodon-sidekiq・mastodon-streaming の3つです。dist/ にある付属のユニットでは設定されていますが、以前にコピーしたものでは抜けていることがあるので、更新時に見比べてください。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "The unit is akkoma or pleroma; the shipped example sets it.",
                    "対象は akkoma または pleroma です。付属の見本では設定されています。",
                ),
            ),
            (
                "Misskey",
                Text(
                    "The unit is the one you wrote, usually misskey.",
                    "自分で作成したユニット（通常は misskey）が対象です。",
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "The unit is gotosocial; the shipped example sets it.",
                    "対象は gotosocial です。付属の見本では設定されています。",
                ),
            ),
        ),
    ),
    verify=Text(
        "PrivateTmp=yes, and no reload pending:\n" + VERIFY,
        "PrivateTmp=yes で、NeedDaemonReload=no であることを確認します。\n" + VERIFY,
    ),
    codes={
        **SHARED,
        "on": Text(
            "All {count} running units of the app have a /tmp of their own.",
            "アプリの動作中のユニット {count} 個すべてが専用の /tmp を使っています。",
        ),
        "off": Text(
            "{unit} shares /tmp with the rest of the server.", "{unit} はサーバ全体と /tmp を共有しています。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    return on_or_off(facts, "PrivateTmp", "yes", "disconnected")
