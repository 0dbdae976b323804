"""No secret leaves a server in the report, whoever runs the collector there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.checks.inside.shells import (
    AS_NOBODY,
    OnMachine,
    Planted,
    needs,
    needs_root,
    patient_script,
    run_on_machine,
)
from tests.checks.inside.test_collector import NAMES

CANARY = "CANARYbird"
FORGED = "@end sshd_files ms=1\n =rc 0\n=rc 0\n@0\n@done 1000\n@fedisec 1\n"

ENV = """LOCAL_DOMAIN=good.example # CANARYbird
export DB_PASS='CANARYbird'
DB_HOST = /var/run/postgresql
REDIS_HOST=user:CANARYbird@cache
REDIS_URL=redis://:CANARYbird@127.0.0.1:6379/0
CACHE_REDIS_URL=redis://127.0.0.1:6379/1
DATABASE_URL="postgres://u:CANARYbird@db/x"
SECRET_KEY_BASE=CANARYbird
OTP_SECRET=
SMTP_PASSWORD="CANARYbird" # old: CANARYbird
SMTP_FROM_ADDRESS="CANARYbird <notifications@mail.good.example>"
S3_ENDPOINT=https://key:CANARYbird@s3.example
ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=xxDO_NOT_USE_IN_PRODUCTION
SOME_TOKEN=CANARYbird
# DB_PASS=CANARYbird
CANARYbird
AUTHORIZED_FETCH=true
BIND="CANARYbird; rm"
"""
EXS = """import Config
# secret_key_base: "CANARYbird"
config :pleroma, Pleroma.Web.Endpoint,
  url: [host: "social.example", scheme: "https", port: 443],
  http: [ip: {127, 0, 0, 1}, port: 4000],
  secret_key_base: "CANARYbird",
  signing_salt: "CANARYbird"
config :pleroma, :instance,
  name: "CANARYbird",
  registrations_open: false
config :pleroma, Pleroma.Repo,
  adapter: Ecto.Adapters.Postgres,
  password: "CANARYbird",
  hostname: "localhost"
config :web_push_encryption, :vapid_details,
  private_key: "CANARYbird"
config :pleroma, configurable_from_database: true
config :pleroma, admin_token: "CANARYbird"
config :joken, default_signer: "CANARYbird"
config :pleroma, Pleroma.Emails.Mailer,
  enabled: true,
  adapter: Swoosh.Adapters.SMTP,
  relay: "smtp.example.net",
  username: "CANARYbird",
  password: "CANARYbird",
  tls: :always
config :pleroma, :mrf, policies: [CANARYbird]
"""
YML = """url: https://user:CANARYbird@mi.example/
setupPassword: CANARYbird
port: 3000
db:
  host: localhost
  user: "CANARYbird"
  pass: 'CANARYbird'  # CANARYbird
redis:
  host: localhost
  port: 6379
  pass: >
    CANARYbird
redisForPubsub:
  host: CANARYbird:x@h
  pass: ""
meilisearch: {host: a, apiKey: CANARYbird}
allowedPrivateNetworks: [
  '127.0.0.1/32'
]
proxyBypassHosts:
  - CANARYbird
  - port: CANARYbird
id: aidx
CANARYbird
"""
PHP = """<?php
return [
  'database' => [
    'hostname' => 'localhost',
    'password' => 'CANARYbird',
  ],
  'config' => [
    'admin_email' => 'CANARYbird@example.org',
    'register_policy' => 1,
  ],
  'system' => [ 'hsts' => true, 'secret' => 'CANARYbird' ],
];
"""
HJSON = """{
  # CANARYbird
  database: {
    password: "CANARYbird"
    host: postgres
  }
  pictrs: { api_key: "CANARYbird" }
  setup: {
    admin_password: "CANARYbird"
  }
  hostname: lemmy.example
}
"""
HBA = """local all postgres peer
host all all 0.0.0.0/0 ldap ldapserver=x ldapbindpasswd=CANARYbird
host all "a b" 10.0.0.0 255.0.0.0 radius radiussecrets="CANARYbird"
host all all ::1/128 ldap ldapserver=x \\
  ldapbindpasswd=CANARYbird
