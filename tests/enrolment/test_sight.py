"""How much of each section a plain account is said to see, on real reports."""

from __future__ import annotations

import pytest

from checks.facts.inside import Section
from fedisec.enrolment.report import Sight, sections_of, sight
from tests.checks.inside.fixtures import report


def seen(name: str) -> dict[str, str]:
    return dict(sections_of(report(name)))


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_what_a_plain_account_may_not_read_is_named(release: str) -> None:
    plain, sudo = seen(f"{release}-good-plain"), seen(f"{release}-good-sudo")
    assert plain["nft"] == Sight.DENIED
    for name in ("iptables", "postgres", "accounts", "fail2ban", "backups", "app_config"):
        assert plain[name] != Sight.FINE, name
    for name in ("nft", "iptables", "postgres", "accounts", "fail2ban", "backups", "app_config"):
        assert sudo[name] == Sight.FINE, name
    assert plain["firewalld"] == sudo["firewalld"] == Sight.ABSENT


def test_a_folder_that_may_not_be_entered_is_a_refusal() -> None:
    assert sight(Section("app_files", ("denied /home/mastodon",), 0)) is Sight.DENIED
    assert sight(Section("app_files", ("600 a b 9 /x/.env", "denied /home/mastodon"), 0)) is Sight.PARTLY
