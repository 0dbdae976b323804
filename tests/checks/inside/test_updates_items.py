"""Automatic updates, and what waits: configured, started, done and fresh are four things."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts
from checks.model import Status
from tests.checks.inside.host_cases import Case, check_case, item_named, report, stamp, uncovered

PASS, WARN, FAIL, UNKNOWN, MANUAL = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.MANUAL

CONFIG = """APT::Periodic "";
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Origins-Pattern "";
Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename},label=Debian";
Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";"""
UBUNTU = """APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Allowed-Origins:: "${distro_id}:${distro_codename}-security";"""
UNITS = """LastTriggerUSec=Sat 2026-11-21 07:51:06 UTC
Id=apt-daily.timer
LoadState=loaded
ActiveState=active
UnitFileState=enabled

LastTriggerUSec=Sat 2026-11-21 07:51:06 UTC
Id=apt-daily-upgrade.timer
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=unattended-upgrades.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=dnf-automatic.timer
LoadState=not-found
ActiveState=inactive"""
DNF_UNITS = UNITS.replace("LoadState=loaded\nActiveState=active", "LoadState=not-found\nActiveState=inactive").replace(
    "Id=dnf-automatic.timer\nLoadState=not-found\nActiveState=inactive",
    "Id=dnf-automatic.timer\nLoadState=loaded\nActiveState=active",
)  # fmt: skip
NO_UU = UNITS.replace(
    "unattended-upgrades.service\nLoadState=loaded", "unattended-upgrades.service\nLoadState=not-found"
)


def stamps(lists: float | None = 4, upgrade: float | None = 4) -> str:
    """Hours since each of the two halves ended well."""
    rows = []
    if upgrade is not None:
        rows += [f"{stamp(hours=upgrade)} /var/lib/apt/periodic/unattended-upgrades-stamp",
                 f"{stamp(hours=upgrade)} /var/lib/apt/periodic/upgrade-stamp"]  # fmt: skip
    if lists is not None:
        rows.append(f"{stamp(hours=lists)} /var/lib/apt/periodic/update-stamp")
    return "\n".join([*rows, "== kept_back", "== history", "Start-Date: 2026-11-21  08:09:06"])


def auto(config: str = CONFIG, units: str = UNITS, done: str = stamps()) -> dict[str, str]:
    return {"apt_config": config, "update_units": units, "update_stamps": done}


AUTO = [
    Case("host.auto_updates", PASS, "ran", auto(), "2026-11-21 08:00 UTC", data={"hours": 4}),
    Case("host.auto_updates", PASS, "ran", auto(UBUNTU, done=stamps(71, 71))),
    Case("host.auto_updates", PASS, "ran", auto(units="System has not been booted with systemd as init system")),
    Case("host.auto_updates", FAIL, "stale", auto(done=stamps(73, 1)), data={"days": 3}),
    Case("host.auto_updates", FAIL, "stale", auto(done=stamps(1, 24 * 30)), data={"days": 30}),
    Case("host.auto_updates", WARN, "never_ran", auto(done="== kept_back\n== history")),
    Case("host.auto_updates", WARN, "never_ran", auto(done=stamps(upgrade=None))),
    Case("host.auto_updates", FAIL, "off", auto(CONFIG.replace('Upgrade "1"', 'Upgrade "0"')), data={"missing": "APT::Periodic::Unattended-Upgrade"}),
    Case("host.auto_updates", FAIL, "off", auto(CONFIG + '\nAPT::Periodic::Enable "0";'), "APT::Periodic::Enable"),
    Case("host.auto_updates", FAIL, "off", auto(CONFIG.replace("ecurity", "ome")), data={"missing": "Unattended-Upgrade::Origins-Pattern"}),
    Case("host.auto_updates", FAIL, "timer_off", auto(units=UNITS.replace("=active", "=inactive", 1)), "apt-daily.timer"),
    Case("host.auto_updates", PASS, "ran", auto(CONFIG.replace("origin=Debian,codename=${distro_codename}-security,label=Debian-Security", "origin=*"))),
    Case("host.auto_updates", FAIL, "timer_off", auto(units=UNITS.replace("=loaded\nActiveState=active", "=masked\nActiveState=inactive", 1)), "apt-daily.timer"),
    Case("host.auto_updates", FAIL, "not_installed", auto("", NO_UU, ""), "not-found"),
    Case("host.auto_updates", FAIL, "not_installed", {**auto("", "System has not been booted with systemd", ""), "packages": "ii \tnginx\t1.22.1-9\tnginx\t1.22.1-9"}, "inside: packages"),
    Case("host.auto_updates", UNKNOWN, "not_seen", {**auto("", UNITS, ""), "packages": "ii \tunattended-upgrades\t2.9.1\tunattended-upgrades\t2.9.1"}),
    Case("host.auto_updates", MANUAL, "dnf", auto("== apt-config absent", DNF_UNITS, "")),
    Case("host.auto_updates", MANUAL, "other_system", auto("== apt-config absent", "== systemctl absent", "")),
    Case("host.auto_updates", UNKNOWN, "not_seen", auto("", UNITS, "")),
]  # fmt: skip