host CANARYpart all all CANARYbird
ldapbindpasswd=CANARYbird
"""

PLANTED: dict[str, Planted | Path] = {
    "/home/mastodon/live/.env.production": Planted(ENV, 0o644, 1000),
    "/opt/akkoma/config/prod.secret.exs": Planted(EXS, 0o644),
    "/home/misskey/misskey/.config/default.yml": Planted(YML),
    "/opt/sharkey/.config/docker.env": Planted("POSTGRES_PASSWORD=CANARYbird\nPOSTGRES_USER=CANARYbird\n"),
    "/var/www/friendica/config/local.config.php": Planted(PHP),
    "/srv/lemmy/lemmy.hjson": Planted(HJSON),
    "/var/www/pixelfed/.env": Planted(
        "APP_KEY=base64:CANARYbird\nAPP_DEBUG=true\nDB_PASSWORD=CANARYbird\nMAIL_DRIVER=smtp\nMAIL_USERNAME=CANARYbird\n"
        "MAIL_PASSWORD=CANARYbird\nMAIL_URL=smtp://u:CANARYbird@mail\nMAIL_FROM_NAME=CANARYbird\n"
    ),
    "/var/www/peertube/config/production.yaml": Planted(
        "secrets:\n  peertube: 'CANARYbird'\nsmtp:\n  transport: smtp\n  hostname: mail.example\n  password: CANARYbird\n"
    ),
    "/srv/moved/.env.production": Path("/etc/shadow"),
    "/etc/fedisec-collect.conf": Planted(
        "backup_dir=/srv/dumps\nbackup_dir=$(CANARYbird)\nunit=CANARYbird;x\nconfig=/data/app/.env.production\n"
    ),
    "/data/app/.env.production": Planted("DB_PASS=CANARYbird\nWEB_DOMAIN=app.example\n"),
    "/srv/dumps/db.sql.gz": Planted(CANARY),
    "/etc/shadow": Planted(f"root:${CANARY}:1::::::\nempty::1::::::\n", 0o640),
    "/etc/redis/redis.conf": Planted(
        "port 6390\nrequirepass CANARYbird\nmasterauth CANARYbird\nuser default on >CANARYbird ~* +@all\n"
        "rename-command CONFIG CANARYbird\n"
    ),
    "/etc/valkey/valkey.conf": Planted("bind 127.0.0.1\naclfile /etc/CANARYbird.acl\n"),
    "/etc/postgresql/15/main/pg_hba.conf": Planted(HBA),
    "/etc/postgresql/15/main/postgresql.conf": Planted(
        "listen_addresses = 'localhost'\nprimary_conninfo = 'password=CANARYbird'\nssl_passphrase_command = 'echo CANARYbird'\n"
    ),
    "/etc/cron.d/backup": Planted(
        "0 3 * * * root PGPASSWORD=CANARYbird pg_dump x | rclone rcat r:CANARYbird\n"
    ),
    "/etc/crontab": Planted("0 1 * * * root acme.sh --cron --token CANARYbird\n"),
    "/var/spool/cron/crontabs/root": Planted("1 1 * * * restic -p CANARYbird backup /\n", 0o600),
    "/etc/systemd/system/akkoma.service": Planted(
        "[Service]\nEnvironment=PGPASSWORD=CANARYbird\nExecStart=/x CANARYbird\n"
    ),
    "/etc/ssh/sshd_config": Planted(
        "PasswordAuthentication no\nSetEnv TOKEN=CANARYbird\nForceCommand /usr/bin/notify CANARYbird\n"
        "AuthorizedKeysCommand=/usr/bin/keys --token CANARYbird\nAuthorizedKeysCommandUser nobody\n"
    ),
    "/etc/ssh/sshd_config.d/forged.conf": Planted("# none\n"),
    "/root/.ssh/authorized_keys": Planted('command="x CANARYbird" ssh-ed25519 CANARYbird\n', 0o600),
    "/home/mastodon/.ssh/authorized_keys": Planted("ssh-ed25519 CANARYbird\n", 0o644, 1000),
    "/etc/pam.d/sshd": Planted(
        "session optional pam_exec.so quiet /usr/local/bin/notify --hook https://x/CANARYbird\n"
    ),
    "/etc/profile.d/notify.sh": Planted("curl -H 'Authorization: CANARYbird' https://x\n"),
    "/etc/apt/apt.conf.d/99proxy": Planted('Acquire::http::Proxy "http://u:CANARYbird@proxy:3128";\n'),
    "/etc/apt/sources.list.d/private.list": Planted(
        "deb [signed-by=/x] http://u:CANARYbird@repo.example/ x y\nCANARY http://u:CANARYbird@z\n"
    ),
    "/etc/docker/daemon.json": Planted(
        '{"iptables": false,\n "proxies": {"http-proxy": "http://u:CANARYbird@p"}}\n'
    ),
    "/etc/nginx/nginx.conf": Planted(
        "events {}\nhttp { server { listen 443 ssl; ssl_protocols TLSv1.2\n TLSv1.3; # CANARYbird\n"
        ' proxy_set_header Authorization "Bearer CANARYbird; listen CANARYbird";\n'
        " proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; set $token CANARYbird;\n"
        " limit_req zone=web burst=5; limit_req_zone $http_x_canary zone=CANARYbird:1m rate=1r/s;\n"
        " modsecurity on; modsecurity_rules_file modsec/main.conf;\n"
        ' modsecurity_rules \'SecRuleEngine On\n SecRule ARGS "@streq CANARYbird" "id:2,deny"\'; }\n'
        " include /etc/nginx/sites-enabled/*; }\n"
    ),
    "/etc/nginx/sites-enabled/default": Planted(
        "server { listen 80; return 301 https://x/?t=CANARYbird; }\n"
    ),
    "/etc/nginx/modsec/main.conf": Planted(
        'Include "first.conf"\nSecRuleEngine CANARYbird\nSecRule ARGS:token "@streq CANARYbird" "id:1,deny"\n'
        "SecHttpBlKey CANARYbird\n"
    ),
    "/etc/nginx/modsec/first.conf": Planted(
        "secruleengine\tDetectionOnly # CANARYbird\nIncludeOptional more/*.conf\n"
    ),
    "/etc/nginx/modsec/more/a.conf": Planted("SecRuleEngine Off\n"),
    "/etc/crowdsec/local_api_credentials.yaml": Planted("password: CANARYbird\n"),
    "/etc/crowdsec/collections/sshd.yaml": Planted("CANARYbird\n"),
    "/var/ossec/var/run/wazuh-agentd.state": Planted("status='connected'\nkey='CANARYbird'\n"),
    "/etc/opensnitchd/default-config.json": Planted(
        '{"Server":{"Key":"CANARYbird"},"DefaultAction": "deny"}\n'
    ),
    "/etc/opendkim/KeyTable": Planted("a good.example:sel:/etc/dkim/x\nb good.example:s2:CANARYbird\n"),
    "/etc/opendkim.conf": Planted("Domain good.example\nSelector mail\nKeyFile CANARYbird\n"),
    "/etc/rspamd/local.d/dkim_signing.conf": Planted('selector = "x";\nredis_password = "CANARYbird";\n'),
    "/root/.config/rclone/rclone.conf": Planted("[r]\npass = CANARYbird\n", 0o600),
    "/root/.pgpass": Planted("*:*:*:*:CANARYbird\n", 0o600),
    "/etc/os-release": Planted(f'ID=debian\nVERSION_ID="12"\n{FORGED}'),
}


SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "/etc/gotosocial/config.yaml": (
        """host: "social.example"
