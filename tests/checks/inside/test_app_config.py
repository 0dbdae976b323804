"""The application's files: who may read them, and which of their settings take a safeguard away."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.model import Status
from checks.parse.host.app_config import parse_app_config
from checks.parse.host.app_files import parse_app_files
from tests.checks.inside.host_cases import Case, check_case, item_named, report, uncovered

PASS, WARN, FAIL, UNKNOWN = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN
MASTODON = Software("mastodon", "mastodon", "4.7.3", "4.7.3")
ENV = "/home/mastodon/live/.env.production"
CLOSED = "denied /home/mastodon"


def files(*lines: str) -> dict[str, str]:
    return {"app_files": "\n".join(lines)}


def config(family: str, *values: str, path: str = "/opt/app/config", more: str = "") -> dict[str, str]:
    return {"app_config": "\n".join((f"== {family} {path}", *values, more))}


def env(*values: str) -> dict[str, str]:
    return config("mastodon", "LOCAL_DOMAIN=a.test", "DB_PASS=set", *values, path=ENV)


GOOD_FILE = f"640 mastodon mastodon 96 {ENV}"
PRIVATE = [
    Case("app.secrets_private", PASS, "private", files(GOOD_FILE, "denied /home/alice"), "640 mastodon"),
    Case("app.secrets_private", PASS, "private", files(f"600 root root 1 {ENV}")),
    Case("app.secrets_private", PASS, "private", files("640 root akkoma 1 /etc/akkoma/a b.exs"), data={"path": "/etc/akkoma/a b.exs"}),
    Case("app.secrets_private", FAIL, "open", files(GOOD_FILE, f"644 mastodon mastodon 96 {ENV}"), "644", data={"mode": "644"}),
    Case("app.secrets_private", FAIL, "open", files(f"602 mastodon mastodon 96 {ENV}")),
    Case("app.secrets_private", WARN, "group", files("640 root nogroup 180 /opt/akkoma/config/prod.secret.exs"), data={"group": "nogroup"}),
    Case("app.secrets_private", WARN, "group", files(f"660 mastodon mastodon 96 {ENV}")),
    Case("app.secrets_private", UNKNOWN, "closed", files(CLOSED), reason=Reason.DENIED, data={"folder": "/home/mastodon"}),
    Case("app.secrets_private", UNKNOWN, "no_file", files()),
    Case("app.secrets_private", UNKNOWN, "no_file", files("stat: cannot statx: Permission denied")),
]  # fmt: skip

SWITCHES = "app.dangerous_switches_off"
SWITCH_CASES = [
    Case(SWITCHES, PASS, "off", env("RAILS_ENV=production", "ALLOWED_PRIVATE_ADDRESSES=empty", "SMTP_OPENSSL_VERIFY_MODE=peer"), ENV),
    Case(SWITCHES, PASS, "off", env("LDAP_TLS_NO_VERIFY=false", "SELF_DESTRUCT=")),
    Case(SWITCHES, FAIL, "on", env("SMTP_SERVER=smtp.relay.test", "SMTP_OPENSSL_VERIFY_MODE=none"), "SMTP_OPENSSL_VERIFY_MODE=none"),
    # The way to Postfix on the same machine, as Mastodon's sample has it.
    Case(SWITCHES, PASS, "off", env("SMTP_SERVER=localhost", "SMTP_OPENSSL_VERIFY_MODE=none")),
    # Somebody else's closed home says nothing where the file itself was read.
    Case(SWITCHES, PASS, "off", config("mastodon", "RAILS_ENV=production", more="denied /home/alice")),
    Case(SWITCHES, UNKNOWN, "denied", config("mastodon", "RAILS_ENV=production", more="== mastodon /srv/b/.env.production denied"), data={"path": "/srv/b/.env.production"}),
    Case(SWITCHES, FAIL, "on", env("RAILS_ENV=development"), ENV),
    Case(SWITCHES, FAIL, "on", env("SELF_DESTRUCT=a.test")),
    Case(SWITCHES, FAIL, "on", config("pixelfed", "APP_DEBUG=true")),
    Case(SWITCHES, PASS, "off", config("pixelfed", "APP_DEBUG=false", "APP_ENV=production")),
    Case(SWITCHES, FAIL, "on", config("akkoma", "admin_token=set"), data={"setting": "admin_token=set"}),
    Case(SWITCHES, FAIL, "on", config("gotosocial", "http-client.tls-insecure-skip-verify=true")),
    Case(SWITCHES, FAIL, "sample", env("DB_PASS=sample"), "DB_PASS: value of the sample", data={"key": "DB_PASS"}),
    # That a login is called like the software is no fault.
    Case(SWITCHES, PASS, "off", config("misskey", "db.user=sample", "db.pass=set")),
    Case(SWITCHES, WARN, "reason_needed", config("sharkey", "allowedPrivateNetworks=set")),
    Case(SWITCHES, WARN, "reason_needed", config("misskey", "disableHsts=true")),
    Case(SWITCHES, WARN, "reason_needed", env("ALLOWED_PRIVATE_ADDRESSES=10.0.0.0/8")),
    Case(SWITCHES, UNKNOWN, "in_database", config("pleroma", "configurable_from_database=true")),
    Case(SWITCHES, FAIL, "sample", config("pleroma", "configurable_from_database=true", "Pleroma.Web.Endpoint.secret_key_base=sample")),
    Case(SWITCHES, UNKNOWN, "denied", {"app_config": f"== mastodon {ENV} denied"}, reason=Reason.DENIED, data={"path": ENV}),
    Case(SWITCHES, UNKNOWN, "denied", {"app_config": CLOSED}, data={"path": "/home/mastodon"}),
    # What is found bad counts, whatever else is closed.
    Case(SWITCHES, FAIL, "on", config("pixelfed", "APP_DEBUG=true", more=CLOSED)),
    Case(SWITCHES, UNKNOWN, "no_file", {"app_config": ""}),
    # The file of another software on the same machine is not this instance's.
    Case(SWITCHES, UNKNOWN, "no_file", config("pixelfed", "APP_DEBUG=true"), facts=(MASTODON,)),
]  # fmt: skip

CASES = [*PRIVATE, *SWITCH_CASES]
ITEMS = {case.item for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    assert uncovered(CASES, ITEMS) == set()


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_nothing_is_said_of_a_server_that_is_not_connected(item_id: str) -> None:
    verdict = judge(item_named(item_id), Facts(missing={Inside: Missing(Reason.NOT_CONNECTED)}))
    assert (verdict.status, verdict.reason) == (UNKNOWN, Reason.NOT_CONNECTED)


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_silence_is_no_verdict(item_id: str) -> None:
    verdict = judge(item_named(item_id), Facts().with_facts(report(app_files="", app_config="")))
    assert verdict.status is UNKNOWN


def test_a_closed_folder_may_stand_between_two_files() -> None:
    found = parse_app_config(("== akkoma /etc/akkoma/config.exs", ":mrf.transparency=true", "denied /srv/x",
                              "== firefish /srv/y/default.yml", "url=https://a.test/", "== mastodon /a b denied"))  # fmt: skip
    assert [(one.family, one.path, one.denied) for one in found.files] == [
        ("akkoma", "/etc/akkoma/config.exs", False), ("misskey", "/srv/y/default.yml", False), ("mastodon", "/a b", True),
    ]  # fmt: skip
    assert (found.denied, found.closed) == (("/a b",), ("/srv/x",))
    assert found.files[0].values == {":mrf.transparency": "true"}


@pytest.mark.parametrize("line", ["", "644", "888 a b 1 /x", "644 a b 1 x", "06440 a b 1 /x", "6:4 a b 1 /x"])
def test_other_lines_are_no_file(line: str) -> None:
    assert parse_app_files((line,)).files == ()
