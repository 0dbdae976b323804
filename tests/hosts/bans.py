"""A machine that bans whoever looks like an attack, with the three tools that people have for it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import paramiko

from tests.hosts.machines import BootError, Machine

PEERS = 8  # connections of a hostile peer: more than each tool's limit, fewer than sshd's for beginners

# fail2ban as strict as its own documentation goes, CrowdSec as its package makes it; both read the journal, and
# neither exempts us.  CrowdSec knows no server of its makers.  "quick" may log in as well, and gets at once what the
# collector said before, so that scans follow each other faster than they ever do.
GUARDED = r"""
cat >/etc/fail2ban/jail.local <<'JAIL'
[DEFAULT]
backend = systemd
ignoreip = 127.0.0.1/8 ::1
[sshd]
enabled = true
mode = aggressive
maxretry = 3
findtime = 1h
JAIL
sed -i '/online_client/,+1d' /etc/crowdsec/config.yaml
printf 'source: journalctl\njournalctl_filter: ["_SYSTEMD_UNIT=ssh.service"]\nlabels:\n  type: syslog\n' >/etc/crowdsec/acquis.yaml
systemctl -q enable crowdsec fail2ban
# For the peer that guesses; the accounts have none.
printf 'Match User plain\n    PasswordAuthentication yes\n' >>/etc/ssh/sshd_config.d/00-good.conf
useradd -m -s /bin/sh quick
install -d -m 700 -o quick -g quick /home/quick/.ssh
sed 's|command="[^"]*"|command="cat /srv/report"|' /home/fedisec/.ssh/authorized_keys >/home/quick/.ssh/authorized_keys
chown quick: /home/quick/.ssh/authorized_keys
"""

# So strict that one connection without a login is punished at once (OpenSSH 9.8 and newer).
STRICT_PENALTIES = r"""
systemctl stop fail2ban
echo 'PerSourcePenalties authfail:60 noauth:60 grace-exceeded:60 min:1 max:10m' >/etc/ssh/sshd_config.d/05-strict.conf
systemctl reload ssh
"""

_READY_S = 60.0


def await_guards(machine: Machine) -> None:
    """Until both tools read."""
    _poll(machine, "fail2ban-client status sshd; cscli lapi status 2>&1; pgrep -f 'journalctl --follow'")


def banned(machine: Machine) -> tuple[str, str]:
    """The addresses that fail2ban and CrowdSec have banned, in their own words."""
    jail = machine.run("fail2ban-client get sshd banip")
    return jail, machine.run(
        "cscli decisions list -o raw 2>/dev/null | tail -n +2 | cut -d, -f3 | sed s/^Ip://"
    )


def await_ban(machine: Machine, address: str) -> None:
    """Until both tools have banned an address; by then they have read what was logged before as well."""
    _poll(
        machine,
        f"fail2ban-client get sshd banip | grep -qw {address}; cscli decisions list -o raw | grep -w {address}",
    )


def dropped(machine: Machine, address: str) -> bool:
    """Whether sshd itself turned an address away."""
    return f"drop connection #0 from [{address}]" in machine.run("journalctl -u ssh -o cat --no-pager")


def guess_passwords(machine: Machine, source: str) -> None:
    """Wrong passwords from an address, all at once, as the first ban would end the rest."""
    guesses = [threading.Thread(target=_guess, args=(machine, source)) for _ in range(PEERS)]
    for one in guesses:
        one.start()
    for one in guesses:
        one.join()


def _guess(machine: Machine, source: str) -> None:
    with suppress(paramiko.SSHException, OSError, EOFError):
        connected = socket.create_connection((machine.address, 22), 10, (source, 0))
        transport = paramiko.Transport(connected)
        try:
            transport.start_client(timeout=10)
            transport.auth_password("plain", "wrong")
        finally:
            transport.close()


def turn_back_until_dropped(machine: Machine, source: str) -> None:
    """Connections without a login, until sshd has enough of them; BootError where it never has."""
    ends = time.monotonic() + _READY_S
    while not dropped(machine, source):
        if time.monotonic() > ends:
            raise BootError(f"{source} was never turned away")
        with suppress(OSError), socket.create_connection((machine.address, 22), 10, (source, 0)) as connected:
            connected.recv(100)


def _poll(machine: Machine, script: str) -> None:
    ends = time.monotonic() + _READY_S
    while True:
        try:
            machine.run(script)
            return
        except BootError:
            if time.monotonic() > ends:
                raise
        time.sleep(0.3)