bind-address: "127.0.0.1"
port: 8080 # behind nginx
trusted-proxies:
  - "127.0.0.1/32"
  - "::1"
db-password: ""
http-client:
  allow-ips: []
  tls-insecure-skip-verify: false
instance-expose-peers: false
smtp-from: "Social <no-reply@social.example>"
""",
        (
            "host=social.example",
            "bind-address=127.0.0.1",
            "port=8080",
            "trusted-proxies=[127.0.0.1/32, ::1]",
            "db-password=empty",
            "http-client.allow-ips=[]",
            "http-client.tls-insecure-skip-verify=false",
            "instance-expose-peers=false",
            "smtp-from=@social.example",
        ),
    ),
    "/var/www/peertube/config/production.yaml": (
        """listen:
  hostname: '127.0.0.1'
  port: 9000
# Secrets you need to generate the first time you run PeerTube
secrets:
  # Generate one using `openssl rand -hex 32`
  peertube: ''
database:
  hostname: 'localhost'
  password: 'peertube'
  pool:
    max: 5
trust_proxy:
- 'loopback'
- CANARYbird: CANARYbird
redis:
  hostname: 'localhost'
  auth: null
smtp:
  hostname: mail.example
  password: CANARYbird
  tls: true # If you use StartTLS: false
csp:
  enabled: true
  report_only: false
