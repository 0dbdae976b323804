"""The machine itself: release, restart, access control, agents, clock, disks, accounts."""

from __future__ import annotations

from datetime import date

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.ends import EndsOfLife, ReadEnds, ReadRelease
from checks.facts.inside import Inside
from checks.model import Status
from tests.checks.inside.host_cases import CONTAINER, Case, check_case, item_named, report, uncovered

PASS, WARN, FAIL, UNKNOWN, NOT_APPLICABLE, MANUAL = (
    Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE, Status.MANUAL,
)  # fmt: skip
BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian'

MOVED = EndsOfLife((ReadEnds("alpine", date(2026, 11, 20), (ReadRelease("3.21", date(2027, 5, 1)),)),))


def os(id_: str, version: str) -> dict[str, str]:
    return {"release": f'ID={id_}\nVERSION_ID="{version}"\nPRETTY_NAME="{id_} {version}"'}


RELEASE = [
    Case("host.os_supported", PASS, "supported", os("debian", "13"), data={"ends": "2028-08-09"}),
    Case("host.os_supported", PASS, "supported", os("alpine", "3.22.1"), data={"ends": "2027-05-01"}),
    Case("host.os_supported", PASS, "supported", os("almalinux", "9.4"), data={"ends": "2032-05-31"}),
    Case("host.os_supported", PASS, "supported", os("ubuntu", "24.04")),
    Case(
        "host.os_supported", PASS, "long_term", {"release": BOOKWORM}, "bookworm", data={"ends": "2028-06-30"}
    ),
    Case("host.os_supported", PASS, "long_term", os("raspbian", "12")),
    Case("host.os_supported", WARN, "ends_soon", os("fedora", "43"), data={"ends": "2026-12-09"}),
    Case("host.os_supported", PASS, "supported", os("alpine", "3.21.2"), facts=(MOVED,)),
    Case("host.os_supported", WARN, "paid_only", os("ubuntu", "20.04"), data={"ended": "2025-05-29"}),
    Case("host.os_supported", FAIL, "ended", os("debian", "11"), "debian 11", data={"ended": "2026-08-31"}),
    Case("host.os_supported", FAIL, "ended", os("ubuntu", "25.10")),
    Case("host.os_supported", FAIL, "ended", os("alpine", "3.20.3")),
    Case("host.os_supported", MANUAL, "rolling", {"release": "ID=debian\nPRETTY_NAME='Debian forky/sid'"}),
    Case("host.os_supported", MANUAL, "rolling", {"release": "ID=arch\nVERSION_ID=20261101"}),
    Case("host.os_supported", UNKNOWN, "not_listed", os("nixos", "25.11")),
    Case("host.os_supported", UNKNOWN, "not_listed", os("debian", "14")),
    Case("host.os_supported", UNKNOWN, "unreadable", {"release": "cat: /etc/os-release: Permission denied"}),
]

KERNELS = "== kernels\n/boot/vmlinuz-6.1.0-40-amd64\n/boot/vmlinuz-6.1.0-9-amd64\n"
NO_NEEDRESTART = "== needrestart absent"
RUNNING = "== required\n== running\n6.1.0-40-amd64\n" + KERNELS
REBOOT = [
    Case("host.no_reboot_pending", PASS, "current", {"reboot": RUNNING + NO_NEEDRESTART}, "6.1.0-40"),
    Case("host.no_reboot_pending", PASS, "current", {"reboot": RUNNING + "== needrestart\nNEEDRESTART-VER: 3.6\nNEEDRESTART-KSTA: 1"}),
    Case("host.no_reboot_pending", WARN, "kernel", {"reboot": RUNNING.replace("running\n6.1.0-40", "running\n6.1.0-9")},
         data={"running": "6.1.0-9-amd64", "newest": "6.1.0-40-amd64"}),
    Case("host.no_reboot_pending", WARN, "required", {"reboot": RUNNING.replace("required\n", "required\n/run/reboot-required\n/run/reboot-required.pkgs\nlinux-image-amd64\nlibc6\n")},
         "libc6", data={"packages": "linux-image-amd64, libc6"}),
    Case("host.no_reboot_pending", WARN, "services", {"reboot": RUNNING + "== needrestart\nNEEDRESTART-VER: 3.6\nNEEDRESTART-SVC: nginx.service\nNEEDRESTART-SVC: ssh.service"},
         "nginx.service", data={"count": 2}),
    Case("host.no_reboot_pending", NOT_APPLICABLE, "container", {"meta": CONTAINER, "reboot": "== required\n== running\n6.18.44\n== kernels"}),
    Case("host.no_reboot_pending", UNKNOWN, "no_kernel_seen", {"reboot": "== required\n== running\n6.18.44\n== kernels\n" + NO_NEEDRESTART}),
    Case("host.no_reboot_pending", WARN, "kernel", {"reboot": "== required\n== running\n5.14.0-503.el9.x86_64\n== kernels\n/boot/vmlinuz-0-rescue-8c5b1e\n/boot/vmlinuz-5.14.0-503.11.1.el9_5.x86_64\n/boot/vmlinuz-5.14.0-503.el9.x86_64"}),
    Case("host.no_reboot_pending", WARN, "kernel", {"reboot": "== required\n== running\n6.12.48+deb13-amd64\n== kernels\n/boot/vmlinuz-6.12.57+deb13-amd64\n/boot/vmlinuz-6.12.48+deb13-amd64"}),
    Case("host.no_reboot_pending", UNKNOWN, "no_kernel_seen", {"reboot": "== required\n== running\n6.12.8-0-lts\n== kernels\n/boot/vmlinuz-lts\n== needrestart absent"}),
    # The cloud kernel beside it is another flavour, not a newer one.
    Case("host.no_reboot_pending", PASS, "current", {"reboot": RUNNING.replace("== kernels\n", "== kernels\n/boot/vmlinuz-6.12.1-1-cloud-amd64\n")}),
]  # fmt: skip

