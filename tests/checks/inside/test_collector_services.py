"""The collector asks real servers: Redis, PostgreSQL and sshd, set up well and badly."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.checks.inside.shells import (
    AS_NOBODY,
    SHELLS,
    Ran,
    needs,
    needs_root,
    patient_script,
    run_collector,
)
from tests.checks.inside.test_collector import NAMES
from tests.lab import netns
from tests.lab.processes import MissingProgram, Server, answers, find_program, run

LOCAL = "127.0.0.1"


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """Without the lab's databases, which a collector would find as well."""
    if not netns.inside():
        pytest.skip(
            "servers on their usual ports need a network namespace: python -m tests.lab.netns pytest …"
        )
    with netns.apart():
        yield


def only(*sections: str, script: str = "") -> str:
    """The script with these sections alone: the others take their time."""
    text, count = re.subn(
        r"^SECTIONS='[^']*'", f"SECTIONS='{' '.join(sections)}'", script or patient_script(), flags=re.M
    )
    assert count == 1
    return text


def parts(ran: Ran, section: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    label = ""
    for line in ran.report.lines(section):
        if line.startswith("== "):
            label = line[3:]
            found[label] = []
        else:
            found[label].append(line)
    return {name: tuple(lines) for name, lines in found.items()}


@contextmanager
def redis(folder: Path, *settings: str, port: int = 6379) -> Iterator[None]:
    try:
        program = find_program("redis-server", "redis-server")
    except MissingProgram as error:
        pytest.skip(str(error))
    argv = [program, "--port", str(port), "--bind", LOCAL, "--save", "", "--dir", str(folder), *settings]
    server = Server("Redis", argv, folder / f"redis-{port}.log")
    try:
        server.wait_ready(lambda: answers(LOCAL, port))
        yield
    finally:
        server.stop()


WITHOUT_CLIENT = (
    ("redis-cli", "valkey-cli"),
    ("redis-cli", "valkey-cli", "bash"),
    ("redis-cli", "valkey-cli", "bash", "python3"),
)


@pytest.mark.parametrize(
    "missing", ((), *WITHOUT_CLIENT), ids=lambda missing: f"without {' '.join(missing) or 'nothing'}"
)
@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ((), "(integer) 0"),
        (("--requirepass", "CANARYbird"), "(error) NOAUTH Authentication required."),
        (("--user", "default", "on", "nopass", "-@all", "+ping"), "(error) NOPERM "),
    ],
    ids=["no password", "password", "limited"],
)
def test_redis_tells_a_stranger_whether_it_wants_a_password(
    tmp_path: Path, settings: tuple[str, ...], answer: str, missing: tuple[str, ...]
) -> None:
    script = only("redis")
    for program in missing:
        script = script.replace(f"has {program}", "false")
    with redis(tmp_path, *settings):
        ran = run_collector(script=script, before=AS_NOBODY if os.geteuid() == 0 else ())
    said = parts(ran, "redis")[f"probe {LOCAL}:6379"]
    assert len(said) == 1 and said[0].startswith(answer) and "CANARY" not in ran.text


def test_no_redis_is_a_refused_connection() -> None:
    (said,) = parts(run_collector(script=only("redis")), "redis")[f"probe {LOCAL}:6379"]
    assert "refused" in said


def test_root_finds_redis_on_another_port(tmp_path: Path) -> None:
    needs_root()
    with redis(tmp_path, port=7005):
        ran = run_collector(script=only("redis"))
    assert parts(ran, "redis")[f"probe {LOCAL}:7005"] == ("(integer) 0",)