""",
        (
            "listen.hostname=127.0.0.1",
            "listen.port=9000",
            "secrets.peertube=empty",
            "database.hostname=localhost",
            "database.password=sample",
            "trust_proxy=[list]",
            "redis.hostname=localhost",
            "redis.auth=empty",
            "smtp.hostname=mail.example",
            "smtp.password=set",
            "smtp.tls=true",
            "csp.enabled=true",
            "csp.report_only=false",
        ),
    ),
    "/etc/akkoma/config.exs": (
        """import Config
config :pleroma, Pleroma.Web.Endpoint,
   http: [
     ip: {0, 0, 0, 0},
     port: 4000
   ],
   secret_key_base: "aK4Abxf29xU9TTDKre9coZPUgevcVCFQJe/5xP/7Lt4BEif6idBIbjupVbOrbKxl"
config :pleroma, :rate_limit, authentication: {60_000, 15}
config :pleroma, :http_security,
  enabled: true,
  sts: false
config :pleroma, :http, proxy_url: nil
config :pleroma, Pleroma.Web.Plugs.RemoteIp,
  proxies: [
    "CANARYbird"
  ],
  enabled: true
config :pleroma, Pleroma.Upload, base_url: "https://media.social.example/media"
config :pleroma, configurable_from_database: false
""",
        (
            "Pleroma.Web.Endpoint.http.ip={0, 0, 0, 0}",
            "Pleroma.Web.Endpoint.http.port=4000",
            "Pleroma.Web.Endpoint.secret_key_base=sample",
            ":rate_limit.authentication={60_000, 15}",
            ":http_security.enabled=true",
            ":http_security.sts=false",
            ":http.proxy_url=empty",
            "Pleroma.Web.Plugs.RemoteIp.proxies=set",
            "Pleroma.Web.Plugs.RemoteIp.enabled=true",
            "Pleroma.Upload.base_url=https://media.social.example/media",
            "configurable_from_database=false",
        ),
    ),
    "/opt/misskey/.config/default.yml": (
        """url: https://mi.example/
setupPassword: example_password_please_change_this_or_you_will_get_hacked
db:
  pass: example-misskey-pass
  extra:
    ssl: true
redis:
  host: localhost
  #pass: example-pass
trustProxy:
  - 10.0.0.0/8
allowedPrivateNetworks: []
proxyBypassHosts:
  - api.example
""",
        (
            "url=https://mi.example/",
            "setupPassword=sample",
            "db.pass=sample",
            "redis.host=localhost",
            "trustProxy=[10.0.0.0/8]",
            "allowedPrivateNetworks=empty",
            "proxyBypassHosts=set",
        ),
    ),
}


@pytest.mark.parametrize("awk", ["", "busybox"])
def test_settings_are_shown_as_they_stand(tmp_path: Path, awk: str) -> None:
    planted: dict[str, Planted | Path] = {path: Planted(text) for path, (text, _) in SETTINGS.items()}
    if awk:
        needs(awk)
        planted["/usr/local/bin/awk"] = Path(shutil.which(awk) or "")
    found: dict[str, list[str]] = {}
    for line in run_on_machine(tmp_path, planted, ("dash", "-s")).ran.report.lines("app_config"):
        if line.startswith("== "):
            shown = found.setdefault(line.split(" ", 2)[2], [])
        else:
            shown.append(line)
    assert found == {path: list(lines) for path, (_, lines) in SETTINGS.items()}


def test_the_newest_backups_are_found_among_thousands_of_files(tmp_path: Path) -> None:
    """In a folder with spaces; a file's name forges no line."""
    folder = "/srv/all my dumps"
    planted: dict[str, Planted | Path] = {
        f"{folder}/{n % 50}/media {n}.jpg": Planted("x") for n in range(600)
    }
    planted |= {f"{folder}/mastodon-{n}.dump": Planted("x") for n in range(1, 13)}
    planted[f"{folder}/evil\n1899999999 1 {folder}/mastodon.dump"] = Planted("x")
    planted["/etc/fedisec-collect.conf"] = Planted(f"backup_dir={folder}\nbackup_dir=/srv/*\n")
    age = f'for n in 1 2 3 4 5 6 7 8 9 10 11 12; do touch -d "-$n days" "{folder}/mastodon-$n.dump"; done; exec dash -s'
    script = re.sub(r"SECTIONS='[^']*'", "SECTIONS='backups'", patient_script())
    ran = run_on_machine(tmp_path, planted, ("sh", "-c", age), script).ran
    listed = [line.split("/")[-1] for line in ran.report.lines("backups") if folder in line]
    assert len(listed) == 30 and len([name for name in listed if name.startswith("media ")]) == 20
    assert [name for name in listed if name.endswith(".dump")] == [f"mastodon-{n}.dump" for n in range(1, 11)]
    assert "1899999999" not in ran.text and "evil" not in ran.text


