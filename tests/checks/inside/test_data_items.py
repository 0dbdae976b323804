"""Databases, backups and renewals, judged by what their servers and files showed."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.model import Status
from tests.checks.inside.host_cases import Case, check_case, item_named, report, stamp, uncovered
from tests.checks.tls.made import certificate, web

PASS, WARN, FAIL, UNKNOWN, NOT_APPLICABLE, MANUAL = (
    Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE, Status.MANUAL,
)  # fmt: skip
NO_DOCKER = "== version absent\n== ps absent\n== daemon\n== socket\n== podman absent"
DENIED_DOCKER = "== version denied\n== ps\npermission denied while trying to connect to the Docker daemon socket\n== podman absent"


def docker(image: str, ports: str = "5432/tcp") -> str:
    return f"== version\n27.1\n== ps\nabc\tapp-db-1\t{image}\t{ports}\tUp 3 days\n== daemon\n== podman absent"


NOAUTH, REFUSED = (
    "NOAUTH Authentication required.",
    "Could not connect to Redis at 127.0.0.1:6379: Connection refused",
)
CONF = "== conf /etc/redis/redis.conf 640 redis redis 1758746040\nbind 127.0.0.1 -::1\nprotected-mode yes\nport 6379\nrequirepass set\naclfile unset"


def redis(*answers: str, conf: str = "", docker: str = NO_DOCKER) -> dict[str, str]:
    ports = [f"== probe 127.0.0.1:{6379 + n}\n{said}" for n, said in enumerate(answers)]
    return {"redis": "\n".join([*ports, conf]), "docker": docker}


REDIS = [
    Case("data.redis_password", PASS, "password", redis(NOAUTH, conf=CONF), "NOAUTH", data={"where": "127.0.0.1:6379"}),
    Case("data.redis_password", PASS, "password", redis("-NOAUTH Authentication required.", NOAUTH)),
    Case("data.redis_password", PASS, "password", redis("(error) NOAUTH Authentication required.")),
    Case("data.redis_password", FAIL, "open", redis("(integer) 0"), "127.0.0.1:6379"),
    Case("data.redis_password", FAIL, "open", redis(NOAUTH, "0", conf=CONF), data={"where": "127.0.0.1:6380"}),
    Case("data.redis_password", FAIL, "open", redis(":0")),
    Case("data.redis_password", FAIL, "protected_only", redis("-DENIED Redis is running in protected mode because")),
    Case("data.redis_password", WARN, "limited", redis("NOPERM User default has no permissions to run the 'exists' command")),
    Case("data.redis_password", UNKNOWN, "unclear", redis("ERR unknown command")),
    Case("data.redis_password", UNKNOWN, "unclear", redis(NOAUTH, "")),
    Case("data.redis_password", UNKNOWN, "unclear", redis("Could not connect to Redis at 127.0.0.1:6379: Connection timed out")),
    Case("data.redis_password", UNKNOWN, "silent", redis(REFUSED, conf=CONF)),
    Case("data.redis_password", UNKNOWN, "silent", redis(REFUSED, conf="== conf /etc/redis denied"), reason=Reason.REFUSED),
    Case("data.redis_password", PASS, "socket_only", redis(REFUSED, conf=CONF.replace("port 6379", "port 0\nunixsocket /run/redis/redis.sock")), "/run/redis/redis.sock"),
    Case("data.redis_password", MANUAL, "in_container", redis(REFUSED, docker=docker("redis:7-alpine")), "redis:7-alpine"),
    Case("data.redis_password", UNKNOWN, "hidden", redis(REFUSED, docker=DENIED_DOCKER), reason=Reason.DENIED),
    Case("data.redis_password", NOT_APPLICABLE, "none", redis(REFUSED)),
]  # fmt: skip

_AT = 'psql: error: connection to server at "127.0.0.1", port 5432 failed: '
_ON = 'psql: error: connection to server on socket "/run/postgresql/.s.PGSQL.5432" failed: '
NO_PASSWORD = _AT + "fe_sendauth: no password supplied"
NO_ROLE = 'FATAL:  role "fedisec_probe_nosuchrole" does not exist'
PEER = _ON + 'FATAL:  Peer authentication failed for user "fedisec_probe_nosuchrole"'
NO_ENTRY = (
    _AT
    + 'FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "fedisec_probe_nosuchrole", database "postgres", SSL encryption'
)
GONE = _AT + "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?"
HBA = """== hba /etc/postgresql/15/main/pg_hba.conf 640 postgres postgres 1795247192
local all postgres peer
local all all peer
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256"""
SETTINGS = """
== conf /etc/postgresql/15/main/postgresql.conf 644 postgres postgres 1795247192
port = 5432 # (change requires restart)
hba_file = '/etc/postgresql/15/main/pg_hba.conf'"""
HBA += SETTINGS
HBA_DENIED = "== hba /etc/postgresql/15/main/pg_hba.conf denied"


def postgres(tcp: str, socket: str = PEER, hba: str = HBA, docker: str = NO_DOCKER) -> dict[str, str]:
    said = f"== probe 127.0.0.1\n{tcp}\n"
    said += f"== probe /run/postgresql\n{socket}\n" if socket else ""
    return {"postgres": said + hba, "docker": docker}


def _more(line: str) -> str:
    """One rule more."""
    return HBA.replace(SETTINGS, f"\n{line}{SETTINGS}")


POSTGRES = [
    Case("data.postgres_password", PASS, "password", postgres(NO_PASSWORD), "no password supplied"),
    Case("data.postgres_password", MANUAL, "probed", postgres(NO_PASSWORD, hba=HBA_DENIED)),
    Case("data.postgres_password", MANUAL, "probed", postgres(NO_PASSWORD, hba=_more("include more.conf"))),
    Case("data.postgres_password", MANUAL, "probed", postgres(NO_PASSWORD, hba=_more("host all all 10.0.0.0/8 ?"))),
    # The rules that were read are those of another server.
    Case("data.postgres_password", MANUAL, "probed", postgres(NO_PASSWORD, hba=HBA.replace("port = 5432", "port = 5433"))),
    Case("data.postgres_password", MANUAL, "probed", postgres(NO_PASSWORD, hba=HBA.replace("'/etc/postgresql/15", "'/srv"))),
    Case("data.postgres_password", MANUAL, "probed", postgres(NO_PASSWORD, "", docker=docker("postgres:16-alpine", "127.0.0.1:5432->5432/tcp"))),
    Case("data.postgres_password", MANUAL, "probed", postgres(NO_PASSWORD, hba=HBA.replace(SETTINGS, ""))),
    Case("data.postgres_password", MANUAL, "turned_away", postgres(NO_ENTRY, hba=HBA_DENIED)),
    Case("data.postgres_password", MANUAL, "turned_away", postgres(NO_ENTRY, "", "")),
    Case("data.postgres_password", UNKNOWN, "unclear", postgres(_AT + 'FATAL:  database "postgres" does not exist')),
    Case("data.postgres_password", FAIL, "trusts", postgres(_AT + 'FATAL:  ロール"fedisec_probe_nosuchrole"は存在しません')),
    Case("data.postgres_password", PASS, "password", postgres(NO_PASSWORD, _ON + 'FATAL:  ユーザー"fedisec_probe_nosuchrole"で対向(peer)認証に失敗しました')),
    Case("data.postgres_password", PASS, "peer", postgres(_AT + 'FATAL:  pg_hba.conf にホスト"127.0.0.1"、ユーザー"fedisec_probe_nosuchrole"、データベース"postgres, 暗号化なし用のエントリがありません')),
    Case("data.postgres_password", PASS, "peer", postgres(NO_ENTRY)),
    Case("data.postgres_password", MANUAL, "turned_away", postgres(GONE, hba=HBA_DENIED), data={"where": "/run/postgresql"}),
    Case("data.postgres_password", PASS, "peer", postgres(GONE)),
    Case("data.postgres_password", FAIL, "trusts", postgres(_AT + NO_ROLE, hba=HBA_DENIED), "does not exist"),
    Case("data.postgres_password", FAIL, "trusts", postgres("1")),
    Case("data.postgres_password", FAIL, "line_trusts", postgres(NO_PASSWORD, hba=_more("host mastodon_production mastodon 172.17.0.0 255.255.0.0 trust")), "172.17.0.0 255.255.0.0 trust"),
    Case("data.postgres_password", WARN, "socket_trusts", postgres(NO_PASSWORD, _ON + NO_ROLE)),
    Case("data.postgres_password", WARN, "socket_trusts", postgres(NO_PASSWORD, hba=_more("local mastodon_production mastodon trust")), "local mastodon_production"),
    Case("data.postgres_password", WARN, "weak_method", postgres(NO_PASSWORD, hba=HBA.replace("32 scram-sha-256", "32 md5")), data={"method": "md5"}),
    Case("data.postgres_password", WARN, "weak_method", postgres(NO_PASSWORD, hba=_more("host all all 0.0.0.0/0 ident")), data={"method": "ident"}),
    Case("data.postgres_password", PASS, "password", postgres(NO_PASSWORD, hba=_more("host all all ::1/128 ident"))),
    Case("data.postgres_password", PASS, "by_file", {"postgres": "== probe absent\n" + HBA, "docker": NO_DOCKER}),
    Case("data.postgres_password", MANUAL, "in_container", {"postgres": "== probe absent\n" + HBA, "docker": docker("postgres:16-alpine")}),
    Case("data.postgres_password", UNKNOWN, "unclear", {"postgres": "== probe absent\n" + HBA, "docker": DENIED_DOCKER}),
    Case("data.postgres_password", UNKNOWN, "unclear", postgres(_AT + "timeout expired", "", HBA_DENIED), reason=Reason.DENIED),
    Case("data.postgres_password", UNKNOWN, "unclear", postgres("", "")),
    Case("data.postgres_password", UNKNOWN, "silent", postgres(GONE, ""), reason=Reason.REFUSED),
    Case("data.postgres_password", MANUAL, "in_container", postgres(GONE, "", "", docker("postgres:16-alpine")), "postgres:16-alpine"),
    Case("data.postgres_password", UNKNOWN, "hidden", postgres(GONE, "", "", DENIED_DOCKER), reason=Reason.DENIED),
    Case("data.postgres_password", NOT_APPLICABLE, "none", postgres(GONE, "", "")),
    Case("data.postgres_password", NOT_APPLICABLE, "none", {"postgres": "== probe absent", "docker": NO_DOCKER}),
]  # fmt: skip

RAN = "Result=success\nExecMainExitTimestamp=Sat 2026-11-21 03:31:10 UTC\nExecMainStatus=0\nId=pg-backup.service\nActiveState=inactive"
FAILED = RAN.replace("Result=success", "Result=exit-code").replace("Status=0", "Status=1")
NEVER = RAN.replace("Sat 2026-11-21 03:31:10 UTC", "")


def dumps(*sizes_and_hours: tuple[int, float], name: str = "db-{n}.dump") -> str:
    return "\n".join(
        f"{stamp(hours=hours)} {size} /var/backups/fediverse/{name.format(n=n)}"
        for n, (size, hours) in enumerate(sizes_and_hours)
    )


def backups(
    files: str = "", services: str = RAN, timers: str = "pg-backup.timer", cron: str = "", remotes: str = ""
) -> dict[str, str]:
    return {"backups": f"== timers\n{timers}\n== services\n{services}\n== timer_states\n== cron\n{cron}\n== tools\npg_dump\n== files\n{files}\n== remotes\n{remotes}"}  # fmt: skip


TWO = dumps((10_000_000, 8), (9_000_000, 32))
BACKUP = [
    Case("data.database_backup", PASS, "fresh", backups(TWO), "db-0.dump", data={"hours": 8, "ratio": 111}),
    Case("data.database_backup", PASS, "fresh", backups(dumps((10**7, 25), (10**7, 49)), NEVER)),
    Case("data.database_backup", PASS, "fresh", backups(TWO, "", "", "denied /var/spool/cron/crontabs")),
    Case("data.database_backup", PASS, "fresh", backups(TWO + f"\n{stamp(hours=1)} 900 /var/backups/dpkg.status.0\n{stamp(hours=1)} 900 /var/backups/fediverse/unfinished"), data={"hours": 8}),
    Case("data.database_backup", PASS, "first", backups(dumps((10**7, 1)))),
    Case("data.database_backup", FAIL, "stale", backups(dumps((10**7, 27), (10**7, 51)), NEVER), data={"days": 1}),
    # A fresh one may lie where nobody could look.
    Case("data.database_backup", UNKNOWN, "hidden", backups(dumps((10**7, 60)) + "\ndenied /root/backups", NEVER, "")),
    Case("data.database_backup", UNKNOWN, "hidden", backups(dumps((10**7, 60)) + "\nslow /srv/all backups", NEVER, ""), data={"places": "/srv/all backups"}),
    Case("data.database_backup", FAIL, "shrunk", backups(dumps((4_000_000, 8), (9_000_000, 32))), data={"ratio": 44}),
    Case("data.database_backup", WARN, "grown", backups(dumps((19_000_000, 8), (9_000_000, 32))), data={"ratio": 211}),
    Case("data.database_backup", FAIL, "tiny", backups(dumps((916, 8)))),
    Case("data.database_backup", FAIL, "job_failed", backups(dumps((10**7, 60)), FAILED), "exit-code"),
    Case("data.database_backup", WARN, "failed_beside", backups(TWO, FAILED), "db-0.dump"),
    Case("data.database_backup", WARN, "unscheduled", backups(TWO, "", "")),
    Case("data.database_backup", WARN, "unscheduled", {"backups": backups(TWO)["backups"].replace("timer_states", "timer_states\nId=pg-backup.timer\nActiveState=inactive")}),
    Case("data.database_backup", MANUAL, "other_file", backups(dumps((10**7, 8), name="media-{n}.tar.gz"))),
    Case("data.database_backup", MANUAL, "ran_unseen", backups(), "Result=success"),
    Case("data.database_backup", MANUAL, "ran_unseen", backups(dumps((10**7, 900)))),
    Case("data.database_backup", MANUAL, "scheduled_only", backups("", "", "", "/etc/cron.d/dump pg_dump"), "/etc/cron.d/dump"),
    Case("data.database_backup", MANUAL, "none_seen", backups("", "", "")),
    Case("data.database_backup", UNKNOWN, "hidden", backups("denied /root/backups", "", ""), data={"places": "/root/backups"}, reason=Reason.DENIED),
    Case("data.backup_offsite", MANUAL, "set_up", backups(TWO, remotes="/root/.config/rclone/rclone.conf"), "rclone.conf"),
    Case("data.backup_offsite", MANUAL, "set_up", backups(cron="/etc/cron.daily/offsite restic"), "restic"),
    Case("data.backup_offsite", WARN, "job_failed", backups(TWO, FAILED.replace("pg-backup", "restic-backup"), remotes="/etc/restic.env")),
    Case("data.backup_offsite", MANUAL, "not_seen", backups(TWO)),
    Case("data.backup_offsite", UNKNOWN, "hidden", backups(TWO, cron="denied /var/spool/cron/crontabs")),
]  # fmt: skip

TIMER = "Id=certbot.timer\nLoadState=loaded\nActiveState=active\nLastTriggerUSec=Sat 2026-11-21 07:51:06 UTC"
SERVICE = (
    "Id=certbot.service\nResult=success\nExecMainStatus=0\nExecMainExitTimestamp=Sat 2026-11-21 07:51:09 UTC"
)
CADDY = "Id=caddy.service\nLoadState=loaded\nActiveState=active"


def renewal(timers: str = "", services: str = "", cron: str = "", servers: str = "") -> dict[str, str]:
    return {
        "cert_renewal": f"== timers\n{timers}\n== services\n{services}\n== cron\n{cron}\n== servers\n{servers}"
    }


RENEWAL = [
    Case("tls.renewal_automated", PASS, "ran", renewal(TIMER, SERVICE, "/etc/cron.d/certbot certbot"), "07:51"),
    Case("tls.renewal_automated", PASS, "waits", renewal(TIMER, SERVICE.replace("Sat 2026-11-21 07:51:09 UTC", ""))),
    Case("tls.renewal_automated", PASS, "ran", renewal(TIMER, SERVICE), facts=(web(certificate(40), Missing(Reason.TIMEOUT)),)),
    Case("tls.renewal_automated", WARN, "overdue", renewal(TIMER, SERVICE), facts=(web(certificate(20), certificate(80)),), data={"left": 20}),
    Case("tls.renewal_automated", FAIL, "run_failed", renewal(TIMER, SERVICE.replace("success", "exit-code").replace("Status=0", "Status=1")), "exit-code"),
    Case("tls.renewal_automated", PASS, "by_server", renewal(servers=CADDY)),
    Case("tls.renewal_automated", MANUAL, "cron", renewal(TIMER.replace("=active", "=inactive"), cron="/etc/cron.d/acme acme.sh")),
    Case("tls.renewal_automated", WARN, "stopped", renewal(TIMER.replace("=active", "=inactive"), servers=CADDY.replace("=active", "=failed"))),
    Case("tls.renewal_automated", UNKNOWN, "hidden", renewal(cron="denied /var/spool/cron/crontabs"), reason=Reason.DENIED),
    Case("tls.renewal_automated", MANUAL, "none_seen", renewal()),
]  # fmt: skip

CASES = [*REDIS, *POSTGRES, *BACKUP, *RENEWAL]
ITEMS = {case.item for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    assert uncovered(CASES, ITEMS) == set()


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_silence_is_no_verdict(item_id: str) -> None:
    sections = ("redis", "postgres", "backups", "cert_renewal", "docker")
    verdict = judge(item_named(item_id), Facts().with_facts(report(**dict.fromkeys(sections, ""))))
    assert verdict.status is UNKNOWN


def test_a_plain_user_who_sees_no_schedule_does_not_call_it_missing() -> None:
    facts = Facts().with_facts(report(1000, **backups(TWO, "", "")))
    assert judge(item_named("data.database_backup"), facts).code == "fresh"
