"""Real databases, set up well and badly, looked at by the collector and judged by the items."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.evaluate import judge
from checks.facts import Facts
from tests.checks.inside.host_cases import item_named
from tests.checks.inside.shells import AS_NOBODY, Ran, run_collector
from tests.checks.inside.test_collector_services import MASTODON, alone, cluster, only, redis

__all__ = ["alone"]  # a fixture that every test here takes by itself


def said(item_id: str, ran: Ran) -> str:
    verdict = judge(item_named(item_id), Facts().with_facts(ran.report))
    return f"{verdict.status.value} {verdict.code}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((), "fail open"),
        (("--requirepass", "CANARY"), "pass password"),
        (("--user", "default", "on", "nopass", "~*", "-@all", "+ping"), "warn limited"),
    ],
    ids=["open", "password", "limited"],
)
def test_redis(tmp_path: Path, settings: tuple[str, ...], expected: str) -> None:
    with redis(tmp_path, *settings):
        assert said("data.redis_password", run_collector(script=only("redis", "docker"))) == expected


@pytest.mark.parametrize(
    ("hba", "expected"),
    [
        ("local all all trust\nhost all all all trust\n", "fail trusts"),
        ("local all all peer\nhost all all all scram-sha-256\n", "manual probed"),
        ("local all all trust\nhost all all all scram-sha-256\n", "warn socket_trusts"),
        ("local all postgres peer\n", "manual turned_away"),
    ],
    ids=["trust", "stock", "socket", "closed"],
)
def test_postgresql(hba: str, expected: str) -> None:
    """As a plain user, who may not read the rules of another PostgreSQL that this machine may have."""
    with cluster(hba) as one:
        ran = run_collector(script=only("postgres"), before=(*one.seen_by, *AS_NOBODY))
    assert said("data.postgres_password", ran) == expected


def test_staff_is_counted_in_the_database_of_a_mastodon() -> None:
    with cluster("local all all trust\n") as one:
        one.sql("create database mastodon_production")
        one.sql(MASTODON, "mastodon_production")
        ran = run_collector(script=only("app_accounts"), before=one.seen_by)
    assert said("accounts.admin_two_factor", ran) == "fail some_without"
    assert said("signup.email_blocklist_known", ran) == "pass entries"