def test_files_beside_a_compose_file_are_found(tmp_path: Path) -> None:
    # No Docker runs here: what its client prints of the labels of two containers and of one without.
    client = "#!/bin/sh\ncase $* in *compose.project.working_dir*) printf '/data/social\\n\\n/data/my-pixelfed\\n/data/social\\n' ;; esac\n"
    planted: dict[str, Planted | Path] = {
        "/usr/local/bin/docker": Planted(client, 0o755),
        "/data/social/.env.production": Planted("WEB_DOMAIN=social.example\n"),
        "/data/my-pixelfed/.env": Planted("APP_DEBUG=false\n"),
        "/opt/social/.env.production": Planted("WEB_DOMAIN=other.example\n"),
        "/etc/fedisec-collect.conf": Planted("config=/opt/social/.env.production\n"),
    }
    report = run_on_machine(tmp_path, planted, ("dash", "-s")).ran.report
    assert report.lines("app_config") == (
        "== mastodon /data/social/.env.production",
        "WEB_DOMAIN=social.example",
        "== mastodon /opt/social/.env.production",
        "WEB_DOMAIN=other.example",
        "== pixelfed /data/my-pixelfed/.env",
        "APP_DEBUG=false",
    )
    assert len(report.lines("app_files")) == 3


@contextmanager
def with_tokens_in_argv() -> Iterator[None]:
    """A process with the name and the arguments of cloudflared, a token among them."""
    bash = shutil.which("bash") or "bash"
    named = subprocess.Popen(
        [bash, "-c", f"exec -a 'cloudflared tunnel run --token {CANARY}' sleep 300"],
        env={"PATH": os.environ["PATH"], "TUNNEL_TOKEN": CANARY},
    )
    try:
        yield
    finally:
        named.kill()
        named.wait()


def run_as(who: str, place: Path, awk: str = "") -> OnMachine:
    """`awk`: the program that is awk there, "" for this machine's."""
    planted = dict(PLANTED)
    if awk:
        needs(awk)
        planted["/usr/local/bin/awk"] = Path(shutil.which(awk) or "")
    command: tuple[str, ...] = ("dash", "-s")
    if who == "user":
        command = (*AS_NOBODY, *command)
    if who == "sudo":
        needs("sudo")
        planted["/usr/local/sbin/fedisec-collect"] = Planted(patient_script(), 0o755)
        planted["/etc/sudoers"] = Planted(
            'nobody ALL=(root) NOPASSWD: /usr/local/sbin/fedisec-collect ""\n', 0o440
        )
        command = (*AS_NOBODY, "sudo", "-n", "/usr/local/sbin/fedisec-collect")
    with with_tokens_in_argv():
        return run_on_machine(place, planted, command)


