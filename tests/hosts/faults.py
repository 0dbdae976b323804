"""What is planted on which machine, and what fedisec must say of it there and on the well-kept twin.

`plant` is shell, run as root after good.sh and before the machine starts, `live` is run on the started machine.
Faults of one item stand on different machines, so that none hides another.
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.model import Status

FAIL, PASS, WARN, NOT_APPLICABLE = Status.FAIL, Status.PASS, Status.WARN, Status.NOT_APPLICABLE
RELEASES = ("bookworm", "trixie")
TWIN = "twin"

_HBA = "cd /etc/postgresql/*/main"
_UNIT = "/etc/systemd/system/mastodon-web.service"
_DUMPS = "/var/backups/fediverse/db-*.dump"
_REDIS = "/etc/redis/redis.conf"

_NO_UFW = "sed -i 's/^ENABLED=.*/ENABLED=no/' /etc/ufw/ufw.conf; systemctl -q disable ufw"
_IPV4_ONLY = """table ip filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    tcp dport { 22, 80, 443 } accept
  }
}"""
# No Docker here: by the unit that holds it, a port counts as one that Docker published.
_AS_DOCKER = """[Service]
ExecStart=/usr/bin/python3 -m http.server --bind :: --directory /usr/share/doc 8080
[Install]
WantedBy=multi-user.target"""
# A package with a newer version in a repository that calls itself Debian's own for security.
_UPDATE_WAITS = r"""
mkdir -p /srv/repository /tmp/package/DEBIAN
for version in 2 1; do
    printf 'Package: waits\nVersion: %s\nArchitecture: all\nMaintainer: fedisec\nDescription: waits\n' $version \
        >/tmp/package/DEBIAN/control
    dpkg-deb -b /tmp/package /srv/repository/waits_$version.deb >/dev/null
done
dpkg -i /srv/repository/waits_1.deb >/dev/null 2>&1
cd /srv/repository
sum() { sha256sum <$1 | cut -d' ' -f1; }
{ dpkg-deb -f waits_2.deb
  printf 'Filename: ./waits_2.deb\nSize: %s\nSHA256: %s\n' $(stat -c %s waits_2.deb) $(sum waits_2.deb); } >Packages
