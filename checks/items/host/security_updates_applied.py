"""Has a security update been waiting for longer than 7 days?"""

from datetime import timedelta

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
from checks.parse.host.apt import Pending, parse_pending, parse_stamps

_WAIT_MAX = timedelta(days=7)
_FRESH = timedelta(days=3)  # lists are fetched daily where automatic updates work


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
    references=(
        Reference("Debian: Security Information", "https://www.debian.org/security/"),
        Reference("Ubuntu: Security notices", "https://ubuntu.com/security/notices"),
    ),
    title=Text(
        "No security update has been waiting for more than 7 days",
        "セキュリティ更新を7日を超えて放置していない",
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
    codes={
        "none": Text(
            "No security update is waiting; the package lists are {hours} hours old.",
            "待っているセキュリティ更新はありません（パッケージ一覧は {hours} 時間前のものです）。",
        ),
        "pending": Text(
            "{count} packages have a security update waiting, by lists that are {hours} hours old.",
            "{count} 個のパッケージにセキュリティ更新があります（パッケージ一覧は {hours} 時間前のものです）。",
        ),
        "undated": Text(
            "{count} packages have a security update waiting; how old the package lists are cannot be seen.",
            "{count} 個のパッケージにセキュリティ更新があります（パッケージ一覧がいつのものかは確認できません）。",
        ),
        "waiting": Text(
            "{count} packages have had a security update waiting for at least {days} days: the lists are that old.",
            "{count} 個のパッケージのセキュリティ更新が、少なくとも {days} 日間適用されていません（パッケージ一覧がその日付のものです）。",
        ),
        "known_by_dnf": Text(
            "{count} packages have a security update waiting, by dnf's cache.",
            "{count} 個のパッケージにセキュリティ更新があります（dnf のキャッシュによる）。",
        ),
        "old_lists": Text(
            "The package lists are {days} days old, so they cannot say that nothing is waiting.",
            "パッケージ一覧が {days} 日前のもので、更新の有無を判断できません。",
        ),
        "age_unknown": Text(
            "How old the package lists are cannot be seen, so they cannot say that nothing is waiting.",
            "パッケージ一覧がいつのものかわからず、更新の有無を判断できません。",
        ),
        "refused": Text(
            "The account may not ask the package manager.",
            "パッケージ管理ツールに問い合わせる権限がありません。",
        ),
        "broken": Text(
            "The package manager reports an error, so its answer says nothing.",
            "パッケージ管理ツールがエラーになり、結果を判断できません。",
        ),
        "no_tool": Text(
            "Neither apt nor dnf is there to ask.",
            "問い合わせられるパッケージ管理ツール（apt・dnf）がありません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    pending = parse_pending(inside.lines("updates_pending"))
    if not pending.tool:
        return unknown("no_tool", Reason.NO_TOOL)
    label = f"inside: {pending.tool}"
    waiting, count = "\n".join(pending.security[:12]), len(pending.security)
    if pending.tool == "dnf":
        if count:
            return warned("known_by_dnf", count=count).seen(label, waiting)
        return (
            unknown("refused", Reason.DENIED) if pending.refused else unknown("age_unknown", Reason.NOT_ASKED)
        )
    if not count and pending.errors:
        return _without_answer(pending).seen(label, pending.errors[0])
    lists = parse_stamps(inside.lines("update_stamps")).lists
    if lists is None:
        if count:
            return warned("undated", count=count).seen(label, waiting)
        return unknown("age_unknown", Reason.NOT_ASKED)
    age = inside.seen_at - lists
    if count and age > _WAIT_MAX:
        return failed("waiting", count=count, days=age.days).seen(label, waiting)
    hours = max(0, round(age / timedelta(hours=1)))
    if count:
        return warned("pending", count=count, hours=hours).seen(label, waiting)
    if age > _FRESH:
        return unknown("old_lists", Reason.NOT_ASKED, days=age.days)
    shown = f"nothing waits; lists of {lists:%Y-%m-%d %H:%M} UTC"
    return passed("none", hours=hours).seen(label, shown)


def _without_answer(pending: Pending) -> Verdict:
    return unknown("refused", Reason.DENIED) if pending.refused else unknown("broken", Reason.MALFORMED)