WAITS = """== apt
Inst libssl3 [3.0.20-1~deb12u2] (3.0.22-1~deb12u2 Debian-Security:12/oldstable-security [amd64])
Inst openssl [3.0.20-1~deb12u2] (3.0.22-1~deb12u2 Debian-Security:12/oldstable-security [amd64]) []
Inst tzdata [2026b-0+deb12u1] (2026f-0+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [all])
Inst nano [7.2-1] (7.2-2 Debian:12.15/oldstable [amd64])
== dnf absent"""
NONE = "== apt\nInst nano [7.2-1] (7.2-2 Debian:12.15/oldstable [amd64])\n== dnf absent"
LOCKED = "== apt\nE: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the lock, are you root?\n== dnf absent"
DNF = "== apt absent\n== dnf\nFEDORA-2026-1a2b3c4d5e Important/Sec. openssl-1:3.2.2-4.fc43.x86_64\nRHSA-2026:1234 Moderate/Sec.  kernel-5.14.0-503.el9.x86_64\nRHBA-2026:1 bugfix vim-1.x86_64"


def pending(said: str, done: str = stamps()) -> dict[str, str]:
    return {"updates_pending": said, "update_stamps": done}


PENDING = [
    Case("host.security_updates_applied", PASS, "none", pending(NONE), "2026-11-21 08:00 UTC", data={"hours": 4}),
    Case("host.security_updates_applied", PASS, "none", pending("== apt\n== dnf absent")),
    Case("host.security_updates_applied", WARN, "pending", pending(WAITS), "libssl3 3.0.20-1~deb12u2 → 3.0.22-1~deb12u2", data={"count": 3}),
    Case("host.security_updates_applied", WARN, "undated", pending(WAITS, "== kept_back"), data={"count": 3}),
    Case("host.security_updates_applied", WARN, "pending", pending(WAITS, stamps(24 * 7))),
    Case("host.security_updates_applied", FAIL, "waiting", pending(WAITS, stamps(24 * 8)), "openssl", data={"count": 3, "days": 8}),
    Case("host.security_updates_applied", UNKNOWN, "old_lists", pending(NONE, stamps(24 * 4)), data={"days": 4}),
    Case("host.security_updates_applied", UNKNOWN, "age_unknown", pending(NONE, "== kept_back\n== history")),
    Case("host.security_updates_applied", UNKNOWN, "refused", pending(LOCKED), "lock", Reason.DENIED),
    Case("host.security_updates_applied", UNKNOWN, "broken", pending("== apt\nE: Unmet dependencies. Try 'apt --fix-broken install'\n== dnf absent"), "Unmet"),
    Case("host.security_updates_applied", WARN, "known_by_dnf", pending(DNF), "openssl-1:3.2.2-4.fc43.x86_64", data={"count": 2}),
    Case("host.security_updates_applied", UNKNOWN, "age_unknown", pending("== apt absent\n== dnf")),
    Case("host.security_updates_applied", UNKNOWN, "refused", pending("== apt absent\n== dnf denied"), reason=Reason.DENIED),
    Case("host.security_updates_applied", UNKNOWN, "no_tool", pending("== apt absent\n== dnf absent"), reason=Reason.NO_TOOL),
]  # fmt: skip

CASES = [*AUTO, *PENDING]
ITEMS = {case.item for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    assert uncovered(CASES, ITEMS) == set()


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_silence_is_no_verdict(item_id: str) -> None:
    sections = ("apt_config", "update_units", "update_stamps", "updates_pending")
    verdict = judge(item_named(item_id), Facts().with_facts(report(**dict.fromkeys(sections, ""))))
    assert verdict.status is UNKNOWN


@pytest.mark.parametrize("gone", ["apt_config", "update_units", "update_stamps", "updates_pending"])
def test_a_section_that_did_not_come_passes_nothing(gone: str) -> None:
    there = {**auto(), **pending(NONE)}
    del there[gone]
    seen = [judge(item_named(item_id), Facts().with_facts(report(**there))) for item_id in sorted(ITEMS)]
    assert any(verdict.status is UNKNOWN and verdict.reason is Reason.NOT_ASKED for verdict in seen)