. /etc/os-release
{ printf 'Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: %s-security\n' $VERSION_CODENAME
  printf 'Date: %s\nSHA256:\n %s %s Packages\n' "$(date -Ru)" $(sum Packages) $(stat -c %s Packages); } >Release
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list.d/waits.list
apt-get -qq update -o Dir::Etc::sourcelist=sources.list.d/waits.list -o Dir::Etc::sourceparts=- \
    -o APT::Get::List-Cleanup=0"""


@dataclass(frozen=True)
class Fault:
    """`twin`: the status on the machine that has nothing planted."""

    name: str
    machine: str
    item: str
    status: Status
    code: str
    plant: str
    live: str = ""
    twin: Status = PASS
    releases: tuple[str, ...] = RELEASES
    overlooked: str = ""  # why fedisec does not find it yet

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _journal(match: str) -> str:
    """The jail reads this alone: Debian 12 has it from the filter, 13 from the jail."""
    return f"printf '%s\\n' 'filter = sshd[journalmatch=\"{match}\"]' 'journalmatch = {match}' >>/etc/fail2ban/jail.local"


def _unhardened(item: str, setting: str, code: str = "off") -> Fault:
    plant = f"sed -i '/^{setting}=/d' {_UNIT}"
    return Fault(f"unit without {setting}", "first", f"systemd.{item}", FAIL, code, plant)


FAULTS: tuple[Fault, ...] = (
    # SSH
    Fault(
        "password through PAM", "first", "ssh.password_login_off", FAIL, "offered",
        "sed -i '/^KbdInteractiveAuthentication/d' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/00-good.conf",
    ),
    Fault(
        "root may log in", "first", "ssh.root_login_off", FAIL, "yes",
        "sed -i 's/^PermitRootLogin.*/PermitRootLogin yes/' /etc/ssh/sshd_config.d/00-good.conf",
    ),
    Fault(
        "cloud-init's drop-in wins", "second", "ssh.password_login_off", FAIL, "offered",
        "cd /etc/ssh/sshd_config.d; mv 00-good.conf 99-good.conf; echo PasswordAuthentication yes >50-cloud-init.conf",
    ),
    Fault(
        "a Match block allows passwords", "third", "ssh.password_login_off", WARN, "match_opens",
        "printf 'Match Address 10.0.0.0/8\\n    PasswordAuthentication yes\\n' >/etc/ssh/sshd_config.d/10-office.conf",
    ),
    Fault(
        "a Match block lets root in", "fourth", "ssh.root_login_off", WARN, "match_opens",
        "printf 'Match User root\\n    PermitRootLogin yes\\n' >>/etc/ssh/sshd_config;"
        " sed -i '/^KbdInteractiveAuthentication/d' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/00-good.conf",
    ),
    # The host firewall
    Fault(
        "no firewall", "first", "firewall.host_enabled", FAIL, "open",
        "sed -i 's/^ENABLED=.*/ENABLED=no/' /etc/ufw/ufw.conf; systemctl -q disable ufw",
    ),
    Fault(
        "ufw off, its unit active", "second", "firewall.host_enabled", FAIL, "open",
        "sed -i 's/^ENABLED=.*/ENABLED=no/' /etc/ufw/ufw.conf",
        live="systemctl is-active ufw",
    ),
    Fault(
        "rules for IPv4 alone", "third", "firewall.host_enabled", FAIL, "ipv6_open",
        f"{_NO_UFW}; systemctl -q enable nftables; cat >/etc/nftables.conf <<'RULES'\n{_IPV4_ONLY}\nRULES",
    ),
    Fault(
        "ufw on in its file, never started", "fourth", "firewall.host_enabled", FAIL, "open",
        "systemctl -q disable ufw",
    ),
    Fault(
        "a port of Docker's", "third", "firewall.docker_respects", FAIL, "published",
        f"cat >/etc/systemd/system/docker.service <<'UNIT'\n{_AS_DOCKER}\nUNIT\nsystemctl -q enable docker",
        twin=NOT_APPLICABLE,
    ),
    Fault(
        "Docker's socket open to all", "third", "host.docker_socket_closed", FAIL, "open_to_all",
        "printf '[Socket]\\nListenStream=/run/docker.sock\\nSocketMode=0666\\n[Install]\\nWantedBy=sockets.target\\n' "
        ">/etc/systemd/system/docker.socket; systemctl -q enable docker.socket",
        live="test -S /run/docker.sock",
        twin=NOT_APPLICABLE,
    ),
    Fault(
        "Docker's API on the network", "fourth", "host.docker_socket_closed", FAIL, "on_network",
        f"sed s/8080/2375/ >/etc/systemd/system/docker.service <<'UNIT'\n{_AS_DOCKER}\nUNIT\nsystemctl -q enable docker",
        twin=NOT_APPLICABLE,
    ),
    Fault(
        "the app on every address", "first", "firewall.open_ports", FAIL, "exposed",
        f"sed -i 's/--bind 127.0.0.1/--bind ::/' {_UNIT}",
    ),
    # Databases
    Fault(
        "trust over TCP", "first", "data.postgres_password", FAIL, "trusts",
        f"{_HBA}; sed -i '/^host/s/scram-sha-256/trust/' pg_hba.conf",
    ),
    Fault(
        "trust on the socket", "second", "data.postgres_password", WARN, "socket_trusts",
        f"{_HBA}; sed -i '/^local/s/peer/trust/' pg_hba.conf",
    ),
    Fault(
        "trust for one role", "third", "data.postgres_password", FAIL, "line_trusts",
        f"{_HBA}; sed -i '1i host mastodon_production mastodon 127.0.0.1/32 trust' pg_hba.conf",
    ),
    Fault(
        "passwords as md5", "fourth", "data.postgres_password", WARN, "weak_method",
        f"{_HBA}; sed -i '/^host/s/scram-sha-256/md5/' pg_hba.conf",
    ),
    Fault(
        "Redis without a password", "first", "data.redis_password", FAIL, "open",
        f"sed -i '/^requirepass/d' {_REDIS}",
    ),
    Fault(
        "Redis on every address", "second", "firewall.databases_closed", FAIL, "answers",
        f"sed -i 's/^bind .*/bind * -::*/' {_REDIS}",
    ),
    Fault(
        "Redis with few rights", "third", "data.redis_password", WARN, "limited",
        f"sed -i '/^requirepass/d' {_REDIS}; echo 'user default on nopass ~* -@all +ping' >>{_REDIS}",
    ),
    Fault(
        "Redis open to the world", "fourth", "firewall.databases_closed", FAIL, "no_login",
        f"sed -i -e '/^requirepass/d' -e 's/^bind .*/bind * -::*/' -e 's/^protected-mode.*/protected-mode no/' {_REDIS}",
    ),
    # The app and its files
    Fault(
        "configuration open to all", "first", "app.secrets_private", FAIL, "open",
        "chmod 644 /home/mastodon/live/.env.production",
    ),
    Fault(
        "configuration open to a group", "second", "app.secrets_private", WARN, "group",
        "chgrp users /home/mastodon/live/.env.production; chmod 640 /home/mastodon/live/.env.production",
    ),
    Fault(
        "unit edited, not restarted", "second", "systemd.no_new_privileges", WARN, "not_restarted",
        f"sed -i -e '/^NoNewPrivileges=/d' -e '/^PrivateDevices=/d' {_UNIT}",
        live=f"sed -i 's/^User=.*/&\\nNoNewPrivileges=true/' {_UNIT}; systemctl daemon-reload",
    ),
    _unhardened("no_new_privileges", "NoNewPrivileges"),
    _unhardened("private_tmp", "PrivateTmp"),
    _unhardened("private_devices", "PrivateDevices"),
    _unhardened("protect_system", "ProtectSystem"),
    _unhardened("capability_bounding_set", "CapabilityBoundingSet", "holds"),
    # Backups and renewal
    Fault(
        "backup four days old", "first", "data.database_backup", FAIL, "stale",
        f"touch -d '-4 days' {_DUMPS}",
    ),
    Fault(
        "backup of 900 bytes", "second", "data.database_backup", FAIL, "tiny",
        f"truncate -s 900 {_DUMPS}; touch -d '-2 hours' {_DUMPS}",
    ),
    Fault(
        "backup job failed", "third", "data.database_backup", FAIL, "job_failed",
        f"rm {_DUMPS}; sed -i s,/bin/true,/bin/false, /etc/systemd/system/fediverse-backup.service",
        live="! systemctl -q start fediverse-backup",
    ),
    Fault(
        "backup shrunk", "fourth", "data.database_backup", FAIL, "shrunk",
        f"file=$(ls {_DUMPS} | tail -n 1); truncate -s 8000 $file; touch -d '-2 hours' $file",
    ),
    Fault(
        "no timer renews", "first", "tls.renewal_automated", WARN, "stopped",
        "systemctl -q disable certbot.timer; rm /etc/cron.d/certbot",
    ),
    Fault(
        "the renewal failed", "second", "tls.renewal_automated", FAIL, "run_failed",
        "mkdir /etc/systemd/system/certbot.service.d; "
        "printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >/etc/systemd/system/certbot.service.d/fault.conf",
        live="! systemctl -q start certbot",
    ),
    Fault(
        "no timer renews, Debian's cron job idles", "third", "tls.renewal_automated", WARN, "stopped",
        "systemctl -q disable certbot.timer",
    ),
    # Accounts and updates
    Fault(
        "a second root", "first", "host.admin_logins_clean", FAIL, "second_root",
        "useradd -o -u 0 -M toor2",
    ),
    Fault(
        "fail2ban enabled, but dead", "first", "host.fail2ban", FAIL, "not_active",
        "printf '[sshd]\\nenabled = true\\nbackend = auto\\nlogpath = /var/log/auth.log\\n' >/etc/fail2ban/jail.local",
        live="systemctl is-enabled fail2ban; for n in $(seq 300); do systemctl -q is-active fail2ban || break; sleep 0.1; done",
    ),
    Fault(
        "fail2ban without a jail for SSH", "second", "host.fail2ban", FAIL, "no_jail",
        "sed -i 's/^enabled.*/enabled = false/' /etc/fail2ban/jail.local",
    ),
    Fault(
        "fail2ban on another unit's journal", "third", "host.fail2ban", WARN, "wrong_journal",
        _journal("_SYSTEMD_UNIT=telnet.service"),
    ),
    Fault(
        "Debian 12's journal match on 13", "fourth", "host.fail2ban", WARN, "wrong_journal",
        _journal("_SYSTEMD_UNIT=sshd.service + _COMM=sshd"),
        releases=("trixie",),
    ),
    Fault(
        "an empty password", "second", "host.admin_logins_clean", FAIL, "empty_password",
        "useradd ghost; passwd -q -d ghost",
    ),
    Fault(
        "updates never ran", "first", "host.auto_updates", WARN, "never_ran",
        "rm -f /var/lib/apt/periodic/*",
    ),
    Fault(
        "updates ran ten days ago", "second", "host.auto_updates", FAIL, "stale",
        "touch -d '-10 days' /var/lib/apt/periodic/*",
    ),
    Fault(
        "the updates' timer is off", "third", "host.auto_updates", FAIL, "timer_off",
        "systemctl -q disable apt-daily-upgrade.timer",
    ),
    Fault(
        "updates switched off", "fourth", "host.auto_updates", FAIL, "off",
        "sed -i '/Unattended-Upgrade/s/1/0/' /etc/apt/apt.conf.d/20auto-upgrades",
    ),
    Fault(
        "a security update waits", "third", "host.security_updates_applied", WARN, "pending",
        _UPDATE_WAITS,
    ),
    Fault(
        "a security update waits ten days", "second", "host.security_updates_applied", FAIL, "waiting",
        _UPDATE_WAITS,
    ),
)  # fmt: skip

MACHINES = (TWIN, *dict.fromkeys(fault.machine for fault in FAULTS))


def planted(release: str, machine: str) -> tuple[str, str]:
    """What is run before the start of a machine, and on it."""
    there = [fault for fault in FAULTS if fault.machine == machine and release in fault.releases]
    before, live = (
        [one for one in each if one] for each in ([f.plant for f in there], [f.live for f in there])
    )
    return _apart(before), _apart(live)


def _apart(scripts: list[str]) -> str:
    """Each in a shell of its own.  The line breaks end a here-document."""
    return "".join(f"(\n{script}\n)\n" for script in scripts)
