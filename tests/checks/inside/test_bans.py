"""fail2ban and CrowdSec: that they really guard, not that they are installed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.errors import Reason
from checks.facts.inside import Inside
from checks.model import Status
from checks.parse.host.common import server_time
from checks.parse.host.crowdsec import parse_crowdsec
from checks.parse.host.fail2ban import Jail, parse_fail2ban, reads_journal_of
from tests.checks.inside.reports import NOW, report, verdict

# Trimmed from booted Debian 12 and 13 machines.
UNIT = "== unit\nId=fail2ban.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nResult=success\n"
STATUS = "== status\nStatus\n|- Number of jail:\t1\n`- Jail list:\tsshd\n"
JAIL = "== jail sshd\nStatus for the jail: sshd\n|- Filter\n|  |- Total failed:\t0\n|  `- {}\n`- Actions\n   `- Total banned:\t0\n"
CONFIG = "== config\n['add', 'sshd', 'auto']\n['set', 'sshd', 'addlogpath', '/var/log/auth.log', 'head']\n"
BY_JOURNAL = "== config\n['add', 'sshd', 'systemd']\n['set', 'sshd', 'addjournalmatch', '_SYSTEMD_UNIT=sshd.service', '+', '_COMM=sshd']\n"
GOOD = UNIT + STATUS + JAIL.format("File list:\t/var/log/auth.log") + CONFIG + "== logs\n"
JOURNAL = "Journal matches:\t_SYSTEMD_UNIT=sshd.service + _COMM=sshd"
REFUSED = (
    "== status\n2026-11-21 08:03:56,743 fail2ban                [5311]: ERROR   Permission denied to socket: "
    "/var/run/fail2ban/fail2ban.sock, (you must be root)\n"
)
FAILED = UNIT.replace("=active", "=failed").replace("=success", "=exit-code")
NOT_RUNNING = "== status\n2026-11-21 08:04:20,600 fail2ban [6740]: ERROR   Failed to access socket path: /var/run/fail2ban/fail2ban.sock. Is fail2ban running?\n"
GONE = UNIT.replace("=loaded", "=not-found").replace("=active", "=inactive") + "== status absent"

AGENT = "== units\nId=crowdsec.service\nLoadState=loaded\nActiveState=active\n\nId=crowdsec-firewall-bouncer.service\nLoadState=loaded\nActiveState=active\n"
LIST = (
    "== bouncers\nname,revoked,last_pull,type\nFirewallBouncer-oRLz,validated,{},crowdsec-firewall-bouncer\n"
)
FRESH = "2026-11-21T07:55:02Z"
WORKING = AGENT + LIST.format(FRESH) + "== collections\nlinux.yaml\nsshd.yaml"
NO_AGENT = "== units\nId=crowdsec.service\nLoadState=not-found\nActiveState=inactive\n== bouncers absent\n== collections absent"
IN_DOCKER = "== version\n27.1.0\n== ps\naaaaaaaaaaaa\tcrowdsec\tcrowdsecurity/crowdsec:v1.6\t\tUp 1 day\n== inspect\n== podman absent"


def ssh(version: str, unit: str = "ssh.service") -> dict[str, str]:
    return {
        "sshd_unit": f"Id={unit}\nLoadState=loaded\nActiveState=active",
        "sshd_effective": f"== T\n== version\nOpenSSH_{version}, OpenSSL 3.5.1",
    }


@pytest.mark.parametrize(
    ("inside", "status", "code"),
    [
        (report(fail2ban=GOOD), Status.PASS, "guards"),
        (report(fail2ban=UNIT + STATUS + JAIL.format(JOURNAL), **ssh("9.2p1")), Status.PASS, "guards"),
        (report(fail2ban=UNIT + STATUS + JAIL.format(JOURNAL), **ssh("10.0p2")), Status.WARN, "wrong_journal"),
        (report(fail2ban=UNIT + STATUS + JAIL.format(JOURNAL.replace("sshd.s", "ssh.s")), **ssh("10.0p2")), Status.PASS, "guards"),
        (report(fail2ban=UNIT + STATUS + JAIL.format(JOURNAL), **ssh("10.0p2", "sshd.service")), Status.PASS, "guards"),
        (report(fail2ban=UNIT + STATUS + JAIL.format(JOURNAL.replace("sshd.s", "ssh.s")), **ssh("10.0p2", "ssh.socket")), Status.PASS, "guards"),
        (report(fail2ban=UNIT + STATUS + JAIL.format("File list:\t")), Status.FAIL, "reads_nothing"),
        (report(fail2ban=UNIT + "== status\nStatus\n|- Number of jail:\t0\n`- Jail list:\t\n"), Status.FAIL, "no_jail"),
        (report(fail2ban=UNIT + STATUS.replace("sshd", "nginx-http-auth")), Status.FAIL, "no_jail"),
        (report(fail2ban=FAILED + NOT_RUNNING), Status.FAIL, "not_active"),
        (report(fail2ban=UNIT + REFUSED + CONFIG), Status.PASS, "guards_configured"),
        (report(fail2ban=UNIT + REFUSED + CONFIG.replace("sshd", "nginx")), Status.FAIL, "no_jail"),
        (report(fail2ban=UNIT + REFUSED + "== config\n"), Status.UNKNOWN, "not_seen"),
        (report(fail2ban="== unit\n" + REFUSED + CONFIG), Status.UNKNOWN, "not_seen"),
        (report(fail2ban=UNIT + REFUSED + BY_JOURNAL, **ssh("9.2p1")), Status.PASS, "guards_configured"),
        (report(fail2ban=UNIT + REFUSED + BY_JOURNAL.replace("sshd.s", "telnet.s").replace("COMM=sshd", "COMM=x")), Status.WARN, "wrong_journal"),
        # Every filter brings its match along, also where a file would be read that is not there.
        (report(fail2ban=UNIT + REFUSED + BY_JOURNAL.replace("'systemd'", "'auto'"), **ssh("9.2p1")), Status.UNKNOWN, "not_seen"),
        # Nobody was refused, and nobody answered: it is about to end.
        (report(fail2ban=UNIT + NOT_RUNNING + BY_JOURNAL, **ssh("9.2p1")), Status.UNKNOWN, "not_seen"),
        (report(fail2ban=GONE), Status.FAIL, "not_installed"),
        (report(fail2ban=GONE, crowdsec=NO_AGENT), Status.FAIL, "not_installed"),
        (report(fail2ban=GONE, crowdsec=WORKING), Status.PASS, "crowdsec"),
        (report(fail2ban=GOOD, crowdsec=WORKING), Status.PASS, "crowdsec"),
        (report(fail2ban=GONE, crowdsec=WORKING.replace(FRESH, "2026-11-21T07:00:00Z")), Status.UNKNOWN, "not_seen"),
        (report(fail2ban=GONE, crowdsec=WORKING.replace("linux.yaml\nsshd.yaml", "nginx.yaml")), Status.UNKNOWN, "not_seen"),
        (report(fail2ban=GONE, docker=IN_DOCKER), Status.MANUAL, "in_container"),
        (report(fail2ban=""), Status.UNKNOWN, "not_seen"),
        (report(), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_fail2ban(inside: Inside, status: Status, code: str) -> None:
    found = verdict("host.fail2ban", inside)
    assert (found.status, found.code) == (status, code)


def test_a_refused_question_is_named_as_such() -> None:
    assert verdict("host.fail2ban", report(fail2ban=UNIT + REFUSED + "== config\n")).reason is Reason.DENIED
    assert verdict("host.crowdsec", report(crowdsec=DENIED_LIST)).reason is Reason.DENIED


DENIED_LIST = (
    AGENT.replace("=active\n\nId=crowdsec-f", "=active\n\nId=crowdsec-x").split("\n\n")[0]
    + "\n== bouncers denied"
)


@pytest.mark.parametrize(
    ("inside", "status", "code"),
    [
        (report(crowdsec=WORKING), Status.PASS, "active"),
        (report(crowdsec=WORKING.replace("validated", "pending")), Status.FAIL, "not_pulling"),
        (report(crowdsec=WORKING.replace(FRESH, "2026-11-21T07:49:59Z")), Status.FAIL, "not_pulling"),
        (report(crowdsec=WORKING.replace(FRESH, "2026-11-21T16:55:02+09:00")), Status.PASS, "active"),
        (report(crowdsec=WORKING.replace(FRESH, "")), Status.FAIL, "not_pulling"),
        (report(crowdsec=WORKING.replace(FRESH, "0001-01-01T00:00:00Z")), Status.FAIL, "not_pulling"),
        (report(crowdsec=AGENT + "== bouncers\nname,revoked,last_pull,type\n"), Status.FAIL, "no_bouncer"),
        (report(crowdsec=AGENT + "== bouncers denied"), Status.PASS, "units_active"),
        (report(crowdsec=DENIED_LIST), Status.UNKNOWN, "not_seen"),
        (report(crowdsec=AGENT.replace("=active\n\n", "=failed\n\n") + "== bouncers inactive"), Status.FAIL, "agent_off"),
        (report(crowdsec="== units\n== bouncers denied"), Status.UNKNOWN, "not_seen"),
        (report(crowdsec=NO_AGENT), Status.FAIL, "not_installed"),
        (report(crowdsec=NO_AGENT, docker=IN_DOCKER), Status.MANUAL, "in_container"),
        (report(crowdsec=""), Status.UNKNOWN, "not_seen"),
        (report(), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_crowdsec(inside: Inside, status: Status, code: str) -> None:
    found = verdict("host.crowdsec", inside)
    assert (found.status, found.code) == (status, code)


def test_the_servers_own_clock_dates_its_pulls() -> None:
    late = int(datetime(2026, 11, 21, 9, 0, tzinfo=UTC).timestamp())
    assert verdict("host.crowdsec", report(crowdsec=WORKING, meta=f"now {late}")).code == "not_pulling"
    assert server_time(report(meta=f"now {late}\nuid 0")) == NOW + timedelta(hours=1)
    assert server_time(report(meta="now soon")) == server_time(report()) == NOW


def test_what_the_bouncers_list_holds() -> None:
    found = parse_crowdsec(tuple(WORKING.split("\n")))
    assert found.bouncers is not None and [one.name for one in found.bouncers] == ["FirewallBouncer-oRLz"]
    assert found.guards_ssh and found.running == ("crowdsec-firewall-bouncer.service",)
    assert parse_crowdsec(("== bouncers", "time=... level=fatal msg=no")).bouncers is None


def test_jails_of_the_server_and_of_the_configuration() -> None:
    assert parse_fail2ban(tuple(GOOD.split("\n"))).jails == (Jail("sshd", ("/var/log/auth.log",)),)
    refused = parse_fail2ban(tuple((UNIT + REFUSED + CONFIG).split("\n")))
    assert (refused.jails, refused.loaded, refused.denied) == (
        (Jail("sshd", ("/var/log/auth.log",)),),
        False,
        True,
    )
    assert parse_fail2ban(()).jails is None and parse_fail2ban(()).installed is None


@pytest.mark.parametrize(
    ("source", "version", "reads"),
    [
        ("_SYSTEMD_UNIT=ssh.service + _COMM=sshd", (10, 0), True),
        ("_SYSTEMD_UNIT=sshd.service + _COMM=sshd", (9, 7), True),
        ("_SYSTEMD_UNIT=sshd.service + _COMM=sshd", (9, 8), False),
        ("_SYSTEMD_UNIT=sshd.service + _COMM=sshd", (10, 0), False),
        ("_SYSTEMD_UNIT=sshd.service + _COMM=sshd", None, True),
        ("_COMM=sshd + _COMM=sshd-session", (10, 0), True),
        ("_SYSTEMD_UNIT=nginx.service", (9, 2), False),
    ],
)
def test_a_match_that_catches_nothing(source: str, version: tuple[int, int] | None, reads: bool) -> None:
    assert reads_journal_of(source, "ssh.service", version) is reads
