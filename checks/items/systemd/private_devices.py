"""Does the app's unit have PrivateDevices=yes?"""

from checks.facts import Facts
from checks.items.systemd import SHARED, on_or_off
from checks.model import INSIDE, Fix, Item, Level, Reference, Source, Text, Verdict

DROP_IN = """
    [Service]
    PrivateDevices=true"""

CLOSED = """
    [Service]
    DevicePolicy=closed
    DeviceAllow=/dev/dri rw"""

RESTART = """
    sudo systemctl edit UNIT
    sudo systemctl restart UNIT"""

VERIFY = """
    systemctl show UNIT -p PrivateDevices -p NeedDaemonReload"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("004", "systemd"),),
    references=(
        Reference(
            "systemd.exec(5): PrivateDevices=",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#PrivateDevices=",
        ),
    ),
    title=Text(
        "The app's unit sees no physical devices (PrivateDevices)",
        "アプリのユニットから物理デバイスが見えない（PrivateDevices）",
    ),
    why=Text(
        "A web application needs /dev/null and random numbers, not disks or memory devices. What is not there cannot be read past the file system's rights.",
        "ウェブアプリに必要なのは /dev/null や乱数程度で、ディスクやメモリのデバイスは要りません。見えなければ、ファイルの権限を迂回して直接読まれることもありません。",
    ),
    expected=Text(
        "PrivateDevices=yes for every unit of the software. On some small boards (Raspberry Pi) a unit may fail to start with it: then DevicePolicy=closed is the next best, with a waiver that says so.",
        "ソフトウェアのどのユニットも PrivateDevices=yes である状態。Raspberry Pi などで起動できなくなる場合は、代わりに DevicePolicy=closed を使い、その理由を添えて除外してください。",
    ),
    fix=Fix(
        Text(
            "As a drop-in of each unit:\n"
            + DROP_IN
            + "\n\nOnly where a device is really needed, for example a graphics chip for video transcoding:\n"
            + CLOSED
            + "\n\nThen:\n"
            + RESTART,
            "ユニットごとにドロップインを書きます。\n"
            + DROP_IN
            + "\n\n動画の変換に GPU を使うなど、デバイスが本当に必要な場合だけ次のようにします。\n"
            + CLOSED
            + "\n\n編集して再起動します。\n"
            + RESTART,
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
                    "The shipped unit leaves it at false because of small boards; on servers set it to true.",
                    "付属のユニットは、小型ボードに配慮して false になっています。サーバでは true にしてください。",
                ),
            ),
            (
                "PeerTube",
                Text(
                    "Without hardware transcoding nothing speaks against it.",
                    "ハードウェア変換を使わないなら、問題なく有効にできます。",
                ),
            ),
        ),
    ),
    verify=Text(
        "PrivateDevices=yes, and uploads of pictures and videos still work:\n" + VERIFY,
        "PrivateDevices=yes であることと、画像や動画のアップロードが動くことを確認します。\n" + VERIFY,
    ),
    codes={
        **SHARED,
        "on": Text(
            "All {count} running units of the app see no physical devices.",
            "アプリの動作中のユニット {count} 個すべてから、物理デバイスは見えません。",
        ),
        "off": Text("{unit} sees the server's devices.", "{unit} からサーバのデバイスが見えます。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    return on_or_off(facts, "PrivateDevices", "yes")