class Cluster:
    """A PostgreSQL cluster whose socket lies where Debian's does, for the processes that `seen_by` starts."""

    def __init__(self, folder: Path, hba: str) -> None:
        self.sockets = folder / "sockets"
        data = folder / "data"
        self._run = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        account = pwd.getpwnam("postgres")
        self.sockets.mkdir()
        os.chown(folder, account.pw_uid, account.pw_gid)
        os.chown(self.sockets, account.pw_uid, account.pw_gid)
        folder.chmod(0o755)
        initdb = find_program("initdb", "postgresql", "usr/lib/postgresql/*/bin/initdb")
        run(
            [*self._run, initdb, "-D", str(data), "-U", "postgres", "--auth=trust", "--locale=C", "--no-sync"]
        )
        (data / "pg_hba.conf").write_text(hba)
        program = find_program("postgres", "postgresql", "usr/lib/postgresql/*/bin/postgres")
        settings = {
            "listen_addresses": LOCAL,
            "unix_socket_directories": str(self.sockets),
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        flags = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self.server = Server(
            "PostgreSQL",
            [program, "-D", str(data), *flags],
            folder / "log",
            stop_signal="INT",
            as_user="postgres",
        )
        self.server.wait_ready(lambda: answers(LOCAL, 5432))

    @property
    def seen_by(self) -> tuple[str, ...]:
        mounts = 'mount -t tmpfs run /run && mkdir -m 755 /run/postgresql && mount --bind "$0" /run/postgresql && exec "$@"'
        return ("unshare", "-m", "sh", "-c", mounts, str(self.sockets))

    def sql(self, text: str, database: str = "postgres") -> None:
        run(
            [
                *self._run,
                "psql",
                "-XqAt",
                "-h",
                str(self.sockets),
                "-d",
                database,
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                text,
            ]
        )


@contextmanager
def cluster(hba: str) -> Iterator[Cluster]:
    needs_root()
    needs("unshare", "setpriv", "psql")
    folder = Path(tempfile.mkdtemp(prefix="fedisec-collector-"))
    made = None
    try:
        made = Cluster(folder, hba)
        yield made
    except (MissingProgram, KeyError) as error:
        pytest.skip(str(error))
    finally:
        if made is not None:
            made.server.stop()
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("hba", "tcp", "local"),
    [
        ("local all all trust\nhost all all all trust\n", "does not exist", "does not exist"),
        (
            "local all all peer\nhost all all all scram-sha-256\n",
            "no password supplied",
            "Peer authentication failed",
        ),
        ("local all postgres peer\n", "no pg_hba.conf entry", "no pg_hba.conf entry"),
    ],
    ids=["trust", "stock", "closed"],
)
@pytest.mark.parametrize("who", ["user", "root"])
def test_postgresql_tells_a_stranger_whom_it_trusts(hba: str, tcp: str, local: str, who: str) -> None:
    with cluster(hba) as one:
        ran = run_collector(
            script=only("postgres"), before=(*one.seen_by, *(AS_NOBODY if who == "user" else ()))
        )
    found = parts(ran, "postgres")
    assert tcp in " ".join(found[f"probe {LOCAL}"])
    assert local in " ".join(found["probe /run/postgresql"])


MASTODON = """
create table user_roles (id bigint, permissions bigint);
create table users (id bigint, email text, role_id bigint, otp_required_for_login boolean, disabled boolean);
create table email_domain_blocks (id bigint);
insert into user_roles values (-99, 65536), (1, 1), (2, 65536 + 16), (3, 65536);
insert into users values (1, 'CANARY', 1, true, false), (2, 'CANARY', 2, false, false), (3, 'CANARY', null, false, false),
    (4, 'CANARY', 3, false, false), (5, 'CANARY', 1, false, true), (6, 'CANARY', -99, false, false);
insert into email_domain_blocks select generate_series(1, 7);
"""
PLEROMA = """
create table oauth_authorizations (id bigint);
create table users (id bigint, local boolean, is_admin boolean, is_moderator boolean, multi_factor_authentication_settings jsonb);
insert into users values (1, true, true, false, '{"enabled": true}'), (2, true, false, true, '{"enabled": false}'),
    (3, true, false, false, null), (4, false, true, true, null), (5, true, true, true, null);
"""
MISSKEY = """
create table "user" (id text, host text, "isRoot" boolean);
create table user_profile ("userId" text, "twoFactorEnabled" boolean);
create table role (id text, "isAdministrator" boolean, "isModerator" boolean);
create table role_assignment ("userId" text, "roleId" text);
insert into "user" values ('a', null, true), ('b', null, false), ('c', null, false), ('d', 'far.example', true);
insert into user_profile values ('a', true), ('b', false), ('c', false), ('d', false);
insert into role values ('m', false, true), ('x', false, false);
insert into role_assignment values ('b', 'm'), ('c', 'x');
"""


