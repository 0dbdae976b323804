"""Is a restart pending for a kernel or library update?"""

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
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.reboot import parse_reboot
from checks.parse.host.release import parse_machine

DEBIAN = """
    cat /run/reboot-required.pkgs
    sudo apt install needrestart
    sudo needrestart
    sudo systemctl reboot"""

RHEL = """
    sudo dnf needs-restarting -s
    sudo systemctl reboot"""

ALPINE = """
    uname -r
    ls /lib/modules
    sudo reboot"""

VERIFY = """
    uname -r
    ls -1v /boot/vmlinuz-* | tail -1
    ls /run/reboot-required"""

VERIFY_RHEL = """
    dnf needs-restarting -r"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference("needrestart(1)", "https://manpages.debian.org/bookworm/needrestart/needrestart.1.en.html"),
        Reference(
            "DNF: needs-restarting", "https://dnf-plugins-core.readthedocs.io/en/latest/needs_restarting.html"
        ),
    ),
    title=Text(
        "No restart is pending for a kernel or library update",
        "カーネルやライブラリの更新後、再起動が済んでいる",
    ),
    why=Text(
        "A new kernel on the disk repairs nothing until the machine starts with it. Programs that run since before the update still use the old library.",
        "新しいカーネルを入れても、再起動するまでは修正が効きません。更新前から動いているプログラムも、古いライブラリを使い続けています。",
    ),
    expected=Text(
        "The running kernel is the newest installed one, and no service uses files that an update has replaced. In a container the kernel is the host's and does not count.",
        "動いているカーネルがインストール済みのうち最新で、更新前のファイルを使い続けているサービスがない状態。コンテナではホスト側のカーネルが使われるため、対象になりません。",
    ),
    fix=Fix(
        Text(
            "Announce a short break and restart. Check beforehand that every service of the instance starts at boot, and that a password for an encrypted disk can be given.",
            "短い停止を告知して再起動します。インスタンスの各サービスが起動時に立ち上がることと、暗号化ディスクがある場合は解除できることを、先に確かめておいてください。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "See what asks for it, restart services or the machine:\n" + DEBIAN,
                    "必要としているものを確かめ、サービスまたはマシンを再起動します。\n" + DEBIAN,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "See which services ask for it, then restart:\n" + RHEL,
                    "対象のサービスを確かめてから再起動します。\n" + RHEL,
                ),
            ),
            (
                "Alpine",
                Text(
                    "The folder of the running kernel must still be there:\n" + ALPINE,
                    "動いているカーネルのフォルダが残っているかを見て判断します。\n" + ALPINE,
                ),
            ),
        ),
    ),
    verify=Text(
        "On Debian/Ubuntu the first two must name the same version, the third must not exist:\n"
        + VERIFY
        + "\n\nRHEL family, which says it in words:\n"
        + VERIFY_RHEL,
        "Debian/Ubuntu では、1行目と2行目の版が一致し、3行目のファイルがないことを確認します。\n"
        + VERIFY
        + "\n\nRHEL 系では、次のコマンドの表示で確認します。\n"
        + VERIFY_RHEL,
    ),
    codes={
        "current": Text(
            "The newest installed kernel {kernel} is running, and nothing asks for a restart.",
            "インストール済みで最新のカーネル {kernel} が動いており、再起動を求めるものはありません。",
        ),
        "required": Text(
            "The system asks for a restart (for: {packages}).",
            "システムが再起動を求めています（対象：{packages}）。",
        ),
        "kernel": Text(
            "{running} is running, but {newest} is installed.",
            "動いているカーネルは {running} ですが、{newest} がインストールされています。",
        ),
        "services": Text(
            "{count} services still use files that an update has replaced.",
            "{count} 個のサービスが、更新前のファイルを使い続けています。",
        ),
        "container": Text(
            "In a container ({kind}) the kernel is the host's.",
            "コンテナ（{kind}）なので、カーネルはホスト側のものです。",
        ),
        "no_kernel_seen": Text(
            "Nothing asks for a restart, but no installed kernel can be seen to compare {running} with.",
            "再起動を求める印はありませんが、{running} と比べられるカーネルが /boot に見当たりません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    state = parse_reboot(inside.lines("reboot"))
    machine = parse_machine(inside.lines("meta"))
    if machine.is_container:
        return not_applicable("container", kind=machine.virt)
    if state.required:
        packages = ", ".join(state.asked_by) or "–"
        return warned("required", packages=packages).seen("inside: /run/reboot-required", packages)
    kernels = f"running {state.running}\nnewest in /boot {state.newest or '–'}"
    if state.outdated:
        return warned("kernel", running=state.running, newest=state.newest).seen("inside: uname -r", kernels)
    if state.services:
        shown = "\n".join(state.services[:12])
        return warned("services", count=len(state.services)).seen("inside: needrestart", shown)
    if not state.running or not state.newest:
        return unknown("no_kernel_seen", Reason.NOT_ASKED, running=state.running or "–")
    return passed("current", kernel=state.running).seen("inside: uname -r", kernels)
