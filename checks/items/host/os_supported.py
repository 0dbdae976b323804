"""Does the distribution release still get security updates?"""

from datetime import timedelta

from checks.data.support import tables
from checks.errors import Reason
from checks.facts import Facts
from checks.facts.ends import EndsOfLife
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
from checks.parse.host.release import parse_release

LABEL = "inside: /etc/os-release"
_SOON = timedelta(days=90)
_ROLLING = frozenset({"arch", "archarm", "gentoo", "void", "opensuse-tumbleweed", "manjaro", "endeavouros"})


RELEASE = """
    cat /etc/os-release"""

DEBIAN = """
    sudo apt update && sudo apt full-upgrade
    sudo sed -i 's/OLDNAME/NEWNAME/g' /etc/apt/sources.list /etc/apt/sources.list.d/*
    sudo apt update
    sudo apt upgrade --without-new-pkgs
    sudo apt full-upgrade
    sudo systemctl reboot"""

UBUNTU = """
    sudo apt update && sudo apt full-upgrade
    sudo do-release-upgrade"""

ESM = """
    sudo pro attach TOKEN
    pro status"""

RHEL = """
    sudo dnf upgrade --refresh
    sudo dnf install leapp-upgrade
    sudo leapp preupgrade
    sudo leapp upgrade"""

FEDORA = """
    sudo dnf upgrade --refresh
    sudo dnf system-upgrade download --releasever=NUMBER
    sudo dnf system-upgrade reboot"""

ALPINE = """
    sudo sed -i 's/vOLD/vNEW/g' /etc/apk/repositories
    sudo apk update
    sudo apk add --upgrade apk-tools
    sudo apk upgrade --available
    sudo reboot"""

