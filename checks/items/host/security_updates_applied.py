"""Has a security update been waiting for longer than 7 days?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

DEBIAN = """
    sudo apt update
    apt list --upgradable
    sudo apt full-upgrade
    sudo needrestart"""

HELD = """
    apt-mark showhold
    sudo apt-mark unhold PACKAGE"""

RHEL = """
    sudo dnf updateinfo list --security
    sudo dnf upgrade --security
    sudo dnf needs-restarting -r"""

ALPINE = """
    sudo apk upgrade --update-cache --simulate
    sudo apk upgrade"""

VERIFY = """
    apt-get -s -o Debug::NoLocking=true dist-upgrade | grep '^Inst' | grep -i security"""

VERIFY_RHEL = """
    dnf -q updateinfo list --security --updates"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(INSIDE,),
    sources=(Source("000", "Basic"), Source("+")),
    title=Text(
        "No security update has been waiting for more than 7 days",
        "セキュリティ更新を7日以上放置していない",
    ),
    why=Text(
        "Automatic updates fail quietly: a held package, a question about a changed file, a full disk. What counts is that the repaired version is on the machine.",
        "自動更新は、保留にしたパッケージや設定ファイルの確認待ち、ディスクの空き不足などで、気づかないうちに止まります。大切なのは、修正された版が実際に入っていることです。",
    ),
    expected=Text(
        "The package lists are fresh, and no package of the security source is waiting longer than a week.",
        "パッケージ一覧が新しく、セキュリティ用リポジトリのパッケージで1週間以上待たされているものがない状態。",
    ),
    fix=Fix(
        Text(
            "Install what is waiting, restart what uses the old files, and look for the reason why it was not installed by itself.",
            "待っている更新を適用し、古いファイルを使い続けているサービスを再起動します。自動で適用されなかった原因も調べてください。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "Install:\n" + DEBIAN + "\n\nA package on hold never moves:\n" + HELD,
                    "更新を適用します。\n" + DEBIAN + "\n\n保留にしたパッケージは更新されません。\n" + HELD,
                ),
            ),
            ("RHEL/Fedora", Text("Install:\n" + RHEL, "更新を適用します。\n" + RHEL)),
            ("Alpine", Text("Install:\n" + ALPINE, "更新を適用します。\n" + ALPINE)),
        ),
    ),
    verify=Text(
        "Nothing may be listed; the first command changes nothing. Debian/Ubuntu:\n"
        + VERIFY
        + "\n\nRHEL family:\n"
        + VERIFY_RHEL,
        "何も表示されないことを確認します（どちらも何も変更しません）。Debian/Ubuntu の場合：\n"
        + VERIFY
        + "\n\nRHEL 系の場合：\n"
        + VERIFY_RHEL,
    ),
)