OFF = "== apparmor_enabled\n== lsm\n== unit\nId=apparmor.service\nLoadState=loaded\nActiveState=inactive\nConditionResult=no\n== aa_status absent\n== selinux\n== selinux_config"
ON = "== apparmor_enabled\nY\n== lsm\nlockdown,capability,apparmor\n== unit\nId=apparmor.service\nLoadState=loaded\nActiveState=active\nConditionResult=yes\n"
SELINUX = (
    "== apparmor_enabled\n== lsm\n== aa_status absent\n== selinux\n1\n== selinux_config\nSELINUX=enforcing"
)
MAC = [
    Case("host.mandatory_access_control", PASS, "selinux", {"mac": SELINUX}),
    Case("host.mandatory_access_control", WARN, "until_restart", {"mac": SELINUX.replace("=enforcing", "=permissive")}, "SELINUX=permissive"),
    Case("host.mandatory_access_control", FAIL, "permissive", {"mac": SELINUX.replace("selinux\n1", "selinux\n0")}),
    Case("host.mandatory_access_control", PASS, "apparmor", {"mac": ON + "== aa_status\ncomplain 4\nenforce 23"}, data={"count": 23}),
    Case("host.mandatory_access_control", FAIL, "no_profiles", {"mac": ON + "== aa_status\ncomplain 4"}, "complain 4"),
    Case("host.mandatory_access_control", FAIL, "no_profiles", {"mac": ON + "== aa_status"}, "no profile"),
    Case("host.mandatory_access_control", UNKNOWN, "profiles_denied", {"mac": ON + "== aa_status denied"}, "Y", Reason.DENIED),
    Case("host.mandatory_access_control", FAIL, "off", {"mac": OFF}, "ActiveState=inactive"),
    Case("host.mandatory_access_control", FAIL, "off", {"mac": "== apparmor_enabled\nN\n== lsm\nlockdown,capability\n== aa_status absent"}, "lockdown"),
    Case("host.mandatory_access_control", NOT_APPLICABLE, "container", {"meta": CONTAINER, "mac": OFF}),
    Case("host.mandatory_access_control", UNKNOWN, "not_seen", {"mac": "== apparmor_enabled\n== lsm\n== unit\n== aa_status absent\n== selinux\n== selinux_config"}),
]  # fmt: skip


def units(**states: str) -> str:
    """Blocks of systemctl show: active, failed, or "-" for a unit that is not there."""
    return "\n\n".join(
        f"Id={name.replace('_', '-')}.service\nLoadState={'not-found' if state == '-' else 'loaded'}\nActiveState={'inactive' if state == '-' else state}"
        for name, state in states.items()
    )


EDR = [
    Case("host.endpoint_detection", PASS, "connected", {"edr": units(wazuh_agent="active") + "\n== processes\nwazuh-agentd\n== wazuh_state\nstatus='connected'\nlast_keepalive='2026-11-21 11:59:51'"}, "wazuh"),
    Case("host.endpoint_detection", FAIL, "disconnected", {"edr": units(wazuh_agent="active") + "\n== processes\n== wazuh_state\nstatus='disconnected'"}, data={"state": "disconnected"}),
    Case("host.endpoint_detection", UNKNOWN, "state_denied", {"edr": units(wazuh_agent="active") + "\n== processes\n== wazuh_state denied"}, reason=Reason.DENIED),
    Case("host.endpoint_detection", PASS, "active", {"edr": units(wazuh_agent="-", falco_modern_bpf="active", auditd="active") + "\n== processes\nfalco"}, data={"agent": "falco-modern-bpf"}),
    Case("host.endpoint_detection", PASS, "active", {"edr": "== processes\nmdatp"}),
    Case("host.endpoint_detection", FAIL, "down", {"edr": units(wazuh_agent="-", auditd="failed") + "\n== processes"}, "auditd"),
    Case("host.endpoint_detection", WARN, "audit_only", {"edr": units(auditd="active") + "\n== processes\nauditd"}),
    Case("host.endpoint_detection", WARN, "none", {"edr": units(wazuh_agent="-", auditd="-") + "\n== processes"}),
    Case("host.endpoint_detection", UNKNOWN, "not_seen", {"edr": "System has not been booted with systemd as init system (PID 1). Can't operate."}),
]  # fmt: skip