POSTGRES = """
    pg_lsclusters
    sudo pg_upgradecluster OLD main"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(INSIDE, MANUAL),
    sources=(Source("000", "Basic"),),
    references=(
        Reference("Debian: Releases", "https://www.debian.org/releases/"),
        Reference("Ubuntu: Release cycle", "https://ubuntu.com/about/release-cycle"),
        Reference("endoflife.date", "https://endoflife.date/"),
    ),
    title=Text(
        "The operating system release still gets security updates",
        "OS のバージョンがセキュリティ更新の対象である",
    ),
    why=Text(
        "After the end of support nobody repairs the kernel, OpenSSL or OpenSSH of that release any more. Everything else on this list stands on it.",
        "サポートが終わった版では、カーネルも OpenSSL も OpenSSH も修正されなくなります。このチェックリストのほかの項目は、すべてその上に成り立っています。",
    ),
    expected=Text(
        "The release is inside the distribution's own support or inside a long-term support that you really receive (Debian LTS, Ubuntu Pro). Testing and rolling releases count as long as they are updated.",
        "ディストリビューションの通常サポート期間内、または実際に更新を受け取れる長期サポート（Debian LTS、Ubuntu Pro など）の期間内である状態。ローリングリリースは、更新を続けていれば構いません。",
    ),
    fix=Fix(
        Text(
            "Take a backup that you have tried to restore, read the release notes, and upgrade one release at a time; a new server beside the old one is often quicker. After the upgrade the app's native parts (Ruby gems, Node modules) must be built again, and PostgreSQL usually moves to a newer major version:\n"
            + POSTGRES,
            "復元を確認したバックアップを取り、リリースノートを読んでから、1つずつ上げます。新しいサーバを並べて移すほうが早いことも少なくありません。上げた後は、アプリのネイティブ拡張（Ruby の gem や Node のモジュール）の再ビルドが必要です。PostgreSQL のメジャーバージョンも通常は変わります。\n"
            + POSTGRES,
        ),
        variants=(
            (
                "Debian",
                Text(
                    "Put the code names of the releases in place of OLDNAME and NEWNAME, and switch off third-party sources first:\n"
                    + DEBIAN,
                    "OLDNAME と NEWNAME をリリースのコードネームに置き換えます。先にサードパーティのリポジトリを無効にしてください。\n"
                    + DEBIAN,
                ),
            ),
            (
                "Ubuntu",
                Text(
                    "From one LTS release to the next:\n"
                    + UBUNTU
                    + "\n\nTo gain time with extended support:\n"
                    + ESM,
                    "LTS から次の LTS へ上げます。\n"
                    + UBUNTU
                    + "\n\nすぐに上げられない場合は、延長サポートを使えます。\n"
                    + ESM,
                ),
            ),
            (
                "RHEL, AlmaLinux, Rocky",
                Text(
                    "Within a major release dnf is enough. To the next one with Leapp (ELevate for the rebuilds):\n"
                    + RHEL,
                    "同じメジャーバージョン内なら dnf だけで足ります。次のメジャーバージョンへは Leapp（互換 OS では ELevate）を使います。\n"
                    + RHEL,
                ),
            ),
            (
                "Fedora",
                Text(
                    "At most two releases at once:\n" + FEDORA,
                    "一度に上げられるのは2リリースまでです。\n" + FEDORA,
                ),
            ),
            (
                "Alpine",
                Text(
                    "Put the numbers of the branches in place of vOLD and vNEW, for example v3.21 and v3.22:\n"
                    + ALPINE,
                    "vOLD と vNEW を、v3.21 と v3.22 のようなブランチの番号に置き換えます。\n" + ALPINE,
                ),
            ),
        ),
    ),
    verify=Text(
        "Compare the release with the end-of-life page of your distribution:\n" + RELEASE,
        "表示された版を、ディストリビューションのサポート期限の一覧と照らし合わせます。\n" + RELEASE,
    ),
    attest_days=180,
    codes={
        "supported": Text(
            "{release} gets security updates until {ends}.",
            "{release} のセキュリティ更新は {ends} まで提供されます。",
        ),
        "long_term": Text(
            "{release} left regular support on {ended}; long-term support, with fewer hands and packages, lasts until {ends}.",
            "{release} の通常サポートは {ended} に終わり、長期サポート（LTS）の期間中です（{ends} まで）。LTS では対象のパッケージが限られます。",
        ),
        "ends_soon": Text(
            "{release} gets security updates until {ends} only; plan the upgrade.",
            "{release} のセキュリティ更新は {ends} で終わります。移行の計画を立ててください。",
        ),
        "paid_only": Text(
            "Regular support of {release} ended on {ended}. Until {ends} there are updates with a subscription only, and whether there is one cannot be seen.",
            "{release} の通常サポートは {ended} に終わりました。{ends} までの更新は有償契約（Ubuntu Pro など）が必要で、契約の有無は確認できません。",
        ),
        "ended": Text(
            "{release} has got no security updates since {ended}.",
            "{release} のセキュリティ更新は {ended} に終了しています。",
        ),
        "rolling": Text(
            "{release} names no release with an end; is it updated regularly?",
            "{release} はサポート期限のない版（ローリングリリースや開発版）です。定期的に更新していますか。",
        ),
        "not_listed": Text(
            "fedisec knows no support dates of {release}.",
            "fedisec は {release} のサポート期限を知りません。",
        ),
        "unreadable": Text(
            "/etc/os-release names no distribution.",
            "/etc/os-release からディストリビューションを読み取れません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    release = parse_release(inside.lines("release"))
    if release is None:
        return unknown("unreadable", Reason.MALFORMED)
    shown = f"{release.pretty} ({release.id} {release.version})"
    if not release.version or release.id in _ROLLING:
        return asked("rolling", release=release.pretty).seen(LABEL, shown)
    dates = tables(facts.maybe(EndsOfLife)).os_dates(release.id, release.branch)
    if dates is None:
        return unknown("not_listed", Reason.NOT_ASKED, release=release.pretty).seen(LABEL, shown)
    today, ended = inside.seen_at.date(), str(dates.ends)
    if timedelta() <= dates.last_free - today < _SOON:
        verdict = warned("ends_soon", release=release.pretty, ends=str(dates.last_free))
    elif today <= dates.ends:
        verdict = passed("supported", release=release.pretty, ends=str(dates.ends))
    elif dates.free and today <= dates.free:
        verdict = passed("long_term", release=release.pretty, ended=ended, ends=str(dates.free))
    elif dates.paid and today <= dates.paid:
        verdict = warned("paid_only", release=release.pretty, ended=ended, ends=str(dates.paid))
    else:
        verdict = failed("ended", release=release.pretty, ended=str(dates.paid or dates.free or dates.ends))
    return verdict.seen(LABEL, shown)