def test_the_staff_of_the_databases_is_counted_and_not_named() -> None:
    with cluster("local all all peer\n") as one:
        for name, tables in (("mastodon_production", MASTODON), ("akkoma", PLEROMA), ("misskey", MISSKEY)):
            one.sql(f"create database {name}")
            one.sql(tables, name)
        one.sql('create database "mastodon; drop"')
        as_root = run_collector(script=only("app_accounts"), before=one.seen_by)
        as_user = run_collector(script=only("app_accounts"), before=(*one.seen_by, *AS_NOBODY))
    assert parts(as_root, "app_accounts") == {
        "database akkoma": ("staff 3", "staff_without_second_factor 2"),
        "database mastodon_production": ("staff 2", "staff_without_second_factor 1", "email_domain_blocks 7"),
        "database misskey": ("staff 2", "staff_without_second_factor 1"),
    }
    assert as_user.report.lines("app_accounts") == ("== database denied",)
    assert "CANARY" not in as_root.text


def test_newer_misskey_has_no_root_column() -> None:
    with cluster("local all all peer\n") as one:
        one.sql("create database misskey")
        one.sql(MISSKEY + 'alter table "user" drop column "isRoot";', "misskey")
        ran = run_collector(script=only("app_accounts"), before=one.seen_by)
    assert parts(ran, "app_accounts") == {"database misskey": ("staff 1", "staff_without_second_factor 1")}


def test_the_settings_of_sshd_in_force_are_shown_to_root(tmp_path: Path) -> None:
    needs_root()
    needs("sshd")
    found = parts(run_collector(script=only("sshd_effective")), "sshd_effective")
    effective = found.get("G") or found["T"]
    assert any(line.startswith("passwordauthentication ") for line in effective)
    assert found["version"][0].startswith("OpenSSH_")


_ADDRESS = re.compile(r'sin_addr=inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)", &sin6_addr\)')
_WRITES = re.compile(
    r"\b(?:open|openat|creat)\(.*(?:O_WRONLY|O_RDWR|O_CREAT|O_TRUNC).* = \d|"
    r"\b(?:mkdir|mkdirat|unlink|unlinkat|rename|renameat|renameat2|link|linkat|symlink|symlinkat|chmod|fchmodat|chown|lchown|"
    r"fchownat|utimensat|truncate|mknod|mknodat|setxattr|init_module|finit_module|mount)\(.* = 0"
)
# A null device, a terminal, memory without a name.
_HARMLESS = re.compile(
    r'"/dev/(?:null|tty)"|"/dev/shm", O_RDWR\|O_EXCL.*O_TMPFILE|"/dev/shm/[^"]*", .*O_TMPFILE'
)


@pytest.mark.parametrize(("shell", "who"), [*((shell, "root") for shell in SHELLS), ("dash", "user")])
def test_it_opens_nothing_for_writing_and_speaks_to_nobody_else(tmp_path: Path, shell: str, who: str) -> None:
    needs_root()
    needs("strace")
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if folder.is_relative_to(tempfile.gettempdir()) and folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)
    calls = (
        "openat,open,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmodat,"
        "chown,lchown,fchownat,utimensat,truncate,mknod,mknodat,setxattr,init_module,finit_module,mount,connect,sendto,sendmsg,bind"
    )
    trace = (
        "strace",
        "-f",
        "-qq",
        "-e",
        "signal=none",
        "-e",
        f"trace={calls}",
        "-o",
        str(tmp_path / "trace"),
    )
    # Bash is asked whole, what the others do otherwise shows without the slow simulation of apt.
    script = None if shell == "bash" else only(*(name for name in NAMES if name != "updates_pending"))
    ran = run_collector(shell, before=(*(AS_NOBODY if who == "user" else ()), *trace), script=script)
    assert ran.report.sections
    lines = (tmp_path / "trace").read_text(errors="replace").splitlines()
    assert any("/etc/os-release" in line for line in lines)
    written = [line for line in lines if _WRITES.search(line) and not _HARMLESS.search(line)]
    assert written == []
    spoken = {ip_address(found[1] or found[2]) for line in lines for found in _ADDRESS.finditer(line)}
    # Redis and PostgreSQL have been asked.  Connecting a datagram socket to no address sends nothing: it sorts
    # the addresses that sshd would listen on.
    assert ip_address(LOCAL) in spoken
    assert [one for one in spoken if not (one.is_loopback or one.is_unspecified)] == []
