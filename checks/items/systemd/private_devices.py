"""Does the app's unit have PrivateDevices=yes?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.model import (
    INSIDE,
    Fix,
    Item,
    Level,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.units import parse_units

LABEL = "inside: systemctl show"
SETTING = "PrivateDevices"
GOOD = frozenset({"yes"})

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
    title=Text(
        "The app's unit sees no physical devices (PrivateDevices)",
        "アプリのユニットから物理デバイスが見えない（PrivateDevices）",
    ),
    why=Text(
        "A web application needs /dev/null and random numbers, not disks or memory devices. What is not there cannot be read past the file system's rights.",
        "Web アプリに必要なのは /dev/null や乱数程度で、ディスクやメモリのデバイスは要りません。見えなければ、ファイルの権限を迂回して直接読まれることもありません。",
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
        "on": Text(
            "All {count} running units of the app see no physical devices.",
            "アプリの動作中のユニット {count} 個すべてから、物理デバイスは見えません。",
        ),
        "off": Text("{unit} sees the server's devices.", "{unit} からサーバのデバイスが見えます。"),
        "not_restarted": Text(
            "{unit} was changed after it was started: the running process may still be without it.",
            "{unit} は起動後に設定が変更されています。動作中のプロセスには反映されていない可能性があります。",
        ),
        "no_unit": Text(
            "None of the units that fedisec knows runs here, as with containers. A unit with a name of its own can be named to the collector.",
            "fedisec の知るユニットは動いていません（コンテナで動かしている場合など）。独自の名前のユニットは、収集スクリプトの設定に登録できます。",
        ),
        "no_systemd": Text("This server does not run systemd.", "このサーバでは systemd が動いていません。"),
        "not_seen": Text(
            "systemd did not show this setting of the app's units.",
            "アプリのユニットのこの設定を systemd から読み取れませんでした。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    units = parse_units(facts.get(Inside).lines("units"))
    if units.no_systemd:
        return not_applicable("no_systemd")
    if not units.listed:
        return unknown("not_seen", Reason.NO_TOOL)
    if not units.running:
        return not_applicable("no_unit")
    values = {unit.name: unit.value(SETTING) for unit in units.running}
    shown = "\n".join(f"{name}: {SETTING}={value}" for name, value in values.items())
    weak = next((name for name, value in values.items() if value is not None and value not in GOOD), None)
    if weak is not None:
        return failed("off", unit=weak).seen(LABEL, shown)
    if None in values.values():
        return unknown("not_seen", Reason.NO_TOOL)
    if units.changed is not None:
        name = units.changed.name
        return warned("not_restarted", unit=name).seen(LABEL, f"{name}: changed after its start")
    return passed("on", count=len(values)).seen(LABEL, shown)
