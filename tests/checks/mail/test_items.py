"""The items of mail, judged from hand-made facts."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from checks.errors import Reason
from checks.facts import Fact, Missing
from checks.facts.dns import Asked, Lookup, ResolverHealth
from checks.facts.http import Page
from checks.facts.mail import (
    DkimAnswers,
    DkimAsked,
    DkimMessage,
    DmarcAnswers,
    MailHost,
    MailRoutes,
    MtaSts,
    Origin,
    Proof,
    ProvenSignature,
    SmtpHost,
    SmtpHosts,
    SmtpSession,
    SpfAnswers,
)
from tests.checks.dns.made import NOW, SLOW, Answer, asked, found, nobody, short, verdict
from tests.checks.inside.host_cases import report
from tests.checks.mail.test_parsers import ED_KEY, POLICY, RSA_KEY, key_text


def spf(*own: str, cut: bool = False, **others: Answer | str) -> SpfAnswers:
    """TXT of a.test, and of other names written with _ for dots."""
    more = []
    for key, value in others.items():
        name = key.replace("_", ".")
        more.append(Asked(name, "TXT", found(name, "TXT", value) if isinstance(value, str) else value))
    return SpfAnswers("a.test", (asked("a.test", "TXT", *own), *more), cut)


@pytest.mark.parametrize(
    ("fact", "wanted"),
    [
        (spf("v=spf1 ip4:192.0.2.1 -all"), "pass:valid"),
        (spf("v=spf1 ip4:192.0.2.1 ~all", "other text"), "pass:valid"),
        (spf("v=spf1 exists:%{i}.x.test -all"), "pass:valid"),
        (spf("v=spf1 include:b.test -all", b_test="v=spf1 ip4:192.0.2.1"), "pass:valid"),
        (spf("v=spf1 redirect=b.test", b_test="v=spf1 -all"), "pass:valid"),
        (spf("v=spf1 ?all"), "warn:open_end"),
        (spf("v=spf1 ip4:192.0.2.1"), "warn:open_end"),
        (spf("v=spf1 ip4:10.0.0.0/8 -all"), "warn:wide"),
        (spf("v=spf1 ptr -all"), "warn:ptr"),
        (spf("v=spf1 " + "exists:%{i}.x.test " * 8 + "-all"), "warn:near_limit"),
        (spf("v=spf1 a:x..test -all"), "warn:bad_name"),
        (spf("v=spf1 " + "ip4:192.0.2.1 " * 40 + "-all"), "warn:long"),
        (spf(), "fail:none"),
        (spf("v=spf10 -all"), "fail:none"),
        (spf("v=spf1 -all", "v=spf1 ~all"), "fail:several"),
        (spf("v=spf1 ipv4:192.0.2.1 -all"), "fail:syntax"),
        (spf("v=spf1 include:b.test -all", b_test=nobody("b.test", "TXT")), "fail:dead_end"),
        (spf("v=spf1 redirect=b.test", b_test=nobody("b.test", "TXT")), "fail:dead_end"),
        (spf("v=spf1 include:a.test -all"), "fail:loop"),
        (spf("v=spf1 +all"), "fail:open_to_all"),
        (spf("v=spf1 " + "exists:%{i}.x.test " * 11 + "-all"), "fail:too_many"),
        (spf("v=spf1 include:b.test -all", b_test=SLOW), "unknown:timeout"),
        (spf("v=spf1 include:b.test -all", b_test=Missing(Reason.BUDGET)), "unknown:budget"),
        (spf("v=spf1 include:b.test -all", cut=True), "unknown:not_followed"),
        (SpfAnswers("a.test", (Asked("a.test", "TXT", SLOW),)), "unknown:timeout"),
        (SpfAnswers("a.test", (Asked("a.test", "TXT", Missing(Reason.MALFORMED)),)), "unknown:malformed"),
    ],
)
def test_spf(fact: SpfAnswers, wanted: str) -> None:
    assert short(verdict("mail.spf", fact)) == wanted


def test_an_unseen_branch_does_not_hide_a_broken_one() -> None:
    fact = spf("v=spf1 include:b.test include:c.test -all", b_test=SLOW, c_test="v=spf1 bad")
    assert short(verdict("mail.spf", fact)) == "fail:syntax"


def test_the_tree_is_evidence_and_hostile_text_in_it_is_harmless() -> None:
    made = verdict("mail.spf", spf("v=spf1 include:b.test -all", b_test="v=spf1 \x1b[31m<script> -all"))
    shown = "\n".join(e.label + e.text for e in made.evidence)
    assert "\x1b" not in shown
    assert "> v=spf1" in shown


R = "v=DMARC1; rua=mailto:r@a.test; "


def dmarc(
    own: Answer | str | tuple[str, ...] = (), top: Answer | str = "", reports: tuple[Asked, ...] = ()
) -> DmarcAnswers:
    def answer(name: str, value: Answer | str | tuple[str, ...]) -> Asked:
        if isinstance(value, (Lookup, Missing)):
            return Asked(name, "TXT", value)
        return asked(name, "TXT", *((value,) if isinstance(value, str) and value else value))

    return DmarcAnswers("a.test", (answer("_dmarc.a.test", own), answer("_dmarc.test", top)), reports)


OUTSIDE = "a.test._report._dmarc.r.example"


@pytest.mark.parametrize(
    ("fact", "wanted", "reports"),
    [
        (dmarc(R + "p=reject"), "pass:enforced", "pass:received"),
        (dmarc(R + "p=quarantine;;"), "pass:enforced", "pass:received"),
        (dmarc(R + "p=reject; pct=100"), "pass:enforced", "pass:received"),
        (dmarc((R + "p=reject", "v=spf1 -all")), "pass:enforced", "pass:received"),
        (dmarc(R + "p=reject", reports=(asked(OUTSIDE, "TXT", "v=DMARC1"),)), "pass:enforced", "pass:received"),
        (dmarc(R + "p=none"), "warn:watching", "pass:received"),
        (dmarc(R), "warn:watching", "pass:received"),
        (dmarc(R + "p=reject; t=y"), "warn:testing", "pass:received"),
        (dmarc("v=DMARC1; p=reject"), "warn:no_reports", "fail:none"),
        (dmarc("v=DMARC1; p=reject; rua="), "warn:no_reports", "fail:none"),
        (dmarc(R + "p=reject; pct=50"), "warn:removed_tag", "pass:received"),
        (dmarc(R + "p=reject", reports=(asked(OUTSIDE, "TXT"),)), "warn:reports_refused", "warn:not_permitted"),
        (dmarc(R + "p=reject", reports=(Asked(OUTSIDE, "TXT", SLOW),)), "pass:enforced", "unknown:timeout"),
        (dmarc(), "fail:none", "not_applicable:no_record"),
        (dmarc("v=spf1 -all"), "fail:none", "not_applicable:no_record"),
        (dmarc((R + "p=reject", R + "p=none")), "fail:several", "not_applicable:no_record"),
        (dmarc("v=DMARC2; p=reject"), "fail:bad_version", "not_applicable:no_record"),
        (dmarc("v=DMARC1; p=rejct"), "fail:broken", "fail:none"),
        (dmarc(SLOW), "unknown:timeout", "unknown:timeout"),
        (dmarc((), SLOW), "unknown:timeout", "unknown:timeout"),
        (dmarc(R + "p=reject", SLOW), "pass:enforced", "pass:received"),
    ],
)  # fmt: skip
def test_dmarc_and_its_reports(fact: DmarcAnswers, wanted: str, reports: str) -> None:
    assert short(verdict("mail.dmarc", fact)) == wanted
    assert short(verdict("mail.dmarc_reports", fact)) == reports


NO_WILDCARD = nobody("x._domainkey.a.test", "TXT")
GOOD_KEY = f"v=DKIM1; k=rsa; p={RSA_KEY}"


def dkim(*keys: tuple[str, Origin, Answer | tuple[str, ...]], wildcard: Answer = NO_WILDCARD) -> DkimAnswers:
    made = tuple(
        DkimAsked(s, origin, a if isinstance(a, (Lookup, Missing)) else found(s, "TXT", *a))
        for s, origin, a in keys
    )
    return DkimAnswers("a.test", wildcard, made)


SIGNS = report(
    mail="== postfix absent\n== opendkim\nKeyTable a.test mail\nSigningTable *@a.test mail._domainkey.a.test\n== rspamd"
)


def named(*records: str) -> DkimAnswers:
    return dkim(("s", Origin.NAMED, records))


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((named(GOOD_KEY),), "pass:good"),
        ((named(f"v=DKIM1; k=ed25519; p={ED_KEY}"),), "pass:good"),
        ((named(f"v=DKIM1; p={key_text(1024)}"),), "warn:short"),
        ((named(f"v=DKIM1; t=y; p={RSA_KEY}"),), "warn:testing"),
        ((named(f"v=DKIM1; h=sha1; p={RSA_KEY}"),), "warn:sha1_only"),
        ((named(),), "fail:missing"),
        ((dkim(("s", Origin.NAMED, NO_WILDCARD)),), "fail:missing"),
        ((named("v=DKIM1; p="),), "fail:revoked"),
        ((named("v=spf1 -all"),), "fail:broken"),
        ((named(GOOD_KEY, GOOD_KEY + ";"),), "fail:broken"),
        ((dkim(("s", Origin.NAMED, (GOOD_KEY,)), ("t", Origin.NAMED, ())),), "fail:missing"),
        ((dkim(("s", Origin.NAMED, SLOW)),), "unknown:timeout"),
        ((dkim(),), "unknown:no_selector"),
        ((dkim(("mail", Origin.GUESSED, ())),), "unknown:no_selector"),
        ((dkim(("mail", Origin.GUESSED, (GOOD_KEY,))),), "unknown:guessed"),
        ((dkim(("mail", Origin.GUESSED, ("v=DKIM1; p=",))),), "unknown:no_selector"),
        ((dkim(("k1", Origin.PROVIDER, (GOOD_KEY,))),), "pass:good"),
        ((dkim(("k1", Origin.PROVIDER, ("v=DKIM1; p=",))),), "unknown:no_selector"),
        ((dkim(("k1", Origin.PROVIDER, (GOOD_KEY,)), wildcard=found("x", "TXT", GOOD_KEY)),), "unknown:no_selector"),
        ((dkim(("k1", Origin.PROVIDER, (GOOD_KEY,)), wildcard=SLOW),), "unknown:no_selector"),
        # What the server signs with counts as if it had been named.
        ((dkim(("mail", Origin.GUESSED, (GOOD_KEY,))), SIGNS), "pass:good"),
        ((dkim(("mail", Origin.GUESSED, NO_WILDCARD)), SIGNS), "fail:missing"),
        ((dkim(("s", Origin.NAMED, (GOOD_KEY,)), ("mail", Origin.GUESSED, ())), SIGNS), "fail:missing"),
        ((dkim(("other", Origin.GUESSED, (GOOD_KEY,))), SIGNS), "unknown:server_selector"),
        ((dkim(), SIGNS, spf("v=spf1 -all")), "unknown:server_selector"),
        ((dkim(("mail", Origin.GUESSED, (GOOD_KEY,))), report(mail="== opendkim\nKeyTable b.test mail")), "unknown:guessed"),
        ((dkim(("mail", Origin.GUESSED, (GOOD_KEY,))), report()), "unknown:guessed"),
        ((dkim(), spf("v=spf1 -all")), "not_applicable:no_mail"),
        ((named(), spf("v=spf1 -all")), "fail:missing"),
    ],
)  # fmt: skip
def test_dkim(facts: tuple[Fact, ...], wanted: str) -> None:
    assert short(verdict("mail.dkim", *facts)) == wanted


def pasted(*proofs: Proof, domain: str = "a.test") -> DkimMessage:
    made = tuple(ProvenSignature(domain, f"s{n}", "rsa-sha256", p, "", 2048) for n, p in enumerate(proofs))
    return DkimMessage("a.test", made, NOW)


@pytest.mark.parametrize(
    ("mail", "record", "wanted"),
    [
        (pasted(Proof.VERIFIED), GOOD_KEY, "pass:verified"),
        (pasted(Proof.NO_KEY, Proof.VERIFIED), GOOD_KEY, "pass:verified"),
        (pasted(Proof.VERIFIED), "v=DKIM1; p=", "fail:revoked"),
        (pasted(Proof.VERIFIED), GOOD_KEY + "; t=y", "warn:testing"),
        (pasted(Proof.VERIFIED, domain="mailer.test"), GOOD_KEY, "pass:good"),
        (pasted(Proof.SHA1), GOOD_KEY, "warn:sha1_mail"),
        (pasted(Proof.SHA1, Proof.VERIFIED), GOOD_KEY, "pass:verified"),
        *(
            (pasted(proof), GOOD_KEY, "pass:good")
            for proof in Proof
            if proof not in (Proof.VERIFIED, Proof.SHA1)
        ),
    ],
)
def test_a_pasted_mail_proves_and_never_fails(mail: DkimMessage, record: str, wanted: str) -> None:
    made = verdict("mail.dkim", named(record), mail)
    assert short(made) == wanted
    assert any(e.label.startswith("DKIM-Signature s=s0") for e in made.evidence)


def test_a_key_below_the_least_size_fails() -> None:
    weak = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKM9tr8bGXb0tZC6Y2k6xkDdw3CTmzE1m0oV1xUkhaGvJwqQ0b8zGZ7mXcQ1kqQbBv4d6yqk7p2Zq0d3o8y2PrkCAwEAAQ=="
    made = verdict("mail.dkim", named(f"v=DKIM1; p={weak}"))
    assert short(made) == "fail:weak"
    assert made.data["bits"] == 512


def host(name: str, v4: Answer | str | None = "192.0.2.1", v6: Answer | None = None) -> MailHost:
    return MailHost(10, name, found(name, "A", v4) if isinstance(v4, str) else v4, v6)


def routes(*hosts: MailHost) -> MailRoutes:
    return MailRoutes("a.test", found("a.test", "MX", *(f"{h.preference} {h.name}" for h in hosts)), hosts)


GONE = nobody("mx.a.test", "A")
NULL = MailHost(0, ".")
MX = host("mx.a.test")


@pytest.mark.parametrize(
    ("fact", "wanted"),
    [
        (routes(MX), "pass:deliverable"),
        (routes(MX, host("mx2.a.test")), "pass:deliverable"),
        (routes(host("mx.a.test", GONE, found("mx.a.test", "AAAA", "2001:db8::1"))), "pass:deliverable"),
        (routes(NULL), "pass:null"),
        (routes(NULL, MX), "fail:null_and_others"),
        (routes(host("mx.a.test", GONE, GONE)), "fail:no_address"),
        (routes(MX, host("mx2.a.test", GONE, GONE)), "fail:no_address"),
        (routes(host("mx.a.test", GONE, SLOW)), "unknown:timeout"),
        (routes(host("mx.a.test", SLOW, SLOW)), "unknown:timeout"),
        (routes(host("localhost")), "warn:local"),
        (routes(host("mx.a.test", "127.0.0.1")), "warn:local"),
        (routes(host("mx.a.test", found("mx.a.test", "A", "192.0.2.1", aliases=("b.test",)))), "warn:alias"),
        (routes(MX, MX), "warn:twice"),
        (MailRoutes("a.test", found("a.test", "MX"), (), found("a.test", "A", "192.0.2.1")), "warn:implicit"),
        (MailRoutes("a.test", found("a.test", "MX"), (), found("a.test", "A")), "fail:nowhere"),
        (MailRoutes("a.test", found("a.test", "MX"), (), SLOW), "unknown:timeout"),
        (MailRoutes("a.test", nobody("a.test", "MX")), "fail:no_domain"),
        (MailRoutes("a.test", SLOW), "unknown:timeout"),
    ],
)
def test_mx_sane(fact: MailRoutes, wanted: str) -> None:
    assert short(verdict("mail.mx_sane", fact)) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted", "provider"),
    [
        ((routes(host("mxa.mailgun.org")), spf("v=spf1 -all")), "warn:needs_answer", "Mailgun"),
        ((routes(MX), spf("v=spf1 include:sendgrid.net -all", sendgrid_net="v=spf1 -all")), "warn:needs_answer", "SendGrid"),
        ((routes(host("mx.notmailgun.org")), spf("v=spf1 -all")), "manual:nothing_seen", None),
        ((routes(MX), spf("v=spf1 mx -all")), "not_applicable:own_server", None),
        ((routes(MX), spf("v=spf1 include:b.test -all", b_test="v=spf1 -all")), "manual:nothing_seen", None),
        ((routes(NULL), spf("v=spf1 -all")), "manual:nothing_seen", None),
        ((routes(MX), spf()), "manual:nothing_seen", None),
        ((MailRoutes("a.test", SLOW), spf("v=spf1 -all")), "unknown:timeout", None),
        ((routes(MX),), "unknown:not_asked", None),
    ],
)  # fmt: skip
def test_provider_contract_known(facts: tuple[Fact, ...], wanted: str, provider: str | None) -> None:
    made = verdict("mail.provider_contract_known", *facts)
    assert short(made) == wanted
    assert made.data.get("provider") == provider


def page(body: str = POLICY, status: int = 200, media: str = "text/plain; charset=utf-8") -> Page:
    url = "https://mta-sts.a.test/.well-known/mta-sts.txt"
    return Page(url, status, (("content-type", media),), body)


TLSRPT = found("_smtp._tls.a.test", "TXT", "v=TLSRPTv1; rua=mailto:a@a.test")
STS = found("_mta-sts.a.test", "TXT", "v=STSv1; id=1")


def sts(policy: Page | Missing | None, txt: Answer = STS, reports: Answer = TLSRPT) -> MtaSts:
    return MtaSts("a.test", txt, policy, reports)


NO_STS = nobody("_mta-sts.a.test", "TXT")


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((sts(page()), routes(MX)), "pass:enforced"),
        ((sts(page()), routes(host("x.b.test"))), "pass:enforced"),
        ((sts(page()),), "unknown:not_asked"),
        ((sts(page()), MailRoutes("a.test", SLOW)), "unknown:timeout"),
        ((sts(page(), reports=SLOW), routes(MX)), "pass:enforced"),
        ((sts(page(), reports=nobody("x", "TXT")), routes(MX)), "warn:no_tls_reports"),
        ((sts(page(POLICY.replace("enforce", "testing"))), routes(host("other.test"))), "warn:testing"),
        ((sts(page(POLICY.replace("enforce", "none"))), routes(MX)), "warn:testing"),
        ((sts(page(POLICY.replace("604800", "3600"))), routes(MX)), "warn:short_life"),
        ((sts(page()), routes(host("other.test"))), "fail:not_covered"),
        ((sts(page("<html></html>")), routes(MX)), "fail:bad_policy"),
        ((sts(page("<html></html>", media="text/html")), routes(MX)), "fail:no_policy"),
        ((sts(page(status=404)), routes(MX)), "fail:no_policy"),
        ((sts(page(status=301)), routes(MX)), "fail:no_policy"),
        ((sts(page(status=503)), routes(MX)), "unknown:withheld"),
        ((sts(page(status=403)), routes(MX)), "unknown:withheld"),
        ((sts(Missing(Reason.NO_SUCH_NAME, "mta-sts.a.test")), routes(MX)), "fail:no_policy"),
        ((sts(Missing(Reason.MALFORMED, "certificate: expired")), routes(MX)), "fail:no_policy"),
        ((sts(SLOW), routes(MX)), "unknown:timeout"),
        ((sts(page(), found("x", "TXT", "v=STSv1;")), routes(MX)), "fail:bad_record"),
        ((sts(page(), found("x", "TXT", "v=STSv1; id=1", "v=STSv1; id=2")), routes(MX)), "fail:bad_record"),
        ((sts(None, NO_STS), routes(MX)), "warn:absent"),
        ((sts(None, found("x", "TXT", "v=spf1 -all")), routes(MX)), "warn:absent"),
        ((sts(None, NO_STS), routes(NULL)), "not_applicable:no_inbound"),
        ((sts(None, SLOW), routes(MX)), "unknown:timeout"),
    ],
)
def test_mta_sts(facts: tuple[Fact, ...], wanted: str) -> None:
    assert short(verdict("mail.mta_sts", *facts)) == wanted


LATER = NOW + timedelta(days=30)
SOUND = SmtpSession(True, "TLSv1.3", "", ("mx.a.test",), LATER, False, b"cert", b"key")


def smtp(session: SmtpSession | Missing, tlsa: Answer = SLOW, hosted: bool = False) -> SmtpHosts:
    return SmtpHosts("a.test", (SmtpHost("mx.a.test", hosted, session, tlsa),), NOW)


@pytest.mark.parametrize(
    ("session", "wanted"),
    [
        (SOUND, "pass:offered"),
        (SmtpSession(True, "TLSv1.2", "", ("*.a.test",), LATER), "pass:offered"),
        (SmtpSession(True, "TLSv1.1", "", ("mx.a.test",), LATER), "warn:old_version"),
        (SmtpSession(True, "TLSv1.3", "", ("other.test",), LATER), "warn:untrusted"),
        (SmtpSession(True, "TLSv1.3", "", ("mx.a.test",), NOW - timedelta(days=1)), "warn:untrusted"),
        (SmtpSession(True, "TLSv1.3", "", ("mx.a.test",), LATER, True), "warn:untrusted"),
        (SmtpSession(True, "", "no handshake"), "warn:broken"),
        (SmtpSession(False), "fail:not_offered"),
        (Missing(Reason.PORT_BLOCKED, "192.0.2.1 port 25"), "unknown:port_blocked"),
        (Missing(Reason.REFUSED), "unknown:refused"),
        (Missing(Reason.WITHHELD, "greeting 421"), "unknown:withheld"),
    ],
)
def test_starttls(session: SmtpSession | Missing, wanted: str) -> None:
    assert short(verdict("mail.starttls", smtp(session))) == wanted


def test_starttls_is_judged_by_the_worst_host_and_not_on_hosted_ones() -> None:
    fine, bad = smtp(SOUND).hosts[0], smtp(SmtpSession(False)).hosts[0]
    assert short(verdict("mail.starttls", SmtpHosts("a.test", (fine, bad), NOW))) == "fail:not_offered"
    assert short(verdict("mail.starttls", smtp(SLOW, hosted=True))) == "not_applicable:hosted"
    assert short(verdict("mail.starttls", SmtpHosts("a.test", (), NOW))) == "not_applicable:hosted"


KEY, OTHER = hashlib.sha256(b"key").hexdigest(), hashlib.sha256(b"old").hexdigest()


def tlsa(*records: str, secure: bool = True) -> Lookup:
    return found("_25._tcp.mx.a.test", "TLSA", *records, secure=secure)


@pytest.mark.parametrize(
    ("fact", "health", "wanted"),
    [
        (smtp(SOUND, tlsa(f"3 1 1 {KEY}", f"2 1 1 {OTHER}")), True, "pass:matches"),
        (smtp(SOUND, tlsa(f"3 1 1 {KEY}", f"3 1 1 {OTHER}")), True, "pass:matches"),
        (smtp(SOUND, tlsa(f"3 1 1 {KEY}")), True, "warn:no_spare"),
        (smtp(SOUND, tlsa()), True, "warn:absent"),
        (smtp(SOUND, tlsa("1 1 1 ab")), True, "warn:unusable"),
        (smtp(SOUND, tlsa(f"3 1 1 {OTHER}")), True, "fail:mismatch"),
        (smtp(SOUND, tlsa(f"2 1 1 {OTHER}")), True, "unknown:authority_only"),
        (smtp(SOUND, tlsa(f"3 1 1 {OTHER}", f"2 1 1 {OTHER}")), True, "unknown:authority_only"),
        (smtp(SLOW, tlsa(f"3 1 1 {OTHER}")), True, "unknown:timeout"),
        (smtp(SmtpSession(False), tlsa(f"3 1 1 {OTHER}")), True, "fail:no_tls"),
        (smtp(SOUND, SLOW), True, "unknown:timeout"),
        (smtp(SOUND, tlsa(f"3 1 1 {KEY}", secure=False)), True, "not_applicable:not_signed"),
        (smtp(SOUND, tlsa(f"3 1 1 {KEY}")), False, "unknown:not_validating"),
        (smtp(SOUND, hosted=True), True, "not_applicable:hosted"),
    ],
)
def test_dane(fact: SmtpHosts, health: bool, wanted: str) -> None:
    assert short(verdict("mail.dane", fact, ResolverHealth("x", health))) == wanted
