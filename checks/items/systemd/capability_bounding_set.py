"""Is CAP_SYS_ADMIN out of the app unit's capability bounding set?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.items.systemd import LABEL, SHARED, app_units, outdated, unjudged
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

PROCESS = "inside: /proc/MainPID/status"

DROP_IN = """
    [Service]
    CapabilityBoundingSet=~CAP_SYS_ADMIN"""

EMPTY = """
    [Service]
    CapabilityBoundingSet=
    AmbientCapabilities="""

BIND = """
    [Service]
    CapabilityBoundingSet=CAP_NET_BIND_SERVICE
    AmbientCapabilities=CAP_NET_BIND_SERVICE"""

RESTART = """
    sudo systemctl edit UNIT
    sudo systemctl restart UNIT"""

VERIFY = """
    systemctl show UNIT -p CapabilityBoundingSet -p NeedDaemonReload
    grep CapBnd "/proc/$(systemctl show UNIT -p MainPID --value)/status\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("004", "systemd"),),
    references=(
        Reference(
            "systemd.exec(5): CapabilityBoundingSet=",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#CapabilityBoundingSet=",
        ),
        Reference("capabilities(7)", "https://man7.org/linux/man-pages/man7/capabilities.7.html"),
    ),
    title=Text(
        "CAP_SYS_ADMIN is out of the app unit's capabilities",
        "アプリのユニットから CAP_SYS_ADMIN を外している",
    ),
    why=Text(
        "CAP_SYS_ADMIN is a bag of rights that is nearly root: mounting, namespaces, many driver calls. A web application needs none of them, and what is not in the bounding set cannot come back.",
        "CAP_SYS_ADMIN は、マウントや名前空間の操作などを含む、root に近い権限の集まりです。ウェブアプリには不要で、バウンディングセットから外せば、後から取り戻すこともできません。",
    ),
    expected=Text(
        "The set of every unit is empty or at least does not name cap_sys_admin.",
        "どのユニットのセットも空であるか、少なくとも cap_sys_admin を含まない状態。",
    ),
    fix=Fix(
        Text(
            "As a drop-in of each unit, what the source asks for:\n"
            + DROP_IN
            + "\n\nBetter, since an app behind a proxy needs no capability at all:\n"
            + EMPTY
            + "\n\nIf it listens on 80 or 443 by itself (GoToSocial without a proxy):\n"
            + BIND
            + "\n\nThen:\n"
            + RESTART,
            "ユニットごとにドロップインを書きます。出典の推奨値は次のとおりです。\n"
            + DROP_IN
            + "\n\nプロキシの背後にあるアプリは何の権限も要らないため、空にするほうが確実です。\n"
            + EMPTY
            + "\n\nプロキシなしの GoToSocial のように、80 や 443 で直接待ち受ける場合は次のようにします。\n"
            + BIND
            + "\n\n編集して再起動します。\n"
            + RESTART,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Three units: mastodon-web, mastodon-sidekiq and mastodon-streaming. The files in dist/ set the empty set.",
                    "対象は mastodon-web・mastodon-sidekiq・mastodon-streaming の3つです。dist/ にある付属のユニットでは、空のセットが設定されています。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "The shipped unit takes CAP_SYS_ADMIN out; the empty set works too.",
                    "付属のユニットで CAP_SYS_ADMIN が外されています。空のセットでも動きます。",
                ),
            ),
            (
                "Docker",
                Text(
                    "Containers run without CAP_SYS_ADMIN unless started as privileged or with cap_add; the item speaks of systemd units and does not apply there.",
                    "コンテナは、privileged や cap_add を指定しない限り CAP_SYS_ADMIN を持ちません。この項目は systemd のユニットが対象なので、コンテナでは対象外です。",
                ),
            ),
        ),
    ),
    verify=Text(
        "The first must not name cap_sys_admin; the second is the mask of the running process (all zeros = none):\n"
        + VERIFY,
        "1行目に cap_sys_admin がないことを確認します。2行目は動作中のプロセスのマスクで、すべて 0 なら権限なしです。\n"
        + VERIFY,
    ),
    codes={
        **SHARED,
        "out": Text(
            "CAP_SYS_ADMIN is out of reach of all {count} running units of the app.",
            "アプリの動作中のユニット {count} 個すべてから CAP_SYS_ADMIN が外されています。",
        ),
        "holds": Text(
            "CAP_SYS_ADMIN is in the bounding set of {unit}.",
            "{unit} のバウンディングセットに CAP_SYS_ADMIN が含まれています。",
        ),
        "process_only": Text(
            "The process of {unit} is limited, but not by this setting of its unit: another one does it, or the unit was changed.",
            "{unit} のプロセスは制限されていますが、ユニットにこの設定はありません。別の設定の効果か、ユニットが変更された可能性があります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    units = app_units(facts)
    if (gap := unjudged(units)) is not None:
        return gap
    for unit in units.running:
        if unit.sys_admin and unit.process_sys_admin is not False:
            return failed("holds", unit=unit.name).seen(
                LABEL, f"{unit.name}: CapabilityBoundingSet holds cap_sys_admin"
            )
    for unit in units.running:
        if unit.sys_admin is None:
            return unknown("not_seen", Reason.NO_TOOL)
        if unit.sys_admin:
            return warned("process_only", unit=unit.name).seen(PROCESS, f"{unit.name}: CapBnd without bit 21")
        if unit.process_sys_admin:
            return warned("not_restarted", unit=unit.name).seen(PROCESS, f"{unit.name}: CapBnd with bit 21")
    shown = "\n".join(
        f"{unit.name}: {unit.value('CapabilityBoundingSet') or '(empty)'}" for unit in units.running
    )
    return outdated(units) or passed("out", count=len(units.running)).seen(LABEL, shown)