@pytest.mark.parametrize(("who", "awk"), [("user", ""), ("sudo", ""), ("root", ""), ("root", "busybox")])
def test_no_planted_secret_is_in_the_report(tmp_path: Path, who: str, awk: str) -> None:
    needs_root()
    ran = run_as(who, tmp_path, awk).ran
    assert ran.code == 0, ran.errors
    leaks = [line for line in ran.text.splitlines() if CANARY.lower() in line.lower()]
    assert leaks == []
    assert CANARY.encode() not in ran.errors
    report = ran.report
    assert tuple(one.name for one in report.sections) == NAMES
    assert report.as_root is (who != "user")
    # What was planted has been read: the places are right, not just silent.
    settings = report.lines("app_config")
    for line in (
        "LOCAL_DOMAIN=good.example",
        "DB_PASS=set",
        "REDIS_URL.password=set",
        "CACHE_REDIS_URL.password=empty",
        "OTP_SECRET=empty",
        "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=sample",
        "SMTP_FROM_ADDRESS=@mail.good.example",
        "Pleroma.Web.Endpoint.secret_key_base=set",
        "Pleroma.Web.Endpoint.http=[ip: {127, 0, 0, 1}, port: 4000]",
        ":instance.registrations_open=false",
        "configurable_from_database=true",
        "setupPassword=set",
        "db.pass=set",
        "redis.pass=set",
        "redisForPubsub.pass=empty",
        "allowedPrivateNetworks=set",
        "proxyBypassHosts=set",
        "database.password=set",
        "config.register_policy=1",
        "setup.admin_password=set",
        "WEB_DOMAIN=app.example",
        "Pleroma.Emails.Mailer.adapter=Swoosh.Adapters.SMTP",
        "Pleroma.Emails.Mailer.relay=smtp.example.net",
        "Pleroma.Emails.Mailer.username=set",
        "Pleroma.Emails.Mailer.tls=:always",
        ":mrf.policies=set",
        "MAIL_DRIVER=smtp",
        "MAIL_PASSWORD=set",
        "smtp.transport=smtp",
        "== friendica /var/www/friendica/config/local.config.php",
    ):
        assert line in settings, line
    assert report.lines("release")[-len(FORGED.splitlines()) :] == tuple(FORGED.splitlines())
    assert "/etc/cron.d/backup pg_dump" in report.lines("backups")
    assert "/etc/crontab acme.sh" in report.lines("cert_renewal")
    assert "requirepass set" in report.lines("redis")
    assert "host all all 0.0.0.0/0 ldap" in report.lines("postgres")
    assert 'host all "a_b" 10.0.0.0/255.0.0.0 radius' in report.lines("postgres")
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in [" ".join(line.split()) for line in report.lines("proxy")]
    assert "limit_req zone=web burst=5;" in report.lines("proxy")
    waf = report.lines("waf")
    assert "rules SecRuleEngine On" in waf
    assert waf[waf.index("== loaded /etc/nginx/modsec/main.conf") + 1 :][:3] == (
        "/etc/nginx/modsec/first.conf:SecRuleEngine DetectionOnly",
        "/etc/nginx/modsec/more/a.conf:SecRuleEngine Off",
        "/etc/nginx/modsec/main.conf:SecRuleEngine other",
    )
    assert "/etc/pam.d/sshd:1 /usr/local/bin/notify" in report.lines("login_notice")
    if report.as_root:
        assert "empty" in report.lines("accounts")[report.lines("accounts").index("== empty") + 1 :]
        assert "/var/spool/cron/crontabs/root restic" in report.lines("backups")
    else:
        assert "== empty denied" in report.lines("accounts")
        assert "denied /var/spool/cron/crontabs/root" in report.lines("backups")


@pytest.mark.parametrize(("mode", "owner"), [(0o644, 65534), (0o664, 0), (0o646, 0)])
def test_settings_that_others_may_write_add_no_place(tmp_path: Path, mode: int, owner: int) -> None:
    planted: dict[str, Planted | Path] = {
        "/etc/fedisec-collect.conf": Planted("config=/data/app/.env.production\n", mode, owner),
        "/data/app/.env.production": Planted("WEB_DOMAIN=app.example\n"),
    }
    found = run_on_machine(tmp_path, planted, ("dash", "-s"))
    assert found.ran.report.lines("app_config") == ()


@pytest.mark.parametrize("who", ["user", "root"])
def test_nothing_is_written_anywhere(tmp_path: Path, who: str) -> None:
    assert run_as(who, tmp_path).changed == ()
