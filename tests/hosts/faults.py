"""What is planted on which machine, and what fedisec must say of it there and on the well-kept twin.

`plant` is shell, run as root after good.sh and before the machine starts, `live` is run on the started machine.
Faults of one item stand on different machines, so that none hides another.
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.model import Status

FAIL, PASS, WARN, NOT_APPLICABLE = Status.FAIL, Status.PASS, Status.WARN, Status.NOT_APPLICABLE
TWIN = "twin"

_HBA = "cd /etc/postgresql/*/main"
_UNIT = "/etc/systemd/system/mastodon-web.service"
_DUMPS = "/var/backups/fediverse/db-*.dump"
_REDIS = "/etc/redis/redis.conf"


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

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


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
    # Databases
    Fault(
        "trust over TCP", "first", "data.postgres_password", FAIL, "trusts",
        f"{_HBA}; sed -i '/^host/s/scram-sha-256/trust/' pg_hba.conf",
    ),
    Fault(
        "Redis without a password", "first", "data.redis_password", FAIL, "open",
        f"sed -i '/^requirepass/d' {_REDIS}",
    ),
    # The app and its files
    Fault(
        "configuration open to all", "first", "app.secrets_private", FAIL, "open",
        "chmod 644 /home/mastodon/live/.env.production",
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
        "no timer renews", "first", "tls.renewal_automated", WARN, "stopped",
        "systemctl -q disable certbot.timer; rm /etc/cron.d/certbot",
    ),
    # Accounts and updates
    Fault(
        "a second root", "first", "host.admin_logins_clean", FAIL, "second_root",
        "useradd -o -u 0 -M toor2",
    ),
    Fault(
        "updates never ran", "first", "host.auto_updates", WARN, "never_ran",
        "rm -f /var/lib/apt/periodic/*",
    ),
)  # fmt: skip

MACHINES = (TWIN, *dict.fromkeys(fault.machine for fault in FAULTS))


def planted(machine: str) -> tuple[str, str]:
    """What is run before the start of a machine, and on it."""
    there = [fault for fault in FAULTS if fault.machine == machine]
    return "\n".join(f"({f.plant})" for f in there), "\n".join(f"({f.live})" for f in there if f.live)
