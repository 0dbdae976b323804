"""Is SELinux enforcing, or AppArmor on with profiles enforced?"""

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
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.mac import Mac, parse_mac
from checks.parse.host.release import parse_machine

PROFILES = "inside: AppArmor profiles"
ENABLED = "inside: /sys/module/apparmor/parameters/enabled"


APPARMOR = """
    sudo apt install apparmor apparmor-utils apparmor-profiles
    sudo systemctl enable --now apparmor
    sudo aa-status"""

PROFILE = """
    sudo aa-complain /etc/apparmor.d/PROFILE
    sudo aa-logprof
    sudo aa-enforce /etc/apparmor.d/PROFILE"""

GRUB = """
    sudo sed -i 's/^GRUB_CMDLINE_LINUX="/&apparmor=1 security=apparmor /' /etc/default/grub
    sudo update-grub && sudo systemctl reboot"""

SELINUX = """
    sudo setenforce 1
    sudo sed -i 's/^SELINUX=.*/SELINUX=enforcing/' /etc/selinux/config"""

RELABEL = """
    sudo fixfiles -F onboot && sudo systemctl reboot"""

DENIALS = """
    sudo ausearch -m avc -ts today
    sudo setsebool -P httpd_can_network_connect on"""

VERIFY = """
    getenforce
    sudo aa-status --enabled && sudo aa-status"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE, MANUAL),
    sources=(Source("003", "構築/OS"),),
    references=(
        Reference("Debian Wiki: AppArmor", "https://wiki.debian.org/AppArmor"),
        Reference(
            "Red Hat: Using SELinux",
            "https://docs.redhat.com/en/documentation/red_hat_enterprise_linux/9/html/using_selinux/index",
        ),
    ),
    title=Text(
        "SELinux is enforcing, or AppArmor enforces profiles",
        "SELinux または AppArmor が有効である",
    ),
    why=Text(
        "When a program is taken over, mandatory access control keeps it to the files and ports that it needs, even as root. The source calls this recommended, but close to required.",
        "プログラムを乗っ取られても、強制アクセス制御があれば、root 権限でも触れられるファイルやポートが限られます。出典では「限りなく必須に近い推奨」とされています。",
    ),
    expected=Text(
        "SELinux reports Enforcing, now and after a restart; or AppArmor is on and at least one profile is in enforce mode. Containers without a kernel of their own follow the host: answer for it.",
        "SELinux が Enforcing である（再起動後も変わらない）か、AppArmor が有効で enforce モードのプロファイルが1つ以上ある状態。独自のカーネルを持たないコンテナではホスト側で決まるため、その状態を回答してください。",
    ),
    fix=Fix(
        Text(
            "Advice on the web often begins with switching it off; go the other way. Let it log for some days, allow what the app really needs, then enforce.",
            "「まず無効にする」と書かれた記事も多くありますが、有効のまま使う方法を選んでください。数日は記録だけで動かし、アプリに本当に必要なものを許可してから有効にします。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "AppArmor is there by default; switch it on again:\n"
                    + APPARMOR
                    + "\n\nA profile that gets in the way, first in complain mode:\n"
                    + PROFILE
                    + "\n\nIf the kernel was started without it:\n"
                    + GRUB,
                    "AppArmor は標準で入っています。無効にしていたら戻します。\n"
                    + APPARMOR
                    + "\n\n支障のあるプロファイルは、まず complain モードで調整します。\n"
                    + PROFILE
                    + "\n\nカーネルの起動時に無効になっている場合は次のとおりです。\n"
                    + GRUB,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "From permissive to enforcing:\n"
                    + SELINUX
                    + "\n\nIf it was disabled altogether, set permissive first and label all files anew:\n"
                    + RELABEL
                    + "\n\nWhat was denied, and the switch that a reverse proxy needs:\n"
                    + DENIALS,
                    "permissive から enforcing に変えます。\n"
                    + SELINUX
                    + "\n\n完全に無効だった場合は、いったん permissive にして、すべてのファイルのラベルを付け直します。\n"
                    + RELABEL
                    + "\n\n拒否の記録を調べます。リバースプロキシには2行目の許可が必要です。\n"
                    + DENIALS,
                ),
            ),
        ),
    ),
    verify=Text(
        "The first says Enforcing, or the second lists profiles in enforce mode:\n" + VERIFY,
        "1行目が Enforcing になるか、2行目に enforce モードのプロファイルが並ぶことを確認します。\n" + VERIFY,
    ),
    attest_days=180,
    codes={
        "selinux": Text("SELinux is enforcing.", "SELinux が Enforcing で動いています。"),
        "until_restart": Text(
            "SELinux is enforcing now, but its file says {later} for the next start.",
            "SELinux はいま Enforcing ですが、設定ファイルは {later} のため、次の起動で変わります。",
        ),
        "apparmor": Text(
            "AppArmor is on and enforces {count} profiles.",
            "AppArmor が有効で、{count} 個のプロファイルが enforce モードです。",
        ),
        "permissive": Text(
            "SELinux is permissive: it only writes down what it would forbid.",
            "SELinux が Permissive のため、記録するだけで何も禁止していません。",
        ),
        "no_profiles": Text(
            "AppArmor is on, but no profile is in enforce mode.",
            "AppArmor は有効ですが、enforce モードのプロファイルがありません。",
        ),
        "off": Text("Neither SELinux nor AppArmor is on.", "SELinux も AppArmor も有効になっていません。"),
        "container": Text(
            "In a container ({kind}) the host decides this; answer for the host if it is yours.",
            "コンテナ（{kind}）なので、ホスト側で決まります。ホストも自分のものなら、その状態を回答してください。",
        ),
        "profiles_denied": Text(
            "AppArmor is on; only root may see whether profiles are enforced.",
            "AppArmor は有効ですが、プロファイルの状態は root でないと確認できません。",
        ),
        "not_seen": Text(
            "The kernel shows neither of the two to this account.",
            "このアカウントからは、どちらの状態も読み取れません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    mac = parse_mac(inside.lines("mac"))
    if mac.selinux == "enforcing":
        if mac.selinux_later in {"permissive", "disabled"}:
            verdict = warned("until_restart", later=mac.selinux_later)
            return verdict.seen("inside: /etc/selinux/config", f"SELINUX={mac.selinux_later}")
        return passed("selinux").seen("inside: /sys/fs/selinux/enforce", "1")
    if mac.apparmor and mac.profiles and mac.profiles.get("enforce"):
        return passed("apparmor", count=mac.profiles["enforce"]).seen(PROFILES, _counts(mac))
    machine = parse_machine(inside.lines("meta"))
    if machine.is_container:
        return not_applicable("container", kind=machine.virt)
    if mac.selinux == "permissive":
        return failed("permissive").seen("inside: /sys/fs/selinux/enforce", "0")
    if mac.apparmor:
        if mac.profiles is None:
            return unknown("profiles_denied", Reason.DENIED).seen(ENABLED, "Y")
        return failed("no_profiles").seen(PROFILES, _counts(mac))
    if mac.lsm:
        return failed("off").seen("inside: /sys/kernel/security/lsm", ",".join(mac.lsm))
    if mac.apparmor_unit and mac.apparmor_unit != "active":
        return failed("off").seen("inside: systemctl show apparmor", f"ActiveState={mac.apparmor_unit}")
    return unknown("not_seen", Reason.NO_TOOL)


def _counts(mac: Mac) -> str:
    return ", ".join(f"{mode} {count}" for mode, count in (mac.profiles or {}).items()) or "no profile"
