"""Does the app's unit have ProtectSystem=full or strict?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.items.systemd import LABEL, SHARED, app_units, outdated, unjudged, values_of
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

SETTING = "ProtectSystem"
GOOD = frozenset({"full", "strict"})

DROP_IN = """
    [Service]
    ProtectSystem=full"""

STRICT = """
    [Service]
    ProtectSystem=strict
    ReadWritePaths=/var/lib/akkoma"""

RESTART = """
    sudo systemctl edit UNIT
    sudo systemctl restart UNIT
    journalctl -u UNIT -n 50 | grep -i 'read-only file system'"""

VERIFY = """
    systemctl show UNIT -p ProtectSystem -p ReadWritePaths -p NeedDaemonReload"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("004", "systemd"),),
    references=(
        Reference(
            "systemd.exec(5): ProtectSystem=",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#ProtectSystem=",
        ),
    ),
    title=Text(
        "The app's unit cannot write to the system (ProtectSystem)",
        "アプリのユニットがシステム領域に書き込めない（ProtectSystem）",
    ),
    why=Text(
        "With /usr, /boot and /etc read-only an intruder in the app cannot change programs or settings to come back later. The app writes only where its data belongs.",
        "/usr・/boot・/etc を読み取り専用にすれば、アプリに侵入されても、プログラムや設定を書き換えて居座られるのを防げます。アプリの書き込み先は、データの置き場所だけになります。",
    ),
    expected=Text(
        "ProtectSystem is full or strict; yes alone leaves /etc writable and does not count.",
        "ProtectSystem が full または strict である状態。yes では /etc に書き込めるため不十分です。",
    ),
    fix=Fix(
        Text(
            "As a drop-in of each unit:\n"
            + DROP_IN
            + "\n\nStricter, with everything read-only except the folders named:\n"
            + STRICT
            + "\n\nThen try an upload, and look for writes that were refused:\n"
            + RESTART,
            "ユニットごとにドロップインを書きます。\n"
            + DROP_IN
            + "\n\nより厳しくするなら、指定したフォルダ以外をすべて読み取り専用にします。\n"
            + STRICT
            + "\n\n再起動後にアップロードを試し、書き込みの拒否が記録されていないかを調べます。\n"
            + RESTART,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Three units: mastodon-web, mastodon-sidekiq and mastodon-streaming. The files in dist/ set strict, which leaves /home writable, so nothing more is needed for an installation there.",
                    "対象は mastodon-web・mastodon-sidekiq・mastodon-streaming の3つです。dist/ にある付属のユニットは strict です。strict でも /home には書き込めるため、そこに置いていれば追加の設定は要りません。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "The shipped unit sets full. With strict, name the upload and static folders below /var/lib.",
                    "付属のユニットでは full です。strict にする場合は、/var/lib にあるアップロード用と静的ファイル用のフォルダを指定します。",
                ),
            ),
            (
                "Misskey",
                Text(
                    "Below /home neither value needs more. Elsewhere strict must name the folder files, and built if the unit builds at start.",
                    "/home の下に置いていれば、どちらの値でも追加の設定は要りません。それ以外の場所で strict にする場合は files を、起動時にビルドするユニットでは built も指定します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "ProtectSystem=full or strict:\n" + VERIFY,
        "ProtectSystem が full または strict であることを確認します。\n" + VERIFY,
    ),
    codes={
        **SHARED,
        "on": Text(
            "All {count} running units of the app may not write to the system's files.",
            "アプリの動作中のユニット {count} 個すべてが、システムのファイルに書き込めません。",
        ),
        "etc_open": Text(
            "{unit} has ProtectSystem=yes, which leaves /etc open to it.",
            "{unit} は ProtectSystem=yes のため、/etc が保護されていません。",
        ),
        "off": Text(
            "Nothing but file modes keeps {unit} from writing to the system's files.",
            "{unit} では、システムのファイルへの書き込みがパーミッションでしか防がれていません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    units = app_units(facts)
    if (gap := unjudged(units)) is not None:
        return gap
    values, shown = values_of(units, SETTING)
    for name, value in values.items():
        if value == "no":
            return failed("off", unit=name).seen(LABEL, shown)
    for name, value in values.items():
        if value == "yes":
            return warned("etc_open", unit=name).seen(LABEL, shown)
    if not set(values.values()) <= GOOD:
        return unknown("not_seen", Reason.NO_TOOL)
    return outdated(units) or passed("on", count=len(values)).seen(LABEL, shown)
