"""How the server's mail leaves, as its configuration says."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.model import Status
from checks.parse.host.mail_server import parse_mail
from tests.checks.inside.host_cases import Case, check_case, item_named, report, uncovered

PASS, WARN, FAIL, UNKNOWN, MANUAL = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.MANUAL
MAIL = "plan.outgoing_mail"
NO_POSTFIX = "== postfix absent\n== opendkim\n== rspamd"


def mail(family: str, *values: str, server: str = NO_POSTFIX) -> dict[str, str]:
    return {
        "app_config": "\n".join((f"== {family} /opt/app/config", "LOCAL_DOMAIN=a.test", *values)),
        "mail": server,
    }


def postfix(level: str) -> str:
    return f"== postfix\ninet_interfaces=loopback-only\nsmtp_tls_security_level={level}\nrelayhost=set\n== opendkim\n== rspamd"


RELAY = "SMTP_SERVER=smtp.relay.test"
SMTP = "Pleroma.Emails.Mailer.adapter=Swoosh.Adapters.SMTP"
MAILER_RELAY = "Pleroma.Emails.Mailer.relay=smtp.relay.test"
OUTGOING = [
    Case(MAIL, PASS, "verified", mail("mastodon", RELAY, "SMTP_ENABLE_STARTTLS=always", "SMTP_OPENSSL_VERIFY_MODE=peer"), "SMTP_ENABLE_STARTTLS=always"),
    Case(MAIL, PASS, "verified", mail("mastodon", RELAY, "SMTP_TLS=true"), data={"server": "smtp.relay.test"}),
    Case(MAIL, WARN, "opportunistic", mail("mastodon", RELAY, "SMTP_ENABLE_STARTTLS=auto")),
    Case(MAIL, WARN, "opportunistic", mail("mastodon", RELAY, "SMTP_ENABLE_STARTTLS_AUTO=true")),
    Case(MAIL, FAIL, "plain", mail("mastodon", RELAY, "SMTP_ENABLE_STARTTLS=never")),
    Case(MAIL, FAIL, "unverified", mail("mastodon", RELAY, "SMTP_TLS=true", "SMTP_OPENSSL_VERIFY_MODE=none"), "VERIFY_MODE=none"),
    # Mastodon's own sample: no verification on the way to the same machine, where Postfix decides.
    Case(MAIL, PASS, "by_postfix", mail("mastodon", "SMTP_SERVER=localhost", "SMTP_OPENSSL_VERIFY_MODE=none", server=postfix("secure")), "= secure"),
    Case(MAIL, WARN, "postfix_opportunistic", mail("mastodon", server=postfix("may")), data={"level": "may"}),
    Case(MAIL, WARN, "postfix_opportunistic", mail("mastodon", "SMTP_DELIVERY_METHOD=sendmail", server=postfix("")), data={"level": "none"}),
    Case(MAIL, MANUAL, "local", mail("mastodon", "SMTP_SERVER=127.0.0.1")),
    Case(MAIL, PASS, "verified", mail("gotosocial", "smtp-host=smtp.relay.test")),
    Case(MAIL, FAIL, "none", mail("gotosocial", "smtp-host="), "smtp-host="),
    Case(MAIL, PASS, "verified", mail("pixelfed", "MAIL_HOST=smtp.relay.test", "MAIL_PORT=465")),
    Case(
        MAIL,
        WARN,
        "opportunistic",
        mail("pixelfed", "MAIL_HOST=smtp.relay.test", "MAIL_PORT=587", "MAIL_ENCRYPTION=tls"),
    ),
    Case(MAIL, WARN, "opportunistic", mail("pixelfed", "MAIL_HOST=smtp.relay.test", "MAIL_ENCRYPTION=null")),
    Case(MAIL, UNKNOWN, "elsewhere", mail("pixelfed", "APP_ENV=production")),
    Case(MAIL, FAIL, "plain", mail("lemmy", "email.tls_type=none")),
    Case(MAIL, PASS, "verified", mail("lemmy", "email.tls_type=starttls")),
    Case(MAIL, FAIL, "plain", mail("peertube", "smtp.password=set", "smtp.tls=false", "smtp.disable_starttls=true")),
    Case(MAIL, PASS, "verified", mail("peertube", "smtp.password=set", "smtp.tls=true")),
    Case(MAIL, UNKNOWN, "elsewhere", mail("misskey", "url=https://a.test/"), data={"software": "misskey"}),
    Case(MAIL, UNKNOWN, "elsewhere", mail("akkoma", "Pleroma.Emails.Mailer.password=set")),
    Case(MAIL, FAIL, "none", mail("pixelfed", "MAIL_DRIVER=log", "MAIL_HOST=smtp.relay.test"), "MAIL_DRIVER=log"),
    Case(MAIL, PASS, "verified", mail("pixelfed", "MAIL_MAILER=ses"), data={"server": "ses"}),
    Case(MAIL, MANUAL, "local", mail("pixelfed", "MAIL_DRIVER=sendmail", "MAIL_HOST=smtp.relay.test")),
    Case(MAIL, FAIL, "none", mail("peertube", "smtp.transport=smtp", "smtp.hostname=empty")),
    Case(MAIL, MANUAL, "local", mail("peertube", "smtp.transport=sendmail")),
    Case(MAIL, WARN, "opportunistic", mail("peertube", "smtp.hostname=mail.test", "smtp.tls=false")),
    Case(MAIL, UNKNOWN, "elsewhere", mail("peertube", "webserver.https=true")),
    Case(MAIL, FAIL, "none", mail("pleroma", "Pleroma.Emails.Mailer.enabled=false")),
    Case(MAIL, MANUAL, "encrypted", mail("akkoma", SMTP, MAILER_RELAY, "Pleroma.Emails.Mailer.tls=:always"), "tls=:always"),
    Case(MAIL, MANUAL, "encrypted", mail("akkoma", SMTP, MAILER_RELAY, "Pleroma.Emails.Mailer.ssl=true")),
    Case(MAIL, WARN, "opportunistic", mail("akkoma", SMTP, MAILER_RELAY), data={"server": "smtp.relay.test"}),
    Case(MAIL, FAIL, "plain", mail("akkoma", SMTP, MAILER_RELAY, "Pleroma.Emails.Mailer.tls=:never")),
    Case(MAIL, MANUAL, "local", mail("akkoma", SMTP, "Pleroma.Emails.Mailer.relay=localhost")),
    Case(MAIL, UNKNOWN, "elsewhere", mail("akkoma", SMTP, MAILER_RELAY, "configurable_from_database=true")),
    Case(MAIL, UNKNOWN, "denied", {"app_config": "denied /home/mastodon", "mail": postfix("secure")}, reason=Reason.DENIED),
    Case(MAIL, UNKNOWN, "no_file", {"app_config": "", "mail": postfix("secure")}),
]  # fmt: skip

CASES = OUTGOING
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


def test_silence_is_no_verdict() -> None:
    verdict = judge(item_named(MAIL), Facts().with_facts(report(app_config="", mail="")))
    assert verdict.status is UNKNOWN


def test_selectors_of_both_signers() -> None:
    found = parse_mail((
        "== postfix absent", "== opendkim", "Domain a.test, b.test", "Selector one", "KeyTable c.test two", "KeyTable % four",
        "SigningTable *@c.test two._domainkey.c.test", "== rspamd", 'selector = "three";', "domain {",
    ))  # fmt: skip
    assert found.selectors_of("A.test") == ("four", "one", "three")
    assert found.selectors_of("c.test") == ("two", "four", "three")
    assert found.selectors_of("d.test") == ("four", "three")
    assert not found.has_postfix
