"""What has to be in place before a process serves: the key file, tables, cache table, static files, the
feeds that come with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from fedisec.lib import canary, env, roles
from fedisec.lib.away import in_a_word
from fedisec.lib.listen import CannotStart
from fedisec.lib.schema import SchemaWatch

_LOCK = 0x66656469  # any number that other programs of the same database do not use
_STAMP = ".collected"


def prepare() -> None:
    """Brings database and static files up to this version; quick when nothing is to be done.  CannotStart
    when the database does not answer."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CannotStart(f"the database does not answer: {' '.join(str(error).split())}") from error
    if step := SchemaWatch().newer():
        raise CannotStart(f"the database belongs to a newer version of fedisec ({step}); start that one")
    with _alone():
        if canary.stands():
            canary.look()  # before anything is made: a lost key file is no first start
        make_key_file()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
        if not settings.REDIS_URL:
            call_command("createcachetable", verbosity=0)
        canary.lay()
        _worker_role()
        collect_static()
        import_string(settings.ON_PREPARE)()


def make_key_file() -> None:
    """Made at the first start of an embedded installation.  Several machines must be given the same file; and
    none may come into being in the build of an image."""
    if settings.DATABASE_URL or Path(settings.KEY_FILE) != settings.DATA / env.KEY_FILE:
        return
    try:
        env.make_key(Path(settings.KEY_FILE), 0o400)
    except OSError as error:
        raise CannotStart(f"cannot write the key file {settings.KEY_FILE}: {error.strerror}") from error


def _worker_role() -> None:
    """Rights on the tables of this version, for the role that the workers are given."""
    if not settings.WORKER_DATABASE_URL:
        return
    try:
        roles.apply(*roles.login_of(settings.WORKER_DATABASE_URL))
    except (roles.NotARole, DatabaseError) as error:
        raise CannotStart(f"FEDISEC_WORKER_DATABASE_URL: {in_a_word(error)}") from error


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time.  SQLite needs none: its lock file has been taken by `up`."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def collect_static() -> None:
    """Collects static files unless the collected ones are of this version."""
    stamp, current = Path(settings.STATIC_ROOT) / _STAMP, _fingerprint()
    if stamp.is_file() and stamp.read_text() == current:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(current)


def _fingerprint() -> str:
    """Changes when a static file does; reads no contents."""
    digest = hashlib.sha256(settings.VERSION.encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = Path(storage.path(path)).stat()
            digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
