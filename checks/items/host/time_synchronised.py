"""Is the clock synchronised?"""

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
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.clock import parse_clock
from checks.parse.host.release import parse_machine

LABEL = "inside: timedatectl"


DEBIAN = """
    sudo apt install systemd-timesyncd
    sudo timedatectl set-ntp true"""

RHEL = """
    sudo dnf install chrony
    sudo systemctl enable --now chronyd"""

ALPINE = """
    sudo apk add chrony
    sudo rc-update add chronyd && sudo rc-service chronyd start"""

JAPAN = """
    [Time]
    NTP=ntp.nict.jp ntp.jst.mfeed.ad.jp"""

VERIFY = """
    timedatectl show -p NTP -p NTPSynchronized
    chronyc -n tracking"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "systemd-timesyncd.service(8)",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd-timesyncd.service.html",
        ),
        Reference("chrony: Documentation", "https://chrony-project.org/documentation.html"),
        Reference(
            "Mastodon: Security (signatures and the Date header)",
            "https://docs.joinmastodon.org/spec/security/",
        ),
    ),
    title=Text(
        "The clock is synchronised",
        "サーバの時計が同期されている",
    ),
    why=Text(
        "Other servers refuse signed requests whose date is off, so federation stops with a wrong clock. One-time codes, certificates and logs depend on it too.",
        "時計がずれると、署名付きリクエストが連合先に拒否され、配送が止まります。ワンタイムコードや証明書の検証、ログの突き合わせにも正しい時刻が必要です。",
    ),
    expected=Text(
        "systemd-timesyncd, chrony or ntpd runs and reports the clock as synchronised. In a container the host keeps the time.",
        "systemd-timesyncd・chrony・ntpd のいずれかが動作し、同期済みと報告される状態。コンテナではホストが時刻を管理します。",
    ),
    fix=Fix(
        Text(
            "Run exactly one time service. Let UDP port 123 out of the firewall.",
            "時刻同期のサービスは1つだけ動かします。ファイアウォールでは、外向きの UDP 123番を許可してください。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "Switch it on:\n"
                    + DEBIAN
                    + "\n\nOther servers, in /etc/systemd/timesyncd.conf:\n"
                    + JAPAN,
                    "有効にします。\n"
                    + DEBIAN
                    + "\n\n国内の NTP サーバを使う場合は /etc/systemd/timesyncd.conf に書きます。\n"
                    + JAPAN,
                ),
            ),
            ("RHEL/Fedora", Text("Switch it on:\n" + RHEL, "有効にします。\n" + RHEL)),
            ("Alpine", Text("Switch it on:\n" + ALPINE, "有効にします。\n" + ALPINE)),
        ),
    ),
    verify=Text(
        "NTPSynchronized=yes, or with chrony a stratum and a small offset:\n" + VERIFY,
        "NTPSynchronized=yes であること、chrony なら参照先があり誤差が小さいことを確認します。\n" + VERIFY,
    ),
    codes={
        "synchronised": Text("The clock is synchronised.", "時計は同期されています。"),
        "chrony": Text(
            "chrony follows a source of stratum {stratum}.",
            "chrony が上位のサーバ（stratum {stratum}）に同期しています。",
        ),
        "waiting": Text(
            "A time service is on, but the clock is not synchronised yet.",
            "時刻同期のサービスは有効ですが、まだ同期されていません。",
        ),
        "off": Text("No time service keeps the clock right.", "時刻を合わせるサービスが動いていません。"),
        "container": Text(
            "In a container ({kind}) the host keeps the time.",
            "コンテナ（{kind}）なので、時刻はホストが管理します。",
        ),
        "not_seen": Text(
            "Neither timedatectl nor chronyc could be asked.",
            "timedatectl にも chronyc にも問い合わせられませんでした。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    clock = parse_clock(inside.lines("time"))
    if clock.synchronised:
        return passed("synchronised").seen(LABEL, "NTPSynchronized=yes")
    if clock.by_chrony:
        offset = "" if clock.offset_s is None else f", {clock.offset_s:g} s off"
        shown = f"stratum {clock.stratum}{offset}"
        return passed("chrony", stratum=clock.stratum or 0).seen("inside: chronyc tracking", shown)
    machine = parse_machine(inside.lines("meta"))
    if machine.is_container:
        return not_applicable("container", kind=machine.virt)
    if clock.synchronised is None:
        return unknown("not_seen", Reason.NO_TOOL)
    if clock.service:
        return warned("waiting").seen(LABEL, "NTP=yes\nNTPSynchronized=no")
    return failed("off").seen(LABEL, "NTP=no\nNTPSynchronized=no")