CHRONY = "== chrony\nReference ID    : A29FC87B (162.159.200.123)\nStratum         : 4\nSystem time     : 0.000000021 seconds slow of NTP time\nLeap status     : Normal"
TIME = [
    Case("host.time_synchronised", PASS, "synchronised", {"time": "NTP=yes\nNTPSynchronized=yes\n== chrony absent"}),
    Case("host.time_synchronised", PASS, "chrony", {"time": "== timedatectl absent\n" + CHRONY}, "stratum 4"),
    Case("host.time_synchronised", WARN, "waiting", {"time": "NTP=yes\nNTPSynchronized=no\n== chrony absent"}),
    Case("host.time_synchronised", FAIL, "off", {"time": "NTP=no\nNTPSynchronized=no\n" + CHRONY.replace(": 4", ": 0")}, "NTP=no"),
    Case("host.time_synchronised", NOT_APPLICABLE, "container", {"meta": CONTAINER, "time": "NTP=no\nNTPSynchronized=no"}),
    Case("host.time_synchronised", UNKNOWN, "not_seen", {"time": "System has not been booted with systemd as init system (PID 1). Can't operate.\n== chrony absent"}),
]  # fmt: skip


def df(root: int, inodes: int | str = 5, boot: int = 20) -> dict[str, str]:
    return {
        "disk": "== bytes\nFilesystem     Type 1024-blocks     Used Available Capacity Mounted on\n"
        f"/dev/vda1      ext4   264212084 41322084  65068828      {root}% /\n"
        f"/dev/vda2      ext4      100000    20000     80000      {boot}% /boot\n"
        "/dev/loop3     ext4        1000     1000         0     100% /snap/core/1\n"
        "== inodes\nFilesystem     Type   Inodes  IUsed    IFree IUse% Mounted on\n"
        f"/dev/vda1      ext4 16777216 746003 16031213    {inodes}% /\n"
        "/dev/vdb       btrfs       0      0        0     - /srv media"
    }  # fmt: skip


DISK = [
    Case("host.disk_space", PASS, "room", df(84), "/ 84 %, inodes 5 %", data={"mount": "/", "percent": 84}),
    Case("host.disk_space", FAIL, "filling", df(85), "/ 85 %"),
    Case("host.disk_space", FAIL, "inodes", df(39, 85), data={"percent": 85}),
    Case("host.disk_space", WARN, "boot", df(39, boot=91), data={"percent": 91}),
    Case("host.disk_space", PASS, "room", df(39, "-")),
    Case("host.disk_space", UNKNOWN, "not_seen", {"disk": "== bytes\n== inodes"}),
]

ACCOUNTS = "== uid0\nroot\n== empty\n== admins\nsudo:alice\ndocker:\n== shells\n2"
LOGINS = [
    Case("host.admin_logins_clean", PASS, "clean", {"accounts": ACCOUNTS}),
    Case("host.admin_logins_clean", FAIL, "second_root", {"accounts": ACCOUNTS.replace("root\n", "root\ntoor2\n")}, "toor2"),
    Case("host.admin_logins_clean", FAIL, "second_root", {"accounts": ACCOUNTS.replace("root\n== empty", "root\ntoor2\n== empty denied")}),
    Case("host.admin_logins_clean", FAIL, "empty_password", {"accounts": ACCOUNTS.replace("empty\n", "empty\nfedisudo\n")}, "fedisudo"),
    Case("host.admin_logins_clean", UNKNOWN, "shadow_denied", {"accounts": ACCOUNTS.replace("== empty", "== empty denied")}, "uid 0: root", Reason.DENIED),
    Case("host.admin_logins_clean", UNKNOWN, "not_seen", {"accounts": "== uid0\n== empty\n== admins"}),
]  # fmt: skip

CASES = [*RELEASE, *REBOOT, *MAC, *EDR, *TIME, *DISK, *LOGINS]
ITEMS = {case.item for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    assert uncovered(CASES, ITEMS) == set()


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_nothing_is_said_of_a_server_that_is_not_connected(item_id: str) -> None:
    facts = Facts(missing={Inside: Missing(Reason.NOT_CONNECTED)})
    verdict = judge(item_named(item_id), facts)
    assert (verdict.status, verdict.reason) == (UNKNOWN, Reason.NOT_CONNECTED)


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_silence_is_no_verdict(item_id: str) -> None:
    """Every section is there and empty."""
    sections = ("meta", "release", "reboot", "mac", "edr", "time", "disk", "accounts")
    verdict = judge(item_named(item_id), Facts().with_facts(report(**dict.fromkeys(sections, ""))))
    assert verdict.status is UNKNOWN
